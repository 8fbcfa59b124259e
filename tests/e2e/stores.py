"""What lies in a person's home once their node is down: the store, the frames in it, the group with all its keys."""

from collections.abc import Iterator
from contextlib import contextmanager

from demo.people import Person
from mesh.events import Instant, Space, Started
from mesh.groups.group import Group
from mesh.groups.records import load
from mesh.node.chance import HpkeSealer, OsEntropy, os_dice
from mesh.node.home import Home
from mesh.peer import Peer
from mesh.peer.records import ContactRecord, MessageRecord
from mesh.store.sqlite import EncryptedStore
from mesh.store.starting import starting_records
from mesh.support.posts import interpret
from mesh.wire.frames import Frame, parse_frame


@contextmanager
def store_of(person: Person) -> Iterator[EncryptedStore]:
    """Open the store of somebody whose node is down."""
    home = Home.at(person.home)
    with home.lock(5):
        store = home.open_store(f"the passphrase of {person.name}")
        try:
            yield store
        finally:
            store.close()


def frame_of(store: EncryptedStore, words: str) -> Frame:
    """Return the sealed frame in which something was said."""
    for key, value in store.scan(Space.MESSAGES):
        message = load(MessageRecord, value)
        if interpret(message.body).text == words:
            raw = store.get(Space.FRAMES, key[:32] + message.dev + message.mseq.to_bytes(8, "big"))
            assert raw is not None
            return parse_frame(raw)
    raise AssertionError(f"nobody said {words!r}")


def addresses_in(store: EncryptedStore) -> set[str]:
    """Return every address that members' nodes have told."""
    contacts = [load(ContactRecord, value) for _, value in store.scan(Space.CONTACTS)]
    return {address for contact in contacts for address in contact.addresses}


def group_of(store: EncryptedStore) -> Group:
    """Return the group as this store's owner holds it, keys and all."""
    peer = Peer(dice=os_dice(), entropy=OsEntropy(), sealer=HpkeSealer())
    peer.handle(Started(records=starting_records(store)), Instant(mono_ms=0, wall_ms=1))
    return next(iter(peer.state.rooms.values())).group
