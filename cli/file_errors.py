"""The part of the catalogue that is about files beside messages."""

from collections.abc import Mapping
from typing import Final

from cli.entry import Entry

FILE_ERRORS: Final[Mapping[str, Entry]] = {
    "E-FILES": Entry(
        "What was to go with a message, or to be saved from it, cannot: too many, too long, not whole, or not there.",
        "A message takes four files and 32 MiB: it lists what they consist of, and every member's node keeps it.",
        "Do as the error says. `mesh read` shows which files stand beside a message.",
    ),
    "E-FILE-NAME": Entry(
        "A file has a name that cannot be shown to others as it is.",
        "Each member's node turns away names with slashes, hidden marks, or signs that a screen obeys.",
        "Rename it, and send it again.",
    ),
    "E-FILE-MISSING": Entry(
        "Not all of a file is here.",
        "It is fetched from members' nodes, and nobody who has the rest has been reachable yet.",
        "`mesh file save` fetches it; with a running node that goes on by itself.",
    ),
    "E-FILE-BROKEN": Entry(
        "All of a file is here, and it does not open.",
        "Whoever sent it did not seal it as what their message says; nobody on the way can have changed it.",
        "Ask them to send it again.",
    ),
    "E-EXISTS": Entry(
        "Something stands already where a file was to be saved.",
        "It would be gone.",
        "Give another name or folder; --yes replaces it.",
    ),
}
