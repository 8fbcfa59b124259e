"""`sanction` and `appeal`: the steps of the ladder, and asking somebody else to look at one again."""

from typing import Literal

from cli import fields
from cli.ask import given_text
from cli.commands.report import sealed_code, sent_line
from cli.options import Here, Seconds, SecondsOrNone, WordOrNone
from cli.output import one_line
from cli.prompted import call_with_words
from cli.render import shown_id, when
from cli.told import told_code
from cli.words import tell
from mesh.node.local.protocol import JsonObject

Step = Literal["note", "fold", "unfold", "quiet", "lift"]


def sanction(
    group: str,
    member: str,
    step: Step,
    message: str | None = None,
    /,
    *,
    reason: WordOrNone = None,
    for_: SecondsOrNone = None,
    wait: Seconds = 2,
    context: Here,
) -> int:
    """Take a step with a member: a note, folding a message, asking them to be quiet for a while.

    For moderators, stewards and founders, with those alone who have a lower rank. The reason goes to that member under
    seal, and nobody else sees it. All see in `mesh log` who is asked to be quiet, until when, and by whom. It ends by
    itself; anybody of a higher rank than theirs can end it before (`lift`).

    Nodes that keep to the rules hold back what a quiet member posts. What a changed program sends meanwhile stays
    closed, and whoever wants to opens it: also what was on its way when you asked. A changed program shows it.

    The last step is `mesh group remove`. Who is out reads no note any more: tell them why before.

    Examples: `mesh sanction Tuesday tansy note`, `mesh sanction Tuesday tansy quiet --for 1d`,
    `mesh sanction Tuesday tansy fold 3fa9c1d2`, `mesh sanction Tuesday tansy lift`.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    member
        Their alias, or the beginning of their id.
    step
        note: a word to them, no more. fold, unfold: close a message of theirs for all, or open it again. quiet: they
        do not post for a while. lift: they may again.
    message
        The beginning of the id of the message to fold or unfold.
    reason
        Why, for them alone; - reads it from stdin. Left out, it is asked for; unfold and lift need none.
    for_
        How long they are to be quiet: one day if you do not say, 14 days at most.
    wait
        How long to wait until somebody is told.
    """
    asked_for = reason is not None or step not in {"unfold", "lift"}
    asked: JsonObject = {
        "group": group,
        "member": member,
        "step": step,
        "message": message,
        "wait_s": wait,
    }
    asked |= {} if for_ is None else {"for_s": for_}
    told = call_with_words(
        context,
        "sanction",
        asked,
        {"reason": (reason, lambda: given_text(reason, "Reason, for them alone", instead="--reason"))}
        if asked_for
        else {},
    )
    context.out.result(told, [sanction_line(fields.record(told, "sanction"))])
    return told_code(context, told)


def sanction_line(shown: JsonObject) -> str:
    """Say which step was taken."""
    name, short = one_line(fields.person(fields.record(shown, "member"))), shown_id(fields.text(shown, "id"))
    match fields.text(shown, "step"):
        case "quiet":
            return tell("{name} is asked to be quiet until {time}.", name=name, time=when(fields.text(shown, "until")))
        case "lift":
            return tell("{name} can talk again.", name=name)
        case "fold":
            return tell("{id} is folded for all. Nothing is deleted, and whoever wants to opens it.", id=short)
        case "unfold":
            return tell("{id} is open again, as far as you folded it.", id=short)
        case _:
            return tell("{name} gets a note, and nobody else.", name=name)


def appeal(group: str, /, *, note: WordOrNone = None, wait: Seconds = 2, context: Here) -> int:
    """Ask a steward or founder who had no part in it to look again at what was done with you.

    It is about what asks you to be quiet now; else about the last note to you, or the last message of yours that was
    folded. It goes to stewards and founders under seal, and to none of those who took the step. If that leaves nobody,
    nothing is sent, and you are told what else there is. Others see that you sent a note, and when.

    They answer with a word to you, or by ending it. Nobody can make them: a fork is the way to go on without them. Who
    was removed has no key to appeal with: reach somebody in another way.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    note
        A word to them; - reads it from stdin.
    wait
        How long to wait until a node takes it.
    """
    text = given_text(note, "Note", instead="--note") if note is not None else None
    told = context.call("appeal", {"group": group, "note": text, "wait_s": wait})
    context.out.result(told, [sent_line(fields.record(told, "appeal"))])
    return sealed_code(context, told)
