"""Attacks on those who keep for others."""

from mesh.crypto.keys import public_key
from mesh.errors import Fault
from mesh.events import LinkKind, Persist, Put, Space
from mesh.ids import AccountId, TopicId
from mesh.wire.frames import FrameType, seal_frame, topic_of
from mesh.wire.keepers import KeepAsk, pack_keep
from mesh.wire.tickets import ticket_from_text
from simulations.people import gather
from simulations.world import World
from tests.peer.liar import Liar


def test_attack_47_keeper_filled_with_invented_topics() -> None:
    """Only a ticket of its own opens a shelf: not none, not a forged one, not another's account, not a larger quota."""
    world = World(47)
    (keeper,) = gather(world, "pi")
    keeper.keep()
    ticket = ticket_from_text(keeper.ticket(quota=10_000))
    seeds = [bytes([number]) * 32 for number in range(1, 65)]
    topics = [topic_of(public_key(seed)) for seed in seeds]
    mallory = Liar(keeper)
    mallory.announce(topics)

    def fill() -> list[object]:
        effects = [
            effect
            for seed in seeds
            for effect in mallory.say(LinkKind.FRAME, seal_frame(FrameType.MESSAGE, seed, b"m" * 500))
        ]
        writes = [write for effect in effects if isinstance(effect, Persist) for write in effect.writes]
        stored = [write for write in writes if isinstance(write, Put) and write.space is Space.KEPT]
        said = [send for send in mallory.heard if send.kind is LinkKind.STORED]
        return [*stored, *said]

    assert fill() == []
    for account, quota, mac in (
        (ticket.account, ticket.quota, bytes(16)),
        (AccountId(b"invented account"), ticket.quota, ticket.mac),
        (ticket.account, ticket.quota * 1000, ticket.mac),
    ):
        mallory.say(
            LinkKind.KEEP,
            pack_keep(KeepAsk(account=account, quota=quota, mac=mac, days=30, aside=False, topics=topics)),
        )
        assert fill() == []
    assert mallory.faults == [Fault.AGAINST_RULES] * 3
    assert keeper.kept() == 0

    true = KeepAsk(
        account=ticket.account, quota=ticket.quota, mac=ticket.mac, days=30, aside=False, topics=[TopicId(topics[0])]
    )
    mallory.say(LinkKind.KEEP, pack_keep(true))
    assert fill()
    assert keeper.kept() == 1  # and what a true ticket did not name is not kept either
