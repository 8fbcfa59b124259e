"""`milestone`: "90 days since …", which its author alone puts up and takes down."""

from cyclopts import App

from cli import fields
from cli.ask import given_line
from cli.options import Flag, Here, Seconds, WordOrNone
from cli.output import one_line
from cli.prompted import call_with_words
from cli.render import INDENT, shown_id
from cli.told import told_code
from cli.words import tell, tell_many
from mesh.node.local.protocol import JsonObject

app = App(name="milestone", help="Days that count: your own, and those of others.")


@app.command
def add(
    group: str,
    text: str | None = None,
    /,
    *,
    since: WordOrNone = None,
    count: str = "days",
    invite: Flag = False,
    wait: Seconds = 2,
    context: Here,
) -> int:
    """Put up a milestone of your own. All in the group see it and its date, and who comes in later too.

    It counts by itself. Only you can take it down, with `mesh milestone reset`. It goes as messages go: when it is as
    old as the group keeps things, or when you leave. Nobody checks the date. There is no private counting yet. For
    example:

    mesh milestone add "Tuesday grief" "without a drink" --since 2026-08-25 --invite
    mesh milestone add "Tuesday grief" "in the new flat" --count months

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    text
        What is counted, in one line; left out it is asked for.
    since
        The day on which it began, like 2026-08-25; today if left out.
    count
        In what it is counted: days, weeks, months or years.
    invite
        Let the others know that you would like them to congratulate. Without it their programs do not let them.
    wait
        How long to wait until somebody is told.
    """
    asked: JsonObject = {
        "group": group,
        "since": since,
        "count": count,
        "invite": invite,
        "wait_s": wait,
    }
    told = call_with_words(
        context, "milestone.add", asked, {"text": (text, lambda: given_line(text, "What is counted", instead="TEXT"))}
    )
    context.out.result(told, milestone_lines(fields.record(told, "milestone")))
    return told_code(context, told)


@app.command(name="list")
def list_(group: str, /, *, context: Here) -> None:
    """List the group's milestones, with the words of those who congratulated.

    What a member says whom you block or mute is left out, and so is what holds a word that you muted.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    """
    told = context.call("milestone.list", {"group": group})
    lines = [line for found in fields.records(told, "milestones") for line in milestone_lines(found)]
    context.out.result(told, lines or [tell("No milestones stand here. `mesh milestone add` puts up one of yours.")])
    if count := fields.number(told, "left_out"):
        context.out.say(tell("Left out, by what you block or mute, or as too old: {count}.", count=count))


@app.command
def reset(milestone: str, /, *, wait: Seconds = 2, context: Here) -> int:
    """Take down a milestone of yours. Nobody is told why.

    Others' nodes forget it, with what was said to it. What they are sent is the same whether you begin anew or are done
    with it. Begin anew with `mesh milestone add` when you like, or never: who sees the same words with a newer date can
    guess. A changed program may keep what it saw.

    Parameters
    ----------
    milestone
        The beginning of its id.
    wait
        How long to wait until somebody is told.
    """
    told = context.call("milestone.reset", {"milestone": milestone, "wait_s": wait})
    context.out.result(told, [tell("It is taken down. Nobody is told why.")])
    return told_code(context, told)


@app.command
def congratulate(milestone: str, text: str = "", /, *, withdraw: Flag = False, wait: Seconds = 2, context: Here) -> int:
    """Say that you are glad for one who asked you to. All in the group see that you did, and your words.

    Where nobody asked, your node does not send it. If a changed program sends it all the same, others' do not show it.

    Parameters
    ----------
    milestone
        The beginning of its id.
    text
        A few words, if you like.
    withdraw
        Take that back.
    wait
        How long to wait until somebody is told.
    """
    asked: JsonObject = {"milestone": milestone, "text": text, "withdraw": withdraw, "wait_s": wait}
    told = context.call("milestone.congratulate", asked)
    context.out.result(told, milestone_lines(fields.record(told, "milestone")))
    return told_code(context, told)


def milestone_lines(milestone: JsonObject) -> list[str]:
    """Say what is counted; what we say of it comes first, so that no text can pass for it."""
    whose = (
        tell("you") if fields.flag(milestone, "mine") else one_line(fields.person(fields.record(milestone, "author")))
    )
    congratulated = fields.number(milestone, "congratulated")
    parts = [
        shown_id(fields.text(milestone, "id")),
        _since(milestone),
        tell("congratulations are welcome") if fields.flag(milestone, "invited") and not congratulated else "",
        tell("congratulated by {count}", count=congratulated) if congratulated else "",
        tell("nobody has been told yet") if fields.flag(milestone, "waits") else "",
        whose,
    ]
    said = fields.records(milestone, "congratulations")
    return [
        f"{' · '.join(part for part in parts if part)}: {one_line(fields.text(milestone, 'text'))}",
        *(
            f"{INDENT}{one_line(fields.person(fields.record(word, 'author')))}: {one_line(fields.text(word, 'text'))}"
            for word in said
            if fields.text(word, "text")
        ),
    ]


def _since(milestone: JsonObject) -> str:
    """Say how long it is since the day."""
    count, day = fields.number(milestone, "elapsed"), fields.text(milestone, "since")
    match fields.text(milestone, "count"):
        case "weeks":
            return tell_many("{count} week since {day}", "{count} weeks since {day}", count=count, day=day)
        case "months":
            return tell_many("{count} month since {day}", "{count} months since {day}", count=count, day=day)
        case "years":
            return tell_many("{count} year since {day}", "{count} years since {day}", count=count, day=day)
        case _:
            return tell_many("{count} day since {day}", "{count} days since {day}", count=count, day=day)
