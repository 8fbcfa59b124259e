"""A fresh secret for exactly those who are in: who can open it, who can be deceived about it, and which one is used."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from mesh.commands import Rank, Suite
from mesh.errors import Fault, LocalError
from mesh.groups.authoring import author
from mesh.groups.epochs import (
    WRAP_BYTES,
    Draft,
    choose_epoch,
    draft_epoch,
    is_complete,
    padded_count,
    unwrap,
)
from mesh.groups.operations import Operation
from mesh.groups.schedule import commitment, wrap_hint, wrap_info, wraps_hash
from mesh.ids import DeviceId, OpId, Sealer
from mesh.wire.invites import OpBundle
from mesh.wire.limits import DEVICES_MAX
from mesh.wire.operations import AgreementBody, EpochBlock, OpType, RekeyBody, RemoveBody
from simulations.chance import SeededEntropy, SeededSealer
from tests.groups.joiners import joiner
from tests.groups.people import Person, arrive, founds, standing

NONCE = b"\x44" * 32


def circle(*names: str, suite: Suite = Suite.CLASSIC) -> list[Person]:
    """Alice, who founded the group, and these; all have heard all."""
    alice = founds("Alice", suite=suite)
    people = [alice, *(alice.admits(name) for name in names)]
    for person in people:
        person.hears(alice)
    return people


def rekey_of(person: Person, draft: Draft, **changes: object) -> OpBundle:
    """A re-key of this person's with that epoch, whatever the rules say of it."""
    block = replace(draft.block, **changes)
    return OpBundle(op=person.forges(OpType.REKEY, RekeyBody(epoch=block)), wraps=list(draft.wraps))


def with_wraps(draft: Draft, wraps: list[bytes]) -> Draft:
    """The same epoch, committed to other wraps."""
    block = replace(draft.block, wraps_hash=wraps_hash(tuple(wraps)))
    return Draft(secret=draft.secret, block=block, wraps=tuple(wraps))


def newest(person: Person) -> Operation:
    """The operation that came last."""
    return person.group.log.ops[-1]


# ------------------------------------------------------------------------------------- wraps


@pytest.mark.parametrize("suite", Suite)
def test_each_recipient_opens_it_and_nobody_else(suite: Suite) -> None:
    entropy = SeededEntropy(1, "wraps")
    sealer = SeededSealer(entropy)
    keys = {DeviceId(bytes([k]) * 16): sealer.generate(suite) for k in range(11)}
    recipients = {dev: public for dev, (_, public) in keys.items()}
    outsider = recipients.popitem()[0]
    author = sealer.generate(suite)[1]
    draft = draft_epoch(
        gid=bytes(32),
        suite=suite,
        recipients=recipients,
        kem_number=1,
        kem_pk=author,
        entropy=entropy,
        sealer=sealer,
    )

    def opened(dev: DeviceId, whose: DeviceId) -> bytes | None:
        private, public = keys[whose]
        return unwrap(
            gid=bytes(32),
            nonce=draft.block.nonce,
            wraps=draft.wraps,
            dev=dev,
            keys=[(public, private)],
            suite=suite,
            sealer=sealer,
        )

    assert {opened(dev, dev) for dev in recipients} == {draft.secret}
    assert opened(outsider, outsider) is None
    assert {opened(dev, outsider) for dev in recipients} == {None}
    assert {opened(outsider, dev) for dev in recipients} == {None}  # the device is bound into each wrap
    assert draft.block.commit == commitment(draft.secret, bytes(32))
    assert draft.block.recipients == sorted(recipients)
    assert draft.block.wraps_hash == wraps_hash(draft.wraps)
    assert len(draft.wraps) == 16
    assert {len(wrap) for wrap in draft.wraps} == {4 + WRAP_BYTES[suite]}
    assert len({wrap[:4] for wrap in draft.wraps}) == 16
    assert list(draft.wraps) == sorted(draft.wraps)  # by hints, which are as good as random: that shuffles them


