"""Who may do what: each row of the table of operations, for each rank, and what Mallory tries besides.

A group with one member of each rank: Alice founded it, Steve is a steward, Mo a moderator, May a member, Nell a
newcomer; Olaf is another member and Nora another newcomer, for things to be done to. Operations are only rehearsed
here, so that nobody's attempt changes what the next one meets.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import pytest
from msgspec.structs import replace

from mesh.commands import Rank
from mesh.crypto.keys import sign
from mesh.errors import Fault, RemoteError
from mesh.groups.joining import APPROVAL_LABEL
from mesh.groups.operations import OP_LABEL, sign_op
from mesh.ids import GroupId, MemberPk, MsgId, OpId
from mesh.wire.codec import encode
from mesh.wire.invites import OpBundle
from mesh.wire.messages import MessageTbs
from mesh.wire.operations import (
    ZERO32,
    AdmitBody,
    AgreementBody,
    Body,
    DeviceAddBody,
    DeviceRemoveBody,
    ForkBody,
    LeaveBody,
    OpType,
    RankBody,
    RekeyBody,
    RemoveBody,
    Setting,
    SettingsBody,
    SignedOp,
    UninviteBody,
)
from tests.groups.joiners import Code, Joiner, invite_body, joiner
from tests.groups.people import Person, founds

RANKS = {"Alice": Rank.FOUNDER, "Steve": Rank.STEWARD, "Mo": Rank.MODERATOR, "May": Rank.MEMBER, "Nell": Rank.NEWCOMER}
NOBODY: set[str] = set()
STEWARDS = {"Alice", "Steve"}
MODERATORS = {*STEWARDS, "Mo"}
MEMBERS = {*MODERATORS, "May"}
EVERYBODY = {*MEMBERS, "Nell"}
SMALL_ORDER = b"\1" + bytes(31)


@dataclass(frozen=True, kw_only=True)
class House:
    """The group, and an invite of Alice's that is good for two and has brought in nobody yet."""

    people: dict[str, Person]
    code: Code
    dave: Joiner

    def __getitem__(self, name: str) -> Person:
        return self.people[name]

    @property
    def gid(self) -> GroupId:
        return self["Alice"].group.gid

    def admit(
        self, author: str, *, code: Code | None, rank: Rank = Rank.NEWCOMER, who: Joiner | None = None
    ) -> AdmitBody:
        """An admit of Dave as this author would write it, with an epoch for all and Dave."""
        someone = who or self.dave
        block = self[author].draft(plus=(someone,)).block
        return replace(someone.asks(self.gid, code, rank=rank), epoch=block)

    def judges(self, signed: SignedOp) -> None:
        """Let Olaf, who has seen everything, judge; RemoteError."""
        self["Olaf"].would_take(signed)

    def refuses(self, signed: SignedOp) -> Fault:
        """The fault that Olaf finds."""
        return self["Olaf"].refuses(signed)


@cache
def house(members_invite: str = "off", approvals: int = 0) -> House:
    """The house, built once for each setting."""
    alice = founds("Alice", settings=(("members-invite", members_invite),))
    people = {"Alice": alice}
    for name in ("Steve", "Mo", "May", "Olaf"):
        people[name] = alice.admits(name)
    for name in ("Nell", "Nora"):
        people[name] = alice.admits(name, Rank.NEWCOMER)
    alice.promotes(people["Steve"], Rank.STEWARD)
    alice.promotes(people["Mo"], Rank.MODERATOR)
    code = alice.invites(uses=2, approvals=approvals)
    for person in people.values():
        person.hears(alice)
    assert {name: people["Olaf"].rank_of(people[name]) for name in RANKS} == RANKS
    return House(people=people, code=code, dave=joiner("Dave", alice.group.gid, alice.group.suite))


def may(here: House, author: str, kind: OpType, body: Body, *, by_member_key: bool = False) -> bool:
    """Say whether an operation of this author is let in."""
    person = here[author]
    try:
        here.judges(
            person.forges(kind, body, key=person.member_seed if by_member_key or kind is OpType.DEVICE_ADD else None)
        )
    except RemoteError as error:
        if error.fault is not Fault.AGAINST_RULES:
            raise
        return False
    return True


