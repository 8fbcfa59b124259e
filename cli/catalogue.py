"""The catalogue behind `mesh help E-…`: what each kind of error means, why it matters, what to do.

The error on the screen names the case at hand; an entry here explains the kind. A test reads the source and
demands an entry for each code in it, and a code for each entry.
"""

from collections.abc import Mapping
from typing import Final

from cli.entry import Entry
from cli.file_errors import FILE_ERRORS

_AGAIN: Final = "A program that goes on after this could do harm that nobody sees."
_ASK_AGAIN: Final = "Ask the person who invited you for a new code."

CATALOGUE: Final[Mapping[str, Entry]] = {
    **FILE_ERRORS,
    # ---- the command line
    "E-USAGE": Entry(
        "The command line, or what it asks for, cannot be understood as it stands.",
        "Nothing was done, so that nothing wrong was done.",
        "`mesh COMMAND --help` shows how the command is written.",
    ),
    "E-VALUE-NEEDED": Entry(
        "Something is needed that was not given, or was given empty.",
        "Nothing can be done without it; scripts and pipes have nobody to answer a question.",
        "Give the value that the error names on the command line, or - to send it by stdin.",
    ),
    "E-COMPARE": Entry(
        "What was given to be compared is no safety number of these two, and no state hash.",
        "A safety number has 60 digits; a state hash 16 characters as it is shown, or 64 in full.",
        "Write it out whole, in quotation marks; compare the number of the same two people at both ends.",
    ),
    "E-MISMATCH": Entry(
        "What somebody read out to you is not what your node has.",
        "Mostly a slip, another group, or a node that has not caught up; it may also be that somebody stands between "
        "you with a key of their own, or shows the two of you different groups.",
        "Read it out once more, and compare the group's words. If it stays so, confirm nothing, say nothing here that "
        "is meant for them alone, and talk about it in another way.",
    ),
    "E-NOT-YOURS": Entry(
        "The message is somebody else's.",
        "Only its author takes a message back, under the key that they said it under.",
        "Ask its author, or a steward.",
    ),
    "E-MOVED": Entry(
        "The message went out while it was being taken back.",
        "It is taken back in another way once others may have it.",
        "Run the command again.",
    ),
    "E-NOT-CONFIRMED": Entry(
        "You were asked for confirmation and did not give it.",
        "Nothing was changed.",
        "Run the command again if you want it after all; --yes confirms beforehand.",
    ),
    "E-DURATION": Entry(
        "What was given is no span of time.",
        "A number without its unit could mean seconds or days.",
        "Write a number and s, m, h or d: 90s, 15m, 3h, 7d.",
    ),
    "E-SIZE": Entry(
        "What was given is no size.",
        "A number without its unit could mean bytes or gigabytes.",
        "Write a number and K, M or G: 500K, 200M, 1G.",
    ),
    "E-FILE": Entry(
        "A file that you named cannot be read, or not be written.",
        "Its content is what the command was to work with.",
        "Check the name and its permissions. A text must be UTF-8; what is sent beside a message must be an ordinary "
        "file, and no symbolic link.",
    ),
    "E-TEXT": Entry(
        "A text cannot be used as it is: it is empty, too long, not UTF-8, or holds control characters.",
        "Every member's node refuses such texts, so that nobody's terminal can be driven by another.",
        "Change the text as the error says.",
    ),
    "E-TOO-LONG": Entry(
        "What was to be sent, or shown, is longer than can be carried at once.",
        "Limits keep every node able to hold what it is sent.",
        "Split it in two, or ask for less: `mesh read GROUP --limit N`.",
    ),
    "E-TOO-MANY": Entry(
        "There is no room for another of its kind: groups, attempts to join, open invites, or offers.",
        "Each has a limit, so that no node can be filled up.",
        "Leave, drop or revoke one that you no longer need.",
    ),
    "E-AMBIGUOUS": Entry(
        "A name, or the beginning of an id, fits more than one, or an alias looks like another's.",
        "Acting on the wrong one cannot always be undone.",
        "Type one of the ids that the error lists in its place.",
    ),
    # ---- the program
    "E-FAILED": Entry(
        "The command failed for the reason that is shown.",
        "What it was to do has not happened, or only in part.",
        "Look with `mesh status` how things stand, and try again.",
    ),
    "E-INTERNAL": Entry(
        "The program met something that it was not made for: a fault in mesh.",
        _AGAIN,
        "Run the command with --debug and report what it shows, after looking through it for private words.",
    ),
    "E-ANSWER": Entry(
        "The node answered with something that this command does not understand.",
        "The node that runs and this command may be of different versions.",
        "Stop the node with `mesh down` and start it again with `mesh up`.",
    ),
    # ---- the node, and the socket to it
    "E-NODE-RUNNING": Entry(
        "A node already runs on this home.",
        "Two nodes on one home would use the same keys twice.",
        "Use it as it is, or stop it with `mesh down`.",
    ),
    "E-NODE-DOWN": Entry(
        "Your node is not running, and what you asked for needs it.",
        "Without it nothing new can come.",
        "Start it with `mesh up`, in another terminal or with --detach.",
    ),
    "E-NODE-SILENT": Entry(
        "The node is there and does not answer in time.",
        "It may be busy or suspended; what you asked for may still happen.",
        "Try again in a moment. If it stays so, end its process and start it with `mesh up`.",
    ),
    "E-NODE-STOPPED": Entry(
        "The node stopped, or hung up, before it had answered or was ready.",
        "What you asked for may or may not have happened; what was acknowledged is kept.",
        "Start it with `mesh up`, then look with `mesh status`.",
    ),
    "E-BUSY": Entry(
        "Too many commands are talking to the node at once.",
        "A limit keeps the node able to answer.",
        "End some of them, such as forgotten `read --follow`, and try again.",
    ),
    "E-API": Entry(
        "What came over the node's socket is not the local Api.",
        "Either a script sent a wrong line, or something that is no node of ours listens there.",
        "`mesh api` shows where the socket is and what one can ask. Start the node again with `mesh up`.",
    ),
    "E-METHOD": Entry(
        "The local Api has no method of that name, or it was called in a way that it does not know.",
        "Nothing was done.",
        "`mesh api` lists the methods and their parameters.",
    ),
    "E-SOCKET-FOLDER": Entry(
        "The folder of the node's socket belongs to another account, or others can open it.",
        "Your passphrase passes through that socket.",
        "If the folder is yours, close it with `chmod 700`; if not, set XDG_RUNTIME_DIR to a folder of yours.",
    ),
    "E-SOCKET-PATH": Entry(
        "Every place for the node's socket has a path that is too long for this system.",
        "Paths of sockets end at about a hundred bytes.",
        "Set XDG_RUNTIME_DIR to a folder of yours with a shorter path.",
    ),
    # ---- passphrase and words
    "E-PASSPHRASE": Entry(
        "The passphrase is wrong.",
        "It is the only thing that opens what is stored here; nobody can reset it.",
        "Type it again. If it is lost, your 24 recovery words bring your identity back.",
    ),
    "E-PASSPHRASE-NEEDED": Entry(
        "The passphrase is needed, and it neither came with the command nor can be asked for.",
        "Without it nothing that is stored here can be opened.",
        "Run it in a terminal, use --passphrase-fd N, or set MESH_PASSPHRASE_FILE to a file that holds it.",
    ),
    "E-PASSPHRASE-DIFFERS": Entry(
        "The two passphrases that you typed were not the same.",
        "A passphrase with a slip in it would lock you out.",
        "Run the command again, slowly.",
    ),
    "E-PASSPHRASE-FORM": Entry(
        "That cannot be a passphrase: it is empty, too long, or not text.",
        "It must be something that you can type again on any keyboard.",
        "Choose another: at least one character, at most 1,024 bytes; several words are good.",
    ),
    "E-WORDS": Entry(
        "These are not the 24 recovery words of an identity.",
        "One wrong word leads to no identity, or to another.",
        "Look at the paper that you wrote them on, and type all 24 again in their order.",
    ),
    "E-MEMORY": Entry(
        "There is not enough free memory to check the passphrase.",
        "Checking takes much memory on purpose, so that guessing is dear.",
        "Close other programs and try again.",
    ),
    # ---- the home and the store
    "E-HOME-MISSING": Entry(
        "There is no identity in this home.",
        "Every command but a few works with the identity that `mesh init` makes.",
        "Make one with `mesh init`, or name the right folder with --home or MESH_HOME.",
    ),
    "E-HOME-EXISTS": Entry(
        "There is an identity in this home already.",
        "Making another in its place would lose it.",
        "Use it as it is, or name another folder with --home.",
    ),
    "E-HOME-BUSY": Entry(
        "Another process is using this home.",
        "Two at once would use the same keys twice.",
        "Wait until it is done; a node that runs is stopped with `mesh down`.",
    ),
    "E-HOME-WRITE": Entry(
        "The folder of this home cannot be read or written.",
        "What you receive and say is kept there before anything else happens.",
        "Look at its permissions and at the disk, or name another folder with --home.",
    ),
    "E-HOME-OPEN": Entry(
        "Other accounts can look into the folder, and other things are in it.",
        "Even names and sizes of files tell something about you.",
        "Close it with `chmod 700`, or name another folder with --home.",
    ),
    "E-KEYSLOT-DAMAGED": Entry(
        "The file that holds a key behind your passphrase is damaged or not there.",
        "Without it even the right passphrase opens nothing.",
        "Bring the home back from a copy. The 24 recovery words bring back who you are, not what was stored.",
    ),
    "E-KEYSLOT-NEWER": Entry(
        "The file that holds a key behind your passphrase was written by a newer version of mesh.",
        "This version does not know how to read it and must not guess.",
        "Update mesh.",
    ),
    "E-STORE": Entry(
        "The store cannot be opened, read or written.",
        "It holds your groups, keys and messages.",
        "Look at the disk and at the home's permissions, and try again.",
    ),
    "E-STORE-MISSING": Entry(
        "The store's file is not in the home.",
        "Your groups and messages were in it.",
        "Look whether --home names the right folder; else bring the home back from a copy.",
    ),
    "E-STORE-DAMAGED": Entry(
        "The store was changed, cut short or damaged.",
        "A store that does not fit its key must not be trusted, even in part.",
        "Bring the home back from a copy, and look at the disk.",
    ),
    "E-STORE-NEWER": Entry(
        "The store was written by a newer version of mesh.",
        "This version could destroy what it does not understand.",
        "Update mesh.",
    ),
    "E-STORE-OLDER": Entry(
        "The store was written by an older version of mesh, which this one cannot read.",
        "Nothing in it is damaged: this version only does not know how to read it.",
        "Use the version that wrote it. Or begin a new home, and ask your groups for new invites.",
    ),
    "E-STORE-FULL": Entry(
        "The disk, or this account's share of it, is full.",
        "What cannot be kept is neither sent nor acknowledged.",
        "Make room, then try again.",
    ),
    "E-STORE-WRITE": Entry(
        "The store's file cannot be opened or written.",
        "What cannot be kept is neither sent nor acknowledged.",
        "Look at the home's permissions and at the disk.",
    ),
    "E-STORE-BUSY": Entry(
        "Another program has the store's file open.",
        "Two that write at once would damage it.",
        "Close the other program: a backup, a database viewer, or an older mesh.",
    ),
    "E-STORE-UNENCRYPTED": Entry(
        "The store would not be encrypted, because the wrong database library is installed.",
        "Nothing of yours may lie on the disk in clear.",
        "Install mesh as its README says; `apsw` must not stand beside `apsw-sqlite3mc`.",
    ),
    # ---- the network
    "E-NETWORK": Entry(
        "The network cannot be used as it was asked.",
        "Nobody is reached until it can.",
        "Look at the connection and at the addresses that you gave.",
    ),
    "E-PORT-TAKEN": Entry(
        "Another program on this machine uses your node's port.",
        "Others look for you at that port, so another is not taken in silence.",
        "Stop the other program, or choose an address with `mesh up --listen`.",
    ),
    "E-LISTEN": Entry(
        "This machine does not let the node listen at that address.",
        "Nobody could reach you there.",
        "Name one of this machine's own addresses, and a port above 1023.",
    ),
    "E-ADDRESS": Entry(
        "That is not an address of a node.",
        "It would lead nowhere.",
        "Copy it whole; it looks like /ip4/192.0.2.7/tcp/4001/p2p/12D3….",
    ),
    "E-UNREACHABLE": Entry(
        "Nobody answered at that address.",
        "That node may be off, or its address may have changed.",
        "Nothing: it is tried again by itself.",
    ),
    "E-WRONG-PEER": Entry(
        "Another node answered than the one that the address names.",
        "It may be somebody else's by now; nothing was told to it.",
        "Ask the person for a fresh address.",
    ),
    "E-VERSION": Entry(
        "That node and yours speak no common version.",
        "They cannot exchange anything until one is updated.",
        "Whoever has the older mesh updates it.",
    ),
    "E-SLOW-READER": Entry(
        "A node did not read what it was sent, and the link to it was closed.",
        "It would have filled this node's memory.",
        "Nothing: what is missing is repaired on the next link.",
    ),
    "E-REMOTE": Entry(
        "A node sent something that no honest node sends.",
        "It was dropped, and the link may be closed.",
        "Nothing: your node deals with it.",
    ),
    # ---- groups
    "E-REFUSED": Entry(
        "The group's rules do not allow it.",
        "Every member's node would refuse it too, so it was not sent.",
        "`mesh group show` and `mesh group members` say who may do what.",
    ),
    "E-NO-GROUP": Entry(
        "There is no group of that name here.",
        "Nothing was done.",
        "`mesh group list` shows your groups; a name, or six digits of an id, is enough.",
    ),
    "E-NO-MEMBER": Entry(
        "There is no member of that name in the group.",
        "Nothing was done.",
        "`mesh group members GROUP` lists them; an alias, or six digits of an id, is enough.",
    ),
    "E-NO-MESSAGE": Entry(
        "There is no message of that id here.",
        "It may not have come yet, or was forgotten when its time was over.",
        "`mesh read GROUP` shows the ids; the first six digits are enough.",
    ),
    "E-NOT-MEMBER": Entry(
        "You are not in that group any more.",
        "Nobody in it would receive what you send.",
        "Ask somebody in the group for a new invite.",
    ),
    "E-UNCONFIRMED": Entry(
        "Only the one who let you in has said who is in this group.",
        "Somebody who was removed could show you the group as it was before, and others through you.",
        "Wait until another member is reachable, or take that word: `mesh group confirm GROUP`.",
    ),
    "E-SAME-RANK": Entry(
        "The member has that rank already.",
        "Nothing had to be changed.",
        "`mesh group members GROUP` shows the ranks.",
    ),
    "E-GROUP-FULL": Entry(
        "The group would have more devices than its way of sealing keys carries.",
        "A key that cannot be sent to all would leave somebody out.",
        "Found a further group, or remove devices that are no longer used.",
    ),
    "E-NO-ALIAS": Entry(
        "An alias is needed in a group, and none was given.",
        "The members of the group see you under it; nothing links it to who you are elsewhere.",
        "Name one with --alias.",
    ),
    "E-KEY": Entry(
        "Nothing can be sealed to a key that a member's device gave out.",
        "Whoever has such a key would be left out, or everybody would be.",
        "Nothing: your node refuses such a key at the door.",
    ),
    "E-SETTING": Entry(
        "There is no such setting, or it cannot have that value.",
        "Nothing was changed.",
        "The error lists what there is.",
    ),
    "E-AGREEMENT": Entry(
        "The group's agreement has changed since it was shown to you.",
        "You agree to what you have read, and to nothing else.",
        "Read it again: `mesh group agreement show GROUP`, or run `mesh join` again.",
    ),
    "E-MODE": Entry(
        "That is no way in which a post can wish to be heard.",
        "Others see from the mode what kind of answer helps.",
        "Use listening, experience, advice or resources.",
    ),
    # ---- several devices
    "E-NO-DEVICE": Entry(
        "There is no such device of yours, as far as this one knows.",
        "Nothing was done.",
        "`mesh device list` shows those that are known here.",
    ),
    "E-THIS-DEVICE": Entry(
        "That is the device that you are using.",
        "A device is removed by another one, which goes on and makes the new keys.",
        "Remove it from another device of yours; or leave its groups here with `mesh group leave GROUP --wipe`.",
    ),
    "E-DEVICES": Entry(
        "You have as many devices in a group as a member may have: four.",
        "Every post is sealed to every device, and who is in should stay easy to see.",
        "Remove one with `mesh device remove`, and try again.",
    ),
    "E-DEVICE-NAME": Entry(
        "Another device of yours has that name.",
        "A device is removed by its name, and the wrong one must not be.",
        "Choose another name; `mesh device list` shows those that are taken.",
    ),
    "E-OTHER-IDENTITY": Entry(
        "The device code is of another identity than this home's.",
        "Only homes that were made from the same 24 words are devices of one person.",
        "Make this home anew with `mesh init --words`, or use the right folder with --home.",
    ),
    "E-NO-ANSWER": Entry(
        "Your other device did not answer.",
        "It brings this one into your groups, so both have to run and reach each other at the same time.",
        "See that `mesh up` runs on both, show a new code with `mesh device add`, and try again.",
    ),
    # ---- joining
    "E-CODE": Entry(
        "The code was mistyped, or damaged on its way.",
        "A code with a slip in it would lead to nobody.",
        "Copy it again, whole; an invite begins with mesh1, a device code with meshdev1, a ticket with meshkeep1.",
    ),
    "E-CODE-NEWER": Entry(
        "The code is of a newer kind than this version of mesh knows.",
        "It cannot be read, and must not be guessed at.",
        "Update mesh, or ask for a code of the older kind.",
    ),
    "E-CODE-EXPIRED": Entry(
        "The code, or the offer, has run out.",
        "Both are good for a limited time, so that a lost one does no harm.",
        "Ask for a new one: an invite from who invited you, an offer from who made it, a device code from `mesh device "
        "add` on your other device.",
    ),
    "E-INVITE-EXPIRED": Entry(
        "The invite ran out, was used up or was revoked before anybody let you in.",
        "The group cannot let you in with it any more.",
        _ASK_AGAIN,
    ),
    "E-INVITE-REFUSED": Entry(
        "The group did not let you in.",
        "Its members decide who comes in; you are not told who decided.",
        "Talk with the person who invited you.",
    ),
    "E-ALREADY-IN": Entry(
        "You are in that group already.",
        "A code is for one who is not.",
        "Give the code to the person that it was meant for. An offer to you needs no following again: read on.",
    ),
    "E-NO-PREVIEW": Entry(
        "Nothing is known of that group yet, because none of its members was reached.",
        "You see what a group is, and its agreement, before you join it.",
        "Run `mesh join` with the same code again while a member is online.",
    ),
    "E-NO-JOIN": Entry(
        "There is no such attempt to join.",
        "It may be over already.",
        "`mesh joins list` shows those that are under way.",
    ),
    "E-NO-INVITE": Entry(
        "There is no such invite in that group.",
        "Nothing was done.",
        "`mesh invite list GROUP` shows them.",
    ),
    "E-NO-OFFER": Entry(
        "There is no such offer, or nobody whom it could be made to.",
        "Nothing was done.",
        "`mesh group show GROUP` lists what successors were offered.",
    ),
    "E-NOT-OFFERED": Entry(
        "The code or the offer is for others: it names who may come in by it.",
        "Whoever comes in by it shows with their key in the old group that they are meant.",
        "Ask somebody in the new group for a code of the ordinary kind.",
    ),
    "E-NO-TALK": Entry(
        "No offer to talk waits there for your answer.",
        "It may have run out, or nobody has asked.",
        "`mesh talk` lists the talks; `mesh talk GROUP MEMBER` asks somebody.",
    ),
    "E-TALK-OFFERED": Entry(
        "The member whom you wanted to ask has asked you.",
        "One talk is enough for two.",
        "`mesh talk GROUP MEMBER --accept` accepts it, --decline declines it.",
    ),
    "E-KEEPER": Entry(
        "That cannot be done with this keeper, or there is no such keeper.",
        "A keeper must be turned on, must be reachable by the members, and a group has at most four.",
        "`mesh keeper status` shows whether this node is one, `mesh keeper list GROUP` those of a group.",
    ),
    "E-NO-KNOCK": Entry(
        "Nobody waits at the door under that id.",
        "Somebody else may have admitted or declined them.",
        "`mesh knocks list` shows who waits.",
    ),
}
