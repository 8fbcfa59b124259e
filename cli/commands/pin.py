"""`group pin`: put a message first for everybody, or take that back."""

from collections.abc import Iterator

from cli import fields
from cli.options import Flag, Here, Seconds
from cli.output import one_line
from cli.render import message_lines, shown_id
from cli.told import told_code
from cli.words import tell
from mesh.node.local.protocol import JsonObject


def pin(group: str, message: str, /, *, remove: Flag = False, wait: Seconds = 2, context: Here) -> int:
    """Put a message first in a group, for everybody; for moderators and up. Up to eight stand there.

    A pin names the message and holds nothing of it. Newcomers see that there is one, and read it if the group lets them
    see what was said before they came. Each of those who may pin can take any pin down. Who is demoted by another takes
    their pins along. Of one device the 64 newest words on pins count.

    Examples: `mesh group pin "Tuesday grief" 3fa9c1d2`, and the same with --remove.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    message
        The beginning of the message's id.
    remove
        Take it down.
    wait
        How long to wait until somebody is told.
    """
    asked: JsonObject = {"group": group, "message": message, "remove": remove, "wait_s": wait}
    told = context.call("group.pin", asked)
    shown = fields.record(told, "pin")
    short = shown_id(fields.text(shown, "id"))
    first, plain = tell("{id} stands first now", id=short), tell("{id} is not pinned", id=short)
    context.out.result(told, [first if fields.flag(shown, "pinned") else plain])
    return told_code(context, told)


def pin_lines(told: JsonObject, *, conversing: bool = False) -> Iterator[str]:
    """Show what stands first: who pinned it, and the message as it is read."""
    for pinned in fields.records(told, "pins"):
        by, message = one_line(fields.person(fields.record(pinned, "by"))), fields.record(pinned, "message")
        short = shown_id(fields.text(pinned, "id"))
        yield f"{tell('pinned by {name}', name=by)} · {short}"
        if message:
            yield from (f"  {line}" for line in message_lines(message, conversing=conversing))
        else:
            yield f"  {tell('(it cannot be read here: it was said before you came, or it has ended)')}"
