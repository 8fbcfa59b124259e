"""`log`: what was done in a group, by whom and when; and what was said to you alone about it."""

from typing import Final

from cli import fields
from cli.options import Here
from cli.output import one_line
from cli.render import indented, shown_id, when
from cli.words import tell, to_tell
from mesh.node.local.protocol import JsonObject

TO_STEWARDS: Final = {  # what is said under seal is shown to those alone whom it is between
    "report": to_tell("a report by {by} about {member}: `mesh reports {id}` shows it"),
    "appeal": to_tell("an appeal by {by}: `mesh reports {id}` shows it"),
    "recall": to_tell("{by} took {id} back"),
}
YOURS: Final = {  # said by the one who reads the log
    "word-note": to_tell("your note to {member} alone"),
    "word-fold": to_tell("why {message} was folded: your word to {member} alone"),
    "word-quiet": to_tell("why {member} is asked to be quiet: your word to them alone"),
    "word-lift": to_tell("your word to {member} alone, whose quiet you ended"),
    "answer": to_tell("your answer to {member} alone"),
    "report": to_tell("your report about {member}: `mesh reports {id}` shows how it stands"),
    "appeal": to_tell("your appeal: `mesh reports {id}` shows how it stands"),
    "recall": to_tell("you took {id} back"),
}
TO_YOU: Final = {  # said to them
    "word-note": to_tell("a note to you alone, by {by}"),
    "word-fold": to_tell("why {message} was folded, to you alone, by {by}"),
    "word-quiet": to_tell("why you are asked to be quiet, to you alone, by {by}"),
    "word-lift": to_tell("a word to you alone, by {by}, who ended your quiet"),
    "answer": to_tell("an answer to you alone, by {by}"),
}
DONE: Final = {
    "removed": to_tell("{by} removed {member}"),
    "rank": to_tell("{by} made {member} a {rank}"),
    "settings": to_tell("{by} set {settings}"),
    "agreement": to_tell("{by} put up a new agreement"),
    "fork": to_tell("{by} offered a successor"),
    "quiet": to_tell("{by} asked {member} to be quiet until {until}"),
    "lift": to_tell("{by} ended the quiet of {member}"),
    "fold": to_tell("{by} folded {message}"),
    "unfold": to_tell("{by} opened {message} again"),
}
SAID: Final = {**DONE, **TO_STEWARDS, **TO_YOU}


def log(group: str, /, *, context: Here) -> None:
    """Show what was done in a group, by whom and when: for all the same, but for what was said to you alone.

    You see who was removed, who got which rank, what was set, which message was folded, and who was asked to be quiet.
    What members' flags folded is not here: nobody in particular did it, and `mesh read` shows it closed.
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
        lines.insert(0, tell("[There are older ones, which are not shown.]"))
    if quiet := fields.record(told, "quiet"):
        asked = 'You are asked to be quiet until {time}. `mesh appeal "{group}"` asks a steward to look at it again.'
        lines.append(tell(asked, time=when(fields.text(quiet, "until")), group=one_line(group)))
    context.out.result(told, lines or [tell("Nothing was done here that a log would show.")])


def entry_lines(entry: JsonObject) -> list[str]:
    """Say one entry; a text that somebody wrote stands below it."""
    kind = fields.text(entry, "kind")
    settings = ", ".join(
        tell("{setting} to {value}", setting=one_line(key), value=one_line(str(value)))
        for key, value in _settings(entry).items()
    )
    values = {
        "by": one_line(fields.person(fields.record(entry, "by"))),
        "member": one_line(fields.person(fields.record(entry, "member"))) or tell("somebody"),
        "rank": one_line(fields.text(entry, "rank")),
        "settings": settings,
        "until": when(fields.text(entry, "until")),
        "message": shown_id(fields.text(entry, "message")),
        "id": shown_id(fields.text(entry, "id")),
    }
    if fields.flag(entry, "mine") and kind in YOURS:
        said = tell(YOURS[kind], **values)
    else:
        said = tell(SAID[kind], **values) if kind in SAID else one_line(kind)
    at, reason = fields.text(entry, "at"), fields.text(entry, "reason")
    return [f"{when(at) if at else tell('earlier')} · {said}", *(indented(reason) if reason else [])]


def _settings(entry: JsonObject) -> JsonObject:
    return fields.record(entry, "settings")
