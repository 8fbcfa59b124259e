"""Attacks at the door: proofs in other hands, welcomes for other keys, clocks that are a year off."""

import pytest
from msgspec.structs import replace

from mesh.commands import ConfirmGroup, Rank, Suite
from mesh.crypto.hashes import h
from mesh.crypto.keys import sign
from mesh.errors import Fault, RemoteError
from mesh.groups.invites import invite_keys, knock_statement, open_knock, open_welcome_chunk, seal_knock, seal_welcome
from mesh.groups.joining import JOIN_LABEL, join_statement
from mesh.peer.confirming import welcomer
from mesh.wire import limits
from mesh.wire.frames import DAY_MS, parse_frame, split_welcome
from mesh.wire.invites import Door, KnockBody, WelcomeBody
from mesh.wire.operations import AdmitBody, OpType, SignedOp
from simulations.checks import Watch, agree, blamed
from simulations.people import Person, circle
from simulations.world import START_WALL_MS, World
from tests.groups.joiners import Code, Joiner, joiner
from tests.groups.people import Person as Member
from tests.groups.people import founds


def at_the_door() -> tuple[Member, Member, Code, Joiner, Joiner]:
    """Alice's group with Bob in it, a code, Dave who has it, and Mallory who saw his knock."""
    alice = founds("Alice")
    bob = alice.admits("Bob")
    code = alice.invites()
    bob.hears(alice)
    gid, suite = alice.group.gid, alice.group.suite
    return alice, bob, code, joiner("Dave", gid, suite), joiner("Mallory", gid, suite)


def test_attack_31_welcome_to_the_wrong_key() -> None:
    """It opens for the key that knocked, for that knock and no other, and in its place."""
    alice, _, code, dave, mallory = at_the_door()
    gid = alice.group.gid
    said = dave.knocks(gid, code, addresses=[])
    body = WelcomeBody(door=Door.OPEN, ops=alice.bundles, frontier=[], contacts=[], keyups=[])
    (raw,) = seal_welcome(
        body,
        reply_seed=said.reply_seed,
        kem_pk=said.card.kem_pk,
        suite=Suite.CLASSIC,
        statement=knock_statement(said, gid),
        sealer=alice.sealer,
    )
    index, total, sealed = split_welcome(parse_frame(raw).middle)
    assert (index, total) == (0, 1)

    def opened(reader: Joiner, knock: KnockBody, *place: int) -> bytes:
        first, last = place or (0, 1)
        return open_welcome_chunk(
            first,
            last,
            sealed,
            kem_private=reader.kem[0],
            suite=Suite.CLASSIC,
            statement=knock_statement(knock, gid),
            sealer=alice.sealer,
        )

    assert opened(dave, said)
    other = replace(said, join_nonce=h(b"mesh1/testnonce", b""))  # the same keys, another attempt
    for reader, knock, *place in (
        (mallory, mallory.knocks(gid, code, addresses=[])),
        (mallory, said),
        (dave, other),
        (dave, said, 1, 2),
        (dave, said, 0, 2),
    ):
        with pytest.raises(RemoteError) as caught:
            opened(reader, knock, *place)
        assert caught.value.fault is Fault.UNREADABLE


def test_attack_32_proof_bound_again_to_other_keys() -> None:
    """Mallory, a member, reads Dave's knock: the invite's signature in it serves for nobody else's keys.

    She signs with her own member and device key and leaves all else as it was, in a knock and in an admit.
    """
    alice, bob, code, dave, mallory = at_the_door()
    gid = alice.group.gid
    said = dave.knocks(gid, code, addresses=[])
    asked = dave.asks(gid, code, rank=Rank.NEWCOMER)
    own = join_statement(gid, code.op_id, mallory.card, dave.join_nonce, dave.name, said.agreement_hash)
    signed = {
        "card": mallory.card,
        "sig_member": sign(mallory.member_seed, JOIN_LABEL + own),
        "sig_dev": sign(mallory.dev_seed, JOIN_LABEL + own),
    }
    bob.would_take(admit(alice, asked, dave))
    assert bob.refuses(admit(alice, replace(asked, **signed), mallory)) is Fault.BAD_SIGNATURE
    invite = bob.group.invites[code.op_id]
    with bob.step() as means:
        frame = parse_frame(seal_knock(invite_keys(code.seed), replace(said, **signed), means))
    with pytest.raises(RemoteError) as caught:
        open_knock(frame, invite, gid)
    assert caught.value.fault is Fault.BAD_SIGNATURE


def admit(author: Member, body: AdmitBody, someone: Joiner) -> SignedOp:
    """Sign an admit with an epoch for all and whoever comes in."""
    return author.forges(OpType.ADMIT, replace(body, epoch=author.draft(plus=(someone,)).block))


def test_attack_35_truncated_log_from_an_ex_member() -> None:
    """Mallory was removed. With a copy of her store from before she answers the door, together with a guest of hers.

    All that she shows is signed, and was so. Tansy comes in, to a group that is none; what tansy says stays with tansy,
    whichever of the two let her in and whatever the other says, and whether or not the others are heard.
    """
    assert {false_group(seed) for seed in (35, 36, 37, 38)} == {"mallory", "guest"}


def false_group(seed: int) -> str:
    """Let tansy into Mallory's group; return who of the two opened."""
    world = World(seed)
    gid, (wren, juniper, mallory) = circle(world, "wren", "juniper", "mallory")
    wren.rank(gid, mallory, Rank.MODERATOR)
    code = wren.invite(gid)
    world.run(10)
    guest, tansy = Person(world, "guest"), Person(world, "tansy")
    world.partition(("wren", "juniper"), ("mallory", "guest", "tansy"))
    world.run(1)
    wren.remove(gid, wren.key_of(gid, "mallory"))
    guest.join(gid, mallory.invite(gid))
    world.ask("guest", ConfirmGroup(group=gid))
    world.run(5)
    tansy.join(gid, code, mallory)
    world.run(30)
    first = welcomer(tansy.group(gid))
    assert first in {mallory.member(gid), guest.member(gid)}
    post = tansy.post(gid, "for friends alone")
    world.run(600)
    assert tansy.told(gid, post) == ("queued", 0, 0)
    world.heal()
    world.run(600)
    assert tansy.told(gid, post) == ("queued", 0, 0)
    assert not tansy.group(gid).own.confirmed
    assert [person.reads(gid) for person in (mallory, guest, wren, juniper)] == [[]] * 4
    return "mallory" if first == mallory.member(gid) else "guest"


def test_attack_36_clocks_a_year_off() -> None:
    """They let people in, and agree; what is said from the future is not believed to be, and holds no later place."""
    world = World(12)
    Watch.over(world)
    gid, (wren, juniper, sorrel) = circle(world, "wren", "juniper", "sorrel")
    code = wren.invite(gid)
    world.run(2)
    wren.off()
    juniper.node.skew_ms, sorrel.node.skew_ms = 365 * DAY_MS, -365 * DAY_MS
    world.run(20)
    tansy = Person(world, "tansy")
    tansy.join(gid, code, juniper, sorrel)
    world.run(10)  # whoever speaks before they have heard of her does not speak to her
    for person in (juniper, sorrel, tansy):
        person.post(gid, f"{person.name} speaks")
        world.run(10)
    assert all(len(person.reads(gid)) == 3 for person in (juniper, sorrel, tansy))
    assert agree(gid, [juniper, sorrel, tansy]) == []
    assert blamed(world) == []
    true_ms = START_WALL_MS + world.now_ms
    assert all(message.at_ms <= true_ms + limits.CLOCK_AHEAD_MS_MAX for message in tansy.messages(gid))
