"""The world promises what the node's runner and its links promise, and no more."""

import pytest

from mesh.events import Effect, FrameReceived, Input, LinkKind, Put, Send, SendClass, SendStored, Space
from simulations.people import circle
from simulations.weather import Weather
from simulations.world import Node, World

SKIES = (Weather(latency_ms=0, jitter_ms=0), Weather(latency_ms=5, jitter_ms=200), Weather(loss=0.3))


@pytest.mark.parametrize("clogged", [False, True])
@pytest.mark.parametrize("sky", SKIES, ids=["instant", "uneven", "lossy"])
def test_what_ends_an_answer_does_not_overtake_it(sky: Weather, clogged: bool) -> None:
    """As `Runner` keeps it: stored frames and what is sent after them in their class arrive in that order."""
    world = World(9, sky)
    _, (wren, juniper) = circle(world, "wren", "juniper")
    world.run(10)
    (link,) = wren.node.links
    arrived: list[bytes] = []

    def note(node: Node, event: Input, effects: list[Effect]) -> None:
        if node is juniper.node and isinstance(event, FrameReceived) and event.payload.startswith(b"mark"):
            arrived.append(event.payload)

    world.watchers.append(note)
    sent = [b"mark %02d" % k for k in range(60)]
    for k in range(0, len(sent), 6):
        *stored, end = sent[k : k + 6]
        wren.node.store.commit([Put(Space.FRAMES, frame, frame) for frame in stored], durable=True)
        if clogged and k == 12:
            world.clog("wren", "juniper")
        keys = tuple(stored)
        world._do(wren.node, SendStored(link=link, space=Space.FRAMES, keys=keys, send_class=SendClass.REPAIR))
        world._do(wren.node, Send(link=link, kind=LinkKind.FRAME, payload=end, send_class=SendClass.REPAIR))
        world.run(0.01)
        if clogged and k == 30:
            world.heal()
    world.run(30)
    assert arrived == sent


def test_between_classes_there_is_no_order() -> None:
    world = World(9, Weather(latency_ms=5, jitter_ms=200))
    _, (wren, juniper) = circle(world, "wren", "juniper")
    (link,) = wren.node.links
    arrived: list[bytes] = []

    def note(node: Node, event: Input, effects: list[Effect]) -> None:
        if node is juniper.node and isinstance(event, FrameReceived) and event.payload.startswith(b"mark"):
            arrived.append(event.payload)

    world.watchers.append(note)
    for k in range(20):
        send_class = SendClass.REPAIR if k % 2 else SendClass.MESSAGES
        payload = b"mark %02d" % k
        world._do(wren.node, Send(link=link, kind=LinkKind.FRAME, payload=payload, send_class=send_class))
    world.run(30)
    assert arrived != sorted(arrived)
    for rest in (0, 1):
        one_class = [frame for frame in arrived if int(frame[5:]) % 2 == rest]
        assert one_class == sorted(one_class)
