"""How things look in words: messages, gaps, problems, events. Pure: JSON in, lines out.

Names and texts here come from other people. `Output` makes every line safe; what this module sees to is that
nothing can pretend to be a line of ours: a name stays on its line, and a message's text is always indented.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from math import ceil
from typing import Final

from cli import fields
from cli.durations import spoken_duration
from cli.output import one_line, safe
from cli.words import tell, tell_many, tell_phrase, to_tell
from mesh.node.local.protocol import JsonObject
from mesh.phrases import own

SHOWN_ID_CHARS: Final = 8  # of 32 or 64; ids are accepted from 6 on
SHOWN_HASH_CHARS: Final = 16  # of 64: told apart by accident never, by intent with effort; `--compare` takes all
STANDINGS: Final = {
    "left": to_tell("you left it"),
    "removed": to_tell("you are no longer in it"),
    "cut-off": to_tell("you may have been removed: this device was given no new key, or members' nodes pass it by"),
    "told-out": to_tell("others say that you are not in this group any more"),
    "keyless": to_tell("the group has a new key that was not given to this device; members' nodes give it one"),
}
STATES: Final = {  # of a message, where there is something to say beside it
    "queued": to_tell("waiting: no other node says yet that it has it"),
    "expired": to_tell("expired"),
    "withdrawn": to_tell("withdrawn"),
    "history": to_tell("handed on by a member, signed by its author"),
    "after-removal": to_tell("sent after removal: its author was not in any more"),
}
CLOSED: Final = {  # why a message stays closed until it is opened; a warning is shown in its head
    "hidden": to_tell("you hid it"),
    "blocked": to_tell("you blocked its author"),
    "muted": to_tell("you muted its author"),
    "mode": to_tell("the group had locked another mode"),
    "agreement": to_tell("its author has not said yes to the agreement yet"),
    "muted-word": to_tell("it holds a word that you muted"),
    "muted-topic": to_tell("you muted its topic"),
    "quiet": to_tell("its author was asked to be quiet then"),
    "turn": to_tell("said while another spoke; it is open when the circle is over"),
    "pace": to_tell("its author is new, and has said much in that hour"),
    "unproved": to_tell("nobody can tell whether its author put a warning on it"),
}
LEAVES: Final = {
    "all": to_tell("may leave the group"),
    "askers": to_tell("may leave the group by some who asked"),
}
NAMED_MAX: Final = 3  # who are named in a line, before "and 2 more"
CONFIRMED: Final = {  # lists of names beside a message of one's own
    "reached_by": to_tell("confirmed under seal: {names}"),
    "receipts_off": to_tell("give no receipts, whether they have it or not: {names}"),
    "waiting_for": to_tell("not confirmed yet: {names}"),
}
# Of the days and the months, as they stand in a date; Monday and January first.
DAYS: Final = (
    to_tell("Mon"),
    to_tell("Tue"),
    to_tell("Wed"),
    to_tell("Thu"),
    to_tell("Fri"),
    to_tell("Sat"),
    to_tell("Sun"),
)
MONTHS: Final = (
    to_tell("Jan"),
    to_tell("Feb"),
    to_tell("Mar"),
    to_tell("Apr"),
    to_tell("May"),
    to_tell("Jun"),
    to_tell("Jul"),
    to_tell("Aug"),
    to_tell("Sep"),
    to_tell("Oct"),
    to_tell("Nov"),
    to_tell("Dec"),
)
INDENT: Final = "    "
TIMES: Final = frozenset({"time"})  # what a moment is called in a sentence of the node; it comes as ISO 8601, in UTC


def shown_id(hex_id: str) -> str:
    """Shorten an id to what is shown and can be typed."""
    return hex_id[:SHOWN_ID_CHARS]


def short_hash(hex_hash: str) -> str:
    """Shorten a hash to what two people read to each other: 16 characters in groups of four."""
    return " ".join(hex_hash[at : at + 4] for at in range(0, min(len(hex_hash), SHOWN_HASH_CHARS), 4))


def indented(text: str) -> list[str]:
    """Indent each line of a text that somebody else wrote."""
    return [f"{INDENT}{line}" for line in safe(text).split("\n")]


def when(iso: str, now: datetime | None = None) -> str:
    """Show an ISO 8601 time in local time: the clock alone for today, else the day too."""
    try:
        at = datetime.fromisoformat(iso).astimezone()
    except ValueError:
        return one_line(iso)
    now, clock, month = now or datetime.now().astimezone(), f"{at:%H:%M}", own(MONTHS[at.month - 1])
    if at.date() == now.date():
        return clock
    if at.year == now.year:
        return tell(
            "{weekday} {day} {month} {clock}", weekday=own(DAYS[at.weekday()]), day=at.day, month=month, clock=clock
        )
    return tell("{day} {month} {year} {clock}", day=at.day, month=month, year=at.year, clock=clock)


def expiry_words(iso: str, now: datetime | None = None) -> str:
    """Say in how long a message disappears, rounded up to a unit; nothing for one that does not, or has."""
    try:
        left = (datetime.fromisoformat(iso) - (now or datetime.now().astimezone())).total_seconds()
    except ValueError:
        return ""
    if left <= 0:
        return ""
    seconds = ceil(left)
    size = next((size for size in (86_400, 3600, 60) if seconds >= 2 * size), 1)
    return tell("expires in {time}", time=spoken_duration(ceil(seconds / size) * size))


def all_of(parts: Sequence[str]) -> str:
    """Name several things: `a`, `a and b`, `a and b and c`."""
    first, *others = parts
    return tell("{one} and {others}", one=first, others=all_of(others)) if others else first


def author_name(message: JsonObject) -> str:
    """Name a message's author: the alias, else the id."""
    author = fields.record(message, "author")
    return one_line(fields.person(author)) if fields.text(author, "alias") else shown_id(fields.text(author, "id"))


