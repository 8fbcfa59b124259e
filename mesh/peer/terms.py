"""Terms: a steward's own node ends what they were given for a time, unless nobody would be left to go on.

A term begins when the grant first counted here, by our clock, and lasts as long as the group says (`steward-term`), or
as the steward said since (`mesh.support.stewards`). When it is over this node uses the rank no more for its person. It
steps down as soon as the member key is at hand, for only that key signs such a step (protocol.md §4): when the node
is started with the passphrase, or when the person does it.

A rank that nobody else has stays: the last founder's, for stewards cannot name stewards, and the last steward's. Two
whose terms end while they do not hear of each other would both step down. So by itself a node ends a term only while it
is linked with whoever goes on in any case, the most senior one with the least key, whose own node never steps down by
itself; and only with the same operations as theirs.

A further device of ours can put our term off, by as much as the group gives, and never bring its end nearer: it has no
member key, and if it is in other hands, nobody steps down for what it says.
"""

from typing import Final

from mesh.commands import Rank, SetRank
from mesh.errors import RefusedError
from mesh.events import Instant
from mesh.groups.authoring import author
from mesh.groups.group import Group
from mesh.ids import MemberPk
from mesh.membership.structure import TALK
from mesh.peer.speaking import publish
from mesh.peer.state import Room, State, Step
from mesh.peer.statements import counting
from mesh.phrases import phrase
from mesh.support import stewards
from mesh.wire import limits
from mesh.wire.operations import OpType, RankBody
from mesh.wire.statements import Form

STEWARD_TERM: Final = "steward-term"  # the setting: days; 0: a term has no end
TERM_VALUES: Final = tuple(str(days) for days in range(stewards.TERM_DAYS_MAX + 1))


def term_days(group: Group) -> int:
    """Return how many days a term lasts in a group; 0: it has no end. What others set may be anything."""
    value = group.view.settings.get(STEWARD_TERM, str(stewards.TERM_DAYS))
    return int(value) if value in TERM_VALUES else stewards.TERM_DAYS


def own_end_ms(room: Room, wall_ms: int) -> int | None:
    """Return when our own term ends; None for one who is no steward, and for a term without an end."""
    group, me = room.group, room.group.me
    if me is None or me.rank > Rank.STEWARD or group.own.left or _is_of_two(group):
        return None
    days = term_days(group)
    granted_ms = group.own.granted_ms + days * stewards.DAY_MS if days and group.own.granted == me.grant else None
    said = [word for word in counting(room, Form.TERM, wall_ms, subject=me.grant) if word.member == me.pk]
    return stewards.own_end_ms(said, group.own.dev, days or stewards.TERM_DAYS_MAX, granted_ms)


def _is_of_two(group: Group) -> bool:
    """Say whether a group is a conversation of two: nobody serves there."""
    return any(setting.key == TALK for setting in group.founding.settings)


def stated_end_ms(room: Room, pk: MemberPk, wall_ms: int) -> int | None:
    """Return until when a member says that they serve with the rank that they have; None where they said nothing."""
    member = room.group.view.members[pk]
    said = counting(room, Form.TERM, wall_ms, subject=member.grant)
    return stewards.terms(said).get((pk, member.grant))


def who_could_go_on(group: Group) -> list[MemberPk]:
    """Return the others by whom a group has what it has by us: of a founder the founders, of others all stewards."""
    most = Rank.FOUNDER if group.rank is Rank.FOUNDER else Rank.STEWARD
    return [pk for pk in group.others if group.view.members[pk].rank <= most]


def is_over(room: Room, wall_ms: int) -> bool:
    """Say whether our own term is over, and somebody is there to go on."""
    end_ms = own_end_ms(room, wall_ms)
    return end_ms is not None and wall_ms >= end_ms and bool(who_could_go_on(room.group))


def goes_on(group: Group) -> MemberPk | None:
    """Return who goes on in any case: the most senior steward or founder, of equal ones the one with the least key."""
    seniors = (member for member in group.view.members.values() if member.rank <= Rank.STEWARD)
    return min(((member.rank, member.pk) for member in seniors), default=(None, None))[1]


def ends_by_itself(state: State, room: Room, now: Instant) -> bool:
    """Say whether our term is over, and whoever goes on in any case is linked with us and has what we have."""
    first = goes_on(room.group)
    if not is_over(room, now.wall_ms) or first is None or first == room.group.own.member_pk:
        return False
    theirs = room.group.view.members[first].devices
    heads = room.group.log.heads[: limits.STATE_HEADS_MAX]
    there = (session for _, session in state.present(room) if session.heard and session.device in theirs)
    return any(list(session.heads) == heads for session in there)


def require_term(room: Room, wall_ms: int) -> None:
    """RefusedError for what a steward does, by one whose own term is over."""
    if is_over(room, wall_ms):
        raise RefusedError(
            "your term in this group is over",
            why="others go on, and your own node holds you to it",
            do="`mesh steward term GROUP --end` steps down; --renew in its place begins a new term",
            code="E-TERM-OVER",
        )


def step_down(state: State, room: Room, command: SetRank, step: Step) -> None:
    """Lower our own rank, by the member key. RefusedError where that cannot be, or nobody would be left to go on."""
    group = room.group
    if command.member_seed is None:
        raise RefusedError(
            "nobody changes their own rank here",
            why="stepping down needs your member key",
            do="`mesh steward term GROUP --end` steps down",
        )
    if command.rank < group.rank:
        raise RefusedError("nobody raises their own rank", do="ask someone with a higher rank")
    if group.rank <= Rank.STEWARD and not who_could_go_on(group):
        rank = group.rank.name.lower()
        raise RefusedError(
            phrase("you are the last {rank} of this group", rank=rank),
            why="without one, nobody could do for it what you can",
            do=phrase("ask somebody to share it, then make them one: `mesh group rank GROUP MEMBER {rank}`", rank=rank)
            if group.rank is Rank.FOUNDER
            else "ask a member to begin anew with all: `mesh group fork`",
            code="E-LAST-STEWARD",
        )
    body = RankBody(target=group.own.member_pk, rank=command.rank)
    authored = author(group, OpType.DEMOTE, body, step.means(), member_seed=command.member_seed.reveal())
    publish(state, room, authored, step)
