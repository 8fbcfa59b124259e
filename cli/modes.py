"""Modes of support as a command keeps to them, before a text is typed: the group's lock, and advice to one who asked.

The node holds to both by itself. Here they come first, so that nobody writes what is then not sent.
"""

from typing import Final

from cli import fields
from cli.ask import can_ask, confirm
from cli.render import author_name
from mesh.errors import RefusedError
from mesh.node.local.protocol import JsonObject
from mesh.phrases import phrase

ADVICE: Final = "advice"
NO_ADVICE: Final = ("listening", "experience")  # modes in which a post does not ask for advice
DEFAULT: Final = "listening"


def locked_mode(group: JsonObject) -> str:
    """Return the mode that a group has locked; empty: any."""
    mode = fields.text(fields.record(group, "settings"), "lock-mode")
    return "" if mode == "off" else mode


def mode_for(group: JsonObject, mode: str | None) -> str:
    """Return the mode of a post: as it was given, else the group's. RefusedError where the group has locked another."""
    locked = locked_mode(group)
    if mode and locked and mode != locked:
        raise RefusedError(
            phrase(
                "This group takes messages in the mode “{locked}” alone, and yours is “{mode}”.",
                locked=locked,
                mode=mode,
            ),
            why="Its stewards have locked the mode; other nodes would show your words closed.",
            do="Leave --mode out. Nothing was sent.",
            code="E-MODE-LOCKED",
        )
    return mode or locked or DEFAULT


def means_advice(answered: JsonObject, mode: str, *, confirmed: bool) -> bool:
    """Say whether advice was confirmed that nobody asked for, asking for it at a terminal. RefusedError if it is not.

    False where there is nothing to confirm. `--yes` is not enough: it is not a second thought.
    """
    asked = fields.text(answered, "mode")
    if mode != ADVICE or asked not in NO_ADVICE:
        return confirmed
    who, listening = author_name(answered), asked == "listening"
    if confirmed:
        return True
    question = (
        phrase("{who} asks to be listened to, not for advice. Do you want to give it all the same?", who=who)
        if listening
        else phrase(
            "{who} asks to hear how it was for others, not for advice. Do you want to give it all the same?", who=who
        )
    )
    if can_ask() and confirm(question, instead=""):
        return True
    raise RefusedError(
        phrase("Your answer is marked as advice, and {who} asks to be listened to.", who=who)
        if listening
        else phrase("Your answer is marked as advice, and {who} asks to hear how it was for others.", who=who),
        why="Advice that nobody asked for can hurt; whoever wants some can say so.",
        do="Answer in another mode, or add --confirm-advice. Nothing was sent.",
        code="E-ADVICE",
    )
