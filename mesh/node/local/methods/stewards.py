"""`stewards`, `steward …`: who serves, who is on duty, terms that end, and handing over to somebody else."""

from contextlib import suppress
from typing import Final

from mesh.commands import MakeStatement, Rank, SetRank
from mesh.errors import LocalError, RefusedError
from mesh.ids import GroupId, MemberPk
from mesh.membership.views import Member
from mesh.node.local.methods import given
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.names import group_named
from mesh.node.local.methods.pace import read_until
from mesh.node.local.methods.shown import each, first_seen_ms, iso, person
from mesh.node.local.protocol import JsonObject
from mesh.peer import terms
from mesh.peer.rights import require_in
from mesh.peer.state import Room
from mesh.peer.statements import counting
from mesh.peer.stating import is_told, require_may
from mesh.phrases import phrase
from mesh.support import stewards
from mesh.support.stewards import DAY_MS
from mesh.wire.codec import Record, encode
from mesh.wire.statements import DutyValue, Form, TermValue

SILENT_DAYS: Final = 30  # without a word of any steward, while others spoke; ours


async def list_stewards(desk: Desk, params: JsonObject) -> JsonObject:
    """List founders, stewards and moderators, who of them is on duty, and until when they say that they serve."""
    room = group_named(desk.state, given.text(params, "group"))
    people = stewards_of(room)
    off = off_duty_in(desk, room)
    return {
        "group": {"id": room.group.gid.hex(), "name": room.group.founding.name},
        "stewards": each(_steward(desk, room, member, off) for member in people),
        "on_duty": sum(member.pk not in off for member in people),
        "silent_days": silent_days(room),
    }


def stewards_of(room: Room) -> list[Member]:
    """Return founders, stewards and moderators, the most senior first."""
    members = room.group.view.members.values()
    return sorted((m for m in members if m.rank <= Rank.MODERATOR), key=lambda m: (m.rank, m.alias, m.pk))


def _steward(desk: Desk, room: Room, member: Member, off: dict[MemberPk, int]) -> JsonObject:
    """Describe one; `term_until` is their own word, or for oneself what one's node holds one to."""
    wall_ms, mine = desk.now().wall_ms, member.pk == room.group.own.member_pk
    ends = terms.own_end_ms(room, wall_ms) if mine else terms.stated_end_ms(room, member.pk, wall_ms)
    until_ms = off.get(member.pk)
    return {
        **person(room, member.pk),
        "rank": member.rank.name.lower(),
        "mine": mine,
        "on_duty": until_ms is None,
        "off_until": iso(until_ms) if until_ms else None,
        "term_until": None if ends is None else iso(ends),
        "term_over": ends is not None and desk.now().wall_ms >= ends,
    }


# ---------------------------------------------------------------- duty


async def duty(desk: Desk, params: JsonObject) -> JsonObject:
    """Be on duty, or off, until a time or until one says so; `told`: somebody has been told."""
    room = group_named(desk.state, given.text(params, "group"))
    require_may(room, stewards.DUTY)
    on, until, wall_ms = given.flag(params, "on"), given.maybe_text(params, "until"), desk.now().wall_ms
    until_ms = 0 if until is None or on else read_until(until, wall_ms, stewards.DUTY_DAYS_MAX)
    before = stewards.off_duty(counting(room, Form.DUTY, wall_ms), wall_ms).get(room.group.own.member_pk)
    if before != (None if on else until_ms):
        await _state(desk, room, Form.DUTY, b"", DutyValue(on=on, until_ms=until_ms))
    told = await desk.until(lambda: is_told(room, Form.DUTY, b""), given.seconds(params, "wait_s", 2.0))
    return await list_stewards(desk, {"group": room.group.gid.hex()}) | {"told": told}


async def _state(desk: Desk, room: Room, form: Form, subject: bytes, value: Record) -> None:
    await desk.ask(MakeStatement(group=room.group.gid, form=form, subject=subject, value=encode(value)))


def off_duty_in(desk: Desk, room: Room) -> dict[MemberPk, int]:
    """Return who is off duty in a group now, and until when (0: until they say so)."""
    wall_ms = desk.now().wall_ms
    return stewards.off_duty(counting(room, Form.DUTY, wall_ms), wall_ms)


def is_off_duty(desk: Desk, gid: GroupId | None) -> bool:
    """Say whether we are off duty in a group: then nothing of what waits for stewards is told unasked."""
    room = None if gid is None else desk.state.rooms.get(gid)
    return room is not None and room.group.own.member_pk in off_duty_in(desk, room)


# ---------------------------------------------------------------- terms


