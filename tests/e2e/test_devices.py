"""One person with two machines: the same words, a code, one member; and what a machine that was taken out can read."""

from pathlib import Path

import pytest

from demo.people import Person, record, records, text, wait_for
from mesh.crypto.keys import public_key
from mesh.errors import RemoteError
from mesh.events import Space
from mesh.groups.messaging import open_message
from mesh.identity.keys import member_seed
from mesh.identity.words import root_of
from tests.e2e.conftest import GROUP, Cast
from tests.e2e.stores import frame_of, group_of, store_of


def test_two_machines_of_one_person(cast: Cast, tmp_path: Path) -> None:
    wren, juniper = cast("wren", "juniper")
    phone = Person("phone", tmp_path)
    try:
        words = " ".join(map(str, records_of(wren)))
        story(wren, juniper, phone, words)
    finally:
        phone.kill()
    keep_no_secret(wren, phone, words)
    read_nothing_more(juniper, phone)


def records_of(person: Person) -> list[object]:
    words = person.mesh("id", "words")["recovery_words"]
    assert isinstance(words, list)
    return list(words)


def story(wren: Person, juniper: Person, phone: Person, words: str) -> None:
    made = phone.init_with(words)
    assert made["recovery_words"] == []
    assert record(made, "identity")["fingerprint"] == record(wren.mesh("id", "show"), "identity")["fingerprint"]
    for person in (wren, juniper, phone):
        person.up()
    wren.mesh("group", "create", GROUP)
    juniper.join(text(wren.mesh("invite", "new", GROUP), "code"))
    shown = wren.mesh("device", "add", "--name", "phone", "--this", "laptop")
    entered = phone.mesh("device", "join", "-", given=text(shown, "code") + "\n")
    assert [group["name"] for group in records(entered, "entered")] == [GROUP]
    for person, said in ((wren, "by laptop"), (phone, "by phone"), (juniper, "by juniper")):
        person.post(GROUP, said)
    for person in (wren, juniper, phone):
        person.sees(GROUP, "by laptop", "by phone", "by juniper")
    (who,) = [
        member for member in records(juniper.mesh("group", "members", GROUP), "members") if member["devices"] == 2
    ]
    assert who["alias"] == "wren"
    listed = records(wren.mesh("device", "list"), "devices")
    assert [(device["name"], device["current"]) for device in listed] == [("laptop", True), ("phone", False)]
    assert all({"id", "name", "since", "current"} <= set(device) for device in listed)
    phone.down()  # it is lost
    removed = wren.mesh("device", "remove", "phone", "--yes")
    assert [group["name"] for group in records(removed, "groups")] == [GROUP]
    wren.post(GROUP, "after")
    juniper.sees(GROUP, "after")
    phone.up()
    wait_for(lambda: phone.is_out(GROUP), "the phone to see that it is out", 60)
    assert "after" not in phone.texts(GROUP)
    for person in (wren, juniper, phone):
        person.down()


def keep_no_secret(wren: Person, phone: Person, words: str) -> None:
    """Neither store, opened, holds the root or a member key's seed; the slots hold the root sealed."""
    root = root_of(words)
    for person in (wren, phone):
        with store_of(person) as store:
            seed = member_seed(root, group_of(store).own.join_nonce)
            rows = [key + value for space in Space for key, value in store.scan(space)]
        assert rows
        for secret in (root, seed):
            assert not any(secret.reveal() in row for row in rows)
        for path in person.home.rglob("*"):
            if path.is_file():
                assert root.reveal() not in path.read_bytes()
                assert words.encode() not in path.read_bytes()


def read_nothing_more(juniper: Person, phone: Person) -> None:
    """The keys that the phone has do not open what was said after it was taken out."""
    with store_of(juniper) as store:
        before, after = frame_of(store, "by juniper"), frame_of(store, "after")
    with store_of(phone) as store:
        group = group_of(store)
    keys = {public_key(record.pub_seed): epoch for epoch, record in group.epochs.items()}
    assert before.pk in keys
    assert after.pk not in keys
    for epoch in group.epochs:
        with pytest.raises(RemoteError):
            open_message(group, after, epoch)
