"""What members have kept for a talk with a listener stands beside what the group leaves, and takes no room from it."""

from collections.abc import Sequence

import pytest

from mesh.crypto.keys import public_key
from mesh.events import LinkKind
from mesh.ids import TopicId
from mesh.peer import listening
from mesh.wire import limits
from mesh.wire.frames import FrameType, seal_frame, topic_of
from mesh.wire.keepers import KeepAsk, KeptSaid, pack_keep, unpack_keep
from mesh.wire.tickets import Ticket, ticket_from_text
from simulations.checks import blamed
from simulations.people import gather
from simulations.world import World
from tests.peer.liar import Liar
from tests.peer.listeners import ask, ask_keys, end, listen, offering, states, talks


def test_who_asks_again_and_again_pushes_out_neither_what_waits_for_the_group_nor_anothers_talk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Wren, changed, asks as often as wren likes; rowan talks with tansy; sorrel is away, and so is tansy then."""
    monkeypatch.setattr(limits, "KEPT_TOPICS_MAX", 24)  # of a group: as if it had rooms for fewer than 64
    world, gid, keeper, (wren, tansy, sorrel, rowan) = offering()
    assert keeper is not None
    ask(rowan, gid, tansy)
    world.run(10)
    new = listen(tansy, gid)
    assert tansy.until(lambda: states(tansy, gid) == ["open"], 120)
    world.run(20)
    volunteers = (tansy.member(gid), sorrel.member(gid))
    sorrel.off()
    wren.post(gid, "for sorrel, who is away")
    world.run(20)
    tansy.off()
    rowan.post(new, "for tansy, who is away")
    world.run(20)
    monkeypatch.setattr(listening, "_require_asker", lambda state, room, step: None)
    for _ in range(20):
        ask_keys(wren, gid, volunteers)
        world.run(4)
        end(wren, gid, talks(wren, gid)[-1])
        world.run(1)
    wren.off()
    rowan.off()
    world.run(5)
    for person in (sorrel, tansy):
        person.on()
    assert sorrel.until(lambda: sorrel.reads(gid) == ["for sorrel, who is away"], 120)
    assert tansy.until(lambda: tansy.reads(new) == ["for tansy, who is away"], 120)
    assert blamed(world) == []


def has_kept(one: Liar, ticket: Ticket, topics: Sequence[TopicId]) -> tuple[int, int]:
    """Have these topics kept aside; return how many topics and frames the keeper says that it holds."""
    before = len(one.heard)
    ask = KeepAsk(account=ticket.account, quota=ticket.quota, mac=ticket.mac, days=9, aside=True, topics=[*topics])
    one.say(LinkKind.KEEP, pack_keep(ask))
    (answer,) = [unpack_keep(send.payload) for send in one.heard[before:] if send.kind is LinkKind.KEEP]
    assert isinstance(answer, KeptSaid)
    assert (answer.account, answer.aside) == (ticket.account, True)
    return answer.topics, answer.frames


def test_what_one_has_aside_shows_nothing_of_what_others_have() -> None:
    """Mallory fills all that is theirs, and looks whether anything of it goes when others have something kept."""
    world = World(5)
    (keeper,) = gather(world, "pi")
    keeper.keep()
    ticket = ticket_from_text(keeper.ticket(quota=1_000_000))
    seeds = [bytes([k]) * 32 for k in range(1, limits.KEPT_ASIDE_TOPICS_MAX + 1)]
    topics = [topic_of(public_key(seed)) for seed in seeds]
    mallory = Liar(keeper)
    has_kept(mallory, ticket, topics)
    for k in range(300):
        mallory.say(LinkKind.FRAME, seal_frame(FrameType.MESSAGE, seeds[k % len(seeds)], k.to_bytes(2, "big") * 500))
    before = has_kept(mallory, ticket, topics)
    assert before[0] == limits.KEPT_ASIDE_TOPICS_MAX
    assert 200 < before[1] < 300, "no more has room"
    others = [Liar(keeper, number) for number in range(1, limits.KEPT_ASIDES_MAX)]
    for number, other in enumerate(others):
        own = [bytes([100 + number]) * 31 + bytes([k]) for k in range(4)]
        assert has_kept(other, ticket, [topic_of(public_key(seed)) for seed in own]) == (4, 0)
        for seed in own:
            other.say(LinkKind.FRAME, seal_frame(FrameType.MESSAGE, seed, b"x" * 1000))
    assert has_kept(mallory, ticket, topics) == before
    keeper.off()
    keeper.on()
    mallory = Liar(keeper)
    assert has_kept(mallory, ticket, topics) == before, "what lies there is taken over after a restart"


def test_of_too_many_the_one_goes_that_was_asked_for_longest_ago() -> None:
    world = World(6)
    (keeper,) = gather(world, "pi")
    keeper.keep()
    ticket = ticket_from_text(keeper.ticket())
    seeds = [bytes([k]) * 32 for k in range(1, 9)]
    topics = [topic_of(public_key(seed)) for seed in seeds]
    first = Liar(keeper)
    has_kept(first, ticket, topics)
    first.say(LinkKind.FRAME, seal_frame(FrameType.MESSAGE, seeds[0], b"x" * 100))
    assert has_kept(first, ticket, topics) == (8, 1)
    for number in range(1, limits.KEPT_ASIDES_MAX + 1):
        has_kept(Liar(keeper, number), ticket, [TopicId(bytes([number]) * 32)])
    assert keeper.kept() == 0
    assert has_kept(first, ticket, topics) == (8, 0)
    assert keeper.node.peer is not None
    host = keeper.node.peer.state.host
    assert host is not None
    assert len(host.asides) == len(host.shelf.accounts) == limits.KEPT_ASIDES_MAX
    assert all(len(link.tickets) <= 1 for link in keeper.node.peer.state.links.values())
