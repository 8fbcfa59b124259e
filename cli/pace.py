"""What is said of a pause, of quiet hours and of a digest. Pure: JSON in, lines out."""

from typing import Final

from cli import fields
from cli.output import one_line
from cli.render import when
from cli.words import tell, tell_many, to_tell
from mesh.node.local.protocol import JsonObject

SILENT: Final = to_tell(
    "You are paused, or it is your quiet time: what comes is not shown as it comes. `mesh read` shows it."
)


def pace_lines(pace: JsonObject) -> list[str]:
    """Say what is held back now; nothing where nothing is."""
    if fields.flag(pace, "paused"):
        if not (until := fields.text(pace, "until")):
            return [tell("You are paused until you say `mesh resume`. Nothing is lost: `mesh read` shows all of it.")]
        return [tell("You are paused until {time}. Nothing is lost: `mesh read` shows all of it.", time=when(until))]
    if fields.flag(pace, "silent"):
        quiet = one_line(fields.text(pace, "quiet"))
        return [tell("These are your quiet hours ({hours}). `mesh quiet off` ends them.", hours=quiet)]
    return []


def wishes_lines(pace: JsonObject) -> list[str]:
    """Say all that holds."""
    lines = pace_lines(pace)
    if (quiet := one_line(fields.text(pace, "quiet"))) and not (lines and quiet in lines[0]):
        lines.append(tell("Quiet hours: {hours}.", hours=quiet))
    if fields.text(pace, "digest") == "daily":
        lines.append(_digest_words(fields.number(pace, "cap")))
    return lines or [tell("You are told of everything as it comes.")]


def _digest_words(cap: int) -> str:
    if not cap:
        return tell("You are told of messages once a day.")
    return tell_many(
        "You are told of messages once a day, but for the first {count} message of a day.",
        "You are told of messages once a day, but for the first {count} messages of a day.",
        count=cap,
    )


def digest_line(event: JsonObject) -> str:
    """Say what is unread of what was held back."""
    groups = fields.records(event, "groups")
    if not groups:
        return tell("Nothing is unread of what came meanwhile")
    named = [
        tell('{count} in "{group}"', count=fields.number(group, "unread"), group=one_line(fields.text(group, "name")))
        for group in groups
    ]
    return tell("Unread meanwhile: {groups}", groups=", ".join(named))
