"""`device`: several machines of one person, each a device of its own in every group."""

import time
from typing import Final

from cyclopts import App

from cli import fields
from cli.ask import confirm, given_line
from cli.commands.home import require_identity
from cli.commands.invite import picture
from cli.context import Context
from cli.foresight import device_lines
from cli.options import Flag, Here, Seconds
from cli.output import one_line
from cli.render import shown_id, when
from cli.words import tell, tell_each, tell_many
from mesh.errors import LocalError
from mesh.node.local.api import Api
from mesh.node.local.protocol import JsonObject
from mesh.phrases import phrase

WAIT_S: Final = 60
SLICE_S: Final = 20  # one question to the node waits this long at most, so that Ctrl-C is noticed

app = App(name="device", help="Your devices: add another, list, remove one.")


@app.command
def add(*, name: str = "", this: str = "", qr: Flag = False, context: Here) -> None:
    """Show a code that brings another machine of yours into all your groups.

    On the other machine: `mesh init --words`, with the same 24 words, then `mesh up`, then `mesh device join` with this
    code. It is good for 15 minutes and for one machine, while your node runs. Nobody can do anything with it who does
    not have your words. Groups that you join later on one machine are brought over by doing this again; what is
    there already is passed over.

    mesh device add --name phone --this laptop

    Parameters
    ----------
    name
        What the other machine is called in `mesh device list`. Only your own devices know these names.
    this
        What this one is called.
    qr
        Also show the code as a picture to be scanned.
    """
    with context.api() as api:
        told = context.with_passphrase(
            lambda: api.call("device.add", {"name": name, "this": this, "passphrase": context.passphrase()})
        )
    code = fields.text(told, "code")
    context.out.result(told, [code])
    context.out.say(
        tell_many(
            "Good for one machine until {time}, while your node runs. It brings over {count} group.",
            "Good for one machine until {time}, while your node runs. It brings over {count} groups.",
            count=fields.number(told, "groups"),
            time=when(fields.text(told, "expires")),
        ),
        tell("There: `mesh init --words`, `mesh up`, then `mesh device join` with this code."),
        tell("Without your 24 words it is worth nothing."),
    )
    if not fields.number(told, "addresses"):
        context.out.say(tell("It has no part after #: your node knows no address of its own, and may not be found."))
    if qr and not context.out.json:
        context.out.result({}, picture(code))


@app.command
def join(code: str | None = None, /, *, wait: Seconds = WAIT_S, context: Here) -> None:
    """Enter all groups of another machine of yours, with the code that `mesh device add` shows there.

    What is said from now on comes to both. What stops this half-way does no harm: run it again.

    Parameters
    ----------
    code
        The whole code, with what follows #; - reads it from stdin.
    wait
        How long to look for the other machine, and to wait for each next group.
    """
    require_identity(context)
    code = given_line(code, "The code", instead=phrase("CODE, or - for stdin"))
    if not code:
        raise LocalError("No code was given.", do="Run it again, and paste the code.", code="E-VALUE-NEEDED")
    with context.api() as api:
        context.out.say(tell("Looking for your other device …"))
        told = _wait_for_all(context, api, code, wait)
    if fields.text(told, "state") == "looking":
        raise LocalError(
            "Your other device did not answer.",
            why="It has to run, and to be reached from here, while it shows the code."
            if "#" in code
            else "The code had no part after #, which says where to look.",
            do="See that `mesh up` runs on both, show a new code there with `mesh device add`, and try again."
            if "#" in code
            else "Run it again with the whole code, as `mesh device add` shows it there.",
            code="E-NO-ANSWER",
        )
    context.out.result(told, _joined_lines(told))


def _wait_for_all(context: Context, api: Api, code: str, wait: int) -> JsonObject:
    """Ask until all groups have come, or no further one has for so many seconds."""
    came, end = -1, time.monotonic() + wait
    while True:
        slice_s = min(SLICE_S, max(0.0, end - time.monotonic()))
        told = _ask_to_join(context, api, code, slice_s)
        now = len(fields.records(told, "entered")) + len(fields.records(told, "refused"))
        if fields.text(told, "state") != "looking" and now > came:
            came, end = now, time.monotonic() + wait
        if fields.text(told, "state") == "done" or time.monotonic() >= end:
            return told


