"""Who is named in an invite comes in by it, once, with a word of their key in the other group; and nobody else does."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from mesh.commands import Rank, Suite
from mesh.crypto.keys import public_key, sign
from mesh.errors import Fault, RefusedError
from mesh.groups.authoring import admit, author, rehearse
from mesh.groups.invites import invite_keys, open_knock, seal_knock
from mesh.groups.joining import FORMER_LABEL, former_statement, sign_former
from mesh.ids import MemberPk, OpId
from mesh.wire import limits
from mesh.wire.frames import parse_frame
from mesh.wire.operations import AdmitBody, Former, OpType, Setting, SettingsBody
from tests.groups.joiners import Code, Joiner, fork_body, invite_body, joiner
from tests.groups.people import Person, arrive, founds, refusal

WREN, TANSY, THIEF = bytes([1]) * 32, bytes([2]) * 32, bytes([3]) * 32  # seeds of member keys in the old group


def key(seed: bytes) -> MemberPk:
    return MemberPk(public_key(seed))


@dataclass(frozen=True, kw_only=True)
class Successor:
    """A group that alice founded for wren and tansy of another one, and wren at its door."""

    alice: Person
    code: Code
    wren: Joiner

    def asks(self, former_seed: bytes | None, who: Joiner | None = None) -> AdmitBody:
        return (who or self.wren).asks(self.alice.group.gid, self.code, rank=Rank.MEMBER, former_seed=former_seed)

    def admits(self, body: AdmitBody) -> None:
        with self.alice.step() as means:
            admit(self.alice.group, body, means)

    def stranger(self, name: str) -> Joiner:
        return joiner(name, self.alice.group.gid, Suite.CLASSIC)


def successor() -> Successor:
    alice = founds("Alice")
    code = alice.invites(allow=sorted([key(WREN), key(TANSY)]))
    return Successor(alice=alice, code=code, wren=joiner("Wren", alice.group.gid, Suite.CLASSIC))


def test_who_is_named_comes_in_and_is_known_by_the_former_key() -> None:
    here = successor()
    here.admits(here.asks(WREN))
    invite = here.alice.group.invites[here.code.op_id]
    assert invite.formers == {key(WREN): here.wren.card.member_pk}
    assert here.alice.rank_of(here.wren) is Rank.MEMBER
    assert arrive(here.wren, here.alice).names == {"Alice", "Wren"}, "and every other node agrees"


def _spoilt(here: Successor) -> dict[str, AdmitBody]:
    good = here.asks(WREN)
    assert good.former is not None
    gid, invite = here.alice.group.gid, here.code.op_id
    other = here.asks(WREN, here.stranger("Sorrel")).former
    elsewhere = sign_former(WREN, gid, OpId(b"i" * 32), bytes(32))
    unlabelled = Former(member=key(WREN), sig=sign(WREN, former_statement(gid, invite, bytes(32))))
    return {
        "without": replace(good, former=None),
        "by one who is not named": here.asks(THIEF),
        "by one who says a name": replace(good, former=Former(member=key(WREN), sig=here.asks(THIEF).former.sig)),  # type: ignore[union-attr] # the helper signs where a seed is given
        "with another's": replace(good, former=Former(member=key(TANSY), sig=good.former.sig)),
        "with the one of another knock": replace(good, former=other),
        "for another invite": replace(good, former=elsewhere),
        "with another label": replace(good, former=unlabelled),
        "with a key that signs anything": replace(good, former=Former(member=MemberPk(bytes(32)), sig=bytes(64))),
    }


@pytest.mark.parametrize("how", list(_spoilt(successor())))
def test_an_admit_without_a_good_countersignature_is_refused_by_all(how: str) -> None:
    here = successor()
    body = _spoilt(here)[how]
    with pytest.raises(RefusedError):
        here.admits(body)
    draft = here.alice.draft(plus=(here.wren,))
    forged = here.alice.forges(OpType.ADMIT, replace(body, epoch=draft.block))
    assert here.alice.refuses(forged) in (Fault.BAD_SIGNATURE, Fault.AGAINST_RULES)


@pytest.mark.parametrize("how", list(_spoilt(successor())))
def test_a_knock_without_a_good_countersignature_is_refused_at_the_door(how: str) -> None:
    here = successor()
    body = here.wren.knocks(here.alice.group.gid, here.code, addresses=[], former_seed=WREN)
    bad = replace(body, former=_spoilt(here)[how].former)
    with here.alice.step() as means:
        raw = seal_knock(invite_keys(here.code.seed), bad, means)
    invite = here.alice.group.invites[here.code.op_id]
    fault = refusal(lambda: open_knock(parse_frame(raw), invite, here.alice.group.gid))
    assert fault in (Fault.BAD_SIGNATURE, Fault.AGAINST_RULES)


def test_a_name_is_good_for_one() -> None:
    here = successor()
    here.admits(here.asks(WREN))
    with pytest.raises(RefusedError, match="do not allow"):
        here.admits(here.asks(WREN, here.stranger("Wren again")))
    here.admits(here.asks(TANSY, here.stranger("Tansy")))
    assert here.alice.names == {"Alice", "Wren", "Tansy"}


def test_one_who_knocks_at_two_doors_that_cannot_see_each_other_comes_in_twice_and_is_seen_to() -> None:
    here = successor()
    here.admits(here.asks(TANSY, tansy := here.stranger("Tansy")))
    other = arrive(tansy, here.alice)
    here.alice.does(OpType.SETTINGS, SettingsBody(settings=[Setting(key="note", value="1")]))
    here.admits(here.asks(WREN))
    twin = here.stranger("Wren too")
    asked = replace(here.asks(WREN, twin), rank=Rank.NEWCOMER)
    with other.step() as means:
        admit(other.group, asked, means)
    here.alice.hears(other)
    assert here.alice.names == {"Alice", "Tansy", "Wren", "Wren too"}
    admits = [op.body for op in here.alice.group.log.ops if isinstance(op.body, AdmitBody)]
    assert [body.former.member for body in admits if body.former] == [key(TANSY), key(WREN), key(WREN)]


def test_nobody_shows_who_they_were_where_nobody_is_named() -> None:
    alice = founds("Alice")
    code = alice.invites()
    wren = joiner("Wren", alice.group.gid, Suite.CLASSIC)
    body = wren.asks(alice.group.gid, code, rank=Rank.MEMBER, former_seed=WREN)
    with alice.step() as means, pytest.raises(RefusedError):
        admit(alice.group, body, means)


TERMS: dict[str, Callable[[], dict[str, object]]] = {
    "more uses than names": lambda: {"max_uses": 3},
    "fewer uses than names": lambda: {"max_uses": 1},
    "approvals": lambda: {"approvals": 1},
    "in no order": lambda: {"allow": sorted([key(WREN), key(TANSY)], reverse=True)},
    "one name twice": lambda: {"allow": [key(WREN), key(WREN)]},
    "for too many": lambda: {"allow": [], "max_uses": limits.INVITE_USES_MAX + 1},
}


@pytest.mark.parametrize("how", list(TERMS))
def test_an_invite_that_names_people_has_no_other_terms(how: str) -> None:
    alice = founds("Alice")
    good = invite_body(bytes(16), uses=2, allow=sorted([key(WREN), key(TANSY)]))
    alice.does(OpType.INVITE, good)
    bad = replace(invite_body(b"s" * 16, uses=2, allow=good.allow), **TERMS[how]())
    assert alice.refuses(alice.forges(OpType.INVITE, bad)) is Fault.AGAINST_RULES


def test_a_thousand_can_be_named() -> None:
    alice = founds("Alice")
    allow = sorted(key(k.to_bytes(32, "big")) for k in range(1, limits.MEMBERS_MAX + 1))
    code = alice.invites(allow=allow)
    alice.does(OpType.FORK, fork_body(alice.group.gid, allow))
    last = next(k for k in range(1, limits.MEMBERS_MAX + 1) if key(k.to_bytes(32, "big")) == allow[-1])
    wren = joiner("Wren", alice.group.gid, Suite.CLASSIC)
    body = wren.asks(alice.group.gid, code, rank=Rank.MEMBER, former_seed=last.to_bytes(32, "big"))
    with alice.step() as means:
        admit(alice.group, body, means)
    assert arrive(wren, alice).names == {"Alice", "Wren"}


def test_a_device_offers_only_so_often_and_in_order() -> None:
    alice = founds("Alice")
    for _ in range(limits.FORKS_PER_DEVICE_MAX):
        alice.does(OpType.FORK, fork_body(alice.group.gid))
    with alice.step() as means, pytest.raises(RefusedError):
        rehearse(alice.group, OpType.FORK, fork_body(alice.group.gid), means)
    bob = founds("Bob")
    unsorted = fork_body(bob.group.gid, sorted([key(WREN), key(TANSY)], reverse=True))
    assert bob.refuses(bob.forges(OpType.FORK, unsorted)) is Fault.AGAINST_RULES


@pytest.mark.parametrize("name", ["succeeds", "talk"])
def test_what_only_a_founding_says_is_never_set_later(name: str) -> None:
    alice = founds("Alice")
    with pytest.raises(RefusedError):
        alice.sets(**{name: "on"})


def test_a_conversation_of_two_takes_no_third() -> None:
    alice = founds("Alice", settings=(("talk", "on"),))
    bob = alice.admits("Bob")
    assert alice.names == {"Alice", "Bob"}
    code = alice.invites()
    carol = joiner("Carol", alice.group.gid, Suite.CLASSIC)
    body = carol.asks(alice.group.gid, code, rank=Rank.MEMBER)
    with alice.step() as means, pytest.raises(RefusedError):
        admit(alice.group, body, means)
    bob.hears(alice)
    with bob.step() as means, pytest.raises(RefusedError):
        author(bob.group, OpType.INVITE, invite_body(b"b" * 16), means)


def test_the_label_binds_a_countersignature_to_one_use() -> None:
    assert FORMER_LABEL == b"mesh1/former\0"