# ------------------------------------------------------------------------------------- the table

Row = tuple[OpType, Callable[[House, str], Body], set[str]]


def rank_of(target: str, rank: Rank) -> Callable[[House, str], Body]:
    """A change of rank for somebody."""
    return lambda here, _: RankBody(target=here[target].pk, rank=rank)


def removal_of(target: str) -> Callable[[House, str], Body]:
    """A removal of somebody who is junior to every moderator."""
    return lambda here, author: RemoveBody(
        target=here[target].pk,
        cuts=[],
        reason="",
        epoch=here[author].draft(without=(here[target],) if target != author else ()).block,
    )


TABLE: dict[str, Row] = {
    "invite": (OpType.INVITE, lambda _, __: invite_body(bytes(16)), MODERATORS),
    "invite newcomers": (OpType.INVITE, lambda _, __: invite_body(bytes(16), role=Rank.NEWCOMER), MODERATORS),
    "invite moderators": (OpType.INVITE, lambda _, __: invite_body(bytes(16), role=Rank.MODERATOR), NOBODY),
    "invite founders": (OpType.INVITE, lambda _, __: invite_body(bytes(16), role=Rank.FOUNDER), NOBODY),
    "uninvite": (OpType.UNINVITE, lambda here, _: UninviteBody(invite=here.code.op_id), MODERATORS),
    "uninvite nothing": (OpType.UNINVITE, lambda _, __: UninviteBody(invite=OpId(bytes(32))), NOBODY),
    "admit as newcomer": (OpType.ADMIT, lambda here, who: here.admit(who, code=here.code), MEMBERS),
    "admit as member": (OpType.ADMIT, lambda here, who: here.admit(who, code=here.code, rank=Rank.MEMBER), MODERATORS),
    "admit as moderator": (
        OpType.ADMIT,
        lambda here, who: here.admit(who, code=here.code, rank=Rank.MODERATOR),
        NOBODY,
    ),
    "admit without invite": (OpType.ADMIT, lambda here, who: here.admit(who, code=None), MODERATORS),
    "newcomer to member": (OpType.PROMOTE, rank_of("Nora", Rank.MEMBER), MODERATORS),
    "newcomer to moderator": (OpType.PROMOTE, rank_of("Nora", Rank.MODERATOR), STEWARDS),
    "member to moderator": (OpType.PROMOTE, rank_of("Olaf", Rank.MODERATOR), STEWARDS),
    "member to steward": (OpType.PROMOTE, rank_of("Olaf", Rank.STEWARD), {"Alice"}),
    "member to founder": (OpType.PROMOTE, rank_of("Olaf", Rank.FOUNDER), {"Alice"}),
    "member to member": (OpType.PROMOTE, rank_of("Olaf", Rank.MEMBER), NOBODY),
    "up, downwards": (OpType.PROMOTE, rank_of("Olaf", Rank.NEWCOMER), NOBODY),
    "moderator down": (OpType.DEMOTE, rank_of("Mo", Rank.MEMBER), STEWARDS),
    "steward down": (OpType.DEMOTE, rank_of("Steve", Rank.MEMBER), {"Alice"}),
    "member down": (OpType.DEMOTE, rank_of("Olaf", Rank.NEWCOMER), STEWARDS),
    "down, upwards": (OpType.DEMOTE, rank_of("Olaf", Rank.MODERATOR), NOBODY),
    "founder down": (OpType.DEMOTE, rank_of("Alice", Rank.MEMBER), NOBODY),
    "remove a member": (OpType.REMOVE, removal_of("Olaf"), MODERATORS),
    "remove a newcomer": (OpType.REMOVE, removal_of("Nora"), MODERATORS),
    "settings": (OpType.SETTINGS, lambda _, __: SettingsBody(settings=[Setting(key="a", value="b")]), STEWARDS),
    "agreement": (OpType.AGREEMENT, lambda _, __: AgreementBody(version=2, text="Be kind."), STEWARDS),
    "rekey": (OpType.REKEY, lambda here, who: RekeyBody(epoch=here[who].draft().block), EVERYBODY),
    "add a stranger's device": (
        OpType.DEVICE_ADD,
        lambda here, _: DeviceAddBody(card=here.dave.card, epoch=None),
        NOBODY,
    ),
    "remove a device": (
        OpType.DEVICE_REMOVE,
        lambda here, _: DeviceRemoveBody(
            member=here["Olaf"].pk, dev=here["Olaf"].dev, op_cut=None, message_cut=None, epoch=None
        ),
        NOBODY,
    ),
    "fork": (OpType.FORK, lambda here, _: ForkBody(new_gid=here.gid, seed=bytes(16), allow=[]), MEMBERS),
}