@pytest.mark.parametrize("suite", Suite)
def test_dummies_hide_how_many_there_are(suite: Suite) -> None:
    counts = {count: padded_count(count, suite) for count in range(1, DEVICES_MAX[suite] + 1)}
    assert [counts[count] for count in (1, 8, 9, 16, 17, 32, 33, 64, 65)] == [8, 8, 16, 16, 32, 32, 64, 64, 96]
    assert all(count <= padded <= DEVICES_MAX[suite] for count, padded in counts.items())
    assert counts[DEVICES_MAX[suite]] == DEVICES_MAX[suite]


@pytest.mark.parametrize(("count", "asleep"), [(1, 0), (7, 0), (7, 1), (7, 2), (8, 0), (9, 0), (1, 16)])
def test_a_draft_carries_as_many_wraps_as_hide_it(count: int, asleep: int) -> None:
    """Those who are dormant get none, and are counted all the same: who is out sees no difference."""
    sealer = SeededSealer(SeededEntropy(1, "padding"))
    dormant = [DeviceId(bytes([100 + k]) * 16) for k in range(asleep)]
    recipients = {DeviceId(bytes([k]) * 16): sealer.generate(Suite.CLASSIC)[1] for k in range(count)}
    draft = draft_epoch(
        gid=bytes(32),
        suite=Suite.CLASSIC,
        recipients=recipients,
        kem_number=1,
        kem_pk=sealer.generate(Suite.CLASSIC)[1],
        entropy=SeededEntropy(1, "draft"),
        sealer=sealer,
        dormant=dormant[::-1],
    )
    assert len(draft.wraps) == padded_count(count + asleep, Suite.CLASSIC)
    assert draft.block.dormant == dormant


@dataclass
class CountingSealer:
    """A sealer that counts how often it was asked to open."""

    inner: Sealer
    opened: int = 0

    def generate(self, suite: int) -> tuple[bytes, bytes]:
        return self.inner.generate(suite)

    def check(self, suite: int, public_key: bytes) -> bool:
        return self.inner.check(suite, public_key)

    def seal(self, suite: int, public_key: bytes, info: bytes, plaintext: bytes) -> bytes:
        return self.inner.seal(suite, public_key, info, plaintext)

    def open(self, suite: int, private_key: bytes, info: bytes, sealed: bytes) -> bytes:
        self.opened += 1
        return self.inner.open(suite, private_key, info, sealed)


def test_thousands_of_wraps_under_our_hint_cost_a_few_tries() -> None:
    """A KEM key is known to all members, and so is its hint: 3,400 of them fit into one envelope."""
    sealer = CountingSealer(SeededSealer(SeededEntropy(1, "flood")))
    keys = [(public, private) for private, public in (sealer.generate(1) for _ in range(40))]
    wraps = [wrap_hint(public, NONCE) + bytes(80) for public, _ in keys for _ in range(85)]
    found = unwrap(
        gid=bytes(32), nonce=NONCE, wraps=wraps, dev=DeviceId(bytes(16)), keys=keys, suite=Suite.CLASSIC, sealer=sealer
    )
    assert found is None
    assert sealer.opened <= 8


def test_a_wrap_that_happens_to_bear_our_hint_does_not_hide_our_own() -> None:
    sealer = SeededSealer(SeededEntropy(1, "hint"))
    private, public = sealer.generate(1)
    dev, hint = DeviceId(bytes(16)), wrap_hint(public, NONCE)
    ours = hint + sealer.seal(1, public, wrap_info(bytes(32), NONCE, dev), b"\7" * 32)
    other = hint + sealer.seal(1, sealer.generate(1)[1], wrap_info(bytes(32), NONCE, dev), b"\7" * 32)
    short = hint + sealer.seal(1, public, wrap_info(bytes(32), NONCE, dev), b"\7" * 31)
    found = unwrap(
        gid=bytes(32),
        nonce=NONCE,
        wraps=[other, short, ours],
        dev=dev,
        keys=[(public, private)],
        suite=Suite.CLASSIC,
        sealer=sealer,
    )
    assert found == b"\7" * 32


# ------------------------------------------------------------------------------------- deceit


