"""`flag`: ask that a message be folded, or take that back."""

from cli import fields
from cli.options import Flag, Here, Seconds
from cli.render import shown_id
from cli.told import told_code
from cli.words import tell, tell_many
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
    return told_code(context, told)


def flag_lines(shown: JsonObject) -> list[str]:
    """Say how a message stands after a flag was made or taken back."""
    flags, short = fields.number(shown, "flags"), shown_id(fields.text(shown, "id"))
    mine = tell("you flagged it") if fields.flag(shown, "flagged") else tell("you do not flag it")
    if fields.flag(shown, "collapsed"):
        said = tell_many("{id} is folded: {count} flag", "{id} is folded: {count} flags", count=flags, id=short)
        return [f"{said} · {mine}"]
    said = tell_many(
        "{id} stays open: {count} flag, and {enough} fold it",
        "{id} stays open: {count} flags, and {enough} fold it",
        count=flags,
        id=short,
        enough=fields.number(shown, "folds_at"),
    )
    return [f"{said} · {mine}"]
