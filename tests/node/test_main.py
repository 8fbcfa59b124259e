"""The node where it cannot start: what stands in the way is said in words, and not as a fault of the program."""

import signal
from contextlib import closing
from pathlib import Path

import pytest

from mesh.errors import LocalError, StoreError, in_words
from mesh.events import Put, Space
from mesh.identity.passphrase import FLOOR
from mesh.node.home import Home
from mesh.node.keepsakes import draw_keepsakes, keepsakes_write
from mesh.node.local.protocol import JsonObject
from mesh.node.local.setup import Order, run_node
from mesh.node.transports.base import BadAddress
from tests.node.homes import OLD, ROOT, Counter

LOOPBACK = "/ip4/127.0.0.1/tcp/0"


def test_a_store_that_cannot_be_read_is_told_in_words(tmp_path: Path) -> None:
    """The runner finds it, inside of nested nurseries."""
    home = Home.at(tmp_path / "home")
    kept = draw_keepsakes(fingerprint="f" * 8, name="wren", locale="en", entropy=Counter(7))
    home.create(root=ROOT, passphrase=OLD, entropy=Counter(), cost=FLOOR, first=[keepsakes_write(kept)])
    with home.lock(), closing(home.open_store(OLD)) as store:
        store.commit([Put(Space.GROUPS, b"g" * 32, b"of another version")], durable=True)
    with pytest.raises(StoreError) as caught:
        run_node(Order(home=home.folder, passphrase=OLD, listen=(LOOPBACK,)), print)
    assert caught.value.code == "E-STORE-DAMAGED"
    assert "another version" in caught.value.why
    home.lock().release()  # and the home is free again


def test_a_node_that_would_announce_what_nobody_can_dial_does_not_start(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    kept = draw_keepsakes(fingerprint="f" * 8, name="wren", locale="en", entropy=Counter(7))
    home.create(root=ROOT, passphrase=OLD, entropy=Counter(), cost=FLOOR, first=[keepsakes_write(kept)])
    order = Order(home=home.folder, passphrase=OLD, listen=(LOOPBACK,), announce=("/ip4/0.0.0.0/tcp/4001",))
    with pytest.raises(BadAddress) as caught:
        run_node(order, print)
    assert "/ip4/0.0.0.0/tcp/4001" in caught.value.what
    home.lock().release()


def test_ctrl_c_at_the_very_moment_in_which_it_is_ready_ends_a_node_in_order(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    kept = draw_keepsakes(fingerprint="f" * 8, name="wren", locale="en", entropy=Counter(7))
    home.create(root=ROOT, passphrase=OLD, entropy=Counter(), cost=FLOOR, first=[keepsakes_write(kept)])
    events: list[object] = []

    def interrupt(event: JsonObject) -> None:
        events.append(event["event"])
        signal.raise_signal(signal.SIGINT)

    run_node(Order(home=home.folder, passphrase=OLD, listen=(LOOPBACK,)), interrupt)
    assert events == ["ready"]
    home.lock().release()


def test_an_order_reaches_the_process_that_carries_it_out_as_it_was_given(tmp_path: Path) -> None:
    order = Order(home=tmp_path, passphrase=OLD, listen=("l",), peers=("p", "q"), announce=("a",))
    assert Order.from_json(order.as_json()) == order


def test_what_a_group_of_errors_comes_to() -> None:
    one, other = StoreError("full"), LocalError("wrong")
    assert in_words(one) is one
    assert in_words(ExceptionGroup("", [ExceptionGroup("", [one]), other])) is one
    assert in_words(ExceptionGroup("", [one, ValueError("a bug")])) is None, "a bug beside it must not be hidden"
    assert in_words(BaseExceptionGroup("", [one, KeyboardInterrupt()])) is None
