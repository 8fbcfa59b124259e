"""What `status` says to those who serve, and to the others of them: terms that end, nobody on duty, nobody left."""

from typing import Final

from mesh.commands import Rank
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.shown import iso
from mesh.node.local.methods.stewards import off_duty_in, silent_days, stewards_of
from mesh.node.local.protocol import JsonObject
from mesh.peer import terms
from mesh.peer.state import Room
from mesh.peer.talking import is_talk
from mesh.support import stewards
from mesh.support.stewards import DAY_MS
from mesh.wire.operations import OpType

STEPPED_DOWN_DAYS: Final = 14  # for so long one is reminded that one's term ended; ours


def steward_problems(desk: Desk, room: Room) -> list[JsonObject]:
    """Say what concerns terms and duty; to one who is off duty, nothing of others' work."""
    if room.group.me is None or room.group.own.left or is_talk(room.group) or not room.group.others:
        return []
    return [*_term_problems(desk, room), *_duty_problems(desk, room)]


def _term_problems(desk: Desk, room: Room) -> list[JsonObject]:
    wall_ms, name = desk.now().wall_ms, room.group.founding.name
    ends = terms.own_end_ms(room, wall_ms)
    if ends is None:
        return _ended(desk, room)
    days = stewards.reminder(ends, wall_ms)
    if days is None:
        return []
    ways = f'`mesh steward handover "{name}" MEMBER` hands over. `mesh steward term "{name}" --renew` goes on.'
    if not terms.who_could_go_on(room.group):
        rank = room.group.rank.name.lower()
        alone = f"and nobody else is a {rank}: so it goes on"
        when = f"ends on {iso(ends)[:10]}" if wall_ms < ends else "is over"
        return [
            {
                "what": f"Your term in “{name}” {when}, {alone}.",
                "do": f'Ask somebody to share it: `mesh talk "{name}" MEMBER`. '
                f'Then `mesh group rank "{name}" MEMBER {rank}`.',
            }
        ]
    if wall_ms >= ends:
        return [
            {
                "what": f"Your term in “{name}” is over. Others go on.",
                "do": f'`mesh steward term "{name}" --end` steps down; your node does it when it starts next. '
                "With --renew you begin a new term.",
            }
        ]
    return [{"what": f"Your term in “{name}” ends on {iso(ends)[:10]}.", "do": ways}]


def _ended(desk: Desk, room: Room) -> list[JsonObject]:
    """Say for a while that one has stepped down."""
    group, me = room.group, room.group.me
    if me is None or desk.now().wall_ms - group.own.granted_ms >= STEPPED_DOWN_DAYS * DAY_MS:
        return []
    graph = group.log.graph
    demoted = graph.entries(graph.of_type(OpType.DEMOTE, group.view.valid))
    if not any(entry.author == me.pk == entry.act.subject for entry in demoted):
        return []
    name = group.founding.name
    return [{"what": f"You have stepped down in “{name}”. Thank you for serving.", "do": "You need do nothing more."}]


def _duty_problems(desk: Desk, room: Room) -> list[JsonObject]:
    """Say that nobody is on duty, or that no steward was heard from for long."""
    name, off = room.group.founding.name, off_duty_in(desk, room)
    found: list[JsonObject] = []
    people = stewards_of(room)
    if room.group.own.member_pk not in off and people and all(member.pk in off for member in people):
        found.append(
            {
                "what": f"Nobody is on duty in “{name}” now. Who knocks or reports something waits.",
                "do": f'`mesh stewards "{name}"` shows until when. In a crisis: `mesh crisis`.',
            }
        )
    if all(member.rank > Rank.STEWARD for member in people):
        found.append(
            {
                "what": f"Nobody in “{name}” is a steward any more.",
                "do": f'Begin anew with all: `mesh group fork "{name}"`.',
            }
        )
    days = silent_days(room)
    if days:
        found.append(
            {
                "what": f"No steward of “{name}” was heard from for {days} days.",
                "do": f'Ask the others. If they are gone, begin anew with all: `mesh group fork "{name}"`.',
            }
        )
    return found
