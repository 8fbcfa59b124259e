"""`flag`: ask that a message be folded, or take that back."""

from cli import fields
from cli.options import Flag, Here, Seconds
from cli.render import counted, shown_id
from mesh.errors import Exit
from mesh.node.local.protocol import JsonObject


def flag(message: str, /, *, withdraw: Flag = False, wait: Seconds = 2, context: Here) -> int:
    """Say that you would rather not meet a message unasked. Where enough members say so it is folded for all.

    A folded message is not deleted. It stays in its place, closed, and `mesh read GROUP --open ID` opens it; its author
    sees it as before, and that it is folded. It takes one in four of the other members: two at the least, ten at the
    most. Newcomers' flags do not count, nor do those of people who have left.

    Nobody is shown who flagged: only how many. But each flag is signed, and a changed program can show whose it is. A
    changed program can also show what is folded.

    Examples: `mesh flag 3fa9c1d2`, and `mesh flag 3fa9c1d2 --withdraw` when you no longer mind.

    Parameters
    ----------
    message
        The beginning of its id.
    withdraw
        Take your flag back.
    wait
        How long to wait until somebody is told.
    """
    told = context.call("flag", {"message": message, "withdraw": withdraw, "wait_s": wait})
    context.out.result(told, flag_lines(fields.record(told, "flag")))
    if fields.flag(told, "told"):
        return Exit.OK
    context.out.say("Nobody has been told yet. It goes out by itself as soon as a member's node is reachable.")
    return Exit.QUEUED


def flag_lines(shown: JsonObject) -> list[str]:
    """Say how a message stands after a flag was made or taken back."""
    flags, short = fields.number(shown, "flags"), shown_id(fields.text(shown, "id"))
    mine = "you flagged it" if fields.flag(shown, "flagged") else "you do not flag it"
    if fields.flag(shown, "collapsed"):
        return [f"{short} is folded: {counted(flags, 'flag')} · {mine}"]
    return [f"{short} stays open: {counted(flags, 'flag')}, and {fields.number(shown, 'folds_at')} fold it · {mine}"]
