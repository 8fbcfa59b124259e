"""What people get wrong: each mistake has its own words, its exit status, and costs nothing."""

import json
import socket
from pathlib import Path

import pytest

from demo.people import Object, Person, record, records, text
from mesh.wire.codes import InviteCode, to_text
from tests.e2e.conftest import GROUP, Cast


@pytest.fixture
def wren(cast: Cast) -> Person:
    """Someone with an identity, a running node and a group."""
    (person,) = cast("wren")
    person.up()
    person.mesh("group", "create", GROUP)
    return person


def fails(person: Person, *words: str, given: str = "", exit: int) -> Object:
    """Run what must fail; return the error, checked for shape."""
    done = person.run(*words, "--json", given=given)
    assert done.returncode == exit, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr + done.stdout
    answer = json.loads(done.stdout)
    assert answer["schema"] == 1
    error = record(answer, "error")
    assert text(error, "code").startswith("E-")
    assert text(error, "what")
    return error


def test_codes_that_were_mistyped_name_the_slip(wren: Person) -> None:
    code = text(wren.mesh("invite", "new", GROUP), "code")[:72]
    other = "q" if code[40] != "q" else "p"
    slips = {
        code[:40] + "b" + code[41:]: "never part of a code",
        code[:40] + other + code[41:]: "character 41",
        code[:60]: "cut short",
        "mash" + code[4:]: "begin",
        code[:20] + code[20:].upper(): "capital",
    }
    for slip, words in slips.items():
        error = fails(wren, "join", "-", given=slip + "\n", exit=2)
        assert error["code"] == "E-CODE"
        assert words in text(error, "what"), slip


def test_codes_that_have_run_out_been_revoked_or_used_up_are_refused(wren: Person, cast: Cast) -> None:
    juniper, sorrel = cast("juniper", "sorrel")
    juniper.up()
    sorrel.up()
    old = to_text(InviteCode(seed=bytes(16), gid_prefix=bytes(16), expiry_hour=1))
    assert fails(juniper, "join", "-", "--agree", given=old + "\n", exit=5)["code"] == "E-CODE-EXPIRED"

    revoked = wren.mesh("invite", "new", GROUP)
    wren.mesh("invite", "revoke", GROUP, text(record(revoked, "invite"), "id"))
    error = fails(juniper, "join", "-", "--agree", given=text(revoked, "code") + "\n", exit=5)
    assert "revoked" in text(error, "why")

    code = text(wren.mesh("invite", "new", GROUP), "code")
    juniper.join(code)
    error = fails(sorrel, "join", "-", "--agree", given=code + "\n", exit=5)
    assert "used up" in text(error, "why")
    members = records(wren.mesh("group", "members", GROUP), "members")
    assert sorted(text(m, "alias") for m in members) == ["juniper", "wren"]


def test_a_wrong_passphrase_ends_with_three(cast: Cast) -> None:
    (wren,) = cast("wren")
    wren.passphrase_file.write_text("not it\n", encoding="utf-8")
    assert fails(wren, "group", "list", exit=3)["code"] == "E-PASSPHRASE"
    assert fails(wren, "up", "--detach", exit=3)["code"] == "E-PASSPHRASE"


def test_unknown_and_ambiguous_names_list_what_they_may_mean(wren: Person) -> None:
    assert fails(wren, "read", "Wednesday", exit=2)["code"] == "E-NO-GROUP"
    wren.mesh("group", "create", GROUP)
    error = fails(wren, "read", GROUP, exit=2)
    assert error["code"] == "E-AMBIGUOUS"
    ids = [text(group, "id") for group in records(wren.mesh("group", "list"), "groups")]
    assert all(any(gid.startswith(shown) for gid in ids) for shown in _offered(error))
    assert len(_offered(error)) == 2
    assert wren.mesh("read", ids[0][:8]) is not None
    assert fails(wren, "group", "remove", ids[0], "nobody", "--yes", exit=2)["code"] == "E-NO-MEMBER"
    assert fails(wren, "message", "show", "abcdef", exit=2)["code"] == "E-NO-MESSAGE"


