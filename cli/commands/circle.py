"""`circle`: a round on a question, in which one speaks and the others listen."""

from collections.abc import Iterator
from typing import Final

from cyclopts import App

from cli import fields
from cli.ask import given_line, given_text
from cli.commands.talk import Mode
from cli.durations import spoken_duration
from cli.modes import mode_for
from cli.options import Commas, Flag, Here, Seconds, WordOrNone
from cli.output import one_line
from cli.prompted import ask_with_words, call_with_words
from cli.render import indented, shown_id, when
from cli.tips import tips_for
from cli.told import told_code
from cli.words import tell, to_tell
from mesh.node.local.protocol import JsonObject
from mesh.phrases import phrase

PEOPLE: Final = {
    "order": to_tell("In it, in this order: {names}"),
    "to_come": to_tell("Still to come: {names}"),
    "away": to_tell("No word yet; they have a slot at the end: {names}"),
    "spoke": to_tell("Spoke in this round: {names}"),
    "passed": to_tell("Passed in this round: {names}"),
    "missed": to_tell("No word at the end either: {names}"),
}

app = App(name="circle", help="A round on a question: one speaks, the others listen.")


@app.command(name="open")
def open_(
    group: str,
    question: str | None = None,
    /,
    *,
    turn: Seconds = 600,
    rounds: int = 1,
    lasts: Seconds = 86_400,
    wait: Seconds = 2,
    context: Here,
) -> int:
    """Open a circle on a question. You sit in it, and lead it; any member may open one, newcomers not yet.

    Others join with `mesh circle join`, newcomers too. Then you begin with `mesh circle next`. One speaks at a time.
    The order is seen by all. To pass is always fine. Who is away at their turn, or is moved on from, has a slot at the
    end of the round.

    While somebody speaks, what others post in the group waits on their own nodes until the circle is over. A changed
    program may not wait. Then others see its words closed until the circle is over. If it dates them back, they stand
    among earlier ones and are not closed.

    A group has one circle at a time. If two were opened apart, the one that most people joined goes on. Where a group
    is cut in two, each part may move the circle on by itself. When they meet again they see the same. No turn is lost,
    and what now looks said out of turn is marked so. For example:

    mesh circle open "Tuesday grief" "What helped you this week?" --turn 5m

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    question
        What the round is about, in one line; left out it is asked for.
    turn
        A soft timer, from 1m to 24h. Nobody is cut off. When it is over, anybody in the circle may move it on.
    rounds
        How often it goes round, from 1 to 4.
    lasts
        After so long it ends by itself, from 10m to 7d.
    wait
        How long to wait until somebody is told.
    """
    asked: JsonObject = {
        "group": group,
        "turn_s": turn,
        "rounds": rounds,
        "lasts_s": lasts,
        "wait_s": wait,
    }
    told = call_with_words(
        context,
        "circle.open",
        asked,
        {"question": (question, lambda: given_line(question, "What is the question", instead="QUESTION"))},
    )
    context.out.result(told, circle_lines(told))
    return told_code(context, told)


@app.command
def join(group: str, /, *, leave: Flag = False, wait: Seconds = 2, context: Here) -> int:
    """Take part in the circle that is open. Who joins after the start speaks after the others.

    A changed program may date its joining back. Then it speaks before others who came late.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    leave
        Take part no more. Nobody asks why.
    wait
        How long to wait until somebody is told.
    """
    return _done(context, "circle.join", {"group": group, "leave": leave, "wait_s": wait})


@app.command
def say(
    group: str,
    text: str | None = None,
    /,
    *,
    mode: Mode | None = None,
    cw: WordOrNone = None,
    topics: Commas = None,
    wait: Seconds = 2,
    context: Here,
) -> int:
    """Say something in your turn. It is a message like any other; with it your turn is over.

    If you want to say more than one, `mesh post` takes the ones before the last.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    text
        What you want to say; - reads it from stdin. Left out it is asked for.
    mode
        What you wish for: to be listened to (if you do not say), others' experience, advice, or resources.
    cw
        A content warning: others see this label, and open your words when they choose to.
    topics
        Topics, with commas between them.
    wait
        How long to wait until somebody is told.
    """
    with context.api() as api:
        shown = fields.record(api.call("group.show", {"group": group}), "group")
        context.out.say(*tips_for(cw or ""))
        asked: JsonObject = {
            "group": group,
            "mode": mode_for(shown, mode),
            "cw": cw or "",
            "topics": list(topics or ()),
            "wait_s": wait,
        }
        told = ask_with_words(
            context,
            api,
            "circle.say",
            asked,
            {
                "text": (
                    text,
                    lambda: given_text(text, "What do you want to say?", instead=phrase("TEXT, or - for stdin")),
                )
            },
        )
    context.out.result(told, circle_lines(told))
    return told_code(context, told)


