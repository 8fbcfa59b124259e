"""The lab's pieces apart: which plans it refuses, whom a node calls, how it is asked, when its clock stands still."""

import os
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import LocalError, MeshError
from mesh.node.local.protocol import Event, Failure, Result, encode_answer
from simulations.errors import PlanError
from simulations.lab import asking, node
from simulations.lab.agreement import CASES, MARK, SMALL, Compared, compare, put_into, table
from simulations.lab.asking import NodeGone
from simulations.lab.residents import Resident
from simulations.lab.running import LabResult
from simulations.lab.shim import HERE, Shim
from simulations.lab.stage import DEEDS, PEOPLE_MAX, SECONDS_MAX, Clock, require_able
from simulations.plans import DEEDS as ALL_DEEDS
from simulations.plans import Plan, Somebody, made, step
from simulations.regions import Machine, Nat
from simulations.running import run
from simulations.scenarios import names, scenario
from simulations.weather import Weather

# ---------------------------------------------------------------- which plans


def _plan(*deeds: str) -> Plan:
    return made((Somebody("wren"),), Weather(), [step(1, deed, **_args(deed)) for deed in deeds])


def _args(deed: str) -> dict[str, str | float]:
    of: dict[type, str | float] = {str: "wren", float: 1.0}
    return {name: of[kind] for name, kind in ALL_DEEDS[deed].items() if not name.endswith("?") and kind in of}


def test_each_deed_is_carried_out_or_refused_by_its_name() -> None:
    assert DEEDS.keys() < ALL_DEEDS.keys()
    for deed in sorted(ALL_DEEDS.keys() - DEEDS.keys()):
        one = replace(step(1, "heal"), do=deed)
        with pytest.raises(PlanError, match=f"`{deed}`"):
            require_able(_plan("heal").with_steps((one,)))
    require_able(_plan("off", "on", "heal"))


def test_all_that_is_lacking_is_named_at_once() -> None:
    plan = replace(
        _plan("save", "restore", "off"),
        people=(Somebody("wren", 5, Machine(nat=Nat.SYMMETRIC)),),
        weather=Weather(duplicates=0.1, reorder=0.1),
    )
    with pytest.raises(
        PlanError, match=r"`restore`, `save`, clocks that are wrong, routers and relays, `dup.*`reorder`"
    ):
        require_able(plan)
    settings = step(0, "found", who="wren", group="g", settings=("approvals=1",))
    with pytest.raises(PlanError, match="`found` with settings"):
        require_able(_plan().with_steps((settings,)))
    require_able(_plan().with_steps((step(0, "found", who="wren", group="g"),)))


def test_a_lab_is_bounded_in_nodes_and_in_time() -> None:
    people = tuple(Somebody(f"wren-{k}", machine=Machine(region="europe", kbit_s=50)) for k in range(PEOPLE_MAX + 1))
    require_able(replace(_plan(), people=people[1:]))
    with pytest.raises(PlanError, match=f"at most {PEOPLE_MAX} nodes"):
        require_able(replace(_plan(), people=people))
    with pytest.raises(PlanError, match="real time"):
        require_able(_plan().with_steps((step(SECONDS_MAX, "heal"),)))


def test_of_all_scenarios_those_are_refused_that_need_what_a_lab_has_not() -> None:
    able = []
    for name in names():
        plan = scenario(name).plan(0, {})
        lacking = {one.do for one in plan.steps} - DEEDS.keys()
        if lacking:
            with pytest.raises(PlanError) as refused:
                require_able(plan)
            assert all(f"`{deed}`" in refused.value.what for deed in lacking), name
        else:
            able.append(name)
    assert {case.name for case in CASES} <= set(able)
    for case in (*CASES, SMALL):
        require_able(case.plan())


# ---------------------------------------------------------------- whom a node calls


@given(st.dictionaries(st.integers(1, 65_535), st.integers(1, 65_535), max_size=40))
def test_fronts_are_read_as_they_were_written(fronts: dict[int, int]) -> None:
    assert node.fronts_from(node.written(fronts)) == fronts


HOSTILE = ("5001", "=", "5001=", "=6001", "5001=6001=7", "5001=0", "0=6001", "65536=6001", "5001=65536", "-1=6001")
ODD = (
    "5001=6001,",
    "5001=6001  5002=6002",
    " ",
    "٥=6001",
    "1e3=6001",
    "5001=6001 5001=6002",
    "0" * 99 + "1=6001",
    "a=b",
)


