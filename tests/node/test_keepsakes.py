"""Keepsakes: there from the moment a home is one, however its making was cut short, and read back as they were."""

from contextlib import closing
from pathlib import Path

import pytest

from mesh.errors import StoreError
from mesh.events import Put, Space
from mesh.identity.passphrase import FLOOR
from mesh.ids import Address
from mesh.node.home import Home
from mesh.node.keepsakes import (
    PORT_FIRST,
    PORT_LAST,
    addresses_write,
    draw_keepsakes,
    keepsakes_write,
    read_addresses,
    read_keepsakes,
)
from mesh.store.memory import MemoryStore
from tests.node.homes import OLD, ROOT, Counter

KEPT = draw_keepsakes(fingerprint="f" * 8, name="wren", locale="en", entropy=Counter(7))


def test_a_home_is_made_with_its_keepsakes_in_it(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    home.create(root=ROOT, passphrase=OLD, entropy=Counter(), cost=FLOOR, first=[keepsakes_write(KEPT)])
    with home.lock(), closing(home.open_store(OLD)) as store:
        assert read_keepsakes(store) == KEPT


def test_keys_and_ports_differ_from_home_to_home() -> None:
    other = draw_keepsakes(fingerprint="f" * 8, name="wren", locale="en", entropy=Counter(8))
    assert other.transport_seed != KEPT.transport_seed
    assert all(PORT_FIRST <= kept.port < PORT_LAST for kept in (other, KEPT))


def test_keepsakes_that_are_not_there_or_damaged_are_told() -> None:
    store = MemoryStore()
    for write in ([], [Put(Space.NODE, b"keepsakes", b"x")]):
        store.commit(write, durable=True)
        with pytest.raises(StoreError) as caught:
            read_keepsakes(store)
        assert caught.value.code == "E-STORE-DAMAGED"


def test_the_last_addresses_are_remembered() -> None:
    store = MemoryStore()
    assert read_addresses(store) == ()
    store.commit([addresses_write((Address("/ip4/192.0.2.7/tcp/4001"),))], durable=False)
    assert read_addresses(store) == (Address("/ip4/192.0.2.7/tcp/4001"),)