@app.command(name="pass")
def pass_(group: str, /, *, wait: Seconds = 2, context: Here) -> int:
    """Pass, in your turn or before it. It is always fine, and nobody asks why.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    wait
        How long to wait until somebody is told.
    """
    return _done(context, "circle.pass", {"group": group, "wait_s": wait})


@app.command(name="next")
def next_(group: str, /, *, wait: Seconds = 2, context: Here) -> int:
    """Begin the circle, or move it on to the next one. Who spoke last keeps a slot at the end of the round.

    Who opened the circle may do that, and moderators and up. When the soft timer is over, so may anybody in the circle:
    it goes on though the one who leads it is away. A program whose clock runs ahead may do so two minutes early.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    wait
        How long to wait until somebody is told.
    """
    return _done(context, "circle.next", {"group": group, "wait_s": wait})


@app.command
def close(group: str, words: str = "", /, *, wait: Seconds = 2, context: Here) -> int:
    """End the circle, with closing words if you like. What others posted meanwhile goes out then.

    Who opened it may do that at any time, and moderators and up. When all have had their turn and the soft timer is
    over, so may anybody in it.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    words
        Closing words for all.
    wait
        How long to wait until somebody is told.
    """
    return _done(context, "circle.close", {"group": group, "words": words, "wait_s": wait})


@app.command
def show(group: str, /, *, context: Here) -> None:
    """Show how the circle stands: the question, who speaks, and who comes next. One thing a line.

    Each node says what it has heard of; where nobody is reachable, others may be further.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    """
    told = context.call("circle.show", {"group": group})
    context.out.result(told, circle_lines(told))


def _done(context: Here, method: str, asked: JsonObject) -> int:
    told = context.call(method, asked)
    context.out.result(told, circle_lines(told))
    return told_code(context, told)


# ---------------------------------------------------------------- in words


def circle_lines(told: JsonObject) -> list[str]:
    """Say how a circle stands, one thing a line, the question last: nothing in it can pass for a line of ours."""
    circle = fields.record(told, "circle")
    if not circle:
        return [tell("No circle is known here. `mesh circle open` opens one.")]
    words = fields.text(circle, "closing_words")
    closer = one_line(fields.person(fields.record(circle, "closed_by")))
    return [
        *_where_it_is(circle),
        *_people(circle),
        tell("Question, from {name}:", name=one_line(fields.person(fields.record(circle, "by")))),
        *indented(fields.text(circle, "question") or tell("(left out, by what you block or mute)")),
        *([tell("Closing words, from {name}:", name=closer), *indented(words)] if words else []),
    ]


def _where_it_is(circle: JsonObject) -> Iterator[str]:
    """Say how far it is, and what one can do now."""
    identity, state = shown_id(fields.text(circle, "id")), fields.text(circle, "state")
    moves_on = when(fields.text(circle, "moves_on"))
    turn = tell("{time} for each turn", time=spoken_duration(fields.number(circle, "turn_s")))
    match state:
        case "open":
            yield f"{identity} · {tell('open: people join')} · {turn}"
            if fields.flag(circle, "may_move_on"):
                yield tell("`mesh circle next` begins it.")
        case "running":
            round_, rounds = fields.number(circle, "round"), fields.number(circle, "rounds")
            yield f"{identity} · {tell('round {round} of {rounds}', round=round_, rounds=rounds)} · {turn}"
            mine = fields.flag(circle, "my_turn")
            who = tell("you") if mine else one_line(fields.person(fields.record(circle, "speaking")))
            yield tell("Speaking: {who}, since {time}", who=who, time=when(fields.text(circle, "since")))
            yield from ([tell("`mesh circle say` speaks, `mesh circle pass` passes.")] if mine else [])
            yield tell("Soft timer: until {time}; then anybody in the circle may move it on.", time=moves_on)
        case "closing":
            yield f"{identity} · {tell('all have had their turn; closing words are awaited')}"
            if fields.flag(circle, "may_move_on"):
                yield tell("`mesh circle close` ends it.")
        case _:
            yield f"{identity} · {tell('closed {time}', time=when(fields.text(circle, 'ends')))}"
    if state in {"open", "running"} and not fields.flag(circle, "joined"):
        yield tell("You do not sit in it. `mesh circle join` takes part.")
    if state != "closed":
        yield tell("It ends by itself: {time}", time=when(fields.text(circle, "ends")))


def _people(circle: JsonObject) -> Iterator[str]:
    for key in PEOPLE:
        if named := fields.texts(circle, key):
            yield tell(PEOPLE[key], names=", ".join(one_line(name) for name in named))
    if fields.number(circle, "set_aside"):
        yield tell("Another circle was open at the same time. This one goes on, as more joined it or it was first.")
