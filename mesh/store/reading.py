"""Reading for the machine: what its `Fetch` and `Scan` effects ask for, as the inputs that answer them."""

from mesh.events import Fetch, Fetched, Scan, Scanned
from mesh.store.base import Store


def read_for(store: Store, effect: Fetch | Scan) -> Fetched | Scanned:
    """Return the answer to a question; StoreError when the disk fails."""
    if isinstance(effect, Fetch):
        return Fetched(ticket=effect.ticket, values=tuple(store.get(effect.space, key) for key in effect.keys))
    rows = store.scan(effect.space, effect.prefix, before=effect.before, limit=effect.limit, reverse=True)
    return Scanned(ticket=effect.ticket, rows=tuple(rows))
