"""Raising: a newcomer whom a plain member let in becomes what their invite says after 72 hours (protocol.md §12).

A moderator's node does it, in turn, unless somebody objects. An objection is a message to the group: it stops only what
nodes do by themselves, and a moderator can still raise by hand. The hours are each node's own, from when it first saw
the newcomer, for operations carry no time.
"""

from typing import Final

from mesh.commands import Rank
from mesh.errors import LocalError, RefusedError
from mesh.events import Instant, Notice, Space
from mesh.groups.authoring import author
from mesh.groups.operations import card_device
from mesh.ids import DeviceId, GroupId, MemberPk
from mesh.membership.views import Member
from mesh.peer.records import ObjectionRecord
from mesh.peer.speaking import publish, say
from mesh.peer.state import Room, State, Step
from mesh.phrases import phrase
from mesh.wire.codec import encode
from mesh.wire.messages import Kind, ObjectionBody
from mesh.wire.operations import AdmitBody, InviteBody, OpType, RankBody

NEWCOMER_MS: Final = 72 * 3_600_000  # protocol.md §12


def ripe_ms(room: Room, member: Member) -> int | None:
    """Return when, by our clock, a newcomer's time is over; None for one whom no node raises by itself.

    That is: whom a moderator let in as a newcomer on purpose, or whom somebody demoted.
    """
    group = room.group
    admit = group.log.graph.entry(member.admitted)
    if member.rank is not Rank.NEWCOMER or member.grant != member.admitted or admit is None:
        return None
    body = group.log.operation(member.admitted).body
    invite = None if not isinstance(body, AdmitBody) else group.log.get(body.invite)
    if invite is None or not isinstance(invite.body, InviteBody) or admit.level <= Rank.MODERATOR:
        return None
    assert isinstance(body, AdmitBody)
    known = group.devices.get(card_device(body.card))
    return None if known is None or invite.body.role is not Rank.MEMBER else known.since_ms + NEWCOMER_MS


def objectors(room: Room, target: MemberPk) -> list[MemberPk]:
    """Return the members whose newest word on this newcomer is that they object; newcomers' own words do not count."""
    newest: dict[MemberPk, tuple[int, DeviceId, bool]] = {}
    for dev, said in room.objections.get(target, {}).items():
        member = room.group.view.member_of(dev)
        if member is not None and member.rank <= Rank.MEMBER:
            word = said.ts_ms, dev, said.holds
            newest[member.pk] = max(word, newest.get(member.pk, word))
    return sorted(pk for pk, (_, _, holds) in newest.items() if holds)


def to_raise(room: Room, now: Instant) -> list[MemberPk]:
    """Return those whom our node may and should raise now."""
    if room.group.rank > Rank.MODERATOR:
        return []
    ripe = ((member.pk, ripe_ms(room, member)) for member in room.group.view.members.values())
    return [pk for pk, at_ms in ripe if at_ms is not None and now.wall_ms >= at_ms and not objectors(room, pk)]


def raise_newcomer(state: State, room: Room, target: MemberPk, step: Step) -> None:
    """Make a newcomer a member. RefusedError if the rules do not allow it."""
    body = RankBody(target=target, rank=Rank.MEMBER)
    publish(state, room, author(room.group, OpType.PROMOTE, body, step.means()), step)


# ---------------------------------------------------------------- objections


def hold(state: State, room: Room, target: MemberPk, *, holds: bool, step: Step) -> None:
    """Object to a newcomer's being raised, or take that back; the group is told as soon as somebody is there.

    LocalError or RefusedError if there is nothing to object to, or we may not.
    """
    group = room.group
    member = group.view.members.get(target)
    if member is None:
        raise LocalError("that person is not in the group", code="E-NO-MEMBER")
    if group.rank > Rank.MEMBER:
        raise RefusedError(
            "newcomers cannot hold others back",
            why="whoever objects has to be a member themself",
            do="tell a member; `mesh group members` shows who is one",
        )
    if ripe_ms(room, member) is None:
        raise LocalError(
            phrase("there is nothing to hold back: {member} is not raised by itself", member=member.alias),
            why="that happens only to newcomers whom a plain member's node let in by a code that makes members",
            code="E-SAME-RANK",
        )
    said = ObjectionRecord(mseq=0, ts_ms=step.now.wall_ms, holds=holds)
    _keep(room, target, group.own.dev, said, step)
    tell_objections(state, room, step)


def tell_objections(state: State, room: Room, step: Step) -> None:
    """Tell the group of those of our own words that it has not been told of."""
    own = room.group.own.dev
    for target, words in list(room.objections.items()):
        said = words.get(own)
        if said is not None and not said.mseq:
            body = ObjectionBody(target=target, holds=said.holds)
            if not say(state, room, Kind.OBJECTION, encode(body), step):
                return
            told = ObjectionRecord(mseq=room.group.own.mseq, ts_ms=said.ts_ms, holds=said.holds)
            _keep(room, target, own, told, step)


def is_told(room: Room, target: MemberPk) -> bool:
    """Say whether the group has been told of our own word on a newcomer."""
    said = room.objections.get(target, {}).get(room.group.own.dev)
    return said is None or bool(said.mseq)


def hear_objection(room: Room, dev: DeviceId, body: ObjectionBody, mseq: int, ts_ms: int, step: Step) -> None:
    """Keep a device's newest word on a newcomer; words on others say nothing."""
    target = MemberPk(body.target)
    member = room.group.view.members.get(target)
    before = room.objections.get(target, {}).get(dev)
    if member is None or member.rank is not Rank.NEWCOMER or (before is not None and mseq <= before.mseq):
        return
    _keep(room, target, dev, ObjectionRecord(mseq=mseq, ts_ms=ts_ms, holds=body.holds), step)


def _keep(room: Room, target: MemberPk, dev: DeviceId, said: ObjectionRecord, step: Step) -> None:
    room.objections.setdefault(target, {})[dev] = said
    step.journal.put(Space.OBJECTIONS, _key(room.group.gid, target, dev), encode(said))
    step.notify(Notice.GROUP, room.group.gid)


def _key(gid: GroupId, target: MemberPk, dev: DeviceId) -> bytes:
    return gid + target + dev


def sweep_objections(room: Room, step: Step) -> None:
    """Operations came in: forget what was said of those who are newcomers no more."""
    for target in list(room.objections):
        member = room.group.view.members.get(target)
        if member is None or member.rank is not Rank.NEWCOMER:
            del room.objections[target]
            step.journal.delete_prefix(Space.OBJECTIONS, room.group.gid + target)
