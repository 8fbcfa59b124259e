"""A conversation in lines that can be listened to: number, author, time, mode, warning, and then the text. Pure.

Each line says by itself what it is. What others wrote is indented, so that nothing can pretend to be a line of ours.
"""

from collections.abc import Callable

from cli import fields
from cli.output import one_line
from cli.render import (
    INDENT,
    all_of,
    author_name,
    closed_because,
    delivery_parts,
    file_line,
    folded_words,
    indented,
    leaves_words,
    quote_lines,
    shown_id,
    standing,
    state_words,
    when,
)
from cli.words import tell, tell_many
from mesh.node.local.protocol import JsonObject

Known = Callable[[str], int]  # the number of a message; 0: it has none


def at_words(iso: str) -> str:
    """Say when: `at 19:05` today, else `on Tue 3 Nov 19:05`."""
    shown = when(iso)
    if not shown:
        return ""
    return tell("at {time}", time=shown) if len(shown) <= len("19:05") else tell("on {time}", time=shown)


def spoken(message: JsonObject, number: int, known: Known) -> list[str]:
    """Say a message."""
    who = tell("you") if fields.flag(message, "mine") else _named(message)
    parts = [f"{number}. {who}", at_words(fields.text(message, "at")), one_line(fields.text(message, "mode"))]
    parts.append(_answers(message, known))
    if topics := fields.texts(message, "topics"):
        parts.append(tell("topics {names}", names=all_of([one_line(topic) for topic in topics])))
    parts += [leaves_words(message), *state_words(message)]
    if warning := one_line(fields.text(message, "cw")):
        parts.append(tell("warning: {label}", label=warning))
    head = f"{', '.join(part for part in parts if part)}."
    if fields.flag(fields.record(message, "author"), "verified"):
        head = f"{head} {tell('Key verified.')}"  # said at the end, where no alias of others can stand
    if message.get("text") is None:
        return [head, f"{INDENT}({_closed(message, number)})"]
    files = [f"{INDENT}{file_line(file)}" for file in fields.records(message, "files")]
    notes = [f"{INDENT}({said})" for said in (one_line(fields.said(message, "why")), folded_words(message)) if said]
    return [head, *quote_lines(message), *indented(fields.text(message, "text")), *files, *notes]


def _named(message: JsonObject) -> str:
    """Name an author. One whose alias holds what parts a line stands between marks, so that it adds nothing to that."""
    name = author_name(message)
    return f'"{name.replace(chr(34), " ")}"' if any(mark in name for mark in ',.;:"') else name


def _answers(message: JsonObject, known: Known) -> str:
    reply, asked = fields.text(message, "reply_to"), one_line(fields.text(message, "asked_mode"))
    if not reply:
        return ""
    named = str(known(reply) or shown_id(reply))
    if asked:
        return tell("in reply to message {number} which asked for {mode}", number=named, mode=asked)
    return tell("in reply to message {number}", number=named)


def _closed(message: JsonObject, number: int) -> str:
    """Say why a text is closed, and how it is opened."""
    if why := one_line(fields.said(message, "why")):
        return why
    because = "; ".join(part for part in (closed_because(message), folded_words(message)) if part)
    closed = tell("closed: {why}", why=because) if because else tell("closed")
    if behind := len(fields.records(message, "files")):
        beside = tell_many("with {count} file", "with {count} files", count=behind)
        closed = f"{closed}, {beside}"
    return f"{closed}; {tell('/open {number} opens it', number=number)}"


def sent_line(message: JsonObject, number: int) -> str:
    """Say how far a message of one's own has come."""
    state = ", ".join(delivery_parts(message))
    return tell("Message {number}, yours: {state}.", number=number, state=state)


def group_line(group: JsonObject) -> str:
    """Say a group in a list."""
    unread, name = fields.number(group, "unread"), one_line(fields.text(group, "name"))
    members, short = fields.number(group, "members"), shown_id(fields.text(group, "id"))
    parts = [f'"{name}"', tell_many("{count} member", "{count} members", count=members)]
    parts.append(tell_many("{count} unread", "{count} unread", count=unread) if unread else tell("nothing unread"))
    parts += [stands] if (stands := standing(group)) else []
    return f"{', '.join((*parts, tell('id {id}', id=short)))}."
