"""Transcripts of sending and saving files: what is opened and what is not, and where it goes."""

import os
from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from cli.attach import FILES_BYTES_MAX, FILES_MAX, own_name, own_names
from mesh.errors import Exit
from mesh.node.local.protocol import JsonObject
from mesh.wire import limits
from tests.cli.runner import Ran, mesh
from tests.cli.test_talk import GROUP, ID, SENT, message
from tests.node.local.fake_node import FakeHandler, Reply, fake_node

HERE: JsonObject = {"name": "leaflet.pdf", "size": 5, "state": "here", "got": 1, "of": 1}
TOLD: JsonObject = {"message": ID, "files": [HERE], "reachable": 1}
PIECES: list[JsonObject] = [{"event": "piece", "data": b64encode(part).decode()} for part in (b"he", b"llo")]


def handed(handler: FakeHandler) -> bytes:
    return b"".join(b64decode(str(params["data"])) for method, params in handler.asked if method == "file.piece")


def post(home: Path, *line: str) -> tuple[Ran, FakeHandler]:
    answers: dict[str, Reply] = {
        "group.show": {"group": GROUP},
        "file.offer": {"upload": "ab" * 16},
        "file.piece": {"taken": 1},
        "post": {"message": SENT},
    }
    with fake_node(home, answers) as node:
        return mesh("post", "g", "Words.", *line, home=home), node.handler


def save(home: Path, *line: str, told: JsonObject = TOLD, pieces: list[JsonObject] | None = None) -> Ran:
    events = {"file.read": PIECES if pieces is None else pieces}
    with fake_node(home, {"file.fetch": told}, events=events):
        return mesh("file", "save", ID[:8], *line, home=home)


# ---------------------------------------------------------------- post


