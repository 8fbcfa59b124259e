"""What `status` says to those who serve, and to the others of them: terms that end, nobody on duty, nobody left."""

from typing import Final

from mesh.commands import Rank
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.shown import iso
from mesh.node.local.methods.stewards import off_duty_in, silent_days, stewards_of
from mesh.node.local.protocol import JsonObject, phrased
from mesh.peer import terms
from mesh.peer.state import Room
from mesh.peer.talking import is_talk
from mesh.phrases import phrase
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
    day = iso(ends)[:10]
    if not terms.who_could_go_on(room.group):
        return [_nobody_else(name, room.group.rank.name.lower(), day if wall_ms < ends else "")]
    if wall_ms >= ends:
        return [
            phrased(
                what=phrase("Your term in “{group}” is over. Others go on.", group=name),
                do=phrase(
                    '`mesh steward term "{group}" --end` steps down; your node does it when it starts next. '
                    "With --renew you begin a new term.",
                    group=name,
                ),
            )
        ]
    return [
        phrased(
            what=phrase("Your term in “{group}” ends on {day}.", group=name, day=day),
            do=phrase(
                '`mesh steward handover "{group}" MEMBER` hands over. `mesh steward term "{group}" --renew` goes on.',
                group=name,
            ),
        )
    ]


def _nobody_else(name: str, rank: str, day: str) -> JsonObject:
    """Say that one's term goes on, since nobody else has the rank; `day`: on which it ends, if it is not over."""
    what = phrase("Your term in “{group}” is over, and nobody else is a {rank}: so it goes on.", group=name, rank=rank)
    if day:
        what = phrase(
            "Your term in “{group}” ends on {day}, and nobody else is a {rank}: so it goes on.",
            group=name,
            day=day,
            rank=rank,
        )
    do = phrase(
        'Ask somebody to share it: `mesh talk "{group}" MEMBER`. Then `mesh group rank "{group}" MEMBER {rank}`.',
        group=name,
        rank=rank,
    )
    return phrased(what=what, do=do)


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
    what = phrase("You have stepped down in “{group}”. Thank you for serving.", group=name)
    return [phrased(what=what, do="You need do nothing more.")]


def _duty_problems(desk: Desk, room: Room) -> list[JsonObject]:
    """Say that nobody is on duty, or that no steward was heard from for long."""
    name, off = room.group.founding.name, off_duty_in(desk, room)
    found: list[JsonObject] = []
    people = stewards_of(room)
    if room.group.own.member_pk not in off and people and all(member.pk in off for member in people):
        found.append(
            phrased(
                what=phrase("Nobody is on duty in “{group}” now. Who knocks or reports something waits.", group=name),
                do=phrase('`mesh stewards "{group}"` shows until when. In a crisis: `mesh crisis`.', group=name),
            )
        )
    if all(member.rank > Rank.STEWARD for member in people):
        found.append(
            phrased(
                what=phrase("Nobody in “{group}” is a steward any more.", group=name),
                do=phrase('Begin anew with all: `mesh group fork "{group}"`.', group=name),
            )
        )
    days = silent_days(room)
    if days:
        found.append(
            phrased(
                what=phrase("No steward of “{group}” was heard from for {days} days.", group=name, days=days),
                do=phrase(
                    'Ask the others. If they are gone, begin anew with all: `mesh group fork "{group}"`.', group=name
                ),
            )
        )
    return found
