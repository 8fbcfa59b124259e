"""The part of the catalogue that is about passphrase, words, the home and the store."""

from collections.abc import Mapping
from typing import Final

from cli.entry import Entry

HOME_ERRORS: Final[Mapping[str, Entry]] = {
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
        "The store would lie open on the disk, for the wrong library is installed.",
        "Nothing of yours may lie on the disk in clear.",
        "Install mesh as its README says; `apsw` must not stand beside `apsw-sqlite3mc`.",
    ),
}