def test_a_garbage_wrap_leaves_its_victim_without_a_key_and_nobody_else() -> None:
    mallory, bob, carol = circle("Bob", "Carol")
    draft = mallory.draft()
    hint = wrap_hint(bob.group.kem_of[bob.dev][1], draft.block.nonce)
    wraps = [hint + bytes(80) if wrap[:4] == hint else wrap for wrap in draft.wraps]
    bundle = rekey_of(mallory, with_wraps(draft, wraps))
    for person in (bob, carol):
        person.takes(bundle)
    assert newest(carol).op_id in carol.group.epochs
    assert newest(bob).op_id not in bob.group.epochs


def test_who_is_listed_as_dormant_and_given_a_key_all_the_same_does_not_speak_under_it() -> None:
    """There is no chain for them; a node that took the epoch into use fell over its own next message."""
    mallory, bob = circle("Bob")
    draft = mallory.draft()
    before = bob.group.epoch
    bob.takes(rekey_of(mallory, draft, recipients=[mallory.dev], dormant=[bob.dev]))
    assert newest(bob).op_id not in bob.group.epochs
    assert bob.group.epoch == before
    assert bob.says("still here")


def test_one_who_lists_everybody_as_dormant_silences_nobody() -> None:
    mallory, bob, carol = circle("Bob", "Carol")
    draft = mallory.draft(without=(bob, carol))
    bundle = rekey_of(mallory, draft, dormant=sorted([bob.dev, carol.dev]))
    for person in (bob, carol):
        person.takes(bundle)
        assert is_complete(person.group.log, person.view, newest(person).op_id)
    assert bob.reads(carol.says("we do not mind")) == "we do not mind"
    bob.rekeys()
    carol.hears(bob)
    assert carol.reads(bob.says("at all")) == "at all"


Lists = Callable[[DeviceId, DeviceId, DeviceId], tuple[list[DeviceId], list[DeviceId]]]
LISTS: dict[str, Lists] = {
    "one too few": lambda a, b, c: ([a, b], []),
    "an outsider": lambda a, b, c: (sorted([a, b, c, DeviceId(b"\7" * 16)]), []),
    "one twice": lambda a, b, c: (sorted([a, b, c, c]), []),
    "in disorder": lambda a, b, c: ([c, b, a] if [c, b, a] != sorted([a, b, c]) else [b, c, a], []),
    "one in both lists": lambda a, b, c: ([a, b, c], [c]),
    "without the author": lambda a, b, c: (sorted([b, c]), [a]),
    "the author dormant too": lambda a, b, c: ([a, b, c], [a]),
    "nobody": lambda a, b, c: ([], []),
    "dormant in disorder": lambda a, b, c: ([a], sorted([b, c], reverse=True)),
    "an outsider dormant": lambda a, b, c: ([a, b, c], [DeviceId(b"\7" * 16)]),
}


@pytest.mark.parametrize("name", LISTS)
def test_an_epoch_names_exactly_those_who_are_in(name: str) -> None:
    alice, bob, carol = circle("Bob", "Carol")
    recipients, dormant = LISTS[name](alice.dev, bob.dev, carol.dev)
    block = replace(alice.draft().block, recipients=recipients, dormant=dormant)
    assert carol.refuses(alice.forges(OpType.REKEY, RekeyBody(epoch=block))) is Fault.AGAINST_RULES


def test_a_removal_s_epoch_is_for_those_who_stay() -> None:
    alice, bob, carol = circle("Bob", "Carol")

    def judged(block: EpochBlock) -> Fault:
        return carol.refuses(alice.forges(OpType.REMOVE, RemoveBody(target=bob.pk, cuts=[], reason="", epoch=block)))

    assert judged(alice.draft().block) is Fault.AGAINST_RULES
    assert judged(alice.draft(without=(carol,)).block) is Fault.AGAINST_RULES
    alice.removes(bob)


# ------------------------------------------------------------------------------------- wraps that are handed on


