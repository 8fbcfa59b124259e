"""What we write goes through the same door as everybody's: it is wholly written, or nothing has changed."""

from collections.abc import Callable

import pytest

from mesh.commands import CreateGroup, Rank, Suite
from mesh.errors import LocalError, RefusedError
from mesh.groups.authoring import admit, author, found, rekey, remove
from mesh.groups.group import Means
from mesh.groups.operations import card_device
from mesh.groups.schedule import wrap_hint
from mesh.ids import OpId
from mesh.journal import Journal
from mesh.secret import Secret
from mesh.wire.frames import FrameType, parse_frame, topic_of, verify_frame
from mesh.wire.invites import OpBundle
from mesh.wire.operations import (
    AgreementBody,
    OpType,
    RankBody,
    RekeyBody,
    Setting,
    SettingsBody,
    UninviteBody,
)
from simulations.chance import SeededEntropy, SeededSealer
from tests.groups.joiners import WALL_MS, invite_body, joiner
from tests.groups.people import Person, arrive, founds, standing


def circle(*names: str) -> list[Person]:
    """Alice, who founded the group, and these; all have heard all."""
    alice = founds("Alice")
    people = [alice, *(alice.admits(name) for name in names)]
    for person in people:
        person.hears(alice)
    return people


def everything(person: Person) -> tuple[object, ...]:
    """All that a person holds and has stored."""
    group = person.group
    tables = {space: dict(table) for space, table in person.rows.items()}
    held = (dict(group.kem_of), dict(group.kems), dict(group.epochs), dict(group.chains))
    return (standing(person), *held, group.own, tables)


# ------------------------------------------------------------------------------------- founding


def founding(**changes: object) -> CreateGroup:
    """What somebody asks for, with fields changed."""
    fields: dict[str, object] = {
        "name": "Circle",
        "about": "",
        "topics": (),
        "agreement": "",
        "alias": "Alice",
        "suite": Suite.CLASSIC,
        "settings": (),
        "join_nonce": bytes(32),
        "member_seed": Secret(bytes(32)),
    }
    return CreateGroup(**{**fields, **changes})  # type: ignore[arg-type]  # each test says what does not fit


def means() -> Means:
    """Seeded means."""
    entropy = SeededEntropy(1, "founding")
    return Means(entropy=entropy, sealer=SeededSealer(entropy), journal=Journal(), wall_ms=WALL_MS)


@pytest.mark.parametrize("suite", Suite)
def test_a_group_begins_with_its_founder(suite: Suite) -> None:
    group = found(founding(suite=suite), means())
    assert len(group.log) == 1
    assert group.gid == group.log.ops[0].gid
    assert group.rank is Rank.FOUNDER
    assert group.suite is suite
    assert group.epoch == group.log.ops[0].op_id
    assert group.epoch_is_complete
    assert group.own.kem_number == 1
    assert group.kem_of[group.own.dev] == (1, group.kems[1].public)
    assert group.kems[0].replaced_ms == WALL_MS
    assert group.kems[1].replaced_ms == 0
    assert card_device(group.founding.card) == group.own.dev


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "\x1b[2J"},
        {"name": "é" * 65},
        {"alias": "\n"},
        {"about": "x" * 2049},
        {"agreement": "é" * 8_193},
        {"topics": tuple("abcdefghijklmnopq")},
        {"topics": ("",)},
        {"settings": (("a", "1"), ("a", "2"))},
        {"settings": (("a", "\n"),)},
        {"settings": tuple((str(k), "x") for k in range(33))},
    ],
)
def test_what_cannot_be_founded_is_said_to_whoever_asked(changes: dict[str, object]) -> None:
    """Our own slip is a LocalError: a RemoteError would blame a peer for it."""
    step = means()
    with pytest.raises(LocalError):
        found(founding(**changes), step)


# ------------------------------------------------------------------------------------- refusals change nothing

