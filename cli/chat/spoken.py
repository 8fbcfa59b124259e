"""A conversation in lines that can be listened to: number, author, time, mode, warning, and then the text. Pure.

Each line says by itself what it is. What others wrote is indented, so that nothing can pretend to be a line of ours.
"""

from collections.abc import Callable, Iterator

from cli import fields
from cli.output import one_line
from cli.render import (
    CLOSED,
    INDENT,
    LEAVES,
    STATES,
    author_name,
    counted,
    delivery_line,
    expiry_words,
    file_line,
    folded_words,
    indented,
    quote_lines,
    shown_id,
    when,
)
from mesh.node.local.protocol import JsonObject

Known = Callable[[str], int]  # the number of a message; 0: it has none


def at_words(iso: str) -> str:
    """Say when: `at 19:05` today, else `on Tue 3 Nov 19:05`."""
    shown = when(iso)
    return f"{'at' if len(shown) <= len('19:05') else 'on'} {shown}" if shown else ""


def spoken(message: JsonObject, number: int, known: Known) -> list[str]:
    """Say a message."""
    who = "you" if fields.flag(message, "mine") else author_name(message)
    parts = [f"{number}. {who}", at_words(fields.text(message, "at")), one_line(fields.text(message, "mode"))]
    parts.append(_answers(message, known))
    if topics := fields.texts(message, "topics"):
        parts.append(f"topics {' and '.join(one_line(topic) for topic in topics)}")
    parts += [LEAVES.get(fields.text(message, "may_leave"), ""), STATES.get(fields.text(message, "state"), "")]
    if fields.text(message, "state") not in {"expired", "withdrawn"}:
        parts.append(expiry_words(fields.text(message, "expires")))
    if warning := one_line(fields.text(message, "cw")):
        parts.append(f"warning: {warning}")
    head = ", ".join(part for part in parts if part)
    # Said at the end, where no alias of others can stand.
    head = f"{head}. Key verified." if fields.flag(fields.record(message, "author"), "verified") else f"{head}."
    if message.get("text") is None:
        return [head, *_closed(message, number)]
    files = [f"{INDENT}{file_line(file)}" for file in fields.records(message, "files")]
    notes = [f"{INDENT}({said})" for said in (one_line(fields.text(message, "why")), folded_words(message)) if said]
    return [head, *quote_lines(message), *indented(fields.text(message, "text")), *files, *notes]


def _answers(message: JsonObject, known: Known) -> str:
    reply = fields.text(message, "reply_to")
    if not reply:
        return ""
    asked = one_line(fields.text(message, "asked_mode"))
    named = f"message {known(reply)}" if known(reply) else f"message {shown_id(reply)}"
    return f"in reply to {named}{f' which asked for {asked}' if asked else ''}"


def _closed(message: JsonObject, number: int) -> Iterator[str]:
    why = one_line(fields.text(message, "why"))
    if why:
        yield f"{INDENT}({why})"
        return
    because = CLOSED.get(fields.text(message, "closed_by"), "")
    reasons = "; ".join(part for part in (because, folded_words(message)) if part)
    behind = fields.records(message, "files")
    beside = f", with {counted(len(behind), 'file')}" if behind else ""
    yield f"{INDENT}(closed{f': {reasons}' if reasons else ''}{beside}; /open {number} opens it)"


def sent_line(message: JsonObject, number: int) -> str:
    """Say how far a message of one's own has come."""
    return f"Message {number}, yours: {delivery_line(message).replace(' · ', ', ')}."


def group_line(group: JsonObject) -> str:
    """Say a group in a list."""
    unread = fields.number(group, "unread")
    news = f", {unread} unread" if unread else ""
    members = counted(fields.number(group, "members"), "member")
    return f'"{one_line(fields.text(group, "name"))}", {members}{news}, id {shown_id(fields.text(group, "id"))}.'
