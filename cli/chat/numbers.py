"""Numbers for messages within one conversation, so that a person can say `/reply 3`. Pure."""

from dataclasses import dataclass, field
from typing import Final

from mesh.errors import LocalError
from mesh.phrases import phrase

DIGITS_MAX: Final = 5  # a number; from six on it may be the beginning of an id


@dataclass(slots=True)
class Numbers:
    """Each message gets the next number when it is first shown, and keeps it."""

    _ids: list[str] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)
    last: str = ""  # the id of the message that was shown last, in the group that one is in

    def of(self, message: str) -> int:
        """Return the number of a message, by its whole id; a new one where it had none."""
        if message not in self._numbers:
            self._ids.append(message)
            self._numbers[message] = len(self._ids)
        return self._numbers[message]

    def known(self, message: str) -> int:
        """Return the number that a message has; 0: none."""
        return self._numbers.get(message, 0)

    def id_of(self, word: str) -> str:
        """Return the id that a number stands for, with or without a #; any other word as it is. LocalError."""
        number = word.removeprefix("#")
        if not (number.isascii() and number.isdecimal() and len(number) <= DIGITS_MAX):
            return word
        if not 1 <= int(number) <= len(self._ids):
            raise LocalError(
                phrase("No message has the number {number} here.", number=number),
                why=phrase("They go from 1 to {last}.", last=len(self._ids)) if self._ids else "None was shown yet.",
                do="/read shows more of them, with their ids.",
                code="E-NO-MESSAGE",
            )
        return self._ids[int(number) - 1]