REFUSED: dict[str, Callable[[Person, Person, Means], object]] = {
    "a setting": lambda bob, _, means: author(bob.group, OpType.SETTINGS, SettingsBody(settings=[]), means),
    "a promotion": lambda bob, alice, means: author(
        bob.group, OpType.PROMOTE, RankBody(target=alice.pk, rank=Rank.STEWARD), means
    ),
    "an uninvite of nothing": lambda bob, _, means: author(
        bob.group, OpType.UNINVITE, UninviteBody(invite=OpId(bytes(32))), means
    ),
    "an invite": lambda bob, _, means: author(bob.group, OpType.INVITE, invite_body(bytes(16)), means),
    "a removal of a senior": lambda bob, alice, means: remove(bob.group, alice.pk, [], "", means),
    "a removal of oneself": lambda bob, _, means: remove(bob.group, bob.pk, [], "", means),
    "an admit": lambda bob, _, means: admit(
        bob.group, joiner("Dave", bob.group.gid, Suite.CLASSIC).asks(bob.group.gid, None, rank=Rank.MEMBER), means
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_rules_refuse_changes_nothing(name: str) -> None:
    alice, bob = circle("Bob")
    before = everything(bob)
    with bob.step() as step:
        with pytest.raises(RefusedError):
            REFUSED[name](bob, alice, step)
        assert step.journal.persist() is None
    assert everything(bob) == before
    bob.rekeys()
    alice.hears(bob)
    assert alice.group.epoch == bob.group.epoch


@pytest.mark.parametrize("name", ["a setting", "a promotion", "an uninvite of nothing", "an invite"])
def test_a_refusal_makes_no_epoch_either(name: str) -> None:
    """Where none can be used, one is made first: but not for something that is refused after all."""
    alice, bob, carol, dan = circle("Bob", "Carol", "Dan")
    for person in (bob, carol):
        alice.promotes(person, Rank.MODERATOR)
    for person in (bob, carol, dan):
        person.hears(alice)
    eve, frank = alice.admits("Eve"), alice.admits("Frank")
    for person in (bob, carol, dan):
        person.hears(alice)
    bob.removes(eve)
    carol.removes(frank)
    dan.hears(bob, carol)
    assert dan.group.epoch is None
    before = everything(dan)
    with dan.step() as step:
        with pytest.raises(RefusedError):
            REFUSED[name](dan, alice, step)
        assert step.journal.persist() is None
    assert everything(dan) == before
    left = dan.leaves()
    alice.hears(bob, carol, dan)
    assert left.op_id in alice.group.log
    assert "Dan" not in alice.names


def test_one_who_is_out_writes_nothing() -> None:
    alice, bob, carol = circle("Bob", "Carol")
    alice.removes(bob)
    bob.hears(alice)
    carol.leaves()
    for person in (bob, carol):
        with pytest.raises(RefusedError), person.step() as step:
            rekey(person.group, step)


def test_one_who_holds_no_key_is_asked_to_wait() -> None:
    alice, _ = circle("Bob")
    dave = joiner("Dave", alice.group.gid, Suite.CLASSIC)
    asked = dave.asks(alice.group.gid, None, rank=Rank.MEMBER)
    alice.does(OpType.ADMIT, asked)  # without an epoch
    in_vain = arrive(dave, alice)
    assert in_vain.group.me is not None
    assert in_vain.group.epoch is None
    with pytest.raises(RefusedError), in_vain.step() as step:
        author(in_vain.group, OpType.LEAVE, AgreementBody(version=1, text=""), step)


# ------------------------------------------------------------------------------------- keys and frames


def test_each_epoch_brings_a_fresh_key_and_ages_the_one_before() -> None:
    alice, bob = circle("Bob")
    before = alice.group.own.kem_number
    bundle = alice.bundle(alice.rekeys().op_id)
    assert alice.group.own.kem_number == before + 1
    assert alice.group.kems[before].replaced_ms == alice.wall_ms
    assert alice.group.kems[before + 1].replaced_ms == 0
    bob.takes(bundle)
    assert bob.group.kem_of[alice.dev] == (before + 1, alice.group.kems[before + 1].public)
    nonce = alice.group.log.ops[-1].body.epoch.nonce  # type: ignore[union-attr]  # it is a re-key
    hints = {wrap[:4] for wrap in bundle.wraps}
    assert wrap_hint(alice.group.kems[before].public, nonce) in hints  # to what was known when it was made
    assert alice.group.kem_pairs()[0][0] == alice.group.kems[before + 1].public


def test_a_frame_goes_to_the_topic_of_each_newest_epoch() -> None:
    alice, bob, carol = circle("Bob", "Carol")
    bob.rekeys()
    carol.rekeys()
    alice.hears(bob, carol)
    authored = alice.publishes(lambda means: rekey(alice.group, means))
    assert {epoch for epoch, _ in authored.frames} == {person.group.log.ops[-1].op_id for person in (bob, carol)}
    for epoch, raw in authored.frames:
        frame = parse_frame(raw)
        verify_frame(frame)
        assert frame.type is FrameType.ENVELOPE
        assert alice.group.topics[topic_of(frame.pk)] == epoch


# ------------------------------------------------------------------------------------- a flood of forks


def founders() -> tuple[Person, Person, Person]:
    """Alice, Mallory, a steward, and Bob."""
    alice, mallory, bob = circle("Mallory", "Bob")
    alice.promotes(mallory, Rank.STEWARD)
    alice.sets(note="before")
    bob.hears(alice)
    bob.rekeys()
    for person in (alice, mallory, bob):
        person.hears(bob)
    return alice, mallory, bob


FOUNDERS = founders()
FORKS = [
    FOUNDERS[1].forges(OpType.SETTINGS, SettingsBody(settings=[Setting(key="branch", value=str(k))])) for k in range(40)
]


AFTERWARDS: dict[str, Callable[[Person, Person], object]] = {
    "Alice removes who did it": lambda alice, _: alice.removes(FOUNDERS[1]),
    "Alice changes a setting": lambda alice, _: alice.sets(note="after"),
    "Bob re-keys": lambda _, bob: bob.rekeys(),
    "Bob leaves": lambda _, bob: bob.leaves(),
}


@pytest.mark.parametrize("name", AFTERWARDS)
@pytest.mark.parametrize("count", [16, 17, 40])
def test_a_flood_of_forks_silences_nobody(count: int, name: str) -> None:
    """Named in the order of their ids, sixteen foreign heads left out one's own last operation, and all was refused."""
    alice, _, bob = (person.restarted() for person in FOUNDERS)
    bob.rekeys()
    for person in (alice, bob):
        for fork in FORKS[:count]:
            person.takes(OpBundle(op=fork, wraps=[]))
    alice.hears(bob)
    assert len(alice.group.log.heads) == count + 1
    assert alice.reads(bob.says("Can you hear me?")) == "Can you hear me?"
    AFTERWARDS[name](alice, bob)
    alice.hears(bob)
    bob.hears(alice)
    assert standing(alice) == standing(bob)
    assert ("Mallory" in alice.names) == (name != "Alice removes who did it")
    assert ("Bob" in alice.names) == (name != "Bob leaves")


def test_after_a_flood_one_re_key_joins_all_heads() -> None:
    alice, _, bob = (person.restarted() for person in FOUNDERS)
    for fork in FORKS:
        alice.takes(OpBundle(op=fork, wraps=[]))
        bob.takes(OpBundle(op=fork, wraps=[]))
    before = len(alice.group.log)
    authored = alice.publishes(lambda means: rekey(alice.group, means))
    assert alice.group.log.heads == [authored.op.op_id]
    assert len(alice.group.log) == before + 3  # 40 heads: 16, then 15 and the one before, then the rest
    assert alice.group.epoch == authored.op.op_id
    assert alice.group.epoch_is_complete
    bob.hears(alice)
    assert bob.group.epoch == alice.group.epoch
    assert isinstance(authored.op.body, RekeyBody)
