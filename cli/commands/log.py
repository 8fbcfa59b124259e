"""`log`: what was done in a group, by whom and when; and what was said to you alone about it."""

from cli import fields
from cli.options import Here
from cli.output import one_line
from cli.render import indented, shown_id, when
from mesh.node.local.protocol import JsonObject

ALONE = {  # what is said under seal: shown to those alone whom it is between
    "word-note": "a note to {member} alone, by {by}",
    "word-fold": "why {message} was folded, to {member} alone, by {by}",
    "word-quiet": "why {member} is asked to be quiet, to them alone, by {by}",
    "word-lift": "a word to {member} alone, by {by}, who ended their quiet",
    "answer": "an answer to {member} alone, by {by}",
    "report": "a report by {by} about {member}: `mesh reports {id}` shows it",
    "appeal": "an appeal by {by}: `mesh reports {id}` shows it",
}
DONE = {
    "removed": "{by} removed {member}",
    "rank": "{by} made {member} a {rank}",
    "settings": "{by} set {settings}",
    "agreement": "{by} put up a new agreement",
    "fork": "{by} offered a successor",
    "quiet": "{by} asked {member} to be quiet until {until}",
    "lift": "{by} ended {member}'s quiet",
    "fold": "{by} folded {message}",
    "unfold": "{by} opened {message} again",
}


def log(group: str, /, *, context: Here) -> None:
    """Show what was done in a group, by whom and when: for all the same, but for what was said to you alone.

    You see who was removed, who got which rank, what was set, which message was folded, and who was asked to be quiet.
    Changes of the group bear no time: it is shown when they came here, and of what was done before you came, no
    time at all. A quiet is shown for 30 days after it ended; what was said under seal as long as messages are kept.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    """
    told = context.call("log", {"group": group})
    lines = [line for entry in fields.records(told, "entries") for line in entry_lines(entry)]
    if fields.flag(told, "older"):
        lines.insert(0, "[There are older ones, which are not shown.]")
    if quiet := fields.record(told, "quiet"):
        until = when(fields.text(quiet, "until"))
        lines.append(f"You are asked to be quiet until {until}. `mesh appeal` asks a steward to look at it again.")
    context.out.result(told, lines or ["Nothing was done here that a log would show."])


def entry_lines(entry: JsonObject) -> list[str]:
    """Say one entry; a text that somebody wrote stands below it."""
    kind = fields.text(entry, "kind")
    words = DONE.get(kind) or ALONE.get(kind) or one_line(kind)
    settings = ", ".join(f"{one_line(key)} to {one_line(str(value))}" for key, value in _settings(entry).items())
    said = words.format(
        by=one_line(fields.person(fields.record(entry, "by"))),
        member=one_line(fields.person(fields.record(entry, "member"))) or "somebody",
        rank=one_line(fields.text(entry, "rank")),
        settings=settings,
        until=when(fields.text(entry, "until")),
        message=shown_id(fields.text(entry, "message")),
        id=shown_id(fields.text(entry, "id")),
    )
    at = fields.text(entry, "at")
    reason = fields.text(entry, "reason")
    return [f"{when(at) if at else 'earlier'} · {said}", *(indented(reason) if reason else [])]


def _settings(entry: JsonObject) -> JsonObject:
    return fields.record(entry, "settings")