@pytest.mark.parametrize("author", RANKS)
@pytest.mark.parametrize("name", TABLE)
def test_each_row_of_the_table_holds_for_each_rank(name: str, author: str) -> None:
    """Attack 3: type not permitted."""
    kind, body, allowed = TABLE[name]
    here = house()
    own = kind is OpType.DEMOTE and name.startswith(RANKS[author].name.lower())  # that one asks for the member key
    assert own or may(here, author, kind, body(here, author)) == (author in allowed)


@pytest.mark.parametrize("author", RANKS)
def test_anyone_may_leave(author: str) -> None:
    here = house()
    assert may(here, author, OpType.LEAVE, LeaveBody(), by_member_key=True)


@pytest.mark.parametrize("author", RANKS)
def test_plain_members_invite_where_the_group_lets_them(author: str) -> None:
    here = house("on")
    assert may(here, author, OpType.INVITE, invite_body(bytes(16))) == (author in MEMBERS)


def test_who_made_an_invite_may_close_it() -> None:
    alice = founds("Alice", settings=(("members-invite", "on"),))
    bob, carol = alice.admits("Bob"), alice.admits("Carol")
    bob.hears(alice)
    code = bob.invites()
    for person in (alice, carol):
        person.hears(alice, bob)
    body = UninviteBody(invite=code.op_id)
    alice.would_take(bob.forges(OpType.UNINVITE, body))
    assert alice.refuses(carol.forges(OpType.UNINVITE, body)) is Fault.AGAINST_RULES


@pytest.mark.parametrize("author", RANKS)
@pytest.mark.parametrize("rank", Rank)
def test_one_steps_down_by_the_member_key_and_never_up(author: str, rank: Rank) -> None:
    """Attack 6: self-promotion, also in the clothes of a demotion."""
    here = house()
    body = RankBody(target=here[author].pk, rank=rank)
    assert may(here, author, OpType.DEMOTE, body, by_member_key=True) == (rank > RANKS[author])
    assert not may(here, author, OpType.PROMOTE, body)
    signed = here[author].forges(OpType.DEMOTE, body)
    assert here.refuses(signed) is Fault.BAD_SIGNATURE  # by the device key


def test_one_steps_down_from_a_grant_and_not_past_it() -> None:
    """A step down that named a grant more junior than itself would give what nobody had given."""
    here = house()
    steve = here["Steve"]
    admitted = steve.view.members[steve.pk].admitted
    body = RankBody(target=steve.pk, rank=Rank.MODERATOR)
    here.judges(steve.forges(OpType.DEMOTE, body, key=steve.member_seed))
    signed = steve.forges(OpType.DEMOTE, body, key=steve.member_seed, auth=admitted)
    assert here.refuses(signed) is Fault.AGAINST_RULES


def test_a_founder_names_founders_and_nobody_removes_one() -> None:
    """Attack 7 among equals: what a removal of an equal is worth, tests/groups/test_resolve.py says."""
    here = house()
    assert may(here, "Alice", OpType.PROMOTE, RankBody(target=here["Steve"].pk, rank=Rank.FOUNDER))
    for author in ("Alice", "Steve", "Mo"):
        equal = here[author].pk
        removal = RemoveBody(target=equal, cuts=[], reason="", epoch=here[author].draft(without=(here["Nora"],)).block)
        assert not may(here, author, OpType.REMOVE, removal)


def test_a_removal_names_someone_who_was_in() -> None:
    here = house()
    for target in (here.dave.card.member_pk, MemberPk(bytes(32))):
        body = RemoveBody(target=target, cuts=[], reason="", epoch=here["Mo"].draft().block)
        assert not may(here, "Mo", OpType.REMOVE, body)


