"""`stewards`: who serves in a group, and the private room of those who do."""

import time

from cyclopts import App

from cli import fields
from cli.commands import reading, talk
from cli.commands.join import WAIT_S, finish, go_on
from cli.commands.talk import Mode
from cli.context import Context
from cli.options import Flag, Here, Seconds, WordOrNone
from cli.output import one_line
from cli.render import shown_id, when
from cli.words import tell
from mesh.errors import Exit, LocalError
from mesh.node.local.protocol import JsonObject
from mesh.phrases import phrase

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
    lines = [tell("You founded the room.")] if fields.flag(told, "founded") else []
    if people := fields.texts(told, "asked"):
        names = ", ".join(one_line(person) for person in people)
        lines.append(tell("Asked in: {names}. Leave your node running.", names=names))
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
    reading.read(_room_id(context, group), unread=unread, context=context)


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
            do=phrase('`mesh stewards open "{group}"` opens it.', group=group),
            code="E-NO-ROOM",
        )
    context.out.say(*_differing(room))
    return fields.text(room, "id")


def _room_lines(told: JsonObject) -> list[str]:
    """Show the room and how it differs from who serves."""
    room = fields.record(told, "room")
    if not room:
        if fields.text(told, "code"):
            return [tell("You are asked into one: `mesh stewards open` brings you there.")]
        return [tell("Your node knows of no room: `mesh stewards open` brings you there.")]
    named, short = one_line(fields.text(room, "name")), shown_id(fields.text(room, "id"))
    members = tell("{count} in it", count=fields.number(room, "members"))
    return [f'"{named}" ({short}) · {members}', *_differing(room)]


def _differing(room: JsonObject) -> list[str]:
    """Say who is in that does not serve, and who serves and is not in."""
    lines = []
    if people := fields.texts(room, "not_serving"):
        names, short = ", ".join(one_line(name) for name in people), shown_id(fields.text(room, "id"))
        lines.append(tell("In it, and not serving now: {names}.", names=names))
        lines.append(tell("They read what is said there. `mesh group remove {room} ALIAS` ends it.", room=short))
    if people := fields.texts(room, "not_in"):
        names = ", ".join(one_line(name) for name in people)
        lines.append(tell("Serving, and not in it: {names}.", names=names))
    return lines


def people_lines(told: JsonObject) -> list[str]:
    """Show who serves, one a line."""
    people = fields.records(told, "stewards")
    if not people:
        return [tell("Nobody in this group is a steward or moderator. `mesh group fork` begins anew with all.")]
    lines = [_person_line(person) for person in people]
    if not fields.number(told, "on_duty"):
        lines.append(tell("Nobody is on duty now: who knocks or reports something waits."))
    if days := fields.number(told, "silent_days"):
        lines.append(tell("No steward was heard from for {days} days. If they are gone: `mesh group fork`.", days=days))
    return lines


def _person_line(person: JsonObject) -> str:
    mine = tell("you") if fields.flag(person, "mine") else ""
    parts = [fields.text(person, "rank"), _duty(person), _term(person), mine]
    return f"{one_line(fields.person(person))} · {' · '.join(part for part in parts if part)}"


def _duty(person: JsonObject) -> str:
    """Say whether somebody is on duty, or off until when."""
    if fields.flag(person, "on_duty"):
        return tell("on duty")
    off = fields.text(person, "off_until")
    return tell("off duty until {time}", time=when(off)) if off else tell("off duty")


def _term(person: JsonObject) -> str:
    """Say until when somebody serves; nothing where no term was set."""
    if not (ends := fields.text(person, "term_until")):
        return ""
    served, serves = tell("served until {time}", time=when(ends)), tell("serves until {time}", time=when(ends))
    return served if fields.flag(person, "term_over") else serves