def _ask_to_join(context: Context, api: Api, code: str, wait_s: float) -> JsonObject:
    return context.with_passphrase(
        lambda: api.call("device.join", {"code": code, "wait_s": wait_s, "passphrase": context.passphrase()})
    )


def _joined_lines(told: JsonObject) -> list[str]:
    entered, here = fields.records(told, "entered"), fields.records(told, "here")
    lines = [tell("This device is now in {group}.", group=one_line(fields.text(group, "name"))) for group in entered]
    if here:
        lines.append(
            tell_many("It was in {count} group already.", "It was in {count} groups already.", count=len(here))
        )
    if not entered and not here:
        lines.append(tell("Your other device is in no group yet. Once it is, run `mesh device add` there again."))
    lines += [
        tell(
            "Not entered: {group}: {why}.",
            group=shown_id(fields.text(group, "id")),
            why=one_line(fields.said(group, "why")),
        )
        for group in fields.records(told, "refused")
    ]
    if fields.text(told, "state") != "done":
        lines.append(tell("Not all groups have come. Run it again, with the same code while it is good."))
    elif entered:
        lines.append(tell("What is said from now on comes here too."))
    return lines


@app.command(name="list")
def list_(*, context: Here) -> None:
    """List your devices, as far as this one knows.

    A device that another of yours has added, and that this one has not been paired with, is shown by its id alone.
    """
    told = context.call("device.list")
    context.out.result(told)
    context.out.table(
        tell_each("name", "since", "groups", "note", "id"),
        [
            (
                one_line(fields.text(device, "name")),
                when(fields.text(device, "since")),
                str(fields.number(device, "groups")),
                tell("this one") if fields.flag(device, "current") else "",
                shown_id(fields.text(device, "id")),
            )
            for device in fields.records(told, "devices")
        ],
    )
    if unknown := fields.records(told, "unknown"):
        context.out.heading(tell("Yours, and not paired with this one"))
        context.out.table(
            tell_each("group", "id"),
            [
                (one_line(fields.text(fields.record(entry, "group"), "name")), shown_id(fields.text(entry, "id")))
                for entry in unknown
            ],
        )


@app.command
def remove(device: str, /, *, context: Here) -> None:
    """Remove a device of yours from your groups: one that is lost, stolen or no longer used.

    It need not be reachable. Each group gets a new key, and what is said from then on stays closed to that device; what
    it has stored already, it has. All open invite codes of these groups are closed with it, as far as your rank may
    close them. Whoever has it cannot add it again: that takes your 24 words, and those lie there behind your
    passphrase.

    Parameters
    ----------
    device
        Its name, or the beginning of its id, in `mesh device list`.
    """
    with context.api() as api:
        would = api.call("device.remove.check", {"device": device})
        if not context.yes:
            *lines, question = device_lines(would)
            context.out.insist(*lines)
            if not confirm(question, instead="--yes"):
                raise LocalError(
                    "Nothing was removed.",
                    why="You did not confirm.",
                    do="Run it again if you want it after all.",
                    code="E-NOT-CONFIRMED",
                )
        asked = fields.text(fields.record(would, "device"), "id")  # what was named is what is removed
        told = context.signed(api, "device.remove", {"device": asked})
    context.out.result(told, _removed_lines(context, told))


def _removed_lines(context: Context, told: JsonObject) -> list[str]:
    lines = [
        tell(
            "Removed from {group}: {count} of {members} have seen it.",
            group=one_line(fields.text(group, "name")),
            count=fields.number(group, "seen_by"),
            members=fields.number(group, "members"),
        )
        for group in fields.records(told, "groups")
    ]
    lines += [
        tell(
            "Not removed from {group}: {why}.",
            group=one_line(fields.text(group, "name")),
            why=one_line(fields.said(group, "why")),
        )
        for group in fields.records(told, "refused")
    ]
    if not lines:
        lines.append(tell("It was in no group that is here; it is forgotten."))
    if count := fields.number(told, "elsewhere"):
        lines.append(
            tell_many(
                "It may be in {count} group that this device is not in: remove it from another too.",
                "It may be in {count} groups that this device is not in: remove it from another too.",
                count=count,
            )
        )
    if not context.node_up:
        lines.append(tell("Your node is not running: the others hear of it once `mesh up` runs."))
    return lines