def message_lines(message: JsonObject, *, conversing: bool = False) -> list[str]:
    """Show a message: who, when, in which mode, its id; then its text, or that a warning keeps it closed.

    `conversing`: within `mesh chat`, where it is opened by another command.
    """
    identity, warning = shown_id(fields.text(message, "id")), one_line(fields.text(message, "cw"))
    parts = [author_name(message), when(fields.text(message, "at")), one_line(fields.text(message, "mode"))]
    if topics := fields.texts(message, "topics"):
        parts.append(tell("topics: {names}", names=", ".join(one_line(topic) for topic in topics)))
    parts.append(_reply_words(message))
    if warning:
        parts.append(tell("warning: {label}", label=warning))
    parts += [leaves_words(message), circle_words(message), *state_words(message)]
    # The mark stands at the very end, after an id of ours: no alias can pass itself off as having it.
    verified = [tell("key verified")] if fields.flag(fields.record(message, "author"), "verified") else []
    head = " · ".join([*(part for part in parts if part), identity, *verified])
    if message.get("text") is None:
        opened = tell("/open {id} opens it", id=identity) if conversing else tell("--open {id} opens it", id=identity)
        return [head, f"{INDENT}({_closed_words(message, opened)})"]
    files = [f"{INDENT}{file_line(file)}" for file in fields.records(message, "files")]
    notes = [f"{INDENT}({said})" for said in (one_line(fields.said(message, "why")), folded_words(message)) if said]
    return [head, *quote_lines(message), *indented(fields.text(message, "text")), *files, *notes]


def _reply_words(message: JsonObject) -> str:
    reply, asked = shown_id(fields.text(message, "reply_to")), one_line(fields.text(message, "asked_mode"))
    if not reply:
        return ""
    if asked:
        return tell("in reply to {id} (asked for {mode})", id=reply, mode=asked)
    return tell("in reply to {id}", id=reply)


def _closed_words(message: JsonObject, opened: str) -> str:
    """Say why a text is closed, and how it is opened, where it can be."""
    parts = [one_line(fields.said(message, "why"))]
    if not parts[0]:
        because = closed_because(message)
        closed = tell("closed: {why}", why=because) if because else tell("closed")
        parts = [closed, folded_words(message), opened]
    if behind := len(fields.records(message, "files")):
        parts.append(tell_many("{count} file with it", "{count} files with it", count=behind))
    return "; ".join(filter(None, parts))


def leaves_words(message: JsonObject) -> str:
    """Say that a message may leave its group, if its author lets it."""
    return tell(LEAVES.get(fields.text(message, "may_leave"), ""))


def state_words(message: JsonObject) -> list[str]:
    """Say what there is to say of a message's state, and in how long it disappears."""
    state = fields.text(message, "state")
    ends = "" if state in {"expired", "withdrawn"} else expiry_words(fields.text(message, "expires"))
    return [said for said in (tell(STATES.get(state, "")), ends) if said]


def closed_because(message: JsonObject) -> str:
    """Say why a message stays closed, if there is more to say than that it is."""
    return tell(CLOSED.get(fields.text(message, "closed_by"), ""))