def test_wraps_are_handed_on_as_they_were_sent_or_not_at_all() -> None:
    """Kept unseen, false wraps would be stored and handed on to those who need the true ones."""
    alice, bob, carol = circle("Bob", "Carol")
    alice.removes(carol)  # so that none of the wraps is for Carol, who could tell
    good = alice.bundle(newest(alice).op_id)
    sets = alice.sets(note="no epoch")
    spoiled = [
        good.wraps[:-1],
        [*good.wraps, good.wraps[0]],
        good.wraps[::-1],
        [bytes(len(good.wraps[0]))] * len(good.wraps),
        [b""],
        [b"", *good.wraps],
        [b"".join(good.wraps)],
    ]
    for person in (bob, carol):
        before = (standing(person), {space: dict(table) for space, table in person.rows.items()})
        for wraps in spoiled:
            bad = OpBundle(op=good.op, wraps=list(wraps))
            assert person.will_not_take(bad) is Fault.AGAINST_RULES
        assert before == (standing(person), person.rows)
        person.takes(good)
        assert person.bundle(newest(person).op_id) == good
        stray = OpBundle(op=alice.bundle(sets.op_id).op, wraps=list(good.wraps))
        assert person.will_not_take(stray) is Fault.AGAINST_RULES


def test_an_author_s_own_wraps_of_odd_lengths_are_refused() -> None:
    """Committed to by their author, they would be cut at the wrong places when they come back from the store."""
    alice, bob = circle("Bob")
    draft = alice.draft()
    for wraps in ([*draft.wraps, b"short"], [b""], [wrap + b"\0" for wrap in draft.wraps]):
        bundle = rekey_of(alice, with_wraps(draft, wraps))
        assert bob.will_not_take(bundle) is Fault.AGAINST_RULES
        bob.restarted().takes(OpBundle(op=bundle.op, wraps=[]))  # the operation itself is well formed


def test_wraps_that_come_late_bring_the_key() -> None:
    alice, bob = circle("Bob")
    alice.rekeys()
    op_id = newest(alice).op_id
    whole = alice.bundle(op_id)
    bob.takes(OpBundle(op=whole.op, wraps=[]))
    assert op_id not in bob.group.epochs
    assert bob.bundle(op_id).wraps == []
    bob.takes(whole)
    assert op_id in bob.group.epochs
    assert bob.bundle(op_id) == whole
    assert bob.restarted().group.epoch == op_id


# ------------------------------------------------------------------------------------- which one is used


def test_what_is_written_then_is_not_read_by_those_who_were_removed() -> None:
    """An operation that starts no epoch, too, waits for a fresh one: under an older one Bob could read it."""
    alice, steve, bob, carol = circle("Steve", "Bob", "Carol")
    alice.promotes(steve, Rank.STEWARD)
    for person in (steve, bob, carol):
        person.hears(alice)
    alice.removes(bob)
    steve.removes(carol)
    alice.hears(steve)
    before = len(alice.group.log)
    with alice.step() as means:
        written = author(alice.group, OpType.AGREEMENT, AgreementBody(version=2, text="New."), means)
    assert len(alice.group.log) == before + 2
    *_, (epoch, _) = written.frames
    assert epoch == alice.group.epoch
    assert not {bob.dev, carol.dev} & alice.group.recipients(epoch)


def test_the_choice_goes_by_completeness_then_gen_then_id() -> None:
    alice, bob, carol = circle("Bob", "Carol")
    bob.rekeys()
    carol.rekeys()
    alice.hears(bob, carol)
    pair = sorted(newest(person).op_id for person in (bob, carol))
    assert alice.group.epoch == pair[0]
    held = list(alice.group.epochs)
    for order in (held, held[::-1]):
        assert choose_epoch(alice.group.log, alice.view, order) == pair[0]
    alice.rekeys()
    assert alice.group.epoch == newest(alice).op_id
    dave = joiner("Dave", alice.group.gid, alice.group.suite)
    bob.hears(alice)
    alice.lets_in(dave, None)
    complete = newest(alice).op_id
    for _ in range(3):
        bob.rekeys()  # without Dave, of whom Bob has not heard
    alice.hears(bob)
    assert alice.group.log.ops[-1].tbs.gen > alice.group.log.ops[-4].tbs.gen
    assert alice.group.epoch == complete
    assert alice.group.epoch_is_complete
    assert choose_epoch(alice.group.log, alice.view, []) is None
    assert choose_epoch(alice.group.log, alice.view, [OpId(bytes(32)), alice.group.log.ops[1].op_id]) is None


