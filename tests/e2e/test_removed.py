"""One who was removed keeps all keys they had, and those open nothing that follows; a new code brings them back."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from demo.people import Person, text, wait_for
from mesh.crypto.keys import public_key
from mesh.errors import RemoteError
from mesh.events import Instant, Space, Started
from mesh.groups.group import Group
from mesh.groups.messaging import open_message
from mesh.groups.records import load
from mesh.node.chance import HpkeSealer, OsEntropy, os_dice
from mesh.node.home import Home
from mesh.peer import Peer
from mesh.peer.records import MessageRecord
from mesh.store.sqlite import EncryptedStore
from mesh.store.starting import starting_records
from mesh.support.posts import interpret
from mesh.wire.frames import Frame, parse_frame
from tests.e2e.conftest import GROUP, Cast


def test_old_keys_open_no_later_frame(cast: Cast) -> None:
    wren, juniper, tansy = cast("wren", "juniper", "tansy")
    for person in (wren, juniper, tansy):
        person.up()
    wren.mesh("group", "create", GROUP)
    for person in (juniper, tansy):
        person.join(text(wren.mesh("invite", "new", GROUP), "code"))
    wren.post(GROUP, "before")
    tansy.sees(GROUP, "before")
    juniper.sees(GROUP, "before")
    wren.mesh("group", "remove", GROUP, "tansy", "--yes")
    wren.post(GROUP, "after")
    juniper.sees(GROUP, "after")
    for person in (wren, juniper, tansy):
        person.down()

    with _store(juniper) as store:
        before, after = _frame_of(store, "before"), _frame_of(store, "after")
    with _store(tansy) as store:
        group = _group(store)
    keys = {public_key(record.pub_seed): epoch for epoch, record in group.epochs.items()}
    assert before.pk in keys  # tansy's old keys are really here
    assert after.pk not in keys
    for epoch in group.epochs:
        with pytest.raises(RemoteError):
            open_message(group, after, epoch)


def test_a_new_code_brings_one_back_who_was_removed(cast: Cast) -> None:
    wren, tansy = cast("wren", "tansy")
    for person in (wren, tansy):
        person.up()
    wren.mesh("group", "create", GROUP)
    tansy.join(text(wren.mesh("invite", "new", GROUP), "code"))
    wren.post(GROUP, "before")
    tansy.sees(GROUP, "before")
    wren.mesh("group", "remove", GROUP, "tansy", "--yes")
    wait_for(lambda: tansy.group(GROUP)["state"] == "cut-off", "tansy's node to see a key that it was not given", 15)
    tansy.join(text(wren.mesh("invite", "new", GROUP), "code"))
    assert tansy.group(GROUP)["state"] == "member"
    wren.post(GROUP, "welcome back")
    tansy.sees(GROUP, "welcome back")
    tansy.sees(GROUP, "before")


@contextmanager
def _store(person: Person) -> Iterator[EncryptedStore]:
    home = Home.at(person.home)
    with home.lock(5):
        store = home.open_store(f"the passphrase of {person.name}")
        try:
            yield store
        finally:
            store.close()


def _frame_of(store: EncryptedStore, words: str) -> Frame:
    """Return the sealed frame in which something was said."""
    for key, value in store.scan(Space.MESSAGES):
        message = load(MessageRecord, value)
        if interpret(message.body).text == words:
            raw = store.get(Space.FRAMES, key[:32] + message.dev + message.mseq.to_bytes(8, "big"))
            assert raw is not None
            return parse_frame(raw)
    raise AssertionError(f"nobody said {words!r}")


def _group(store: EncryptedStore) -> Group:
    """Return the group as this store's owner holds it, keys and all."""
    peer = Peer(dice=os_dice(), entropy=OsEntropy(), sealer=HpkeSealer())
    peer.handle(Started(records=starting_records(store)), Instant(mono_ms=0, wall_ms=1))
    return next(iter(peer.state.rooms.values())).group