def quote_lines(message: JsonObject) -> list[str]:
    """Show what a message quotes, each line behind a mark; words from elsewhere with what is known of them: little."""
    quote = fields.record(message, "quote")
    if not quote:
        return []
    said = (
        []
        if quote.get("text") is None
        else [f"{INDENT}| {line}" for line in safe(fields.text(quote, "text")).split("\n")]
    )
    return [f"{INDENT}({_quote_words(message, quote)})", *said]


def _quote_words(message: JsonObject, quote: JsonObject) -> str:
    """Say where quoted words are from."""
    short, person = shown_id(fields.text(quote, "id")), fields.record(quote, "author")
    if fields.flag(quote, "elsewhere"):
        return tell("words from another group; that their author agreed is {name}'s word", name=author_name(message))
    if not person:
        return tell("quotes {id}, which is not here or was taken back", id=short)
    who, warning = one_line(fields.person(person)), one_line(fields.text(quote, "cw"))
    if quote.get("text") is not None:
        return tell("quotes {name}, {id}", name=who, id=short)
    if warning:
        return tell("quotes {name}, {id}: closed, warning: {label}", name=who, id=short, label=warning)
    return tell("quotes {name}, {id}: closed", name=who, id=short)


def circle_words(message: JsonObject) -> str:
    """Say that a message belongs to a circle, was said out of turn there, or waits for its end."""
    circle = fields.record(message, "circle")
    if not circle:
        return ""
    if fields.flag(circle, "waits"):
        return tell("waits until the circle is over")
    identity = shown_id(fields.text(circle, "id"))
    if fields.flag(circle, "out_of_turn"):
        return tell("circle {id}, out of turn", id=identity)
    return tell("circle {id}", id=identity)


def folded_words(message: JsonObject) -> str:
    """Say that a message is folded, and by whom: members, or one moderator or somebody more senior."""
    if not fields.flag(message, "collapsed"):
        return ""
    folder, asked = fields.record(message, "folded_by"), fields.number(message, "flags")
    name = one_line(fields.person(folder))
    if not fields.flag(message, "mine"):
        return (
            tell("folded by {name}", name=name)
            if folder
            else tell_many(
                "folded: {count} member would rather not meet it unasked",
                "folded: {count} members would rather not meet it unasked",
                count=asked,
            )
        )
    if folder:
        return tell(
            "folded for others: {name} did that. Nothing is deleted, and whoever wants to can open it", name=name
        )
    return tell_many(
        "folded for others: {count} member asked for that. Nothing is deleted, and whoever wants to can open it",
        "folded for others: {count} members asked for that. Nothing is deleted, and whoever wants to can open it",
        count=asked,
    )


