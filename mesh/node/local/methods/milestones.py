"""`milestone`: put up one's own, list all, take one's own down, and congratulate where that was asked for."""

from mesh.commands import MakeStatement
from mesh.errors import LocalError, RefusedError
from mesh.node.local.methods import given
from mesh.node.local.methods.chosen import choices_of
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.names import group_named, thing_named
from mesh.node.local.methods.shown import each, iso, iso_day, person, today
from mesh.node.local.protocol import JsonObject
from mesh.peer.state import Room
from mesh.peer.statements import counting
from mesh.peer.stating import is_told
from mesh.phrases import phrase
from mesh.support import milestones
from mesh.support.milestones import Count, Milestone
from mesh.support.slots import first_free, thing_id
from mesh.support.statements import Said
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.statements import CongratulationValue, Form


async def add(desk: Desk, params: JsonObject) -> JsonObject:
    """Put up a milestone of one's own."""
    room, now = group_named(desk.state, given.text(params, "group")), today(desk)
    since = given.day(params, "since")
    value = milestones.compose(
        made_ms=desk.now().wall_ms,
        text=given.text(params, "text"),
        since=now if since is None else since,
        count=given.text(params, "count", "days"),
        invited=given.flag(params, "invite"),
        today=now,
    )
    taken = (there.said.subject for there in _standing(desk, room))
    subject = first_free(room.group.own.dev, taken, limits.MILESTONES_MAX)
    if subject is None:
        raise LocalError(
            phrase("there is no room for more milestones of yours than {most}", most=limits.MILESTONES_MAX),
            why="everybody's node keeps them all",
            do="`mesh milestone reset` takes one down",
            code="E-MILESTONES",
        )
    await desk.ask(MakeStatement(group=room.group.gid, form=Form.MILESTONE, subject=subject, value=encode(value)))
    told = await desk.until(lambda: is_told(room, Form.MILESTONE, subject), given.seconds(params, "wait_s", 2.0))
    _, there = _named(desk, thing_id(Form.MILESTONE, room.group.own.member_pk, value).hex())
    return {"milestone": _json(desk, room, there), "told": told}


async def list_milestones(desk: Desk, params: JsonObject) -> JsonObject:
    """List a group's milestones, in the order in which they were put up."""
    room = group_named(desk.state, given.text(params, "group"))
    choices, standing = choices_of(desk.store, room.group.gid), _standing(desk, room)
    shown = [there for there in standing if not choices.leaves_out(there.said.member, there.value.text)]
    shown = shown[-milestones.SHOWN_MAX :]
    return {"milestones": each(_json(desk, room, there) for there in shown), "left_out": len(standing) - len(shown)}


async def reset(desk: Desk, params: JsonObject) -> JsonObject:
    """Take down a milestone of one's own, from whichever device of one's own put it up."""
    room, there = _named(desk, given.text(params, "milestone"))
    if there.said.member != room.group.own.member_pk:
        raise RefusedError(
            "that milestone is not yours",
            why="milestones belong to those who put them up",
            do="`mesh mute` or `mesh block` leaves them out for you alone",
            code="E-NOT-YOUR-MILESTONE",
        )
    subject, shown = there.said.subject, {"id": there.id.hex(), "group": room.group.gid.hex()}
    command = MakeStatement(
        group=room.group.gid, form=Form.MILESTONE, subject=subject, value=encode(milestones.DOWN), takes_back=True
    )
    await desk.ask(command)
    told = await desk.until(lambda: is_told(room, Form.MILESTONE, subject), given.seconds(params, "wait_s", 2.0))
    return {"reset": {**shown}, "told": told}


async def congratulate(desk: Desk, params: JsonObject) -> JsonObject:
    """Congratulate, where that was asked for, or take that back."""
    room, there = _named(desk, given.text(params, "milestone"))
    if not there.value.invited or there.said.member == room.group.own.member_pk:
        raise RefusedError(
            "its author did not ask for that",
            why="a milestone is its author's, and some are best left quiet",
            do="where it says that congratulations are welcome, they are",
            code="E-NOT-INVITED",
        )
    holds = not given.flag(params, "withdraw")
    value = milestones.compose_congratulation(given.text(params, "text", ""), holds=holds)
    command = MakeStatement(
        group=room.group.gid, form=Form.CONGRATULATION, subject=there.id, value=encode(value), takes_back=not holds
    )
    await desk.ask(command)
    told = await desk.until(lambda: is_told(room, Form.CONGRATULATION, there.id), given.seconds(params, "wait_s", 2.0))
    _, there = _named(desk, there.id.hex())
    return {"milestone": _json(desk, room, there), "told": told}


# ---------------------------------------------------------------- what stands


def _standing(desk: Desk, room: Room) -> list[Milestone]:
    wall_ms = desk.now().wall_ms
    return milestones.fold(*(counting(room, form, wall_ms) for form in (Form.MILESTONE, Form.CONGRATULATION)))


def _named(desk: Desk, name: str) -> tuple[Room, Milestone]:
    """Return the milestone with this id prefix, and its group; LocalError."""
    found = {there.id: (room, there) for room in desk.state.rooms.values() for there in _standing(desk, room)}
    return found[thing_named("milestone", name, found, "`mesh milestone list GROUP` shows the ids")]


def _json(desk: Desk, room: Room, there: Milestone) -> JsonObject:
    value, own = there.value, room.group.own.member_pk
    choices, words = choices_of(desk.store, room.group.gid), there.congratulations
    shown = [word for word in words if not choices.leaves_out(word.member, _words(word))]
    return {
        "id": there.id.hex(),
        "group": room.group.gid.hex(),
        "text": value.text,
        "since": iso_day(value.since),
        "count": Count(value.count).name.lower(),
        "elapsed": milestones.elapsed(value.since, value.count, today(desk)),
        "invited": value.invited,
        "author": person(room, there.said.member),
        "mine": there.said.member == own,
        "at": iso(there.said.ts_ms),
        "congratulated": len(words),
        "congratulated_by_me": any(word.member == own for word in words),
        "congratulations": each(
            {"author": person(room, word.member), "text": _words(word) or None, "at": iso(word.ts_ms)}
            for word in shown[-milestones.CONGRATULATIONS_SHOWN_MAX :]
        ),
        "waits": there.said.waits,
    }


def _words(word: Said) -> str:
    return word.value.text if isinstance(word.value, CongratulationValue) else ""
