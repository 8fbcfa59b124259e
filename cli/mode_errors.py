"""The part of the catalogue that is about modes of support, pace and private notes."""

from collections.abc import Mapping
from typing import Final

from cli.entry import Entry

MODE_ERRORS: Final[Mapping[str, Entry]] = {
    "E-ADVICE": Entry(
        "Your answer is marked as advice, and the message that you answer did not ask for any.",
        "Its author wants to be heard, or to hear how it was for others. Advice can hurt where nobody asked for it.",
        "Answer in another mode, ask whether advice is welcome, or add --confirm-advice. Nothing was sent.",
    ),
    "E-PACE": Entry(
        "What was given is no time at which a pause can end, no quiet hours, or no digest.",
        "What is not understood is not guessed: you would be told too much, or nothing.",
        "Write `mesh pause --until 3d`, `mesh quiet 22:00-07:30`, `mesh digest daily --cap 10`, or off.",
    ),
    "E-NO-NOTE": Entry(
        "There is no private note with this id here.",
        "Notes stay on the device on which they were written.",
        "`mesh reflect list` shows them.",
    ),
    "E-MODE-LOCKED": Entry(
        "The group takes messages in one mode alone, and yours is in another.",
        "Its stewards have locked the mode. Other nodes would show your words closed.",
        "Leave --mode out, or name the mode that the error names. Nothing was sent.",
    ),
}
