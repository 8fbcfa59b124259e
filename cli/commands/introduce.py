"""`introduce`: ask one member whether they know a group for something, or answer one who asks you."""

from cyclopts import App

from cli import fields
from cli.ask import given_line
from cli.options import Here, Seconds, WordOrNone
from cli.output import one_line
from cli.prompted import call_with_words
from cli.render import INDENT, shown_id
from cli.told import told_code
from cli.words import tell
from mesh.node.local.protocol import JsonObject

app = App(name="introduce", help="Ask one member about a group for something, or answer one who asks.")


@app.command
def ask(group: str, member: str, text: str | None = None, /, *, wait: Seconds = 2, context: Here) -> int:
    """Ask one member whether they know a group for something. Only they can read it.

    The others see that you sent a sealed note, not to whom or what. The member you ask sees who asks. No answer is an
    answer too. Nobody else learns of it from an honest program; a person can still tell others. For example:

    mesh introduce ask "Tuesday grief" juniper "a group for people who care for a parent"

    Parameters
    ----------
    group
        The group in which you both are.
    member
        Whom you ask: their alias, or the beginning of their id.
    text
        What you look for, in a few words; left out it is asked for.
    wait
        How long to wait until it is out.
    """
    asked: JsonObject = {"group": group, "member": member, "wait_s": wait}
    told = call_with_words(
        context,
        "introduce.ask",
        asked,
        {"text": (text, lambda: given_line(text, "What do you look for", instead="TEXT"))},
    )
    context.out.result(told, question_lines(fields.record(told, "question")))
    return told_code(context, told)


@app.command(name="list")
def list_(group: WordOrNone = None, /, *, context: Here) -> None:
    """List what you asked, with the answers, and what you are asked.

    An answer may hold a code. `mesh join CODE` shows you that group before you agree to anything. Believe what it
    shows, and not what was said beside the code: nobody has checked either.

    Parameters
    ----------
    group
        Only of this group.
    """
    told = context.call("introduce.list", {"group": group})
    lines = [line for found in fields.records(told, "questions") for line in question_lines(found)]
    context.out.result(told, lines or [tell("Nothing was asked. `mesh introduce ask` asks a member.")])


@app.command
def answer(question: str, /, *, invite: WordOrNone = None, text: str = "", wait: Seconds = 2, context: Here) -> int:
    """Answer one who asks you: with a code of a group of yours, with a few words, or with both. Only they read it.

    You need not answer. The code is made now, for one use, and only where you may invite. Whoever has it sees what the
    group is, and its members see who comes; they do not see that you were asked. It tells the one who asks that you are
    in that group.

    Parameters
    ----------
    question
        The beginning of its id in `mesh introduce list`.
    invite
        The group of yours that they may join.
    text
        A few words, as that you know of none.
    wait
        How long to wait until it is out.
    """
    asked: JsonObject = {"question": question, "invite": invite, "text": text, "wait_s": wait}
    told = context.call("introduce.answer", asked)
    context.out.result(told, question_lines(fields.record(told, "question")))
    return told_code(context, told)


def question_lines(question: JsonObject) -> list[str]:
    """Say who asked whom for what, and what was answered."""
    mine = fields.flag(question, "mine")
    whom = [*fields.records(question, "to"), *fields.records(question, "waiting_for")]
    names = ", ".join(one_line(fields.person(one)) for one in whom)
    parts = [
        shown_id(fields.text(question, "id")),
        one_line(fields.text(fields.record(question, "group"), "name")),
        tell("you asked {names}", names=names)
        if mine
        else tell("{name} asks you", name=one_line(fields.person(fields.record(question, "by")))),
    ]
    return [
        f"{' · '.join(parts)}: {one_line(fields.text(question, 'text'))}",
        *(f"{INDENT}{line}" for found in fields.records(question, "answers") for line in _answer_lines(found)),
    ]


def _answer_lines(answer: JsonObject) -> list[str]:
    who = one_line(fields.person(fields.record(answer, "by")))
    words, code = one_line(fields.text(answer, "text")), one_line(fields.text(answer, "code"))
    gave = tell("{name} gave a code: mesh join {code}", name=who, code=code)
    return [*([f"{who}: {words}"] if words else []), *([gave] if code else [])]
