"""Transcripts of `keeper`: being one, giving tickets away, and a group's own."""

from pathlib import Path

import pytest

from cli.sizes import SIZE_MAX, SizeWrong, format_size, parse_size
from mesh.errors import Exit
from mesh.node.local.protocol import JsonObject
from mesh.wire.tickets import ticket_to_text
from tests.cli.runner import mesh
from tests.node.local.fake_node import Reply, fake_node
from tests.wire.test_tickets import PI as TICKET_AT
from tests.wire.test_tickets import ticket

STATUS: JsonObject = {
    "on": True,
    "accounts": 1,
    "topics": 3,
    "frames": 12,
    "bytes": 5 * 2**20 // 2,
    "quota": 2**30,
    "days": 30,
    "oldest": "2026-11-01T12:00:00.000Z",
}
HOLDS: JsonObject = {"frames": 12, "bytes": 2**21, "quota": 2**27, "topics": 3, "oldest": None}
PI: JsonObject = {
    "id": "ab" * 8,
    "note": "pi-kitchen",
    "reachable": True,
    "keeps": True,
    "holds": HOLDS,
    "quota": 2**27,
    "addresses": ["/ip4/192.0.2.1/tcp/4001/p2p/12D3KooWPi"],
}


def test_a_node_becomes_a_keeper_and_says_what_it_holds(home: Path) -> None:
    with fake_node(home, {"keeper.on": STATUS, "keeper.status": STATUS}) as node:
        ran = mesh("keeper", "on", "--quota", "1G", "--keep", "30d", home=home)
        shown = mesh("keeper", "status", home=home)
        told = mesh("keeper", "status", "--json", home=home).json
        asked = node.handler.asked
    assert ("keeper.on", {"quota": 2**30, "days": 30}) in asked
    assert ran.out == "This node is a keeper: up to 1 GiB, each piece for 30 days.\n"
    assert "mesh keeper ticket" in ran.err
    assert "It holds 2.5 MiB in 12 sealed pieces, the oldest since" in shown.out
    assert "Tickets of yours that are in use: 1.\n" in shown.out
    assert {"topics", "bytes", "quota", "oldest"} <= set(told)


def test_one_that_is_none_says_so_and_how_to_become_one(home: Path) -> None:
    nothing = STATUS | {"on": False, "frames": 0, "oldest": None}
    with fake_node(home, {"keeper.status": nothing, "keeper.off": nothing}):
        assert mesh("keeper", "status", home=home).out == "This node is no keeper. `mesh keeper on` makes it one.\n"
        assert "forgotten" in mesh("keeper", "off", home=home).out


def test_what_is_held_for_others_is_forgotten_by_no_command_that_was_not_confirmed(home: Path) -> None:
    gone = STATUS | {"on": False, "frames": 0, "oldest": None}
    with fake_node(home, {"keeper.status": STATUS, "keeper.off": gone}) as node:
        ran = mesh("keeper", "off", home=home)
        assert "keeper.off" not in dict(node.handler.asked)
        assert mesh("keeper", "off", "--yes", home=home).code == Exit.OK
    assert ran.code == Exit.USAGE
    assert "It holds 12 sealed pieces for others. Forget them?" in ran.err


def test_with_the_node_down_no_keeper_is_said_to_be_out_of_reach(home: Path) -> None:
    text = ticket_to_text(ticket(TICKET_AT))
    assert mesh("init", "--yes", "--name", "wren", home=home).code == Exit.OK
    assert mesh("group", "create", "g", "--suite", "classic", home=home).code == Exit.OK
    assert mesh("keeper", "add", "g", "-", home=home, stdin=text).code == Exit.OK
    listed = mesh("keeper", "list", "g", home=home).out
    assert "now: not known: your node is not running" in listed
    assert "not reachable" not in listed


def test_parts_of_days_are_refused(home: Path) -> None:
    for span in ("90s", "0", "36h"):
        assert mesh("keeper", "on", "--keep", span, home=home).code == Exit.USAGE


def test_a_ticket_is_the_only_line_of_its_result(home: Path) -> None:
    with fake_node(home, {"keeper.ticket": {"ticket": "meshkeep1qqq#abc"}}) as node:
        ran = mesh("keeper", "ticket", "--quota", "50M", "--note", "pi-kitchen", home=home)
        assert node.handler.asked[-1] == ("keeper.ticket", {"quota": 50 * 2**20, "note": "pi-kitchen"})
    assert ran.out == "meshkeep1qqq#abc\n"
    assert "privately" in ran.err


def test_a_group_gets_a_keeper_lists_it_and_drops_it(home: Path) -> None:
    away = PI | {"reachable": False, "holds": None, "keeps": None}
    table: dict[str, Reply] = {
        "keeper.add": {"keeper": PI},
        "keeper.list": {"keepers": [PI, away, PI | {"keeps": False}]},
        "keeper.remove": {"removed": {"id": "ab" * 8, "note": "pi-kitchen"}},
    }
    with fake_node(home, table) as node:
        added = mesh("keeper", "add", "Tuesday grief", "-", home=home, stdin="meshkeep1qqq#abc\n")
        assert node.handler.asked[-1] == ("keeper.add", {"group": "Tuesday grief", "ticket": "meshkeep1qqq#abc"})
        listed = mesh("keeper", "list", "Tuesday grief", home=home)
        told = mesh("keeper", "list", "Tuesday grief", "--json", home=home).json
        dropped = mesh("keeper", "remove", "Tuesday grief", "pi-kitchen", home=home)
    assert added.out == "The group's members leave what they say at pi-kitchen too.\n"
    assert "12 pieces, 2 MiB of 128 MiB" in listed.out
    assert "not reachable" in listed.out
    assert "every ten minutes" in listed.err
    assert "nothing said yet" in listed.out
    assert "nothing: it keeps for nobody now" in listed.out
    keepers = told["keepers"]
    assert isinstance(keepers, list)
    assert isinstance(keepers[0], dict)
    assert {"id", "note", "reachable", "holds"} <= set(keepers[0])
    assert dropped.out == "Nothing more is left at pi-kitchen.\n"


def test_no_ticket_is_said_to_be_none(home: Path) -> None:
    with fake_node(home, {}) as node:
        ran = mesh("keeper", "add", "g", "-", home=home, stdin="\n")
        assert node.handler.asked == []
    assert (ran.code, "No ticket was given." in ran.err) == (Exit.USAGE, True)


def test_no_keeper_is_said_with_the_way_to_one(home: Path) -> None:
    with fake_node(home, {"keeper.list": {"keepers": []}}):
        assert "mesh keeper add" in mesh("keeper", "list", "Tuesday grief", home=home).out


@pytest.mark.parametrize(("text", "size"), [("500K", 512_000), ("1g", 2**30), (" 9MiB ", 9 * 2**20), ("2GB", 2**31)])
def test_a_size_is_a_number_and_a_unit(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "500", "0K", "-1M", "1.5G", "1T", "2048G", "٣M", "9" * 5000 + "K"])
def test_any_other_size_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SizeWrong) as refused:
        parse_size(text)
    assert "200M" in refused.value.do


@pytest.mark.parametrize(
    ("size", "said"), [(0, "0 B"), (999, "999 B"), (1536, "1.5 KiB"), (2**20, "1 MiB"), (SIZE_MAX, "1024 GiB")]
)
def test_a_size_is_said_in_the_largest_unit(size: int, said: str) -> None:
    assert format_size(size) == said
