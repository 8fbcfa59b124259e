"""What is said where something was stated and nobody could be told of it yet."""

from cli import fields
from cli.context import Context
from cli.words import tell
from mesh.errors import Exit
from mesh.node.local.protocol import JsonObject


def told_code(context: Context, told: JsonObject) -> int:
    """Say it where nobody has been told yet; return the exit status."""
    if fields.flag(told, "told"):
        return Exit.OK
    context.out.say(tell("Nobody has been told yet. It goes out by itself as soon as a member's node is reachable."))
    return Exit.QUEUED
