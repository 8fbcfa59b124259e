"""`report` and `reports`: show messages to the stewards under seal; what became of it; what stewards do with it."""

from typing import Annotated, Final

from cyclopts import Parameter

from cli import fields
from cli.ask import confirm, given_text
from cli.context import Context
from cli.options import Flag, Here, Seconds, WordOrNone
from cli.output import one_line
from cli.render import closed_because, indented, shown_id, when
from cli.words import tell, to_tell
from mesh.errors import Exit, LocalError
from mesh.node.local.protocol import JsonObject

KINDS: Final = {"report": to_tell("report"), "appeal": to_tell("appeal")}
GONE: Final = to_tell(
    "Whoever wrote that is not in the group any more. Your answer was not sent; it is closed all the same."
)
LIMIT: Final = 50  # reports; a screen or two
OLDER: Final = to_tell("[There are older ones. --before and the first id here shows them.]")


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

    You see what goes to whom, and are asked, before it is sent. It goes to none of those whose message is in it. If
    that leaves nobody, nothing is sent, and you are told what else there is. Your name is shown to those who get it,
    and to nobody else. A copy stays here: `mesh reports` shows it, and what is answered; there you can take it back.

    What others see: that you sent a note, and when. Where stewards have more than four devices together, it takes
    more than one. A steward who is left out can open none of them, and may guess. Who becomes a steward later does not
    get it. It holds a copy of the message, which stays if its author takes the message back. A steward may tell others.

    Examples: `mesh report 3fa9c1d2`, `mesh report 3fa9c1d2 --with 77ab0e10 --note - --yes`.

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
    asked: JsonObject = {"message": message, "with": list(with_ or ()), "note": text}
    with context.api() as api:
        if not context.yes:
            would = api.call("report.check", asked)
            context.out.insist(*would_lines(would))
            if not confirm("Send it?", instead="--yes"):
                raise LocalError("Nothing was sent.", why="It was not confirmed.", code="E-NOT-CONFIRMED")
            asked["to"] = [fields.text(person, "id") for person in fields.records(would, "to")]  # who was named gets it
        told = api.call("report", asked | {"wait_s": wait})
    context.out.result(told, [sent_line(fields.record(told, "report"))])
    return sealed_code(context, told)


def would_lines(would: JsonObject) -> list[str]:
    """Say what a report would show to whom, before it is sent."""
    lines = [tell("To {names} alone, under seal, with your name.", names=_names(would, "to"))]
    if left_out := _names(would, "not_to"):
        lines.append(tell("Not to {names}: what they said is in it.", names=left_out))
    lines.append(tell("What they see:"))
    for post in fields.records(would, "posts"):
        lines += _post_lines(post, yours=True)
    if text := fields.text(would, "text"):
        lines += [tell("And your note:"), *indented(text)]
    lines.append(tell("Others see that you sent a note, not to whom or what it says."))
    lines.append(tell("You can take it back later; who has read it by then has read it."))
    return lines


def sent_line(report_: JsonObject) -> str:
    """Say of a report or an appeal of one's own to whom it went, or for whom it waits."""
    short = shown_id(fields.text(report_, "id"))
    if fields.flag(report_, "nobody_left"):
        return " · ".join((short, tell("not sent: {names} may not be told now", names=_names(report_, "waiting_for"))))
    if waiting := _names(report_, "waiting_for"):
        went = _names(report_, "to")
        sent = (tell("sent to {names}", names=went),) if went else ()
        return " · ".join((short, *sent, tell("waits, for {names} alone", names=waiting)))
    return " · ".join((short, tell("sent, to {names} alone", names=_names(report_, "to"))))


def _names(record: JsonObject, key: str) -> str:
    """Name people, in the order of their names."""
    return ", ".join(sorted(one_line(fields.person(person)) for person in fields.records(record, key)))


def sealed_code(context: Context, told: JsonObject) -> int:
    """Say it where what was said under seal has not gone out yet; return the exit status."""
    if fields.flag(told, "told"):
        return Exit.OK
    if any(fields.flag(fields.record(told, kind), "nobody_left") for kind in KINDS):
        context.out.say(tell("Nobody has it. Those it was for do not serve now. `mesh status` says what you can do."))
        return Exit.QUEUED
    context.out.say(tell("Nobody has it yet. It goes out by itself as soon as a member's node is there to carry it."))
    return Exit.QUEUED


