"""`shelf`: put up resources, list them, say that one helped, and take one off."""

from mesh.commands import MakeStatement, Rank
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
from mesh.support import shelf
from mesh.support.own import Choices
from mesh.support.shelf import Resource
from mesh.support.slots import first_free, thing_id
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.statements import Form, HelpedValue, RetirementValue


async def add(desk: Desk, params: JsonObject) -> JsonObject:
    """Put a resource on a group's shelf."""
    room = group_named(desk.state, given.text(params, "group"))
    value = shelf.compose(
        made_ms=desk.now().wall_ms,
        title=given.text(params, "title"),
        note=given.text(params, "note", ""),
        link=given.text(params, "link", ""),
        text=given.text(params, "text", ""),
        language=given.text(params, "language", ""),
        review_by=given.day(params, "review_by") or 0,
    )
    dev, standing = room.group.own.dev, resources_of(desk, room)
    subject = first_free(dev, (there.said.subject for there in standing), limits.RESOURCES_MAX)
    if subject is None:
        raise LocalError(
            phrase("there is no room on the shelf for more of yours than {most}", most=limits.RESOURCES_MAX),
            why="everybody's node keeps them all",
            do="`mesh shelf retire` takes one off",
            code="E-SHELF-FULL",
        )
    await desk.ask(MakeStatement(group=room.group.gid, form=Form.RESOURCE, subject=subject, value=encode(value)))
    told = await desk.until(lambda: is_told(room, Form.RESOURCE, subject), given.seconds(params, "wait_s", 2.0))
    _, there = _named(desk, thing_id(Form.RESOURCE, room.group.own.member_pk, value).hex())
    return {"resource": _json(desk, room, there), "told": told}


async def list_resources(desk: Desk, params: JsonObject) -> JsonObject:
    """List what stands on a group's shelf, in the order in which it was put up; the texts are left to `shelf.show`."""
    room = group_named(desk.state, given.text(params, "group"))
    choices, standing = choices_of(desk.store, room.group.gid), resources_of(desk, room)
    shown = [there for there in standing if not _is_left_out(choices, there)][-shelf.SHOWN_MAX :]
    return {
        "resources": each(_json(desk, room, there) | {"text": None} for there in shown),
        "left_out": len(standing) - len(shown),
    }


async def show(desk: Desk, params: JsonObject) -> JsonObject:
    """Show one resource whole, also one that is left out of the list."""
    room, there = _named(desk, given.text(params, "resource"))
    return {"resource": _json(desk, room, there)}


async def helped(desk: Desk, params: JsonObject) -> JsonObject:
    """Say that a resource helped, or take that back; `told`: somebody has been told, or nobody had to be."""
    room, there = _named(desk, given.text(params, "resource"))
    holds = not given.flag(params, "withdraw")
    if holds != (room.group.own.member_pk in there.helped):
        value = encode(HelpedValue(holds=holds))
        gid = room.group.gid
        await desk.ask(MakeStatement(group=gid, form=Form.HELPED, subject=there.id, value=value, takes_back=not holds))
    told = await desk.until(lambda: is_told(room, Form.HELPED, there.id), given.seconds(params, "wait_s", 2.0))
    _, there = _named(desk, there.id.hex())
    return {"resource": _json(desk, room, there), "told": told}


async def retire(desk: Desk, params: JsonObject) -> JsonObject:
    """Take a resource off the shelf: one's own, or as a moderator or more senior."""
    room, there = _named(desk, given.text(params, "resource"))
    if there.said.member != room.group.own.member_pk and room.group.rank > Rank.MODERATOR:
        raise RefusedError(
            "that resource is another member's",
            why="its author takes it off, or a moderator, steward or founder",
            do="ask one of them",
            code="E-NOT-YOUR-RESOURCE",
        )
    shown = _json(desk, room, there)
    command = MakeStatement(
        group=room.group.gid, form=Form.RETIREMENT, subject=there.id, value=encode(RetirementValue())
    )
    await desk.ask(command)
    told = await desk.until(lambda: is_told(room, Form.RETIREMENT, there.id), given.seconds(params, "wait_s", 2.0))
    return {"retired": shown, "told": told}


# ---------------------------------------------------------------- what stands there


def resources_of(desk: Desk, room: Room) -> list[Resource]:
    """Return what stands on a group's shelf now."""
    wall_ms = desk.now().wall_ms
    said = (counting(room, form, wall_ms) for form in (Form.RESOURCE, Form.RETIREMENT, Form.HELPED))
    return shelf.fold(*said)


def _named(desk: Desk, name: str) -> tuple[Room, Resource]:
    """Return the resource with this id prefix, and its group; LocalError."""
    found = {there.id: (room, there) for room in desk.state.rooms.values() for there in resources_of(desk, room)}
    return found[thing_named("resource", name, found, "`mesh shelf list GROUP` shows the ids")]


def _is_left_out(choices: Choices, there: Resource) -> bool:
    texts = (there.value.title, there.value.note, there.value.text)
    return choices.leaves_out(there.said.member, *texts)


def _json(desk: Desk, room: Room, there: Resource) -> JsonObject:
    value, own = there.value, room.group.own.member_pk
    return {
        "id": there.id.hex(),
        "group": room.group.gid.hex(),
        "title": value.title,
        "note": value.note,
        "link": value.link or None,
        "text": value.text or None,
        "language": value.language or None,
        "review_by": iso_day(value.review_by),
        "overdue": there.is_overdue(today(desk)),
        "author": person(room, there.said.member),
        "mine": there.said.member == own,
        "at": iso(there.said.ts_ms),
        "helped": len(there.helped),
        "helped_me": own in there.helped,
        "waits": there.said.waits,
    }
