"""The same stories once more with the real thing: HPKE over X25519, and over ML-KEM-768 with X25519."""

import pytest

from mesh.commands import Rank, Suite
from mesh.groups.authoring import remove
from mesh.groups.epochs import WRAP_BYTES
from mesh.groups.invites import knock_statement, open_welcome_chunk, parse_welcome, seal_welcome
from mesh.node.chance import HpkeSealer
from mesh.wire.frames import parse_frame, split_envelope, split_welcome
from mesh.wire.invites import Door, WelcomeBody
from tests.groups.joiners import joiner
from tests.groups.people import arrive, founds, standing


@pytest.mark.parametrize("suite", Suite)
def test_three_people_talk_and_one_is_removed(suite: Suite) -> None:
    alice = founds("Alice", suite=suite, sealer=HpkeSealer())
    bob, carol = alice.admits("Bob"), alice.admits("Carol")
    bob.hears(alice)
    assert carol.reads(bob.says("Good evening.")) == "Good evening."
    bob.rekeys()
    for person in (alice, carol):
        person.hears(bob)
        assert person.reads(bob.says("New keys.")) == "New keys."
    authored = alice.publishes(lambda means: remove(alice.group, bob.pk, [], "It was time.", means))
    ((_, frame),) = authored.frames
    wraps = split_envelope(parse_frame(frame).middle).wraps
    assert len(wraps) == 8
    assert {len(wrap) for wrap in wraps} == {4 + WRAP_BYTES[suite]}
    assert bob.opens(frame) == []
    assert carol.opens(frame) == [authored.op]
    with pytest.raises(KeyError):
        bob.epoch_of(carol.says("Without Bob."))
    assert standing(alice) == standing(carol)
    assert alice.restarted().reads(carol.says("After a restart.")) == "After a restart."


@pytest.mark.parametrize("suite", Suite)
def test_a_welcome_opens_for_the_joiner_alone(suite: Suite) -> None:
    alice = founds("Alice", suite=suite, sealer=HpkeSealer())
    code = alice.invites()
    dave, mallory = (joiner(name, alice.group.gid, suite, HpkeSealer()) for name in ("Dave", "Mallory"))
    said = dave.knocks(alice.group.gid, code, addresses=[])
    alice.lets_in(dave, code, Rank.MEMBER)
    statement = knock_statement(said, alice.group.gid)
    body = WelcomeBody(door=Door.OPEN, ops=alice.bundles, frontier=[], contacts=[], keyups=[])
    (raw,) = seal_welcome(
        body,
        reply_seed=said.reply_seed,
        kem_pk=said.card.kem_pk,
        suite=suite,
        statement=statement,
        sealer=alice.sealer,
    )
    index, total, sealed = split_welcome(parse_frame(raw).middle)
    opened = open_welcome_chunk(
        index, total, sealed, kem_private=dave.kem[0], suite=suite, statement=statement, sealer=dave.sealer
    )
    assert parse_welcome(opened) == body
    with pytest.raises(Exception, match="does not open"):
        open_welcome_chunk(
            index, total, sealed, kem_private=mallory.kem[0], suite=suite, statement=statement, sealer=dave.sealer
        )
    assert arrive(dave, alice).reads(alice.says("Welcome.")) == "Welcome."


@pytest.mark.parametrize("suite", Suite)
def test_two_removals_at_once_end_in_one_new_epoch(suite: Suite) -> None:
    alice = founds("Alice", suite=suite, sealer=HpkeSealer())
    steve, bob, carol = (alice.admits(name) for name in ("Steve", "Bob", "Carol"))
    alice.promotes(steve, Rank.STEWARD)
    for person in (steve, bob, carol):
        person.hears(alice)
    alice.removes(bob)
    steve.removes(carol)
    alice.hears(steve)
    steve.hears(alice)
    assert alice.group.epoch is steve.group.epoch is None
    steve.rekeys()
    alice.hears(steve)
    assert alice.reads(steve.says("Two of us.")) == "Two of us."
