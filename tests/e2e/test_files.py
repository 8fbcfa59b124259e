"""A file goes from one person to another over a network that is cut in the middle of it, on real processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.people import Person, record, records, text, wait_for
from simulations.lab.shim import Hand, shim_beside
from tests.e2e.conftest import GROUP, Cast
from tests.e2e.test_cut_network import start

SIZE = 5 * 1024 * 1024
CANARY = b"a word that stands in no file of any home"


@pytest.fixture
def hand() -> Iterator[Hand]:
    with shim_beside() as made:
        yield made


def chunks_here(person: Person, message: str) -> int:
    """How much of the message's file has come."""
    (file,) = records(record(person.mesh("message", "show", message), "message"), "files")
    got = file["got"]
    assert isinstance(got, int)
    return got


def test_a_file_goes_on_after_a_cut_in_the_middle(cast: Cast, hand: Hand, tmp_path: Path) -> None:
    wren, juniper = cast("wren", "juniper")
    start(hand, {person.name: person for person in (wren, juniper)})
    wren.mesh("group", "create", GROUP)
    juniper.join(text(wren.mesh("invite", "new", GROUP), "code"))
    sent, saved = tmp_path / "walk.mp4", tmp_path / "saved.mp4"
    sent.write_bytes(CANARY + b"".join(k.to_bytes(4, "big") for k in range(SIZE // 4)))
    message = text(record(wren.post(GROUP, "see this", "--file", str(sent)), "message"), "id")
    juniper.sees(GROUP, "see this")
    assert chunks_here(juniper, message) == 0, "it is long, and nobody has asked for it"

    for one, other in (("wren", "juniper"), ("juniper", "wren")):
        hand.do(hand.shim.delay, one, other, 1.0)
    waiting = juniper.mesh("file", "save", message, str(saved), "--wait", "0s", exit=(4,))
    assert waiting["saved"] == []
    wait_for(lambda: chunks_here(juniper, message) > 0, "some of it to come", 60)
    hand.do(hand.shim.cut, "wren", "juniper")
    came = chunks_here(juniper, message)
    assert 0 < came < SIZE // 65_536, "the cut is in the middle"
    assert not saved.exists()

    hand.do(hand.shim.heal, "wren", "juniper")
    wait_for(lambda: chunks_here(juniper, message) > came, "the node to go on by itself", 90)
    told = juniper.mesh("file", "save", message, str(saved), "--wait", "60s")
    assert [file["path"] for file in records(told, "saved")] == [str(saved)]
    assert saved.read_bytes() == sent.read_bytes()
    assert saved.stat().st_mode & 0o777 == 0o600
    for person in (wren, juniper):
        person.down()
        for path in person.home.rglob("*"):
            assert not path.is_file() or CANARY not in path.read_bytes(), path


def test_with_the_node_down_a_file_is_sent_and_saved_all_the_same(cast: Cast, tmp_path: Path) -> None:
    (wren,) = cast("wren")
    wren.mesh("group", "create", GROUP)
    sent = tmp_path / "leaflet.pdf"
    sent.write_bytes(bytes(range(256)) * 4000)
    message = text(record(wren.post(GROUP, "see this", "--file", str(sent), exit=(4,)), "message"), "id")
    folder = tmp_path / "in"
    folder.mkdir()
    wren.mesh("file", "save", message, str(folder))
    assert (folder / "leaflet.pdf").read_bytes() == sent.read_bytes()
    assert wren.run("file", "save", message, str(folder)).returncode == 2, "nothing is replaced unasked"
    wren.mesh("file", "save", message, str(folder), "--yes")
