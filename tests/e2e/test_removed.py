"""One who was removed keeps all keys they had, and those open nothing that follows; a new code brings them back."""

import pytest

from demo.people import text, wait_for
from mesh.crypto.keys import public_key
from mesh.errors import RemoteError
from mesh.groups.messaging import open_message
from tests.e2e.conftest import GROUP, Cast
from tests.e2e.stores import frame_of, group_of, store_of


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

    with store_of(juniper) as store:
        before, after = frame_of(store, "before"), frame_of(store, "after")
    with store_of(tansy) as store:
        group = group_of(store)
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
    wait_for(lambda: tansy.is_out(GROUP), "tansy's node to see a key that it was not given", 15)
    tansy.join(text(wren.mesh("invite", "new", GROUP), "code"))
    assert tansy.group(GROUP)["state"] == "member"
    wren.post(GROUP, "welcome back")
    tansy.sees(GROUP, "welcome back")
    tansy.sees(GROUP, "before")
