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
from mesh.groups.operations import OP_LABEL
from mesh.ids import GroupId, MemberPk, MsgId, OpId
from mesh.wire.codec import encode
from mesh.wire.messages import MessageTbs
from mesh.wire.operations import (
    ZERO32,
    AdmitBody,
    AgreementBody,
    Body,
    DeviceAddBody,
    DeviceRemoveBody,
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
from tests.groups.joiners import Code, Joiner, fork_body, invite_body, joiner
from tests.groups.people import Person, founds

RANKS = {"Alice": Rank.FOUNDER, "Steve": Rank.STEWARD, "Mo": Rank.MODERATOR, "May": Rank.MEMBER, "Nell": Rank.NEWCOMER}
NOBODY: set[str] = set()
STEWARDS = {"Alice", "Steve"}
MODERATORS = {*STEWARDS, "Mo"}
MEMBERS = {*MODERATORS, "May"}
EVERYBODY = {*MEMBERS, "Nell"}


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
    "fork": (OpType.FORK, lambda here, _: fork_body(here.gid), MEMBERS),
}


@pytest.mark.parametrize("author", RANKS)
@pytest.mark.parametrize("name", TABLE)
def test_each_row_of_the_table_holds_for_each_rank(name: str, author: str) -> None:
    """Type not permitted."""
    kind, body, allowed = TABLE[name]
    here = house()
    own = kind is OpType.DEMOTE and name.startswith(RANKS[author].name.lower())  # that one asks for the member key
    assert own or may(here, author, kind, body(here, author)) == (author in allowed)


@pytest.mark.parametrize("author", RANKS)
def test_anyone_may_leave(author: str) -> None:
    here = house()
    assert may(here, author, OpType.LEAVE, LeaveBody(erase=False), by_member_key=True)


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
    """Self-promotion, also in the clothes of a demotion."""
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
    """What a removal of an equal is worth, tests/attacks/test_membership.py says."""
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


def test_a_leave_by_the_device_key_is_refused() -> None:
    """A seized device cannot leave for its owner."""
    here = house()
    signed = here["May"].forges(OpType.LEAVE, LeaveBody(erase=False))
    assert here.refuses(signed) is Fault.BAD_SIGNATURE


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


def test_a_stale_grant_is_no_fault_of_form() -> None:
    """One who is a steward may act as the plain member that they are too, but then no further than a member."""
    here = house()
    steve = here["Steve"]
    admitted = steve.view.members[steve.pk].admitted
    as_member = steve.forges(OpType.SETTINGS, SettingsBody(settings=[]), auth=admitted)
    assert here.refuses(as_member) is Fault.AGAINST_RULES
    here.judges(steve.forges(OpType.REKEY, RekeyBody(epoch=steve.draft().block), auth=admitted))


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
