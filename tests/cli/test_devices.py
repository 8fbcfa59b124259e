"""Transcripts of `device …`, and of a home that is made from words that one has."""

from pathlib import Path

import pytest

from cli import fields
from mesh.errors import Exit
from mesh.node.local.protocol import JsonObject
from tests.cli.runner import PASSPHRASE, mesh, mesh_process
from tests.node.local.fake_node import fake_node

CODE = "meshdev1" + "q" * 46
GID, HOME_ID, STRAY = "ab" * 32, "cd" * 16, "ef" * 16
GROUP: JsonObject = {"id": GID, "name": "Tuesday grief"}
DEVICE: JsonObject = {
    "id": HOME_ID,
    "name": "phone",
    "since": "2026-01-01T00:00:00.000Z",
    "current": False,
    "groups": 2,
}
HERE: JsonObject = {**DEVICE, "id": "12" * 16, "name": "laptop", "current": True}
SHOWN: JsonObject = {"code": CODE, "expires": "2026-01-01T00:15:00.000Z", "addresses": 1, "groups": 2}
DONE: JsonObject = {"state": "done", "device": DEVICE, "with": None, "entered": [GROUP], "here": [], "refused": []}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, object]:
    """A home, its words and its fingerprint."""
    home = tmp_path_factory.mktemp("first") / "home"
    told = mesh("init", "--name", "wren", "--json", home=home).json
    words, identity = told["recovery_words"], told["identity"]
    assert isinstance(words, list)
    return home, " ".join(map(str, words)), identity


def test_a_home_of_the_same_words_is_the_same_identity_and_shows_none(
    first: tuple[Path, str, object], tmp_path: Path
) -> None:
    _, words, identity = first
    other = tmp_path / "other"
    made = mesh_process("init", "--words-fd", "0", "--json", stdin=words.upper() + "\n", home=other)
    assert made.json == {"schema": 1, "identity": identity, "recovery_words": [], "home": str(other)}
    shown = mesh("id", "words", "--json", home=other).json["recovery_words"]
    assert isinstance(shown, list)
    assert " ".join(map(str, shown)) == words
    (device,) = fields.records(mesh("device", "list", "--json", home=other).json, "devices")
    assert (device["name"], device["current"], device["groups"]) == ("device 1", True, 0)


@pytest.mark.parametrize("words", ["", "abandon " * 24, "abandon " * 23, "not words at all", "x" * 5000])
def test_words_that_are_none_make_no_home(words: str, tmp_path: Path) -> None:
    ran = mesh_process("init", "--words-fd", "0", "--json", stdin=words + "\n", home=tmp_path / "other")
    assert ran.code != Exit.OK
    assert fields.text(fields.record(ran.json, "error"), "code") in {"E-WORDS", "E-PASSPHRASE-NEEDED"}
    assert not (tmp_path / "other" / "keyslot").exists()


def test_words_are_asked_for_hidden_and_never_taken_from_the_line(home: Path) -> None:
    ran = mesh("init", "--words", home=home / "inner")
    assert ran.code == Exit.USAGE
    assert "--words-fd" in ran.err
    assert mesh("init", "--words", "abandon", home=home / "inner").code == Exit.USAGE


def test_a_code_is_shown_with_what_to_do_with_it(home: Path) -> None:
    with fake_node(home, {"device.add": SHOWN}) as node:
        ran = mesh("device", "add", "--name", "phone", "--this", "laptop", home=home)
        assert node.handler.asked == [("device.add", {"name": "phone", "this": "laptop", "passphrase": PASSPHRASE})]
    assert ran.out == CODE + "\n"
    assert "2 groups" in ran.err
    assert "mesh init --words" in ran.err


def test_joining_waits_and_says_what_came(first: tuple[Path, str, object]) -> None:
    home, *_ = first
    with fake_node(home, {"device.join": DONE}) as node:
        ran = mesh("device", "join", "-", stdin=CODE + "\n", home=home)
        ((method, asked),) = node.handler.asked
    assert (method, asked["code"], asked["passphrase"]) == ("device.join", CODE, PASSPHRASE)
    assert "This device is now in Tuesday grief." in ran.out
    looking: JsonObject = {**DONE, "state": "looking", "entered": []}
    with fake_node(home, {"device.join": looking}):
        ran = mesh("device", "join", CODE, "--wait", "0s", "--json", home=home)
    assert ran.code == Exit.USAGE
    assert "E-NO-ANSWER" in ran.out
    with fake_node(home, {"device.join": looking}):
        bare = mesh("device", "join", CODE, "--wait", "0s", home=home)
        whole = mesh("device", "join", f"{CODE}#at", "--wait", "0s", home=home)
    assert "The code had no part after #" in bare.err
    assert "no part after #" not in whole.err


def test_what_was_not_entered_is_said(first: tuple[Path, str, object]) -> None:
    home, *_ = first
    told: JsonObject = {**DONE, "entered": [], "here": [GROUP], "refused": [{"id": GID, "why": "it is full"}]}
    with fake_node(home, {"device.join": told}):
        ran = mesh("device", "join", CODE, home=home)
    assert "It was in 1 group already." in ran.out
    assert "Not entered: abababab: it is full." in ran.out


def test_devices_are_listed_this_one_marked(home: Path) -> None:
    unknown: JsonObject = {"id": STRAY, "group": GROUP}
    with fake_node(home, {"device.list": {"devices": [HERE, DEVICE], "unknown": [unknown]}}):
        ran = mesh("device", "list", home=home)
        told = mesh("device", "list", "--json", home=home).json
    assert told["devices"] == [HERE, DEVICE]
    assert "note: this one" in ran.out
    assert "efefefef" in ran.out


def test_a_removal_asks_first_and_says_who_has_seen_it(home: Path) -> None:
    would: JsonObject = {"device": DEVICE, "groups": [GROUP], "elsewhere": 1}
    done: JsonObject = {
        "removed": {"id": HOME_ID, "name": "phone"},
        "groups": [{**GROUP, "seen_by": 2, "members": 3}],
        "refused": [],
        "elsewhere": 1,
    }
    with fake_node(home, {"device.remove.check": would, "device.remove": done}) as node:
        unsure = mesh("device", "remove", "phone", home=home)
        assert [method for method, _ in node.handler.asked] == ["device.remove.check"]
        ran = mesh("device", "remove", "phone", "--yes", home=home)
        assert node.handler.asked[-1] == ("device.remove", {"device": HOME_ID, "passphrase": PASSPHRASE})
    assert unsure.code == Exit.USAGE
    assert "--yes" in unsure.err
    assert "Removed from Tuesday grief: 2 of 3 have seen it." in ran.out
    assert "It may be in 1 group" in ran.out


def test_a_code_needs_a_node_that_runs_and_a_removal_a_device_that_is_known(first: tuple[Path, str, object]) -> None:
    home, *_ = first
    for line in (("device", "add"), ("device", "join", CODE)):
        assert "E-NODE-DOWN" in mesh(*line, "--json", home=home).out
    assert "E-NO-DEVICE" in mesh("device", "remove", "phone", "--yes", "--json", home=home).out
    assert "E-THIS-DEVICE" in mesh("device", "remove", "device 1", "--yes", "--json", home=home).out
