"""What a machine is given when it starts: all that `LOADED` names, and the newest messages of each group."""

from collections.abc import Mapping

from mesh.events import LOADED, TAIL_MESSAGES, Space
from mesh.store.base import Store


def starting_records(store: Store) -> Mapping[Space, Mapping[bytes, bytes]]:
    """Return the rows for `Started`. StoreError when the disk fails."""
    rows = store.load(LOADED)
    tail: dict[bytes, bytes] = {}
    for gid in rows[Space.GROUPS]:
        tail.update(store.scan(Space.MESSAGES, gid, limit=TAIL_MESSAGES, reverse=True))
    return {**rows, Space.MESSAGES: tail}
