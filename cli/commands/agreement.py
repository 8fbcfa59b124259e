"""`group agreement`: what the members of a group agree on: shown, changed, said yes to."""

from collections.abc import Callable
from pathlib import Path

from cyclopts import App

from cli import agreements, fields
from cli.ask import can_ask, confirm, given_text, read_file
from cli.context import Context
from cli.group_lines import agreement_lines, said_yes_line
from cli.options import Here, Seconds
from cli.output import one_line
from cli.prompted import call_with_words
from cli.told import told_code
from cli.words import in_english, tell
from mesh.errors import LocalError
from mesh.node.local.protocol import JsonObject
from mesh.phrases import phrase

app = App(name="agreement", help="What the members of a group agree on: show, edit, accept.")


@app.command
def show(group: str, /, *, context: Here) -> None:
    """Show a group's agreement, how many have said yes to it, and what is new in it for you.

    A yes binds people, not software: it stops nobody's program from doing anything.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    """
    told = context.call("group.agreement", {"group": group, "action": "show", "text": None})
    context.out.result(told, _lines(told))
    if fields.record(told, "accepted").get("mine") is False and fields.text(fields.record(told, "agreement"), "text"):
        context.out.say(
            tell("You have not said yes to it yet: `mesh group agreement accept` does. You can read as before.")
        )


@app.command
def edit(group: str, file: Path | None = None, /, *, context: Here) -> None:
    """Publish a new version of a group's agreement.

    Whoever joins from then on agrees to it. Each member is asked anew: their `mesh status` says so, and shows what
    changed. Until they say yes they read and post as before. If posts are to wait for that, set `agreement-first` with
    `mesh group set`. `mesh group agreement template` prints a text to start from. For example:

    mesh group agreement edit "Tuesday grief" agreement.txt

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    file
        A file with the text; - reads it from stdin.
    """
    text = read_file(file) if file else None
    told = call_with_words(
        context,
        "group.agreement",
        {"group": group, "action": "edit"},
        {"text": (text, lambda: given_text(text, "The new agreement", instead=phrase("FILE, or - for stdin")))},
    )
    version = fields.number(fields.record(told, "agreement"), "version")
    if told.get("changed") is False:
        context.out.result(
            told, [tell("Nothing changed: version {version} of the agreement says just that.", version=version)]
        )
        return
    context.out.result(told, [tell("Version {version} of the agreement is published.", version=version)])
    context.say_unheard()
    context.out.say(tell("Each member is asked anew. You have said yes by writing it."))


@app.command
def accept(group: str, /, *, wait: Seconds = 2, context: Here) -> int:
    """Say yes to the agreement as it stands now. It is shown first.

    All in the group can see that you did. A yes cannot be taken back; whoever does not want it any more can say so, or
    leave. It binds people, not software. For example:

    mesh group agreement accept "Tuesday grief"

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    wait
        How long to wait until somebody is told.
    """
    with context.api() as api:
        shown = api.call("group.agreement", {"group": group, "action": "show", "text": None})
        if not context.yes:
            context.out.insist(*_lines(shown))
            if not confirm("Do you say yes to it?", instead="--yes"):
                raise LocalError("You have not said yes.", do="You can read as before.", code="E-NOT-CONFIRMED")
        asked: JsonObject = {"group": group, "action": "accept", "hash": fields.text(shown, "hash"), "wait_s": wait}
        told = api.call("group.agreement", asked)
    context.out.result(told, [f"{tell('You have said yes.')} {said_yes_line(told)}"])
    return told_code(context, told)


@app.command
def template(*, context: Here) -> None:
    """Print an agreement to start from: change it, then give its file to `group create` or `group agreement edit`.

    It has lines for age, for safeguarding duties, for what stays here and its limits, and for a crisis. It is no legal
    advice. For example:

    mesh group agreement template > agreement.txt
    """
    _print(context, agreements.template)


@app.command
def sheet(*, context: Here) -> None:
    """Print what a steward may promise newcomers, and what not. For example: mesh group agreement sheet.

    It is a text: it is as true as what it rests on, and binds no program.
    """
    _print(context, agreements.sheet)


def _print(context: Context, text: Callable[[], str]) -> None:
    """Print a text that ships: to a person in their language, to a script in English."""
    with in_english():
        told: JsonObject = {"text": text()}
    context.out.result(told, [text().rstrip("\n")])


def offered_agreement(context: Context) -> str:
    """Offer the text that ships to one who founds a group at a terminal, in their language; a script gets none."""
    if not can_ask() or context.yes or context.out.json:
        return ""
    text = agreements.template()
    context.out.insist(tell("A group can have an agreement. This one ships; you can change it at any time:"), "")
    context.out.insist(*(f"    {line}" for line in text.splitlines()), "")
    return text if confirm("Begin with this agreement?", instead="--agreement FILE") else ""


def _lines(told: JsonObject) -> list[str]:
    """Show the agreement, who has said yes, and what is new in it."""
    agreement = fields.record(told, "agreement")
    lines = agreement_lines(agreement)
    if fields.text(agreement, "text") and told.get("accepted"):
        lines.append(said_yes_line(told))
    if changes := fields.records(told, "changes"):
        lines.append(tell("What is new for you (- went, + came):"))
        lines += [f"  {fields.text(line, 'sign')} {one_line(fields.text(line, 'text'))}" for line in changes]
    return lines
