"""`stewards`: who serves in a group, and the private room of those who do."""

import time

from cyclopts import App

from cli import fields
from cli.commands import talk
from cli.commands.join import WAIT_S, finish, go_on
from cli.commands.talk import Mode
from cli.context import Context
from cli.options import Flag, Here, Seconds, WordOrNone
from cli.output import one_line
from cli.render import shown_id, when
from mesh.errors import Exit, LocalError
from mesh.node.local.protocol import JsonObject

app = App(name="stewards", help="Who serves in a group; the private room of those who do: open, list, read, post.")


@app.default
def show(group: str, /, *, context: Here) -> None:
    """Show who serves in a group, who of them is on duty, and until when each serves.

    What others say of their duty and their term is their own word. Nobody can say it for them. A changed program can
    say what it likes of itself. For example:

    mesh stewards "Tuesday grief"

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    """
    told = context.call("stewards.list", {"group": group})
    context.out.result(told, people_lines(told))


@app.command(name="open")
def open_(group: str, /, *, alias: WordOrNone = None, wait: Seconds = WAIT_S, context: Here) -> int:
    """Open the private room of the founders and stewards of a group, or come into it; ask in who was not asked yet.

    It is a group of its own. The first who opens it founds it. The others are asked in under seal: members see that a
    note was sent, and not what it says. It does not follow who serves by itself. When that changes, `mesh status` says
    so: run this again to ask in who is new, and `mesh group remove` takes out who does not serve any more. Who founded
    the room can do that, and whom they gave a rank there. Until then those people read what is said there. For example:

    mesh stewards open "Tuesday grief"

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    alias
        What you are called in the room; as in the group, if left out. By it the others know who you are.
    wait
        How long to wait before leaving it to the node.
    """
    end = time.monotonic() + wait
    with context.api() as api:
        shown = api.call("stewards.room", {"group": group})
        if code := fields.text(shown, "code"):
            called = alias or fields.text(shown, "alias")
            told = go_on(context, api, api.call("join.start", {"code": code}), called, agree=True, end=end)
            if fields.text(fields.record(told, "join"), "state") != "joined":
                return finish(context, told)
            shown = api.call("stewards.room", {"group": group})
            context.out.result(shown, _room_lines(shown))
            return Exit.OK
        asked: JsonObject = {"group": group}
        there = bool(fields.record(shown, "room"))
        told = api.call("stewards.open", asked) if there else context.signed(api, "stewards.open", asked)
    lines = ["You founded the room."] if fields.flag(told, "founded") else []
    if people := fields.texts(told, "asked"):
        lines.append(f"Asked in: {', '.join(one_line(person) for person in people)}. Leave your node running.")
    context.out.result(told, [*lines, *_room_lines(told)])
    context.say_unheard()
    return Exit.OK


@app.command(name="list")
def list_(group: str, /, *, context: Here) -> None:
    """Show the private room, and who is in it that does not serve, or serves and is not in it.

    Keys in the room are others than in the group, so people are compared by alias: whoever is in the room could take
    any. For example: mesh stewards list "Tuesday grief".

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    """
    told = context.call("stewards.room", {"group": group})
    context.out.result(told, _room_lines(told))


@app.command
def read(group: str, /, *, unread: Flag = False, context: Here) -> None:
    """Read the private room of a group. For example: mesh stewards read "Tuesday grief".

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    unread
        Only what you have not read yet.
    """
    talk.read(_room_id(context, group), unread=unread, context=context)


@app.command
def post(group: str, text: str | None = None, /, *, mode: Mode | None = None, wait: Seconds = 2, context: Here) -> int:
    """Say something in the private room of a group. For example: mesh stewards post "Tuesday grief".

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    text
        What you want to say; left out it is asked for, - reads it from stdin.
    mode
        What you wish for in answers.
    wait
        How long to wait until somebody has it.
    """
    return talk.post(_room_id(context, group), text, mode=mode, wait=wait, context=context)


def _room_id(context: Context, group: str) -> str:
    """Return the id of the room that one is in, having said who is in it that does not serve. LocalError."""
    told = context.call("stewards.room", {"group": group})
    room = fields.record(told, "room")
    if not room:
        raise LocalError(
            "You are in no private room of this group.",
            do=f'`mesh stewards open "{group}"` opens it.',
            code="E-NO-ROOM",
        )
    context.out.say(*_differing(room))
    return fields.text(room, "id")


def _room_lines(told: JsonObject) -> list[str]:
    """Show the room and how it differs from who serves."""
    room = fields.record(told, "room")
    if not room:
        asked = "You are asked into one" if fields.text(told, "code") else "Your node knows of no room"
        return [f"{asked}: `mesh stewards open` brings you there."]
    named, short = one_line(fields.text(room, "name")), shown_id(fields.text(room, "id"))
    return [f'"{named}" ({short}) · {fields.number(room, "members")} in it', *_differing(room)]


def _differing(room: JsonObject) -> list[str]:
    """Say who is in that does not serve, and who serves and is not in."""
    lines = []
    if people := fields.texts(room, "not_serving"):
        lines.append(f"In it, and not serving now: {', '.join(one_line(name) for name in people)}.")
        lines.append(
            f"They read what is said there. `mesh group remove {shown_id(fields.text(room, 'id'))} ALIAS` ends it."
        )
    if people := fields.texts(room, "not_in"):
        lines.append(f"Serving, and not in it: {', '.join(one_line(name) for name in people)}.")
    return lines


def people_lines(told: JsonObject) -> list[str]:
    """Show who serves, one a line."""
    people = fields.records(told, "stewards")
    if not people:
        return ["Nobody in this group is a steward or moderator. `mesh group fork` begins anew with all."]
    lines = [_person_line(person) for person in people]
    if not fields.number(told, "on_duty"):
        lines.append("Nobody is on duty now: who knocks or reports something waits.")
    if days := fields.number(told, "silent_days"):
        lines.append(f"No steward was heard from for {days} days. If they are gone: `mesh group fork`.")
    return lines


def _person_line(person: JsonObject) -> str:
    off = fields.text(person, "off_until")
    duty = "on duty" if fields.flag(person, "on_duty") else f"off duty until {when(off)}" if off else "off duty"
    ends = fields.text(person, "term_until")
    served = f"served until {when(ends)}" if fields.flag(person, "term_over") else f"serves until {when(ends)}"
    parts = [fields.text(person, "rank"), duty, served if ends else "", "you" if fields.flag(person, "mine") else ""]
    return f"{one_line(fields.person(person))} · {' · '.join(part for part in parts if part)}"
