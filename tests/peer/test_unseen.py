"""What one who is linked with a keeper sees of a talk with a listener that it carries: nothing.

Rowan is a member, linked with everybody. The frames that rowan gets from the keeper are compared with those of a world
in which the same person said a sealed note of another kind at the same moments, and nobody asked for a listener.
"""

from collections import Counter

import pytest

from mesh.commands import SayNote
from mesh.events import Effect, Input, LinkKind, Send
from mesh.wire.codec import encode
from mesh.wire.keepers import KeptSaid, unpack_keep
from mesh.wire.notes import NoteTag, SeekingNote
from simulations.world import Node
from tests.peer.listeners import ask, end, listen, offering, states


def seen_by_rowan(*, asks: bool, volunteer_keeps: bool) -> tuple[dict[str, Counter[str]], list[KeptSaid]]:
    """Give by kind how often rowan's links with pi and tansy brought something, and what keepers said that they hold.

    Whether a listener is asked for, says yes, talks for a while and ends it, or another note is said.
    """
    world, gid, keeper, (wren, tansy, sorrel, rowan) = offering()
    assert keeper is not None
    if volunteer_keeps:
        tansy.keep()
    world.run(700)
    got: dict[str, Counter[str]] = {"pi": Counter(), "tansy": Counter(), "sorrel": Counter()}
    said: list[KeptSaid] = []

    def watch(node: Node, event: Input, effects: list[Effect]) -> None:
        del event
        for effect in effects:
            far = node.links.get(effect.link, ("",))[0] if isinstance(effect, Send) else ""
            if isinstance(effect, Send) and node.name == "rowan" and effect.kind is LinkKind.RANGES and far in got:
                got[far][LinkKind.RANGES.name] -= 1  # a question of rowan's own, which is answered
            elif isinstance(effect, Send) and node.name in got and far == "rowan":
                got[node.name][LinkKind(effect.kind).name] += 1
                if effect.kind is LinkKind.KEEP:
                    record = unpack_keep(effect.payload)
                    assert isinstance(record, KeptSaid)
                    said.append(record)

    world.watchers.append(watch)
    until_ms = world.instant(rowan.node).mono_ms + 1_300_000
    if asks:
        ask(wren, gid, tansy, sorrel)
        world.run(20)
        new = listen(tansy, gid)
        assert tansy.until(lambda: states(tansy, gid) == ["open"], 120)
        for k in range(5):
            (wren, tansy)[k % 2].post(new, f"{k}")
            world.run(10)
        end(wren, gid, new)
    else:
        value = encode(SeekingNote(text="a group for people who care for a parent"))
        world.ask("wren", SayNote(group=gid, tag=NoteTag.SEEKING, to=(tansy.member(gid),), value=value))
    world.run((until_ms - world.instant(rowan.node).mono_ms) / 1000)
    return got, said


@pytest.mark.parametrize("volunteer_keeps", [False, True])
def test_one_who_is_linked_with_the_keeper_sees_no_talk_by_kind_number_or_figures(*, volunteer_keeps: bool) -> None:
    without, said_without = seen_by_rowan(asks=False, volunteer_keeps=volunteer_keeps)
    got, said = seen_by_rowan(asks=True, volunteer_keeps=volunteer_keeps)
    assert without["pi"]["KEEP"] > 1
    assert without["pi"]["FRAME"] > 0
    for name in got:
        assert got[name]["TOPICS"] == without[name]["TOPICS"] == 0
    assert got == without
    assert [(one.topics, one.frames, one.size) for one in said] == [
        (one.topics, one.frames, one.size) for one in said_without
    ]
