"""What a store is: a sorted map of bytes for each `Space`, changed by whole transactions.

The core never sees one: it says `Persist`, and the runner commits. Both stores keep the same promises, and
the tests ask them the same questions: keys sort as bytes; a commit is seen whole or not at all; a later
write in a batch wins over an earlier one to the same key; what has been read is the reader's own.

A store is used by one thread at a time, though not always the same one: the runner commits from a worker
thread what may take its time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, assert_never

from mesh.events import Delete, DeletePrefix, Put, Space, Write

Row = tuple[bytes, bytes]  # key, value


class Store(Protocol):
    """Where writes go to stay. Everything but `close` raises StoreError when the disk fails."""

    def get(self, space: Space, key: bytes) -> bytes | None:
        """Return the value under `key`, or None."""

    def scan(
        self,
        space: Space,
        prefix: bytes = b"",
        *,
        after: bytes | None = None,
        before: bytes | None = None,
        limit: int | None = None,
        reverse: bool = False,
    ) -> list[Row]:
        """Return keys and values whose key begins with `prefix`, sorted by key.

        Only keys strictly greater than `after` and strictly less than `before`; `reverse` gives the greatest
        first; at most `limit` (≥ 0) rows, counted from the end at which the list begins.
        """

    def count(self, space: Space, prefix: bytes = b"") -> int:
        """Return how many keys begin with `prefix`."""

    def load(self, spaces: Iterable[Space]) -> dict[Space, dict[bytes, bytes]]:
        """Return everything in these spaces, each sorted by key."""

    def is_quick(self, writes: Sequence[Write], *, durable: bool) -> bool:
        """Say whether committing this takes no longer than a thread's turn: it is little, and waits for no disk."""

    def commit(self, writes: Sequence[Write], *, durable: bool) -> None:
        """Write all of it in one transaction, or nothing.

        `durable`: once this returns, these writes and all earlier ones survive a power cut. Without it they
        survive the end of the process, and a power cut may take the newest of them, never part of one commit.
        """

    def close(self) -> None:
        """Let go of the file. Closing twice is harmless; any other use after it is a bug."""


def key_range(prefix: bytes, after: bytes | None, before: bytes | None) -> tuple[bytes, bytes | None]:
    """Return the least key of a scan, and the least one beyond it (None: there is no end)."""
    start = prefix if after is None else max(prefix, after + b"\0")
    ends = [end for end in (_beyond(prefix), before) if end is not None]
    return start, min(ends, default=None)


@dataclass(frozen=True, slots=True)
class Changes:
    """What a batch comes to in one space: prefixes to clear, then what each key ends with (None: deleted)."""

    prefixes: list[bytes] = field(default_factory=list)
    last: dict[bytes, bytes | None] = field(default_factory=dict)

    @property
    def forgets(self) -> bool:
        """Say whether anything is deleted."""
        return bool(self.prefixes) or None in self.last.values()


def changes_by_space(writes: Sequence[Write]) -> dict[Space, Changes]:
    """Reduce a batch to what it comes to, whatever order its spaces and keys are then written in."""
    found: dict[Space, Changes] = {}
    for write in writes:
        if (changes := found.get(write.space)) is None:
            changes = found[write.space] = Changes()
        match write:
            case Put(key=key, value=value):
                changes.last[key] = value
            case Delete(key=key):
                changes.last[key] = None
            case DeletePrefix(prefix=prefix):
                for key in [key for key in changes.last if key.startswith(prefix)]:
                    del changes.last[key]
                changes.prefixes.append(prefix)
            case _:
                assert_never(write)
    return found


def _beyond(prefix: bytes) -> bytes | None:
    """Return the least key greater than all that begin with `prefix`; None where there is none."""
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes([stem[-1] + 1]) if stem else None