@pytest.mark.parametrize("said", [*HOSTILE, *ODD, " ".join(f"{k}={k}" for k in range(1, 1_100))])
def test_anything_else_is_refused(said: str) -> None:
    with pytest.raises(PlanError, match=node.FRONTS):
        node.fronts_from(said)


@given(st.text(max_size=60))
def test_whatever_stands_there_it_is_fronts_or_refused(said: str) -> None:
    with suppress(PlanError):
        assert node.fronts_from(node.written(node.fronts_from(said))) == node.fronts_from(said)


async def test_a_call_to_a_door_goes_over_the_caller_s_own_wire_and_no_other_call_does(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    (listener,) = await trio.open_tcp_listeners(0, host=HERE)
    nursery.start_soon(trio.serve_listeners, _echo, [listener])
    home = listener.socket.getsockname()[1]
    shim = Shim(nursery)
    shim.lives_at("juniper", home)
    monkeypatch.setattr(trio, "open_tcp_stream", trio.open_tcp_stream)
    node.lead_calls({shim.door("juniper"): shim.front("wren", "juniper")})
    with trio.fail_after(10):
        async with await trio.open_tcp_stream(HERE, shim.door("juniper")) as stream:
            await stream.send_all(b"x")
            assert await stream.receive_some() == b"x"
            assert shim.carried(stream.socket.getpeername()[1]) == ("wren", "juniper")
        async with await trio.open_tcp_stream(HERE, home) as stream:
            assert stream.socket.getpeername()[1] == home
    assert shim.turned_away == {"juniper": 0}


async def _echo(stream: trio.SocketStream) -> None:
    async for data in stream:
        await stream.send_all(data)


def test_a_node_ends_when_whoever_began_it_is_gone() -> None:
    """Its stdin is the other end's: nothing is said over it, and it ends however that one came to an end."""
    words = "from simulations.lab.node import *; import time; end_with_whoever_began(); print(1, flush=True)"
    program = [sys.executable, "-c", f"{words}; time.sleep(60)"]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(os.environ)) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"1\n"
        assert process.poll() is None
        process.stdin.close()
        assert process.wait(10) == 1


# ---------------------------------------------------------------- how it is asked

Answers = Callable[[trio.SocketStream], Awaitable[None]]


async def _answering(nursery: trio.Nursery, folder: Path, answers: Answers) -> str:
    path = str(folder / "api.sock")
    sock = trio.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    await sock.bind(path)
    sock.listen()

    async def serve(stream: trio.SocketStream) -> None:
        async with stream:
            await stream.receive_some()
            await answers(stream)

    nursery.start_soon(partial(trio.serve_listeners, serve, [trio.SocketListener(sock)]))
    return path


def _says(*lines: bytes) -> Answers:
    async def answers(stream: trio.SocketStream) -> None:
        for line in lines:
            await stream.send_all(line)

    return answers


async def test_an_answer_comes_and_a_refusal_is_raised(nursery: trio.Nursery, tmp_path: Path) -> None:
    good = encode_answer(Result(id=1, result={"event": "is no event"}))
    path = await _answering(nursery, tmp_path, _says(good[:7], good[7:]))
    assert await asking.ask(path, "status") == {"event": "is no event"}
    (tmp_path / "other").mkdir()
    no = _says(encode_answer(Failure(id=1, error=LocalError("No group is called so.", code="E-NO-GROUP"))))
    with pytest.raises(MeshError, match="No group"):
        await asking.ask(await _answering(nursery, tmp_path / "other", no), "status")


async def test_events_come_until_the_node_ends(nursery: trio.Nursery, tmp_path: Path) -> None:
    lines = [encode_answer(Event(id=1, event={"event": "message", "number": k})) for k in range(3)]
    path = await _answering(nursery, tmp_path, _says(b"".join(lines)[:50], b"".join(lines)[50:]))
    assert [event["number"] async for event in asking.told(path)] == [0, 1, 2]


GARBAGE = (
    b"",
    b"\n",
    b"no JSON\n",
    b"[]\n",
    b'{"jsonrpc": "2.0"}\n',
    b'{"jsonrpc": "2.0", "id": 1, "resu',
    b"\xff\xfe\n",
)


@pytest.mark.parametrize("said", GARBAGE)
async def test_one_who_answers_with_anything_else_is_no_node(
    nursery: trio.Nursery, tmp_path: Path, said: bytes
) -> None:
    with pytest.raises(NodeGone):
        await asking.ask(await _answering(nursery, tmp_path, _says(said)), "status")