async def term(desk: Desk, params: JsonObject) -> JsonObject:
    """Show one's own term; set it anew (`days`, `renew`), or step down at once (`end`)."""
    room = group_named(desk.state, given.text(params, "group"))
    me = require_steward(room)
    if given.flag(params, "end"):
        await step_down(desk, room, given.text(params, "passphrase"))
        return {"term": _term(desk, room), "stepped_down": True, "told": True}
    days = given.maybe_number(params, "days")
    set_days = terms.term_days(room.group)
    if days is None and given.flag(params, "renew"):
        days = set_days or stewards.TERM_DAYS
    told = True
    if days is not None:
        if not 1 <= days <= (set_days or stewards.TERM_DAYS_MAX):
            raise LocalError(
                phrase("a term lasts 1 to {most} days here", most=set_days or stewards.TERM_DAYS_MAX),
                why="the group has set how long, for all who serve",
                do="name fewer days, or change that: `mesh group set GROUP steward-term DAYS`",
                code="E-TERM",
            )
        until_ms = desk.now().wall_ms + days * DAY_MS
        await _state(desk, room, Form.TERM, me.grant, TermValue(until_ms=until_ms))
        wait_s = given.seconds(params, "wait_s", 2.0)
        told = await desk.until(lambda: is_told(room, Form.TERM, me.grant), wait_s)
    return {"term": _term(desk, room), "stepped_down": False, "told": told}


def require_steward(room: Room) -> Member:
    """Return ourselves; RefusedError for one who is neither steward nor founder."""
    require_in(room)
    me = room.group.me
    if me is None or me.rank > Rank.STEWARD:
        raise RefusedError(
            "you are no steward of this group",
            why="only founders and stewards serve for a term",
            do="`mesh stewards GROUP` shows who is one",
            code="E-NO-STEWARD",
        )
    return me


def _term(desk: Desk, room: Room) -> JsonObject:
    wall_ms = desk.now().wall_ms
    ends = terms.own_end_ms(room, wall_ms)
    return {
        "group": {"id": room.group.gid.hex(), "name": room.group.founding.name},
        "rank": room.group.rank.name.lower(),
        "until": None if ends is None else iso(ends),
        "over": terms.is_over(room, wall_ms),
        "others": each(person(room, pk) for pk in terms.who_could_go_on(room.group)),
    }


async def step_down(desk: Desk, room: Room, passphrase: str) -> None:
    """Become a plain member. RefusedError if nobody would be left to go on; LockedError."""
    own = room.group.own
    seed = await desk.member_seed_for(passphrase, own.join_nonce)
    await desk.ask(SetRank(group=room.group.gid, member=own.member_pk, rank=Rank.MEMBER, member_seed=seed))


async def end_terms(desk: Desk, passphrase: str, wait_s: float = 0.0) -> list[str]:
    """Step down wherever our term is over and whoever goes on is there; return the names of these groups.

    `wait_s`: how long that is looked for; the passphrase is held as long.
    """
    tried: set[GroupId] = set()
    ended: list[str] = []

    def due() -> list[Room]:
        rooms = [room for gid, room in desk.state.rooms.items() if gid not in tried]
        return [room for room in rooms if terms.ends_by_itself(desk.state, room, desk.now())]

    until_ms = desk.now().mono_ms + int(wait_s * 1000)
    while await desk.until(lambda: bool(due()), max(0.0, (until_ms - desk.now().mono_ms) / 1000)):
        for room in due():
            tried.add(room.group.gid)
            with suppress(LocalError):  # nobody is left to go on after all, or the group takes nothing from us now
                await step_down(desk, room, passphrase)
                ended.append(room.group.founding.name)
    return ended


# ---------------------------------------------------------------- being heard from


def silent_days(room: Room) -> int | None:
    """Return for how many days no steward was heard from, if it is many; None too where nobody else was heard either.

    So a machine that was off for long blames nobody. Who says no beacons and nothing else cannot be told from one who
    is gone.
    """
    seniors = {m.pk for m in room.group.view.members.values() if m.rank <= Rank.STEWARD}
    if room.group.rank <= Rank.STEWARD:
        return None
    heard = {pk: _heard_ms(room, room.group.view.members[pk]) for pk in room.group.others}
    others = [at for pk, at in heard.items() if pk not in seniors]
    last = max((heard[pk] for pk in seniors), default=0)
    days = (max(others, default=0) - last) // DAY_MS
    return int(days) if last and days >= SILENT_DAYS else None


def _heard_ms(room: Room, member: Member) -> int:
    """Return when a member was last heard from; when they were first seen here, if never."""
    heard = max((room.tracks[dev].heard_ms for dev in member.devices if dev in room.tracks), default=0)
    return max(heard, first_seen_ms(room, member) or 0)
