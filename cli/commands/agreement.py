"""`group agreement`: what the members of a group agree on, shown and changed."""

from pathlib import Path

from cyclopts import App

from cli import fields
from cli.ask import given_text, read_file
from cli.group_lines import agreement_lines
from cli.options import Here

app = App(name="agreement", help="What the members of a group agree on.")


@app.command
def show(group: str, /, *, context: Here) -> None:
    """Show a group's agreement.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    """
    told = context.call("group.agreement", {"group": group, "action": "show", "text": None})
    context.out.result(told, agreement_lines(fields.record(told, "agreement")))


@app.command
def edit(group: str, file: Path | None = None, /, *, context: Here) -> None:
    """Publish a new version of a group's agreement.

    Whoever joins from then on agrees to it. Members can read it with `mesh group agreement show`; nothing tells them of
    it by itself, and nobody is asked to agree anew.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    file
        A file with the text; - reads it from stdin.
    """
    text = read_file(file) if file else given_text(None, "The new agreement", instead="FILE, or - for stdin")
    told = context.call("group.agreement", {"group": group, "action": "edit", "text": text})
    version = fields.number(fields.record(told, "agreement"), "version")
    if told.get("changed") is False:
        context.out.result(told, [f"Nothing changed: version {version} of the agreement says just that."])
        return
    context.out.result(told, [f"Version {version} of the agreement is published."])
    context.say_unheard()
    context.out.say("Members are not told of it by themselves: say it to them, with a post.")