def test_an_epoch_is_complete_that_lists_all_who_are_in_and_of_which_nobody_says_that_it_does_not() -> None:
    alice, bob, _ = circle("Bob", "Carol")
    assert not is_complete(alice.group.log, alice.view, alice.sets(note="no epoch").op_id)
    bob.hears(alice)
    draft = alice.draft(without=(bob,))
    alice.takes(rekey_of(alice, draft, dormant=[bob.dev]))
    epoch = newest(alice).op_id
    log, view = alice.group.log, alice.view
    assert is_complete(log, view, epoch)
    assert choose_epoch(log, view, alice.group.epochs) == epoch
    assert not is_complete(log, view, epoch, {epoch})
    bob.rekeys()
    alice.hears(bob)
    beside = newest(bob).op_id
    for said in (epoch, beside):  # of two side by side, that is preferred which everybody can open
        (other,) = {epoch, beside} - {said}
        assert choose_epoch(alice.group.log, alice.view, [epoch, beside], {said}) == other
    assert choose_epoch(alice.group.log, alice.view, [epoch], {epoch}) == epoch


def test_a_void_epoch_is_not_used() -> None:
    alice, mo, bob = circle("Mo", "Bob")
    alice.promotes(mo, Rank.MODERATOR)
    for person in (mo, bob):
        person.hears(alice)
    mo.rekeys()
    bob.hears(mo)
    assert bob.group.epoch == newest(mo).op_id
    alice.removes(mo)
    bob.hears(alice)
    assert bob.group.epoch == newest(alice).op_id
    assert newest(mo).op_id in bob.group.epochs  # kept: a remover may later prove removed


def test_an_epoch_under_a_rank_that_was_taken_is_not_used_though_all_whom_it_names_are_in() -> None:
    alice, mo, bob = circle("Mo", "Bob")
    alice.promotes(mo, Rank.MODERATOR)
    for person in (mo, bob):
        person.hears(alice)
    before = bob.group.epoch
    mo.rekeys()
    alice.demotes(mo, Rank.MEMBER)
    bob.hears(mo)
    assert bob.group.epoch == newest(mo).op_id
    bob.hears(alice)
    assert bob.group.epoch == before
    assert bob.group.epoch_is_complete


# ------------------------------------------------------------------------------------- a full house


def test_a_full_group_goes_on_and_lets_nobody_more_in() -> None:
    """192 devices in suite 2: one more would keep everybody from ever making a new key again."""
    alice = founds("Alice", suite=Suite.HYBRID)
    gid = alice.group.gid
    first = joiner("P0", gid, Suite.HYBRID)
    for k in range(DEVICES_MAX[Suite.HYBRID] - 1):
        asked = (first if k == 0 else joiner(f"P{k}", gid, Suite.HYBRID)).asks(gid, None, rank=Rank.MEMBER)
        alice.does(OpType.ADMIT, asked)
    assert len(alice.view.devices) == 192
    asked = joiner("One more", gid, Suite.HYBRID).asks(gid, None, rank=Rank.MEMBER)
    assert alice.refuses(alice.forges(OpType.ADMIT, asked)) is Fault.AGAINST_RULES
    alice.rekeys()
    bundle = alice.bundle(newest(alice).op_id)
    assert len(bundle.wraps) == 192
    assert sum(map(len, bundle.wraps)) == 225_024
    person = arrive(first, alice)
    assert person.group.epoch == newest(alice).op_id
    with pytest.raises(LocalError) as caught:
        alice.draft(plus=(joiner("One more", gid, Suite.HYBRID),))
    assert caught.value.code == "E-GROUP-FULL"


@pytest.mark.parametrize("number", [0, 1, 3, 67, 68, 1_000, 2**32 - 1])
def test_a_key_s_number_may_leap_in_an_operation_and_the_highest_wins(number: int) -> None:
    """Refused by those who had not heard the numbers between, it parted the group; now everybody learns the same."""
    alice, bob = circle("Bob")
    bundle = rekey_of(alice, alice.draft(), kem_number=number)
    bob.takes(bundle)
    assert bob.group.kem_of[alice.dev][0] == max(number, alice.group.own.kem_number)
    assert bob.restarted().group.kem_of == bob.group.kem_of
