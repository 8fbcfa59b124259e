"""The catalogue behind `mesh help E-…`: what each kind of error means, why it matters, what to do.

The error on the screen names the case at hand; an entry here explains the kind. A test reads the source and
demands an entry for each code in it, and a code for each entry.
"""

from collections.abc import Mapping
from typing import Final

from cli.entry import Entry
from cli.file_errors import FILE_ERRORS
from cli.home_errors import HOME_ERRORS
from cli.mode_errors import MODE_ERRORS
from cli.node_errors import NODE_ERRORS
from cli.support_errors import SUPPORT_ERRORS

_AGAIN: Final = "A program that goes on after this could do harm that nobody sees."
_ASK_AGAIN: Final = "Ask the person who invited you for a new code."

CATALOGUE: Final[Mapping[str, Entry]] = {
    **HOME_ERRORS,
    **MODE_ERRORS,
    **NODE_ERRORS,
    **FILE_ERRORS,
    **SUPPORT_ERRORS,
    # ---- the simulator
    "E-SIM": Entry(
        "What the simulator was given cannot be used as it is.",
        "Nothing was run.",
        "`mesh sim list` names what there is; docs/simulations.md shows how a scenario is written.",
    ),
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
        "Read it out once more, and compare the group's words. If it stays so, do not confirm. Say nothing here that "
        "is meant for them alone, and talk about it in another way.",
    ),
    "E-NOT-YOURS": Entry(
        "The message is somebody else's.",
        "Only its author takes a message back, under the key that they said it under.",
        "Ask its author. `mesh hide` closes it for you alone.",
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
        "Each member's node turns such texts away, so that none can drive another's screen.",
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
        "Someone else may have let them in, or declined.",
        "`mesh knocks list` shows who waits.",
    ),
}