def file_line(file: JsonObject) -> str:
    """Say what a file beside a message is called, how long it is, and how much of it is here."""
    got, of, state = fields.number(file, "got"), fields.number(file, "of"), fields.text(file, "state")
    if got and got < of:
        far = tell("{percent} % here", percent=got * 100 // of)
    else:
        far = tell("here") if state == "here" else tell("not here yet")
    name, size = one_line(fields.text(file, "name")), file_size(fields.number(file, "size"))
    return tell("[file: {name} · {size} · {state}]", name=name, size=size, state=far)


def file_size(size: int) -> str:
    """Say a size in bytes as people do."""
    if size < 1024:
        return tell_many("{count} byte", "{count} bytes", count=size)
    return f"{size / 1024:.0f} KiB" if size < 1024 * 1024 else f"{size / (1024 * 1024):.1f} MiB"


def gap_line(gap: JsonObject) -> str:
    """Say what is missing, from whom, and what is being done about it."""
    missing, asking = fields.number(gap, "missing"), fields.number(gap, "asking")
    why = one_line(fields.said(gap, "why"))
    if not asking:
        ending = tell("asking nobody: no member can be reached")
    else:
        ending = why or tell_many("asking {count} member", "asking {count} members", count=asking)
    return tell_many(
        "[{count} message from {name} is missing; {asking}]",
        "[{count} messages from {name} are missing; {asking}]",
        count=missing,
        name=author_name(gap),
        asking=ending,
    )


def catching_up_line(progress: JsonObject) -> str:
    """Say how far a long catch-up is; empty where there is none."""
    got, of = fields.number(progress, "got"), fields.number(progress, "of")
    return tell("catching up: {got} of {of} messages", got=f"{got:,}", of=f"{of:,}") if of else ""


def delivery_line(message: JsonObject) -> str:
    """Say how far a message of one's own has come, and never more than is known."""
    return " · ".join(delivery_parts(message))


def delivery_parts(message: JsonObject) -> list[str]:
    """Say it in parts: its state, who has it, how many have confirmed it."""
    state, of, reached = fields.text(message, "state"), fields.number(message, "of"), fields.number(message, "reached")
    parts = [state]
    if holders := [_holder(holder) for holder in fields.records(message, "held_by")]:
        parts.append(_held_words(holders))
    if of and state != "queued":
        parts.append(tell("reached {count} of {of}", count=reached, of=of))
    return parts


def _held_words(holders: list[str]) -> str:
    """Say who says that they have it: three by name."""
    named, more = ", ".join(holders[:NAMED_MAX]), len(holders) - NAMED_MAX
    if more > 0:
        return tell_many(
            "{names} and {count} more say they have it",
            "{names} and {count} more say they have it",
            count=more,
            names=named,
        )
    return tell_many("{names} says it has it", "{names} say they have it", count=len(holders), names=named)


def _holder(holder: JsonObject) -> str:
    """Name who says that they have a message."""
    name = one_line(fields.person(holder))
    return tell("keeper {name}", name=name) if fields.flag(holder, "keeper") else name


def delivery_lines(message: JsonObject) -> list[str]:
    """Say all that is known of a message of one's own: who has it and since when, who confirmed it, who never will."""
    lines = [delivery_line(message)]
    for holder in fields.records(message, "held_by"):
        at, name = when(fields.text(holder, "at")), one_line(fields.person(holder))
        stored = (
            tell("keeper {name} said at {at} that it stored it", name=name, at=at)
            if fields.flag(holder, "keeper")
            else tell("{name}'s node said at {at} that it stored it", name=name, at=at)
        )
        lines.append(f"{INDENT}{stored}")
    lists = {key: ", ".join(one_line(name) for name in fields.texts(message, key)) for key in CONFIRMED}
    return [*lines, *(INDENT + tell(CONFIRMED[key], names=names) for key, names in lists.items() if names)]


def newcomers_see(history: str) -> str:
    """Say what newcomers see of what was said before they came, from the setting."""
    if history == "none":
        return tell("who comes in after it was sent does not see it")
    return tell("newcomers see {what}", what=history_seen(history)) if history else ""


def history_seen(history: str) -> str:
    """Name what newcomers see, from the setting; nothing where none is known."""
    kind, _, count = history.partition(":")
    if kind == "last" and count.isdecimal():
        return tell_many("the last message", "the last {count} messages", count=int(count))
    if kind == "days" and count.isdecimal():
        return tell_many(
            "what was said in the last day before they came",
            "what was said in the last {count} days before they came",
            count=int(count),
        )
    if history == "none":
        return tell("nothing of what was said before")
    return tell("some of what was said") if history else ""


def audience_line(group: JsonObject) -> str:
    """Say who can see a post before it is sent: how many, for how long, and whether newcomers do."""
    members = fields.number(group, "members")
    if not members:
        return ""
    others, keep = members - 1, group.get("keep")
    kept = spoken_duration(keep) if isinstance(keep, int) else one_line(fields.text(group, "keep"))
    parts = [
        tell_many("Seen by at most {count} person", "Seen by at most {count} people", count=others)
        if others
        else tell("Nobody else is in this group now"),
        tell("kept {time}", time=kept) if kept else "",
        newcomers_see(fields.text(group, "history")),
    ]
    return "; ".join(part for part in parts if part) + "."


def standing(group: JsonObject) -> str:
    """Say how one stands in a group where one is not simply a member."""
    return tell(STANDINGS.get(fields.text(group, "state"), ""))


def problem_lines(told: JsonObject) -> list[str]:
    """Say each problem, and what to do about it."""
    lines = []
    for problem in fields.records(told, "problems"):
        lines.append(f"! {one_line(_here(problem, 'what'))}")
        if do := one_line(_here(problem, "do")):
            lines.append(f"  {do}")
    return lines


def _here(told: JsonObject, name: str) -> str:
    """Say what the node says in words of its own, with the times in it as they are here."""
    said = fields.phrase_of(told, name)
    values = {
        key: when(value) if key in TIMES and isinstance(value, str) else value for key, value in said.values.items()
    }
    return tell_phrase(replace(said, values=values))


def facts(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Lay out names and values, one a line, leaving out what is empty."""
    return [f"{name}: {one_line(value)}" for name, value in pairs if value]
