"""`report` and `reports`: show messages to the stewards under seal; and what stewards do with what came to them."""

from typing import Annotated

from cyclopts import Parameter

from cli import fields
from cli.ask import given_text
from cli.context import Context
from cli.options import Flag, Here, Seconds, WordOrNone
from cli.output import one_line
from cli.render import indented, shown_id, when
from mesh.errors import Exit
from mesh.node.local.protocol import JsonObject


def report(
    message: str,
    /,
    *,
    note: WordOrNone = None,
    with_: Annotated[list[str] | None, Parameter(name="--with", negative="", metavar="ID")] = None,
    wait: Seconds = 2,
    context: Here,
) -> int:
    """Show a message to the stewards and founders of its group, under seal. Nobody else can read it.

    It goes to none of those whose message is in it. If that leaves nobody, nothing is sent, and you are told what else
    there is. Your name is shown to those who get it, and to nobody else. A copy stays here: `mesh reports` shows it.

    What others see: that you sent a note, and when. Where stewards have more than four devices together, it takes
    more than one. A steward who is left out can open none of them, and may guess. Who becomes a steward later does not
    get it. It holds a copy of the message, which stays if its author takes the message back.

    Examples: `mesh report 3fa9c1d2`, `mesh report 3fa9c1d2 --with 77ab0e10 --note -`.

    Parameters
    ----------
    message
        The beginning of its id.
    note
        A word to them; - reads it from stdin. What stands on the command line is seen by the shell's history.
    with_
        Another message that belongs to it; up to seven.
    wait
        How long to wait until a node takes it.
    """
    text = given_text(note, "Note", instead="--note") if note is not None else None
    asked: JsonObject = {"message": message, "with": list(with_ or ()), "note": text, "wait_s": wait}
    told = context.call("report", asked)
    shown = fields.record(told, "report")
    names = sorted(one_line(name) for name in (*fields.texts(shown, "to"), *fields.texts(shown, "waiting_for")))
    context.out.result(told, [f"{shown_id(fields.text(shown, 'id'))} · for {', '.join(names)} alone"])
    return sealed_code(context, told)


def sealed_code(context: Context, told: JsonObject) -> int:
    """Say it where what was said under seal has not gone out yet; return the exit status."""
    if fields.flag(told, "told"):
        return Exit.OK
    context.out.say("Nobody has it yet. It goes out by itself as soon as a member's node is there to carry it.")
    return Exit.QUEUED


def reports(
    report_: Annotated[str | None, Parameter(name="report")] = None,
    /,
    *,
    group: WordOrNone = None,
    close: Flag = False,
    answer: WordOrNone = None,
    wait: Seconds = 2,
    context: Here,
) -> int:
    """List the reports and appeals that came to you, and your own; show one, answer it, close it.

    Each steward sees for themself which are closed. An answer goes to the one who wrote, under seal, and closes it
    here. A post that says "as its author signed it" was said just so. Any other is the word of the one who wrote.

    Parameters
    ----------
    report
        The beginning of its id; without it, all are listed.
    group
        Those of one group.
    close
        It needs no more from you.
    answer
        What you answer; - reads it from stdin.
    wait
        How long to wait until a node takes the answer.
    """
    if report_ is None:
        told = context.call("reports.list", {"group": group})
        lines = [line for found in fields.records(told, "reports") for line in report_lines(found)]
        context.out.result(told, lines or ["There are no reports."])
        return Exit.OK
    if close or answer is not None:
        text = given_text(answer, "Answer", instead="--answer") if answer is not None else None
        told = context.call("reports.answer", {"report": report_, "text": text, "wait_s": wait})
        context.out.result(told, report_lines(fields.record(told, "report")))
        return sealed_code(context, told)
    told = context.call("reports.show", {"report": report_})
    context.out.result(told, report_lines(fields.record(told, "report"), whole=True))
    return Exit.OK


def report_lines(report_: JsonObject, *, whole: bool = False) -> list[str]:
    """Say what a report or an appeal is; with `whole` what it says, and what is said in its posts."""
    about = one_line(fields.person(fields.record(report_, "about")))
    waits = [one_line(name) for name in fields.texts(report_, "waiting_for")]
    parts = [
        shown_id(fields.text(report_, "id")),
        fields.text(report_, "kind"),
        f"about {about}" if about else "",
        "yours" if fields.flag(report_, "mine") else f"by {one_line(fields.person(fields.record(report_, 'by')))}",
        one_line(fields.text(fields.record(report_, "group"), "name")),
        when(fields.text(report_, "at")),
        f"waits for {', '.join(waits)}" if waits else "",
        "closed" if fields.flag(report_, "closed") else "",
    ]
    lines = [" · ".join(part for part in parts if part)]
    if not whole:
        return lines
    if text := fields.text(report_, "text"):
        lines += indented(text)
    for post in fields.records(report_, "posts"):
        lines += _post_lines(post)
    return lines


def _post_lines(post: JsonObject) -> list[str]:
    cw = one_line(fields.text(post, "cw"))
    head = " · ".join(
        part
        for part in (
            shown_id(fields.text(post, "id")),
            one_line(fields.person(fields.record(post, "author"))),
            when(fields.text(post, "at")),
            f"warning: {cw}" if cw else "",
            "as its author signed it" if fields.flag(post, "proved") else "by the word of the one who wrote",
        )
        if part
    )
    return [f"  {head}", *(f"  {line}" for line in indented(fields.text(post, "text") or "(nothing of it came)"))]
