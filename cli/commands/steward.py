"""`steward`: for those who serve: rest, terms that end, handing over."""

from typing import Annotated

from cyclopts import App, Parameter

from cli import fields
from cli.ask import confirm
from cli.commands.stewards import people_lines
from cli.context import Context
from cli.moments import moment
from cli.options import Flag, Here, Seconds, WordOrNone
from cli.output import one_line
from cli.render import when
from cli.told import told_code
from cli.words import tell, tell_phrase
from mesh.errors import Exit, LocalError
from mesh.node.local.protocol import JsonObject
from mesh.phrases import Phrase, phrase

app = App(name="steward", help="Care for those who serve: rest, terms that end, handing over.")


@app.command(name="off-duty")
def off_duty(
    group: str, /, *, until: Annotated[WordOrNone, Parameter(metavar="T")] = None, wait: Seconds = 2, context: Here
) -> int:
    """Rest from serving. All in the group see that you are off duty and until when, and never why.

    Your own node then tells you nothing of who knocks, or of what is reported. You can still look: `mesh knocks list`.
    You keep your rank. For example:

    mesh steward off-duty "Tuesday grief" --until 7d

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    until
        When you are back: after a time (7d), on a day (2026-12-01) or at a moment (2026-12-01T18:00). Left out: when
        you say `mesh steward on-duty`.
    wait
        How long to wait until somebody is told.
    """
    asked: JsonObject = {"group": group, "on": False, "until": None if until is None else moment(until)}
    return _duty(context, {**asked, "wait_s": wait})


@app.command(name="on-duty")
def on_duty(group: str, /, *, wait: Seconds = 2, context: Here) -> int:
    """Be on duty again, and say so. For example: mesh steward on-duty "Tuesday grief".

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    wait
        How long to wait until somebody is told.
    """
    return _duty(context, {"group": group, "on": True, "until": None, "wait_s": wait})


def _duty(context: Context, asked: JsonObject) -> int:
    told = context.call("steward.duty", asked)
    context.out.result(told, people_lines(told))
    return told_code(context, told)


@app.command
def term(
    group: str,
    /,
    *,
    days: Annotated[int | None, Parameter(metavar="N")] = None,
    renew: Flag = False,
    end: Flag = False,
    wait: Seconds = 2,
    context: Here,
) -> int:
    """Show your term as a steward or founder, begin a new one, or step down.

    A term begins when you are given the rank, by your machine's clock. It lasts 90 days, or as long as the group sets
    with `steward-term`. `mesh status` reminds you 14 days and 3 days before its end. Then your own node does no more of
    what stewards do, and steps down when it next starts. Your rank stays if nobody else could go on: then you are asked
    to find somebody. A changed program may never end its term. Others see that, and can lower the rank. For example:

    mesh steward term "Tuesday grief" --renew

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    days
        Serve this many days from now; the group sees until when.
    renew
        Serve a whole term from now; the group sees until when.
    end
        Step down now and be a plain member. Your passphrase is needed.
    wait
        How long to wait until somebody is told.
    """
    asked: JsonObject = {"group": group, "days": days, "renew": renew, "end": end, "wait_s": wait}
    if end and (renew or days is not None):
        raise LocalError("A term ends or goes on.", do="Give --end, or --renew, or --days.", code="E-USAGE")
    if not end:
        told = context.call("steward.term", asked)
        context.out.result(told, [_term_line(fields.record(told, "term"))])
        return told_code(context, told)
    with context.api() as api:
        if not context.yes and not confirm("Step down, and be a plain member?", instead="--yes"):
            raise LocalError("You have not stepped down.", code="E-NOT-CONFIRMED")
        told = context.signed(api, "steward.term", asked)
    context.out.result(told, [tell("You have stepped down, and are a plain member now. Thank you for serving.")])
    context.say_unheard()
    return Exit.OK


@app.command
def handover(group: str, member: str, /, *, check: Flag = False, wait: Seconds = 5, context: Here) -> int:
    """Hand over to somebody else: a list of what hangs on you, then your rank for them, then you step down.

    You step down once their node has heard of their rank, so that the group is never without. Until then it says so:
    run the same command again. Only a founder can make stewards. What a changed program does with a rank that it was
    given, nobody can tell before. For example:

    mesh steward handover "Tuesday grief" juniper --check

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    member
        The member's alias, or the beginning of their id.
    check
        Show the list, and change nothing.
    wait
        How long to wait until their node has heard.
    """
    asked: JsonObject = {"group": group, "member": member, "wait_s": wait}
    with context.api() as api:
        shown = api.call("steward.handover", {**asked, "check": True})
        if check:
            context.out.result(shown, _check_lines(shown))
            return Exit.OK
        if not context.yes:
            context.out.insist(*_check_lines(shown))
            named = one_line(fields.person(fields.record(shown, "member")))
            if not confirm(phrase("Give {name} your rank, and step down?", name=named), instead="--yes"):
                raise LocalError("Nothing was handed over.", code="E-NOT-CONFIRMED")
        told = context.signed(api, "steward.handover", {**asked, "check": False})
    named = one_line(fields.person(fields.record(told, "member")))
    if fields.flag(told, "stepped_down"):
        context.out.result(
            told, [tell("{name} goes on, and you are a plain member now. Thank you for serving.", name=named)]
        )
        context.say_unheard()
        return Exit.OK
    context.out.result(
        told, [tell("{name} has the rank. Their node has not heard of it yet, so you keep yours.", name=named)]
    )
    context.out.say(tell("Run the same command again when they have been online."))
    return Exit.QUEUED


def _term_line(term: JsonObject) -> str:
    """Say until when one serves."""
    ends = fields.text(term, "until")
    rank = one_line(fields.text(term, "rank"))
    if not ends:
        return tell("You are a {rank}. Your term has no end.", rank=rank)
    if fields.flag(term, "over"):
        over = "You are a {rank}. Your term was over on {time}: --end steps down, --renew goes on."
        return tell(over, rank=rank, time=when(ends))
    return tell("You are a {rank} until {time}.", rank=rank, time=when(ends))


def _check_lines(told: JsonObject) -> list[str]:
    """Show what hangs on one, with how to hand each over."""
    lines = []
    for item in fields.records(told, "checklist"):
        what, how = (tell_phrase(Phrase(fields.text(item, key))) for key in ("what", "how"))  # sentences of the node's
        lines.append(f"{fields.number(item, 'count')} · {what} · {how}")
    named = one_line(fields.person(fields.record(told, "member")))
    already = tell("{name} has the rank already.", name=named)
    not_yet = tell("{name} does not have your rank yet.", name=named)
    return [*lines, already if fields.flag(told, "given") else not_yet]
