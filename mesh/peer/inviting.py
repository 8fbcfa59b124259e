"""Inviting: codes made and closed by a person, and their word on one who waits at the door."""

from typing import Final

from mesh.commands import DecideKnock, NewInvite, Rank, RevokeInvite
from mesh.errors import LocalError, RefusedError
from mesh.events import Space
from mesh.groups.authoring import author
from mesh.groups.invites import HOUR_MS, invite_keys
from mesh.groups.records import InviteRecord
from mesh.membership.structure import MEMBERS_INVITE
from mesh.peer.door import decide
from mesh.peer.keepers import code_addresses
from mesh.peer.rights import require_in, require_rank
from mesh.peer.settings import GROUP_SETTINGS
from mesh.peer.speaking import publish
from mesh.peer.state import Room, State, Step
from mesh.peer.talking import is_talk
from mesh.phrases import phrase
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.operations import InviteBody, OpType, UninviteBody
from mesh.wire.text import require_text

SHARED_PER_MEMBER_MAX: Final = 3  # addresses of another member in an invite; ours


def new_invite(state: State, room: Room, command: NewInvite, step: Step) -> bytes:
    """Make a code; return the id of its invite. RefusedError, LocalError."""
    require_in(room)
    if is_talk(room.group):
        raise RefusedError(
            "this is a conversation of two",
            why="nobody else comes into it, as both of you were told",
            do="found a group with `mesh group create`, or ask each with `mesh talk`",
        )
    _require_inviter(room)
    if not 1 <= command.uses <= limits.INVITE_USES_MAX:
        raise LocalError(
            phrase("an invite is good for 1 to {most} people", most=limits.INVITE_USES_MAX), code="E-USAGE"
        )
    if not 1 <= command.hours <= limits.INVITE_HOURS_MAX:
        raise LocalError(phrase("an invite lasts 1 to {most} hours", most=limits.INVITE_HOURS_MAX), code="E-USAGE")
    approvals = _default_approvals(room, command.uses) if command.approvals is None else command.approvals
    if not 0 <= approvals <= limits.APPROVALS_MAX:
        raise LocalError(phrase("0 to {most} approvals", most=limits.APPROVALS_MAX), code="E-USAGE")
    note = require_text("note", command.note, limits.REASON_BYTES_MAX, empty=True)
    seed = step.entropy.draw(16)
    keys = invite_keys(seed)
    body = InviteBody(
        invite_pk=keys.invite_pk,
        knock_key=keys.knock_key,
        role=Rank.MEMBER,
        max_uses=command.uses,
        expiry_hour=-(-step.now.wall_ms // HOUR_MS) + command.hours,
        approvals=approvals,
        allow=[],
    )
    authored = author(room.group, OpType.INVITE, body, step.means())
    publish(state, room, authored, step)
    shared = [
        address
        for _, contact in sorted(room.contacts.items())
        if contact.in_invites
        for address in contact.addresses[:SHARED_PER_MEMBER_MAX]
    ]
    record = InviteRecord(
        seed=seed,
        note=note,
        addresses=_addresses_in_code(state, room, shared),
    )
    room.invites[authored.op.op_id] = record
    step.journal.put(Space.INVITES, room.group.gid + authored.op.op_id, encode(record))
    return authored.op.op_id


def _addresses_in_code(state: State, room: Room, shared: list[str]) -> list[str]:
    """Return our own addresses, those of keepers, which are there when nobody else is, and others' who agreed to it."""
    keepers = code_addresses(room)
    own = state.addresses[: limits.ADDRESSES_MAX - len(keepers)]
    return list(dict.fromkeys([*own, *keepers, *shared]))[: limits.ADDRESSES_MAX]


def _require_inviter(room: Room) -> None:
    """RefusedError, in words, for one whom the rules let make no invites."""
    open_to_members = room.group.view.settings.get(MEMBERS_INVITE) == "on"
    if room.group.rank > (Rank.MEMBER if open_to_members else Rank.MODERATOR):
        newcomer = open_to_members and room.group.rank is Rank.NEWCOMER
        raise RefusedError(
            "newcomers make no codes yet" if newcomer else "only moderators, stewards and founders make the codes here",
            why="whoever invites answers for those who come",
            do="ask a member to make the code" if newcomer else "ask one of them; `mesh group members` shows who it is",
        )


def _default_approvals(room: Room, uses: int) -> int:
    """Return how many must approve where the inviter does not say; what others set may be anything."""
    setting = room.group.view.settings.get("approvals", "")
    known = setting in GROUP_SETTINGS["approvals"]
    return (int(setting) if known else 1) if uses > 1 else 0


def revoke(state: State, room: Room, command: RevokeInvite, step: Step) -> None:
    """Close a code for good. RefusedError, LocalError."""
    require_in(room)
    invite = room.group.invites.get(command.invite)
    if invite is None:
        raise LocalError("there is no such invite", do="`mesh invite list` shows them", code="E-NO-INVITE")
    if invite.issuer != room.group.own.member_pk:
        require_rank(room, Rank.MODERATOR, "close a code that somebody else made")
    if invite.open:
        body = UninviteBody(invite=command.invite)
        publish(state, room, author(room.group, OpType.UNINVITE, body, step.means()), step)


def decide_knock(state: State, room: Room, command: DecideKnock, step: Step) -> None:
    """Let one in who waits, or decline. RefusedError, LocalError."""
    require_in(room)
    if command.knock not in room.knocks:
        raise LocalError("nobody waits under that name", do="`mesh knocks list` shows who does", code="E-NO-KNOCK")
    if command.admit and not room.group.own.confirmed:
        raise RefusedError(
            "nobody but who let you in has confirmed who is in this group",
            why="whom you let in would trust your word for it",
            do="wait until another member is reachable, or take the one's word: `mesh group confirm GROUP`",
            code="E-UNCONFIRMED",
        )
    if room.group.rank > Rank.MODERATOR:
        raise RefusedError(
            "this invite asks for a moderator's yes",
            do="ask a moderator; `mesh group members` shows who that is",
        )
    decide(state, room, command.knock, admitted=command.admit, step=step)
