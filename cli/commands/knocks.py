"""`knocks`: who stands at the door of your groups, and whether they come in."""

from cyclopts import App

from cli import fields
from cli.options import Here
from cli.render import shown_id, when
from cli.words import tell, tell_each

app = App(name="knocks", help="Who waits at the door: list, admit, decline.")


@app.command(name="list")
def list_(group: str | None = None, /, *, context: Here) -> None:
    """List who waits for a moderator, steward or founder to admit them; the words are theirs too, to be compared.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id; all of your groups if left out.
    """
    told = context.call("knocks.list", {"group": group})
    knocks = fields.records(told, "knocks")
    context.out.result(told, [] if knocks else [tell("Nobody waits.")])
    context.out.table(
        tell_each("id", "group", "alias", "words", "invite", "since", "note"),
        [
            (
                shown_id(fields.text(knock, "id")),
                fields.text(knock, "group_name"),
                fields.text(knock, "alias"),
                " ".join(fields.texts(knock, "key_words")) or fields.text(knock, "key_words"),
                shown_id(fields.text(knock, "invite_id")),
                when(fields.text(knock, "at")),
                taken_line(fields.texts(knock, "alike")),
            )
            for knock in knocks
        ],
    )


def taken_line(names: list[str]) -> str:
    """Say that members go by much the same alias as one who knocks."""
    return tell("a member called {names} is in already", names=", ".join(names)) if names else ""


@app.command
def admit(group: str, knock: str, /, *, context: Here) -> None:
    """Say yes to somebody who knocks. They come in when as many have said yes as the invite asks for.

    Moderators, stewards and founders say yes; it need not be at the same time, and whoever of the group is online then
    lets them in.

    The words in `mesh knocks list` are the ones that the person who knocks sees: compare them by voice if you want to
    be sure that it is them.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    knock
        The beginning of the knock's id.
    """
    told = context.call("knocks.admit", {"group": group, "knock": knock})
    waits = fields.record(told, "approved") if told.get("approved") else None
    if waits is None:
        context.out.result(told, [tell("You let them in.")])
        context.say_unheard()
        return
    said, of = fields.number(waits, "approvals"), fields.number(waits, "needed")
    context.out.result(
        told, [tell("You said yes: {said} of {of}. They come in when {of} have said yes.", said=said, of=of)]
    )
    context.say_unheard()


@app.command
def decline(group: str, knock: str, /, *, context: Here) -> None:
    """Do not let somebody in; they are not told by whom.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    knock
        The beginning of the knock's id.
    """
    told = context.call("knocks.decline", {"group": group, "knock": knock})
    context.out.result(told, [tell("Declined.")])