def reports(
    report_: Annotated[str | None, Parameter(name="report")] = None,
    /,
    *,
    group: WordOrNone = None,
    before: Annotated[str | None, Parameter(metavar="ID")] = None,
    limit: Annotated[int, Parameter(metavar="N")] = LIMIT,
    open_: Annotated[Flag, Parameter(name="--open")] = False,
    close: Flag = False,
    answer: WordOrNone = None,
    withdraw: Flag = False,
    wait: Seconds = 2,
    context: Here,
) -> int:
    """List the reports and appeals that came to you, and your own; show one, answer it, close it, take yours back.

    Yours say to whom they went, and what was answered. With --withdraw, those who got one see that you took it back,
    and it waits for them no longer; they keep what you told them. One that nobody got yet is gone, and never leaves.

    Each steward sees for themself which are closed. An answer goes to the one who wrote, under seal, and closes it
    here. A post that says "as its author signed it" was said just so. Any other is the word of the one who wrote.
    What stands behind a warning stays closed here as well; --open shows it this once.

    Parameters
    ----------
    report
        The beginning of its id; without it, all are listed.
    group
        Those of one group.
    before
        Those that came before the one with this id.
    limit
        At most this many, the newest. Where there are older ones, that is said.
    open_
        Show the words of closed posts too, in this showing.
    close
        It needs no more from you.
    answer
        What you answer; - reads it from stdin.
    withdraw
        Take back one of your own.
    wait
        How long to wait until a node takes the answer.
    """
    if report_ is None:
        told = context.call("reports.list", {"group": group, "before": before, "limit": limit})
        lines = [line for found in fields.records(told, "reports") for line in report_lines(found)]
        older = [tell(OLDER)] if fields.flag(told, "older") else []
        context.out.result(told, [*older, *lines] or [tell("There are no reports.")])
        if lines:
            context.out.say(tell("`mesh reports ID` shows one; --answer and --close deal with it."))
        return Exit.OK
    if withdraw:
        if close or answer is not None:
            raise LocalError("--withdraw is for your own, --answer and --close for others'.", code="E-USAGE")
        return _withdraw(context, report_, wait)
    if close or answer is not None:
        text = given_text(answer, "Answer", instead="--answer") if answer is not None else None
        told = context.call("reports.answer", {"report": report_, "text": text, "wait_s": wait})
        context.out.result(told, report_lines(fields.record(told, "report")))
        if text and not fields.flag(told, "answered"):
            context.out.say(tell(GONE))
        elif text and fields.flag(told, "told"):
            by = one_line(fields.person(fields.record(fields.record(told, "report"), "by")))
            context.out.say(tell("Your answer was sent to {name}, under seal.", name=by))
        return sealed_code(context, told)
    told = context.call("reports.show", {"report": report_, "open": open_})
    context.out.result(told, report_lines(fields.record(told, "report"), whole=True))
    return Exit.OK


def _withdraw(context: Context, report_: str, wait: float) -> int:
    """Take a report or an appeal of one's own back."""
    told = context.call("reports.withdraw", {"report": report_, "wait_s": wait})
    gone = fields.record(told, "report")
    context.out.result(told, report_lines(gone) if gone else [tell("It is gone: nobody had got it yet.")])
    return sealed_code(context, told)


def report_lines(report_: JsonObject, *, whole: bool = False) -> list[str]:
    """Say what a report or an appeal is, and how it stands; with `whole` what it says, and what was answered."""
    about = one_line(fields.person(fields.record(report_, "about")))
    by, kind = one_line(fields.person(fields.record(report_, "by"))), fields.text(report_, "kind")
    mine, waits, went = fields.flag(report_, "mine"), _names(report_, "waiting_for"), _names(report_, "to")
    nobody_left = fields.flag(report_, "nobody_left")
    answers = fields.records(report_, "answers")
    parts = [
        shown_id(fields.text(report_, "id")),
        tell(KINDS[kind]) if kind in KINDS else one_line(kind),
        tell("about {name}", name=about) if about else "",
        tell("yours") if mine else tell("by {name}", name=by),
        one_line(fields.text(fields.record(report_, "group"), "name")),
        when(fields.text(report_, "at")),
        tell("sent to {names}", names=went) if mine and went else "",
        tell("waits for {names}", names=waits) if waits and not nobody_left else "",
        tell("has reached nobody: {names} may not be told now", names=waits) if nobody_left else "",
        tell("answered") if answers else "",
        _taken_back(mine=mine) if fields.flag(report_, "withdrawn") else "",
        tell("closed") if fields.flag(report_, "closed") and not mine else "",
    ]
    lines = [" · ".join(part for part in parts if part)]
    if not whole:
        return lines
    if text := fields.text(report_, "text"):
        lines += indented(text)
    for post in fields.records(report_, "posts"):
        lines += _post_lines(post)
    for answer in answers:
        lines += _answer_lines(answer)
    return lines


def _taken_back(*, mine: bool) -> str:
    return tell("you took it back") if mine else tell("taken back by the one who wrote")


def _answer_lines(answer: JsonObject) -> list[str]:
    by, at = one_line(fields.person(fields.record(answer, "by"))), when(fields.text(answer, "at"))
    parts = (at, tell("answer by {name}", name=by), "" if fields.flag(answer, "sent") else tell("not sent yet"))
    head = " · ".join(part for part in parts if part)
    return [f"  {head}", *(f"  {line}" for line in indented(fields.text(answer, "text")))]


def _post_lines(post: JsonObject, *, yours: bool = False) -> list[str]:
    """Show a post in a report; `yours`: to the one who reports."""
    cw = one_line(fields.text(post, "cw"))
    head = " · ".join(
        part
        for part in (
            shown_id(fields.text(post, "id")),
            one_line(fields.person(fields.record(post, "author"))),
            when(fields.text(post, "at")),
            tell("warning: {warning}", warning=cw) if cw else "",
            tell("as its author signed it")
            if fields.flag(post, "proved")
            else (tell("by your word") if yours else tell("by the word of the one who wrote")),
        )
        if part
    )
    return [f"  {head}", *(f"  {line}" for line in indented(fields.text(post, "text") or _no_text(post)))]


def _no_text(post: JsonObject) -> str:
    """Say why no words of a post are shown: they are closed, or did not come."""
    if not fields.text(post, "closed_by"):
        return tell("(nothing of it came)")
    if because := closed_because(post):
        return tell("(closed: {why}; --open opens it)", why=because)
    return tell("(closed; --open opens it)")