def _offered(error: Object) -> list[str]:
    return [word.strip(" ,.").split()[-1] for word in text(error, "do").split(":", 1)[1].split(",")]


def test_a_message_over_the_limit_is_refused_and_nothing_is_sent(wren: Person) -> None:
    error = fails(wren, "post", GROUP, "-", given="x" * 40_000, exit=2)
    assert "32768" in text(error, "what")
    assert wren.texts(GROUP) == []


def test_a_port_that_is_taken_is_said(cast: Cast) -> None:
    (wren,) = cast("wren")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        error = fails(wren, "up", "--detach", "--listen", f"/ip4/127.0.0.1/tcp/{port}", exit=1)
    assert error["code"] == "E-PORT-TAKEN"
    assert str(port) in text(error, "what")


def test_a_second_node_on_one_home_is_refused(wren: Person) -> None:
    assert fails(wren, "up", "--detach", exit=1)["code"] == "E-NODE-RUNNING"


def test_a_home_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    person = Person("wren", tmp_path)
    person.passphrase_file.write_text("some passphrase\n", encoding="utf-8")
    error = fails(person, "--home", str(tmp_path / "file" / "home"), "init", "--yes", exit=1)
    assert error["code"] == "E-HOME-WRITE"


@pytest.mark.parametrize("harm", ["truncated", "edited"])
def test_a_damaged_store_is_said_and_left_as_it_is(cast: Cast, harm: str) -> None:
    (wren,) = cast("wren")
    store = wren.home / "store.db"
    whole = store.read_bytes()
    broken = whole[:-5000] if harm == "truncated" else whole[:20_000] + bytes(64) + whole[20_064:]
    store.write_bytes(broken)
    error = fails(wren, "group", "list", exit=1)
    assert error["code"] == "E-STORE-DAMAGED"
    assert store.read_bytes() == broken


def test_an_identity_is_not_made_twice(cast: Cast) -> None:
    (wren,) = cast("wren")
    assert fails(wren, "init", "--yes", exit=2)["code"] == "E-HOME-EXISTS"


def test_every_command_that_needs_the_store_works_with_the_node_down(cast: Cast) -> None:
    (wren,) = cast("wren")
    gid = text(record(wren.mesh("group", "create", GROUP), "group"), "id")
    assert records(wren.mesh("group", "list"), "groups")[0]["id"] == gid
    wren.mesh("invite", "new", GROUP)
    assert len(records(wren.mesh("invite", "list", GROUP), "invites")) == 1
    posted = record(wren.post(GROUP, "into the quiet", exit=(4,)), "message")
    assert posted["state"] == "queued"
    assert wren.texts(GROUP) == ["into the quiet"]
    assert [text(entry, "id") for entry in records(wren.mesh("outbox"), "outbox")] == [posted["id"]]
    assert wren.mesh("status")["running"] is False
    wren.up()
    assert wren.texts(GROUP) == ["into the quiet"]
    assert wren.mesh("status")["running"] is True


def test_the_passphrase_changes_with_the_node_up_and_down(cast: Cast) -> None:
    (wren,) = cast("wren")
    change = ("id", "passphrase", "--new-passphrase-fd", "0")
    assert wren.mesh(*change, given="a second passphrase\n")["changed"] is True
    assert fails(wren, "group", "list", exit=3)["code"] == "E-PASSPHRASE"
    wren.passphrase_file.write_text("a second passphrase\n", encoding="utf-8")
    wren.up()
    assert wren.mesh(*change, given="a third passphrase\n")["changed"] is True
    assert fails(wren, "group", "create", GROUP, exit=3)["code"] == "E-PASSPHRASE"
    wren.passphrase_file.write_text("a third passphrase\n", encoding="utf-8")
    wren.mesh("group", "create", GROUP)
    wren.down()
    assert len(records(wren.mesh("group", "list"), "groups")) == 1