# ------------------------------------------------------------------------------------- signatures


def test_a_signature_by_anyone_else_is_refused() -> None:
    """Attack 1."""
    here = house()
    body = SettingsBody(settings=[])
    for seed in (here["May"].dev_seed, here["Steve"].member_seed, bytes(32)):
        signed = here["Steve"].forges(OpType.SETTINGS, body, key=seed)
        assert here.refuses(signed) is Fault.BAD_SIGNATURE
    honest = here["Steve"].forges(OpType.SETTINGS, body)
    for at in range(64):
        bent = bytearray(honest.sig)
        bent[at] ^= 1
        touched = SignedOp(tbs=honest.tbs, sig=bytes(bent))
        with pytest.raises(RemoteError):
            here.judges(touched)


def test_a_signature_under_another_label_is_refused() -> None:
    """Attack 30: the same bytes signed as a message, or as nothing in particular."""
    here = house()
    steve = here["Steve"]
    honest = steve.forges(OpType.SETTINGS, SettingsBody(settings=[]))
    assert honest.sig == sign(steve.dev_seed, OP_LABEL + honest.tbs)
    for label in (b"", b"mesh1/op", b"mesh1/msg\0", b"mesh1/pub\0", b"mesh1/join\0", APPROVAL_LABEL):
        other = SignedOp(tbs=honest.tbs, sig=sign(steve.dev_seed, label + honest.tbs))
        assert here.refuses(other) is Fault.BAD_SIGNATURE


def test_a_signature_with_a_second_form_is_refused() -> None:
    """Attack 29: S + L."""
    here = house()
    honest = here["Steve"].forges(OpType.SETTINGS, SettingsBody(settings=[]))
    order = 2**252 + 27742317777372353535851937790883648493
    bent = honest.sig[:32] + (int.from_bytes(honest.sig[32:], "little") + order).to_bytes(32, "little")
    assert here.refuses(SignedOp(tbs=honest.tbs, sig=bent)) is Fault.BAD_SIGNATURE


def test_a_leave_by_the_device_key_is_refused() -> None:
    """A seized device cannot leave for its owner."""
    here = house()
    signed = here["May"].forges(OpType.LEAVE, LeaveBody())
    assert here.refuses(signed) is Fault.BAD_SIGNATURE


def test_an_operation_of_another_group_is_refused() -> None:
    """Attack 2: a valid signature, and the wrong group."""
    here = house()
    elsewhere = founds("Alice", agreement="Another group of the same Alice.")
    signed = elsewhere.forges(OpType.SETTINGS, SettingsBody(settings=[]))
    assert elsewhere.group.gid != here.gid
    for bundle in (elsewhere.bundles[0], OpBundle(op=signed, wraps=[])):
        with pytest.raises(RemoteError) as caught:
            here["Olaf"].takes(bundle)
        assert caught.value.fault is Fault.AGAINST_RULES


def test_bytes_of_a_message_are_no_operation() -> None:
    here = house()
    tbs = MessageTbs(
        version=1,
        gid=here.gid,
        epoch=OpId(ZERO32),
        dev=here["Alice"].dev,
        i=0,
        mseq=1,
        uid=bytes(16),
        kind=1,
        prev=MsgId(ZERO32),
        parents=[],
        heads=here["Alice"].group.log.heads,
        ts_ms=0,
        flags=0,
        body=b"",
    )
    raw = encode(tbs)
    with pytest.raises(RemoteError):
        here.judges(SignedOp(tbs=raw, sig=sign(here["Alice"].dev_seed, OP_LABEL + raw)))


# ------------------------------------------------------------------------------------- grants and chains


def test_a_grant_must_be_one_s_own_and_an_ancestor() -> None:
    """Attacks 4 and 5."""
    here = house()
    alice, may_ = here["Alice"], here["May"]
    body = SettingsBody(settings=[])
    founders = alice.view.members[alice.pk].grant
    assert here.refuses(may_.forges(OpType.SETTINGS, body, auth=founders)) is Fault.AGAINST_RULES
    for auth in (here.code.op_id, OpId(ZERO32), OpId(b"\7" * 32)):  # no grant, none at all, an unknown one
        signed = alice.forges(OpType.SETTINGS, body, auth=auth)
        assert here.refuses(signed) is Fault.AGAINST_RULES
    steve = here["Steve"]
    promoted = steve.view.members[steve.pk].grant
    before = steve.group.log.get(promoted)
    assert before is not None
    early = steve.forges(OpType.SETTINGS, body, auth=promoted, deps=before.tbs.deps)
    assert here.refuses(early) is Fault.AGAINST_RULES


