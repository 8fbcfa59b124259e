"""A box for bytes that must not be printed, logged, compared in variable time or pickled by accident.

Python cannot promise erasure: nothing here wipes memory, and nothing is claimed against one who can read it.
"""

import hmac
from typing import NoReturn


class Secret:
    """Secret bytes. `reveal()` is the only way to them, so that a search for it finds each use."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = bytes(value)

    def reveal(self) -> bytes:
        """Return the bytes."""
        return self._value

    def __len__(self) -> int:
        return len(self._value)

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    def __hash__(self) -> NoReturn:
        raise TypeError("a Secret is not hashable")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled")
