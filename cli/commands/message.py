"""`message` and `outbox`: one message and what became of it, taking it back, and what still waits to leave."""

from cyclopts import App

from cli import fields
from cli.options import Here, Seconds
from cli.output import one_line
from cli.render import delivery_lines, message_lines, shown_id
from cli.told import told_code
from cli.words import tell, tell_each
from mesh.node.local.protocol import JsonObject

app = App(name="message", help="Look at one message, or take it back.")


def outbox(*, context: Here) -> None:
    """Show what has not reached everybody: for whom it waits, and why.

    queued: no other node says that it has it. sent: at least one node says that it stored it ("has it"), and no member
    has confirmed it yet. reached: some members have confirmed it; "waiting for" names those who have not.
    """
    told = context.call("outbox")
    waiting = fields.records(told, "outbox")
    context.out.result(told, [] if waiting else [tell("Nothing waits.")])
    context.out.table(
        tell_each("id", "group", "state", "waiting for", "why"),
        [
            (
                shown_id(fields.text(entry, "id")),
                _group_name(entry),
                fields.text(entry, "state"),
                ", ".join(fields.texts(entry, "waiting_for")),
                fields.said(entry, "why"),
            )
            for entry in waiting
        ],
    )


@app.command
def show(message: str, /, *, context: Here) -> None:
    """Show one message, its warning opened, and what became of it if it is yours.

    Parameters
    ----------
    message
        The beginning of its id.
    """
    told = context.call("message.show", {"message": message})
    shown = fields.record(told, "message")
    lines = message_lines(shown)
    if fields.text(shown, "state"):
        lines.extend(delivery_lines(shown))
    context.out.result(told, lines)


@app.command
def withdraw(message: str, /, *, wait: Seconds = 2, context: Here) -> int:
    """Take back a message of yours: its text goes from your node and from every other that keeps to the rules.

    In its place stands that you took it back. What nobody has yet never leaves. Others' nodes forget it as soon as they
    hear of it; while nobody is reachable that waits here, and the exit status is 4. People remember what they read, and
    a program that was changed keeps it.

    Parameters
    ----------
    message
        The beginning of its id.
    wait
        How long to wait until somebody is told.
    """
    told = context.call("message.withdraw", {"message": message, "wait_s": wait})
    shown = fields.record(told, "message")
    context.out.result(told, [f"{fields.text(shown, 'state')} · {shown_id(fields.text(shown, 'id'))}"])
    return told_code(context, told)


def _group_name(entry: JsonObject) -> str:
    group = entry.get("group")
    if isinstance(group, dict):
        return one_line(fields.text(group, "name")) or shown_id(fields.text(group, "id"))
    return shown_id(group) if isinstance(group, str) else ""
