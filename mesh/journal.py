"""The journal: what one step of the machine wants written, gathered in order, committed as one.

Rooms write into the journal that the hall hands them; the hall turns it into a single `Persist`. The last write to a
key wins, so a ratchet that moves a hundred times in one step is written once.
"""

from collections.abc import Iterable

from mesh.events import Delete, DeletePrefix, Persist, Put, Space, Write


class Journal:
    """Writes of one step. `durable` once something authored by ourselves is among them."""

    def __init__(self) -> None:
        self._writes: dict[tuple[Space, bytes], Write] = {}
        self._durable = False

    def put(self, space: Space, key: bytes, value: bytes) -> None:
        """Write `value` under `key`."""
        self._writes[space, key] = Put(space, key, value)

    def delete(self, space: Space, key: bytes) -> None:
        """Forget `key`."""
        self._writes[space, key] = Delete(space, key)

    def delete_prefix(self, space: Space, prefix: bytes) -> None:
        """Forget every key that begins with `prefix`, written before or in this very step."""
        for written in [key for key in self._writes if key[0] is space and key[1].startswith(prefix)]:
            del self._writes[written]
        self._writes[space, b"prefix " + prefix] = DeletePrefix(space, prefix)

    def merge(self, other: "Journal") -> None:
        """Take over all that another journal gathered, after what is here."""
        for key, write in other.writes():
            self._writes.pop(key, None)
            self._writes[key] = write
        self._durable = self._durable or other.is_durable

    def writes(self) -> Iterable[tuple[tuple[Space, bytes], Write]]:
        """Return what was gathered, in order."""
        return self._writes.items()

    @property
    def is_durable(self) -> bool:
        """Whether it must survive a power cut."""
        return self._durable

    def make_durable(self) -> None:
        """Ask that this step survive a power cut."""
        self._durable = True

    def persist(self) -> Persist | None:
        """Return the one effect for all of it, or None if nothing was written."""
        if not self._writes:
            return None
        return Persist(writes=tuple(self._writes.values()), durable=self._durable)