def test_a_stale_grant_is_no_fault_of_form() -> None:
    """One who is a steward may act as the plain member that they are too, but then no further than a member."""
    here = house()
    steve = here["Steve"]
    admitted = steve.view.members[steve.pk].admitted
    as_member = steve.forges(OpType.SETTINGS, SettingsBody(settings=[]), auth=admitted)
    assert here.refuses(as_member) is Fault.AGAINST_RULES
    here.judges(steve.forges(OpType.REKEY, RekeyBody(epoch=steve.draft().block), auth=admitted))


def test_a_device_s_operations_follow_each_other() -> None:
    """Attack 13: a gap, a repeat, a wrong predecessor."""
    here = house()
    alice = here["Alice"]
    honest = alice.tbs(OpType.SETTINGS, SettingsBody(settings=[]))
    first = alice.group.gid
    for changes in (
        {"dseq": honest.dseq + 1},
        {"dseq": honest.dseq - 1},
        {"dseq": 1, "dprev": OpId(ZERO32)},
        {"dprev": OpId(ZERO32)},
        {"dprev": OpId(first)},
        {"dprev": OpId(b"\5" * 32)},
    ):
        signed = sign_op(replace(honest, **changes), alice.dev_seed)
        assert here.refuses(signed) is Fault.AGAINST_RULES
    fresh = here["May"].tbs(OpType.REKEY, RekeyBody(epoch=here["May"].draft().block))
    assert (fresh.dseq, fresh.dprev) == (1, ZERO32)
    here.judges(sign_op(fresh, here["May"].dev_seed))


def test_a_device_that_has_seen_its_own_fork_is_dead() -> None:
    """Attack 13: both branches stand, and whoever names both goes no further."""
    alice = founds("Alice")
    one = alice.forges(OpType.SETTINGS, SettingsBody(settings=[Setting(key="a", value="1")]))
    two = alice.forges(OpType.SETTINGS, SettingsBody(settings=[Setting(key="a", value="2")]))
    bob = alice.admits("Bob")
    for signed in (one, two):
        bob.takes(OpBundle(op=signed, wraps=[]))
    assert len(bob.group.log.heads) == 3
    alice.hears(bob)
    after = alice.forges(OpType.SETTINGS, SettingsBody(settings=[]))
    assert bob.refuses(after) is Fault.AGAINST_RULES
    bob.rekeys()  # the others go on


def test_nothing_follows_a_leave() -> None:
    alice = founds("Alice")
    bob = alice.admits("Bob")
    leave = bob.leaves()
    alice.hears(bob)
    late = bob.forges(
        OpType.REKEY,
        RekeyBody(epoch=alice.draft().block),
        dseq=leave.tbs.dseq + 1,
        dprev=leave.op_id,
        auth=leave.tbs.auth,
    )
    assert alice.refuses(late) is Fault.AGAINST_RULES


def test_a_removed_device_acts_no_more_on_what_it_knows() -> None:
    alice = founds("Alice")
    bob, carol = alice.admits("Bob"), alice.admits("Carol")
    bob.hears(alice)
    grant = bob.view.members[bob.pk].grant
    alice.removes(bob)
    for person in (bob, carol):
        person.hears(alice)
    late = bob.forges(OpType.REKEY, RekeyBody(epoch=alice.draft().block), auth=grant)
    assert carol.refuses(late) is Fault.AGAINST_RULES


def test_a_device_that_nobody_brought_in_is_refused() -> None:
    here = house()
    stranger = founds("Mallory")
    signed = here["Alice"].forges(
        OpType.SETTINGS, SettingsBody(settings=[]), key=stranger.dev_seed, dev=stranger.dev, dseq=1, dprev=OpId(ZERO32)
    )
    assert here.refuses(signed) is Fault.AGAINST_RULES
