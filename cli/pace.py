"""What is said of a pause, of quiet hours and of a digest. Pure: JSON in, lines out."""

from typing import Final

from cli import fields
from cli.output import one_line
from cli.render import counted, when
from mesh.node.local.protocol import JsonObject

SILENT: Final = "You are paused, or it is your quiet time: what comes is not shown as it comes. `mesh read` shows it."


def pace_lines(pace: JsonObject) -> list[str]:
    """Say what is held back now; nothing where nothing is."""
    if fields.flag(pace, "paused"):
        until = when(fields.text(pace, "until")) if fields.text(pace, "until") else "you say `mesh resume`"
        return [f"You are paused until {until}. Nothing is lost: `mesh read` shows all of it."]
    if fields.flag(pace, "silent"):
        return [f"These are your quiet hours ({one_line(fields.text(pace, 'quiet'))}). `mesh quiet off` ends them."]
    return []


def wishes_lines(pace: JsonObject) -> list[str]:
    """Say all that holds."""
    lines = pace_lines(pace)
    if (quiet := one_line(fields.text(pace, "quiet"))) and not (lines and quiet in lines[0]):
        lines.append(f"Quiet hours: {quiet}.")
    if fields.text(pace, "digest") == "daily":
        cap = fields.number(pace, "cap")
        few = f", but for the first {counted(cap, 'message')} of a day" if cap else ""
        lines.append(f"You are told of messages once a day{few}.")
    return lines or ["You are told of everything as it comes."]


def digest_line(event: JsonObject) -> str:
    """Say what is unread of what was held back."""
    groups = fields.records(event, "groups")
    named = [f'{fields.number(group, "unread")} in "{one_line(fields.text(group, "name"))}"' for group in groups]
    return f"Unread meanwhile: {', '.join(named)}" if named else "Nothing is unread of what came meanwhile"
