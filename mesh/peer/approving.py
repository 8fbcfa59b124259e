"""Approving: several members' yes to one who knocks, given at different times (protocol.md §12).

Where an invite asks for k ≥ 2, a moderator's yes is a signed message to the group, kept beside the knock by everybody
who hears it. Once k of them stand, whoever is online lets the joiner in, with the signatures in the admit: so that
those who said yes need never be there together.
"""

from msgspec.structs import replace

from mesh.commands import Rank
from mesh.crypto.keys import sign, verify
from mesh.errors import RemoteError
from mesh.events import Notice, Space
from mesh.groups.joining import APPROVAL_LABEL, approval_statement
from mesh.ids import DeviceId, MemberPk, OpId
from mesh.peer.records import KnockRecord
from mesh.peer.speaking import say
from mesh.peer.state import Room, State, Step
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.messages import ApprovalBody, Kind
from mesh.wire.operations import Approval


def approvers(room: Room, record: KnockRecord) -> set[MemberPk]:
    """Return who has said yes and may still do so."""
    found = (room.group.view.member_of(yes.dev) for yes in record.approvals)
    return {member.pk for member in found if member is not None and member.rank <= Rank.MODERATOR}


def needed(room: Room, record: KnockRecord) -> int:
    """Return how many have to say yes to this knock."""
    invite = room.group.invites.get(record.invite)
    return 1 if invite is None else invite.body.approvals


def are_enough(room: Room, record: KnockRecord) -> bool:
    """Say whether as many have said yes as the invite asks for."""
    return bool(record.frame) and len(approvers(room, record)) >= max(1, needed(room, record))


def standing_approvals(room: Room, statement: bytes) -> list[Approval]:
    """Return the approvals that an admit may carry now, one for each member."""
    record = room.knocks.get(statement)
    by_member = {} if record is None else {room.group.view.devices.get(yes.dev): yes for yes in record.approvals}
    allowed = set() if record is None else approvers(room, record)
    return [yes for pk, yes in by_member.items() if pk in allowed]


def approve(state: State, room: Room, statement: bytes, step: Step) -> None:
    """Say our person's yes to a knock that waits here: keep it, and tell the group as soon as somebody hears it."""
    group, record = room.group, room.knocks[statement]
    me = group.me
    assert me is not None, "only members decide"
    signature = sign(group.own.dev_seed, APPROVAL_LABEL + approval_statement(group.gid, record.invite, statement))
    _keep(room, statement, record.invite, Approval(grant=me.grant, dev=group.own.dev, sig=signature), step)
    room.untold_yes[statement] = None
    tell_approvals(state, room, step)


def tell_approvals(state: State, room: Room, step: Step) -> None:
    """Tell the group of our own approvals that it has not been told of; after a restart once more: no harm in that."""
    for statement in list(room.untold_yes):
        record = room.knocks.get(statement)
        own = [] if record is None else [yes for yes in record.approvals if yes.dev == room.group.own.dev]
        if record is None or not own:
            del room.untold_yes[statement]
            continue
        body = ApprovalBody(invite=record.invite, statement=statement, grant=own[0].grant, sig=own[0].sig)
        if not say(state, room, Kind.APPROVAL, encode(body), step):
            return
        del room.untold_yes[statement]


def hear_approval(room: Room, dev: DeviceId, raw: bytes, step: Step) -> bytes | None:
    """Keep a member's yes; return the knock that it is for, or None if it is none that counts."""
    body = decode(ApprovalBody, raw, bytes_max=limits.MESSAGE_BYTES_MAX)
    member, card = room.group.view.member_of(dev), room.group.log.card(dev)
    grant = room.group.log.graph.entry(OpId(body.grant))
    if member is None or card is None or member.rank > Rank.MODERATOR or grant is None:
        return None
    if grant.act.member != member.pk or grant.act.rank is None or grant.act.rank > Rank.MODERATOR:
        return None
    try:
        said = APPROVAL_LABEL + approval_statement(room.group.gid, OpId(body.invite), body.statement)
        verify(card.dev_pk, said, body.sig)
    except RemoteError:
        return None  # its author is only wasting their own yes
    _keep(room, body.statement, OpId(body.invite), Approval(grant=body.grant, dev=dev, sig=body.sig), step)
    return body.statement


def _keep(room: Room, statement: bytes, invite: OpId, approval: Approval, step: Step) -> None:
    """Keep a yes beside its knock, or where its knock will stand once it is heard."""
    record = room.knocks.get(statement) or room.awaited_knocks.get(statement)
    if record is None:
        record = KnockRecord(frame=b"", alias="?", invite=invite, at_ms=step.now.wall_ms, declined=False, approvals=[])
    devices = room.group.view.devices
    # One for each member, whatever the device: or who has four of them could take up what is kept.
    others = [yes for yes in record.approvals if devices.get(yes.dev) not in (None, devices.get(approval.dev))]
    said = any(devices.get(yes.dev) == devices.get(approval.dev) for yes in record.approvals)
    if record.invite != invite or said or len(others) >= limits.APPROVALS_MAX:
        return
    kept = replace(record, approvals=[*others, approval])
    if kept.frame:
        room.knocks[statement] = kept
        step.notify(Notice.KNOCK, room.group.gid, statement)
    else:
        room.awaited_knocks[statement] = kept
        while len(room.awaited_knocks) > limits.KNOCKS_MAX:
            oldest = next(iter(room.awaited_knocks))
            del room.awaited_knocks[oldest]
            step.journal.delete(Space.KNOCKS, room.group.gid + oldest)
    step.journal.put(Space.KNOCKS, room.group.gid + statement, encode(kept))


def approvals_before(room: Room, statement: bytes) -> list[Approval]:
    """Return what was said of a knock before it was heard here, and wait for it no more."""
    early = room.awaited_knocks.pop(statement, None)
    return [] if early is None else early.approvals
