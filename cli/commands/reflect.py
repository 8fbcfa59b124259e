"""`reflect`: private notes of what one gave and received. They stay in the encrypted store of this device."""

from typing import Annotated, Literal

from cyclopts import App, Parameter

from cli import fields
from cli.ask import confirm, given_text
from cli.options import Here
from cli.output import one_line
from cli.prompted import call_with_words
from cli.render import indented, shown_id, when
from cli.words import tell
from mesh.errors import LocalError
from mesh.phrases import phrase

app = App(name="reflect", help="Private notes: add, list, delete. They never leave this device.")


@app.command
def add(text: str | None = None, /, *, about: Literal["gave", "received"] | None = None, context: Here) -> None:
    """Write a private note: what you gave, what you received, how it was. Nobody else sees it, and nothing counts it.

    Leave TEXT out to be asked for it; - reads stdin. It is kept in the encrypted store of this device alone. It is lost
    with the device; whoever has its passphrase reads it. For example:

    mesh reflect add --about received

    Parameters
    ----------
    text
        What you want to remember.
    about
        What you gave, or what you received.
    """
    told = call_with_words(
        context,
        "reflect.add",
        {"about": about},
        {
            "text": (
                text,
                lambda: given_text(text, "What do you want to remember?", instead=phrase("TEXT, or - for stdin")),
            )
        },
    )
    short = shown_id(fields.text(fields.record(told, "note"), "id"))
    context.out.result(told, [f"{tell('Kept for you alone')} · {short}"])


@app.command(name="list")
def list_(*, limit: Annotated[int, Parameter(metavar="N")] = 50, context: Here) -> None:
    """Show your notes, oldest first. For example: mesh reflect list --limit 5.

    Parameters
    ----------
    limit
        At most this many, the newest.
    """
    told = context.call("reflect.list", {"limit": limit})
    lines: list[str] = []
    for note in fields.records(told, "notes"):
        parts = (when(fields.text(note, "at")), fields.text(note, "about"), shown_id(fields.text(note, "id")))
        lines += [" · ".join(one_line(part) for part in parts if part), *indented(fields.text(note, "text")), ""]
    if fields.flag(told, "more"):
        lines.append(tell("There are older ones: --limit N shows more."))
    context.out.result(told, lines or [tell("You have no notes yet.")])


@app.command
def delete(note: str, /, *, context: Here) -> None:
    """Delete a note for good. For example: mesh reflect delete 3fa9c1d2.

    Parameters
    ----------
    note
        The beginning of its id.
    """
    if not context.yes and not confirm("Delete this note for good?", instead="--yes"):
        raise LocalError("Nothing was changed.", why="It was not confirmed.", code="E-NOT-CONFIRMED")
    told = context.call("reflect.delete", {"note": note})
    context.out.result(told, [tell("Deleted.")])
