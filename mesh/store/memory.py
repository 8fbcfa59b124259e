"""A store over dicts: the simulator's disk, and the twin against which the encrypted store is tested.

It keeps the promises of `Store` and adds the two ways in which a machine stops: `crash` ends the process,
which costs nothing that was committed, and with `power_cut` takes also every commit since the last durable
one: the worst that `synchronous=NORMAL` allows (a real disk may keep some of them, always the oldest
first).
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence

from mesh.events import Space, Write
from mesh.store.base import Row, changes_by_space, key_range


class MemoryStore:
    """A `Store` that forgets when the process ends."""

    def __init__(self) -> None:
        self._values: dict[Space, dict[bytes, bytes]] = {space: {} for space in Space}
        self._keys: dict[Space, list[bytes]] = {space: [] for space in Space}  # sorted, the same keys
        # What the keys written since the last durable commit held then: a power cut brings it back.
        self._before: dict[tuple[Space, bytes], bytes | None] = {}

    def get(self, space: Space, key: bytes) -> bytes | None:
        """Return the value under `key`, or None."""
        return self._values[space].get(key)

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
        """Return keys and values as `Store.scan` says."""
        assert limit is None or limit >= 0
        found = self._keys[space][self._slice(space, *key_range(prefix, after, before))]
        if reverse:
            found.reverse()
        values = self._values[space]
        return [(key, values[key]) for key in found[:limit]]

    def count(self, space: Space, prefix: bytes = b"") -> int:
        """Return how many keys begin with `prefix`."""
        return len(self._keys[space][self._slice(space, *key_range(prefix, None, None))])

    def load(self, spaces: Iterable[Space]) -> dict[Space, dict[bytes, bytes]]:
        """Return everything in these spaces, each sorted by key."""
        return {space: {key: self._values[space][key] for key in self._keys[space]} for space in spaces}

    def is_quick(self, writes: Sequence[Write], *, durable: bool) -> bool:
        """Everything is: there is no disk."""
        del writes, durable
        return True

    def commit(self, writes: Sequence[Write], *, durable: bool) -> None:
        """Write all of it, at once."""
        for space, changes in changes_by_space(writes).items():
            cleared = (key for prefix in changes.prefixes for key, _ in self.scan(space, prefix))
            for key, value in (dict.fromkeys(cleared) | changes.last).items():
                self._before.setdefault((space, key), self._values[space].get(key))
                self._set(space, key, value)
        if durable:
            self._before.clear()

    def close(self) -> None:
        """Do nothing: what is in memory stays for who opens it again."""

    def crash(self, *, power_cut: bool = False) -> None:
        """Stop as a process does that is killed, or as a machine does that loses power."""
        if power_cut:
            for (space, key), value in self._before.items():
                self._set(space, key, value)
            self._before.clear()

    def _set(self, space: Space, key: bytes, value: bytes | None) -> None:
        values, keys = self._values[space], self._keys[space]
        if value is None:
            if values.pop(key, None) is not None:
                del keys[bisect_left(keys, key)]
        else:
            if key not in values:
                insort(keys, key)
            values[key] = value

    def _slice(self, space: Space, start: bytes, end: bytes | None) -> slice:
        keys = self._keys[space]
        return slice(bisect_left(keys, start), None if end is None else bisect_left(keys, end))