async def test_a_line_without_end_is_not_held(nursery: trio.Nursery, tmp_path: Path) -> None:
    async def endless(stream: trio.SocketStream) -> None:
        try:
            while True:
                await stream.send_all(bytes(65_536))
        except trio.BrokenResourceError:
            return

    with pytest.raises(NodeGone, match="longer than"):
        await asking.ask(await _answering(nursery, tmp_path, endless), "status")


async def test_nobody_and_silence_are_a_node_that_is_gone(
    nursery: trio.Nursery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NodeGone):
        await asking.ask(str(tmp_path / "nowhere"), "status")
    monkeypatch.setattr(asking, "ANSWER_S", 0.2)

    async def silent(_: trio.SocketStream) -> None:
        await trio.sleep_forever()

    with pytest.raises(NodeGone, match=r"within 0\.3 s"):
        await asking.ask(await _answering(nursery, tmp_path, silent), "status", wait_s=0.1)


# ---------------------------------------------------------------- the plan's clock


async def test_the_clock_stands_still_while_anybody_holds_it(autojump_clock: trio.abc.Clock) -> None:
    clock, began = Clock(), trio.current_time()

    async def hold(after_s: float, for_s: float) -> None:
        await trio.sleep(after_s)
        async with clock.held():
            await trio.sleep(for_s)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(hold, 0, 5)
        nursery.start_soon(hold, 3, 5)  # the two together hold it for eight seconds
    await clock.until(2)
    assert trio.current_time() - began == pytest.approx(10)
    await clock.until(1)  # is over
    assert trio.current_time() - began == pytest.approx(10)


# ---------------------------------------------------------------- a node that does not begin


async def test_a_home_that_cannot_be_made_is_told_with_what_was_said(nursery: trio.Nursery, tmp_path: Path) -> None:
    wren = Resident("wren", tmp_path, Shim(nursery), ("wren",))
    (tmp_path / "wren").write_text("in the way", encoding="utf-8")
    with pytest.raises(NodeGone, match="no identity could be made for wren"):
        await wren.make()


async def test_a_node_that_is_not_ready_leaves_nothing(nursery: trio.Nursery, tmp_path: Path) -> None:
    wren = Resident("wren", tmp_path, Shim(nursery), ("wren",))
    (tmp_path / "run").mkdir()
    with pytest.raises(NodeGone, match="did not become ready"):
        await wren.start()  # there is no identity
    assert not wren.up
    with pytest.raises(NodeGone, match="wren is off"):
        await wren.ask("status")
    await wren.end()


# ---------------------------------------------------------------- what is compared


def _lab(latencies: tuple[int, ...], sent: int, came: int) -> LabResult:
    return LabResult(
        posts=1,
        wanted=4,
        came=came,
        latencies_ms=latencies,
        said={"wren": {"frame": sent, "stored": 0}, "juniper": {"frame": sent}},
        settle_s=1.0,
        seconds=2.0,
        passed_over=(),
    )


def test_each_bound_can_be_missed_from_both_sides() -> None:
    world = run(scenario("plain-evening").plan(0, {"members": 2, "posts": 3, "seconds": 3}), 0)
    sent, p50 = world.figures["up_bytes_mean"], world.figures["latency_p50_ms"]

    def missed(lab: LabResult) -> list[str]:
        return [one.figure for one in compare("x", [world], [lab]) if not one.met]

    near = round(p50 * 1.3 + 19)
    assert missed(_lab((near,), round(sent * 1.09), 4)) == []
    assert missed(_lab((near,), round(sent * 0.91), 4)) == []
    assert missed(_lab((near,), round(sent * 1.11), 4)) == ["up_bytes_mean"]
    assert missed(_lab((near,), round(sent * 0.89), 4)) == ["up_bytes_mean"]
    assert missed(_lab((round(p50 * 1.3 + 21),), round(sent), 4)) == ["latency_p50_ms"]
    assert missed(_lab((near,), round(sent), 3)) == ["delivery_ratio"]
    assert compare("x", [world], [_lab((), 0, 0)])[3].level3 == 0, "nothing came, and nothing breaks"


def test_the_table_goes_between_the_marks_of_a_document() -> None:
    rows = [Compared(scenario="a", figure="b", level1=2, level3=1, most=0.5)]
    assert table(rows)[-1] == "| a | b | 2 | 1 | -1 (-50.0%) | ± 0.5 | **no** |"
    assert put_into(f"before\n{MARK}\nold\n{MARK}\nafter", ["new"]) == f"before\n{MARK}\nnew\n{MARK}\nafter"
    for wrong in ("", MARK, f"{MARK}{MARK}{MARK}"):
        with pytest.raises(ValueError, match="unpack"):
            put_into(wrong, ["new"])
