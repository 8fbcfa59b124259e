"""Groups that live for long: what a log of hundreds of operations costs, counted and not timed.

A stopwatch on a shared machine says little; what may not grow is how much work one more operation makes. benchmarks/
holds the figures in milliseconds.
"""

import sys
from collections.abc import Callable
from types import FrameType as Frame
from typing import ParamSpec

from mesh.commands import Rank
from mesh.membership.standing import judge
from mesh.wire.invites import OpBundle
from mesh.wire.operations import OpType, SettingsBody
from tests.groups.people import Person, founds, standing

P = ParamSpec("P")


def calls(work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> int:
    """How many Python functions a piece of work calls."""
    counted = 0

    def count(_: Frame, event: str, __: object) -> None:
        nonlocal counted
        counted += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work(*args, **kwargs)
    finally:
        sys.setprofile(before)
    return counted


def busy(count: int) -> Person:
    """Alice's group after so many operations of many kinds."""
    alice = founds("Alice")
    bob = alice.admits("Bob")
    alice.promotes(bob, Rank.STEWARD)
    while len(alice.group.log) < count:
        match len(alice.group.log) % 4:
            case 0:
                alice.rekeys()
            case 1:
                alice.agrees_on(f"Version {len(alice.group.log)}")
            case _:
                alice.sets(note=str(len(alice.group.log)))
    return alice


SHORT, LONG = busy(60), busy(240)


def test_a_view_costs_in_proportion_to_the_log() -> None:
    """Settings were compared each with each: of five hundred operations a view took 20 ms, at each new one."""
    short, long = (calls(judge, alice.group.log.graph, alice.group.log.everything) for alice in (SHORT, LONG))
    assert long < 6 * short
    assert long < 60 * 240


def test_one_more_operation_costs_about_one_view() -> None:
    costs = []
    for alice in (SHORT, LONG):
        late = alice.restarted()
        late.takes(OpBundle(op=alice.forges(OpType.SETTINGS, SettingsBody(settings=[])), wraps=[]))
        signed = late.forges(OpType.SETTINGS, SettingsBody(settings=[]))
        costs.append(calls(late.takes, OpBundle(op=signed, wraps=[])))
    assert costs[1] < 6 * costs[0]
    assert costs[1] < 60 * 240


def test_taking_back_costs_nothing_to_speak_of() -> None:
    """Heads were worked out anew from all pairs: each refused operation cost the square of the log."""
    for alice in (SHORT, LONG):
        log = alice.group.log
        last = log.ops[-1]
        assert calls(log.pop) < 50
        assert calls(log.push, last) < 150


def test_the_epoch_in_use_is_looked_up_and_not_worked_out_for_each_message() -> None:
    for alice in (SHORT, LONG):
        assert alice.group.epoch is not None
        assert calls(getattr, alice.group, "epoch") < 10


def test_a_newcomer_takes_a_long_log_in() -> None:
    bob = LONG.admits("Newcomer")
    assert standing(bob) == standing(LONG)
    assert bob.group.epoch == LONG.group.epoch


def test_views_that_were_asked_for_are_remembered_up_to_a_number() -> None:
    group = LONG.restarted().group
    for op in group.log.ops:
        group.view_of(group.log.past(op.op_id) | group.log.bit(op.op_id))
    assert 1 < len(group.views._known) <= 256
