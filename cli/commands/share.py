"""`share`: whether what somebody said may leave the group: ask, grant, refuse, withdraw, list."""

from typing import Annotated, Final

from cyclopts import App, Parameter

from cli import fields
from cli.options import Here, Seconds, WordOrNone
from cli.output import one_line
from cli.render import INDENT, shown_id, when
from cli.told import told_code
from cli.words import tell, to_tell
from mesh.node.local.protocol import JsonObject

app = App(name="share", help="Whether words may leave their group: ask, grant, refuse, withdraw, list.")
STATES: Final = {
    "granted": to_tell("you may take it with you"),
    "asked": to_tell("no answer yet"),
    "waiting": to_tell("your question waits: nobody was there to take it"),
    "unanswered": to_tell("no answer came; you can ask again"),
    "not-asked": to_tell("you have not asked"),
}
TITLES: Final = {
    "questions": to_tell("Others ask you whether these may leave the group:"),
    "asked": to_tell("You asked for these:"),
    "granted": to_tell("These of yours may leave:"),
}


@app.command
def ask(
    message: str,
    /,
    *,
    for_: Annotated[WordOrNone, Parameter(name="--for", metavar="T")] = None,
    wait: Seconds = 2,
    context: Here,
) -> int:
    """Ask the author of a message whether it may leave the group. Only they learn that you asked.

    They need not answer, and a no looks like no answer. After a yes you can quote it in another group, or take it with
    you in an export. After 14 days without an answer you can ask again. All this binds programs that keep to the rules:
    a changed program, or a screenshot, asks nobody.

    Parameters
    ----------
    message
        The beginning of its id.
    for_
        What you would like it for, in a line.
    wait
        How long to wait until somebody takes the question.
    """
    asked: JsonObject = {"message": message, "purpose": for_ or "", "wait_s": wait}
    told = context.call("share.ask", asked)
    share = fields.record(told, "share")
    context.out.result(told, [_line(share)])
    return told_code(context, told)


@app.command
def grant(message: str, /, *, to: WordOrNone = None, wait: Seconds = 2, context: Here) -> int:
    """Let a message of yours leave the group: quoted in another one, or in an export.

    An export shows your alias beside it, a quote in another group does not. Those who asked may take it, unless --to
    says otherwise. The group sees that some may take it, and not who. You can take this back for what is still to come;
    what has left by then stays out. It ends when you leave the group.

    mesh share grant 3fa9c1d2
    mesh share grant 3fa9c1d2 --to juniper
    mesh share grant 3fa9c1d2 --to all

    Parameters
    ----------
    message
        The beginning of its id.
    to
        One of those who asked, by their alias; or all: whoever is in the group.
    wait
        How long to wait until somebody is told.
    """
    told = context.call("share.grant", {"message": message, "to": to, "wait_s": wait})
    context.out.result(told, [_line(fields.record(told, "share"))])
    return told_code(context, told)


@app.command
def refuse(message: str, /, *, to: WordOrNone = None, context: Here) -> None:
    """Say no to those who asked for a message of yours. Nothing is sent: to them it looks as if you had not answered.

    You are not shown their question for that message again for 14 days.

    Parameters
    ----------
    message
        The beginning of its id.
    to
        Only to this one, by their alias.
    """
    told = context.call("share.refuse", {"message": message, "to": to})
    context.out.result(told, [tell("They may not take it out of the group. Nobody is told that you said no.")])


@app.command
def withdraw(message: str, /, *, wait: Seconds = 2, context: Here) -> int:
    """Take back that a message of yours may leave the group. It holds for all that is still to come.

    Nodes that keep to the rules let it leave no more, from when they hear of it. What was quoted or exported before
    stays where it is.

    Parameters
    ----------
    message
        The beginning of its id.
    wait
        How long to wait until somebody is told.
    """
    told = context.call("share.withdraw", {"message": message, "wait_s": wait})
    context.out.result(told, [_line(fields.record(told, "share"))])
    context.out.say(tell("Other nodes keep to that once they hear of it. What has left by then stays outside."))
    return told_code(context, told)


@app.command(name="list")
def list_(*, context: Here) -> None:
    """List what you asked for, what others ask of you, and what of yours may leave its group."""
    told = context.call("share.list")
    context.out.result(told, _listed(told))


def _listed(told: JsonObject) -> list[str]:
    lines: list[str] = []
    for key in TITLES:
        found = fields.records(told, key)
        if found:
            lines.append(tell(TITLES[key]))
            lines += [f"  {line}" for share in found for line in _lines(share, asked=key == "questions")]
    return lines or [tell("There is nothing here. `mesh share ask` asks the author of a message.")]


def _lines(share: JsonObject, *, asked: bool) -> list[str]:
    lines = [_line(share)]
    for question in fields.records(share, "questions") if asked else []:
        name, time = one_line(fields.person(fields.record(question, "from"))), when(fields.text(question, "at"))
        if purpose := one_line(fields.text(question, "purpose")):
            asks = tell("{name} asks ({time}), for: {purpose}", name=name, time=time, purpose=purpose)
        else:
            asks = tell("{name} asks ({time})", name=name, time=time)
        lines.append(f"{INDENT}{asks}")
    return lines


def _line(share: JsonObject) -> str:
    """Say how a post stands; what we say of it comes first, so that no text can pass for it."""
    who = tell("you") if fields.flag(share, "mine") else one_line(fields.person(fields.record(share, "author")))
    standing = _granted(share) if fields.flag(share, "mine") else tell(STATES.get(fields.text(share, "state"), ""))
    warning, excerpt = one_line(fields.text(share, "cw")), one_line(fields.text(share, "excerpt"))
    said = tell("(warning: {warning})", warning=warning) if warning else excerpt or tell("(closed)")
    group = one_line(fields.text(fields.record(share, "group"), "name"))
    where = tell('{who} in "{group}"', who=who, group=group)
    return " · ".join([shown_id(fields.text(share, "id")), standing, f"{where}: {said}"])


def _granted(share: JsonObject) -> str:
    """Say by whose hand a post of one's own may leave."""
    if fields.flag(share, "everyone"):
        return tell("anyone in the group may take it with them")
    named = [one_line(name) for name in fields.texts(share, "to")]
    if unnamed := fields.number(share, "unnamed"):
        named.append(tell("{count} who asked another device of yours", count=unnamed))
    return (
        tell("may be taken by {names}", names=", ".join(named))
        if named
        else tell("nobody may take it out of the group")
    )