def test_files_are_handed_over_before_the_post_that_names_them(home: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one.bin", tmp_path / "two.bin"
    one.write_bytes(bytes(range(256)) * 3000)
    two.write_bytes(b"two")
    ran, handler = post(home, "--file", str(one), "--file", str(two))
    assert ran.code == Exit.OK
    asked = dict(handler.asked)
    assert asked["file.offer"] == {
        "group": "g",
        "files": [{"name": "one.bin", "size": 768_000}, {"name": "two.bin", "size": 3}],
    }
    assert handed(handler) == one.read_bytes() + b"two"
    assert asked["post"]["files"] == "ab" * 16
    assert [method for method, _ in handler.asked][-1] == "post"


def test_that_the_files_do_not_travel_with_the_words_is_said(home: Path) -> None:
    answers: dict[str, Reply] = {"group.show": {"group": GROUP}, "post": {"message": {**SENT, "files": [HERE]}}}
    with fake_node(home, answers):
        assert "Leave yours running; keepers hold no files." in mesh("post", "g", "Words.", home=home).err
    with fake_node(home, {"group.show": {"group": GROUP}, "post": {"message": SENT}}):
        assert "keepers" not in mesh("post", "g", "Words.", home=home).err


@pytest.mark.parametrize("kind", ["missing", "folder", "link", "pipe"])
def test_what_is_no_ordinary_file_is_not_opened_and_nothing_is_sent(home: Path, tmp_path: Path, kind: str) -> None:
    place = tmp_path / "it"
    match kind:
        case "folder":
            place.mkdir()
        case "link":
            (tmp_path / "secret").write_text("secret")
            place.symlink_to(tmp_path / "secret")
        case "pipe":
            os.mkfifo(place)
        case _:
            pass
    ran, handler = post(home, "--file", str(place))
    assert ran.code == Exit.USAGE
    assert "E-FILE" in ran.err
    assert handler.asked == []
    assert ("symbolic link" in ran.err) is (kind == "link")


@pytest.mark.parametrize(("count", "size"), [(5, 1), (2, 16 * 1024 * 1024 + 1)])
def test_more_than_a_post_takes_is_said_before_anything_is_asked_for(
    home: Path, tmp_path: Path, count: int, size: int
) -> None:
    assert (FILES_MAX, FILES_BYTES_MAX) == (limits.FILES_OF_POST_MAX, limits.FILES_OF_POST_BYTES_MAX)
    line = []
    for number in range(count):
        place = tmp_path / f"{number}"
        place.touch()
        os.truncate(place, size)
        line += ["--file", str(place)]
    ran, handler = post(home, *line)
    assert (ran.code, handler.asked) == (Exit.USAGE, [])
    assert "E-FILES" in ran.err


# ---------------------------------------------------------------- read


def test_files_stand_beneath_their_message_and_a_warning_hides_their_names(home: Path) -> None:
    coming = {**HERE, "name": "walk\u202e.mp4", "size": 3 * 1024 * 1024, "state": "coming", "got": 12, "of": 48}
    shut = message(text=None, cw="loss", files=[{**HERE, "name": None}])
    shown: JsonObject = {"messages": [message(files=[HERE, coming]), shut], "gaps": []}
    with fake_node(home, {"read": shown}):
        ran = mesh("read", "g", home=home)
    assert "[file: leaflet.pdf · 5 bytes · here]" in ran.out
    assert "[file: walk.mp4 · 3.0 MiB · 25 % here]" in ran.out
    assert "opens it; 1 file with it)" in ran.out


# ---------------------------------------------------------------- save


def test_a_file_is_saved_where_it_is_said_for_its_owner_alone(home: Path, tmp_path: Path) -> None:
    place = tmp_path / "mine.pdf"
    ran = save(home, str(place), "--json")
    assert ran.code == Exit.OK
    assert ran.json == {
        "schema": 1,
        "message": ID,
        "saved": [{"name": "leaflet.pdf", "size": 5, "path": str(place)}],
        "waiting": [],
    }
    assert place.read_bytes() == b"hello"
    assert place.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


def test_in_a_folder_it_bears_its_own_name_as_one_plain_step(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    names = ("../../up", ".bashrc", "-rf", "a\\b", "plain")
    files: list[JsonObject] = [{**HERE, "name": name} for name in names]
    ran = save(home, str(folder), told={**TOLD, "files": [*files]})
    assert ran.code == Exit.OK
    assert sorted(path.name for path in folder.iterdir()) == sorted(map(own_name, names))
    assert sorted(map(own_name, names)) == ["_./.._up".replace("/", "_"), "_bashrc", "_rf", "a_b", "plain"]


def test_nothing_that_stands_is_replaced_unasked_and_a_link_is_replaced_not_followed(
    home: Path, tmp_path: Path
) -> None:
    place, target = tmp_path / "mine.pdf", tmp_path / "target"
    target.write_text("before")
    place.symlink_to(target)
    ran = save(home, str(place))
    assert ran.code == Exit.USAGE
    assert "E-EXISTS" in ran.err
    assert save(home, str(place), "--yes").code == Exit.OK
    assert (place.read_bytes(), place.is_symlink(), target.read_text()) == (b"hello", False, "before")


def test_one_of_several_is_saved_by_its_name_and_without_it_a_folder_is_asked_for(home: Path, tmp_path: Path) -> None:
    told: JsonObject = {**TOLD, "files": [{**HERE, "name": "a"}, {**HERE, "name": "b"}]}
    ran = save(home, str(tmp_path / "x"), told=told)
    assert ran.code == Exit.USAGE
    assert "E-FILES" in ran.err
    assert save(home, str(tmp_path / "x"), "--name", "b", told=told).code == Exit.OK
    assert save(home, str(tmp_path / "y"), "--name", "c", told=told).code == Exit.USAGE


def test_two_of_one_name_are_both_saved_under_names_of_their_own(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    names = ("walk.txt", "Walk.txt", "walk (2).txt", "walk.txt", "plain", "plain")
    told: JsonObject = {**TOLD, "files": [{**HERE, "name": name} for name in names]}
    assert save(home, str(folder), told=told).code == Exit.OK
    expected = {"walk.txt", "Walk (3).txt", "walk (2).txt", "walk (4).txt", "plain", "plain (2)"}
    assert {path.name for path in folder.iterdir()} == expected
    again = save(home, str(folder), told=told)
    assert (again.code, "E-EXISTS" in again.err) == (Exit.USAGE, True)


def test_a_folder_alone_holds_two_of_one_name(home: Path, tmp_path: Path) -> None:
    ran = save(home, str(tmp_path / "x"), "--name", "leaflet.pdf", told={**TOLD, "files": [HERE, HERE]})
    assert ran.code == Exit.USAGE
    assert "Give a folder that exists.\n" in ran.err


def test_a_numbered_name_is_no_longer_than_a_folder_takes() -> None:
    names = own_names(["é" * 125 + ".text", "é" * 125 + ".text"])
    assert all(len(name.encode()) <= 255 for name in names)
    assert names[1].endswith(" (2).text")
    assert len(set(names)) == 2


def test_a_folder_that_is_not_there_is_not_taken_for_a_file(home: Path, tmp_path: Path) -> None:
    ran = save(home, f"{tmp_path / 'no'}/")
    assert ran.code == Exit.USAGE
    assert "There is no folder" in ran.err
    assert not (tmp_path / "no").exists()


def test_where_nobody_has_it_the_command_ends_with_4_and_writes_nothing(home: Path, tmp_path: Path) -> None:
    told: JsonObject = {**TOLD, "files": [{**HERE, "state": "coming", "got": 0}], "reachable": 0}
    ran = save(home, str(tmp_path / "my x"), "--wait", "0s", "--json", "--name", "leaflet.pdf", told=told)
    assert ran.code == Exit.QUEUED
    assert f"mesh file save {ID[:8]} '{tmp_path / 'my x'}' --name leaflet.pdf" in ran.err
    assert ran.json["waiting"] == [{"name": "leaflet.pdf", "size": 5, "got": 0, "of": 1}]
    assert "goes on by itself" in ran.err
    assert list(tmp_path.glob("my*")) == []


def test_what_fails_half_way_leaves_nothing_behind(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    ran = save(home, str(folder), pieces=[*PIECES, {"event": "piece", "data": 7}])
    assert ran.code == Exit.FAILED
    assert list(folder.iterdir()) == []


def test_a_place_in_no_folder_is_found_out_before_anything_is_fetched(home: Path, tmp_path: Path) -> None:
    assert "E-FILE" in save(home, str(tmp_path / "no" / "x")).err
