"""`post`, `read`, `outbox` and `message`: say something, read what was said, see what became of it, take it back."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final, Literal

from cyclopts import App, Parameter

from cli import fields
from cli.ask import can_ask, confirm, given_text
from cli.attach import Given, hand_over, opened
from cli.commands.meeting import meeting_line
from cli.commands.pin import pin_lines
from cli.context import Context
from cli.errors import sentence
from cli.foresight import CRISIS, WELCOME, reach_line
from cli.modes import means_advice, mode_for
from cli.options import Commas, Flag, Here, Seconds, SecondsOrNone, WordOrNone
from cli.output import one_line
from cli.pace import SILENT, digest_line
from cli.render import (
    audience_line,
    catching_up_line,
    delivery_line,
    delivery_lines,
    event_line,
    gap_line,
    join_step,
    join_words,
    message_lines,
    shown_id,
    standing,
    when,
)
from cli.tips import tips_for
from mesh.errors import Exit, LocalError, MeshError, RefusedError
from mesh.node.local.api import Api
from mesh.node.local.protocol import JsonObject

Mode = Literal["listening", "experience", "advice", "resources"]
LIMIT: Final = 50  # messages; a screen or two
OLDER: Final = "[There are older ones. --before and the first id here shows them; --limit N shows up to 500 at once.]"
NEWER: Final = "[More is unread. The same again shows it.]"
ONCE_MORE: Final = "Here is your text once more, so that you can take it from here:"
WAITING: Final = frozenset({"preview", "knocking", "awaiting-approval"})  # states of an attempt to join
IN_A_CIRCLE: Final = (
    "A circle is under way: one speaks, and the others listen. Your words wait here until it is over.",
    "`mesh circle show` says who speaks; `mesh message withdraw` takes your words back.",
    "`mesh talk` asks a member to talk with you alone, and `mesh crisis` says who listens at any hour.",
)
FILES_STAY: Final = (
    "The files do not go out with it: others' nodes fetch them from yours, or from a member's that has them already. "
    "Leave yours running; keepers hold no files."
)

app = App(name="message", help="Look at one message, or take it back.")


def post(
    group: str,
    text: str | None = None,
    /,
    *,
    mode: Mode | None = None,
    cw: WordOrNone = None,
    topics: Commas = None,
    reply_to: str | None = None,
    confirm_advice: Flag = False,
    quote: WordOrNone = None,
    no_history: Flag = False,
    may_leave: Flag = False,
    expires: SecondsOrNone = None,
    file: Annotated[list[Path] | None, Parameter(negative="", metavar="PATH")] = None,
    wait: Seconds = 2,
    context: Here,
) -> int:
    """Say something in a group.

    Leave TEXT out to be asked for it: what stands on the command line is seen by the shell's history and by other
    accounts. When nobody can take it yet it waits here, goes out by itself, and the exit status is 4.

    How far it came is said in three words. queued: no other node says yet that it has it. sent: the nodes that are
    named say that they stored it ("has it"). reached k of n: of the n other members, the nodes of k have confirmed
    under seal that they received it; nobody says whether it was read. While a circle goes on, others' posts wait.

    At a terminal you are asked once before a phone number, an e-mail address or a street goes to the whole group.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    text
        What you want to say; - reads it from stdin.
    mode
        What you wish for in answers: to be listened to (if you do not say), others' experience, advice, or resources.
        In an answer: what it is. A group may have locked one mode; then that is the one.
    cw
        A content warning: others see this label, and open your words when they choose to.
    topics
        Topics, with commas between them.
    reply_to
        The id of the message that you answer.
    confirm_advice
        Give advice to one who did not ask for it; at a terminal you are asked. --yes is not enough.
    quote
        The id of a message to quote. From another group its words go along without a name, if their author lets them
        leave (`mesh share ask`): those who read it have your word for that. Your own may show who you are there.
    no_history
        Newcomers are not to see this one, whatever the group lets them see of what was said before they came.
    may_leave
        Anyone in the group may quote it elsewhere and export it, until you `mesh share withdraw` it. Else it stays.
    expires
        It disappears so long after it was said, from every node that keeps to the rules; a changed one keeps it.
    file
        A file to go with it (`mesh file save`); up to four, 32 MiB together. Keepers hold none: keep your node up.
    wait
        How long to wait for the first who takes it.
    """
    asked: JsonObject = {
        "group": group,
        "cw": cw or "",
        "topics": list(topics or ()),
        "reply_to": reply_to,
        "quote": quote,
    }
    asked |= {"no_history": no_history, "may_leave": may_leave, "expires_s": expires, "wait_s": wait}
    return _asked_for(context, asked, file or (), text, mode, confirmed=confirm_advice)


def _asked_for(
    context: Context, asked: JsonObject, file: Sequence[Path], text: str | None, mode: Mode | None, *, confirmed: bool
) -> int:
    """Look whom it goes to and what it answers, have it written, and post it."""
    with opened(file) as files, context.api() as api:
        group, reply_to = fields.text(asked, "group"), fields.text(asked, "reply_to") or None
        shown = looked_up(api, group)
        seen_by, mode_of_it = audience(shown, no_history=fields.flag(asked, "no_history")), mode_for(shown, mode)
        advice = means_advice(answered(api, reply_to), mode_of_it, confirmed=confirmed)
        written = _written(context, text, seen_by, fields.text(asked, "cw"))
        asked |= {"text": written, "mode": mode_of_it, **({"confirm_advice": True} if advice else {})}
        return _send(context, api, asked, files, seen_by, typed=text is None)


def _send(
    context: Context, api: Api, asked: JsonObject, files: Sequence[Given], seen_by: list[str], *, typed: bool
) -> int:
    """Post, and say how far it came and what it waits for."""
    told = _sent(context, api, asked, files, typed=typed)
    message = fields.record(told, "message")
    waiting = fields.text(message, "state") == "queued"
    group = _shown_group(api, fields.text(asked, "group")) if waiting else {}
    context.out.say(*([] if typed else seen_by))
    context.out.result(told, [f"{delivery_line(message)} · {shown_id(fields.text(message, 'id'))}"])
    context.out.say(*(what_it_waits_for(message, group, node_up=context.node_up) if waiting else []))
    context.out.say(*([FILES_STAY] if fields.records(message, "files") else []))
    if (warning := one_line(fields.text(message, "cw"))) and not fields.text(asked, "cw"):
        context.out.say(f"It bears the warning of what it quotes: {warning}.")
    return Exit.QUEUED if waiting else Exit.OK


def _sent(context: Context, api: Api, asked: JsonObject, files: Sequence[Given], *, typed: bool) -> JsonObject:
    """Hand over the files, then post; where that fails, a text that was typed for it is shown once more."""
    try:
        if files:
            asked["files"] = hand_over(api, fields.text(asked, "group"), files)
        return api.call("post", asked)
    except MeshError:
        if typed:
            context.out.insist(ONCE_MORE, fields.text(asked, "text"))
        raise


def what_it_waits_for(message: JsonObject, group: JsonObject, *, node_up: bool) -> list[str]:
    """Say why a message waits, and promise no more than is so."""
    if fields.flag(fields.record(message, "circle"), "waits"):
        return list(IN_A_CIRCLE)
    why = fields.text(message, "why")
    if fields.text(group, "state") in {"cut-off", "told-out"}:
        return ["Nobody has taken it: you may have been removed. `mesh status` says what you can do."]
    if fields.number(group, "members") == 1:
        return [sentence(why)] if why else []
    if group.get("confirmed") is False:
        return [
            sentence(why),
            "It goes out by itself once another member's node is reachable, or after `mesh group confirm`.",
        ]
    if not node_up:
        return ["Your node is not running. Start it with `mesh up`, and this goes out by itself."]
    first = "a member's node or a keeper" if fields.number(group, "keepers") else "a member's node"
    return [
        f"Nobody has taken it yet. It goes out by itself as soon as {first} is reachable.",
        *([sentence(why)] if why else []),
    ]


def read(
    group: str,
    /,
    *,
    since: str | None = None,
    before: Annotated[str | None, Parameter(metavar="ID")] = None,
    limit: Annotated[int, Parameter(metavar="N")] = LIMIT,
    unread: Flag = False,
    follow: Flag = False,
    open_: Annotated[str | None, Parameter(name="--open", metavar="ID")] = None,
    context: Here,
) -> None:
    """Read a group, oldest first. A message with a content warning stays closed until you open it.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    since
        Only what came after the message with this id.
    before
        Only what came before the message with this id, to go on back from there.
    limit
        At most this many, the newest; up to 500. Where there are older ones, that is said.
    unread
        Only what you have not read yet, the oldest first. Where there is more of it, that is said.
    follow
        Stay, and show what comes, until Ctrl-C; the node must run.
    open_
        Show the message with this id, its warning opened.
    """
    if limit < 1:
        raise LocalError("--limit is at least 1.", code="E-USAGE")
    asked: JsonObject = {"group": group, "since": since, "limit": limit, "unread": unread, "open": open_}
    asked |= {"before": before} if before else {}
    with context.api() as api:
        if follow:
            _follow(context, api, asked)
            return
        told = api.call("read", asked)
    context.out.result(told, _page(told, opened=open_ is not None))
    if not context.node_up:
        context.out.say("Your node is not running, so nothing new can come. Start it with `mesh up`.")


def outbox(*, context: Here) -> None:
    """Show what has not reached everybody: for whom it waits, and why.

    queued: no other node says that it has it. sent: at least one node says that it stored it ("has it"), and no member
    has confirmed it yet. reached: some members have confirmed it; "waiting for" names those who have not.
    """
    told = context.call("outbox")
    waiting = fields.records(told, "outbox")
    context.out.result(told, [] if waiting else ["Nothing waits."])
    context.out.table(
        ("id", "group", "state", "waiting for", "why"),
        [
            (
                shown_id(fields.text(entry, "id")),
                _group_name(entry),
                fields.text(entry, "state"),
                ", ".join(fields.texts(entry, "waiting_for")),
                fields.text(entry, "why"),
            )
            for entry in waiting
        ],
    )


@app.command
def show(message: str, /, *, context: Here) -> None:
    """Show one message, its warning opened, and what became of it if it is yours.

    Parameters
    ----------
    message
        The beginning of its id.
    """
    told = context.call("message.show", {"message": message})
    shown = fields.record(told, "message")
    lines = message_lines(shown)
    if fields.text(shown, "state"):
        lines.extend(delivery_lines(shown))
    context.out.result(told, lines)


@app.command
def withdraw(message: str, /, *, wait: Seconds = 2, context: Here) -> int:
    """Take back a message of yours: its text goes from your node and from every other that keeps to the rules.

    In its place stands that you took it back. What nobody has yet never leaves. Others' nodes forget it as soon as they
    hear of it; while nobody is reachable that waits here, and the exit status is 4. People remember what they read, and
    a program that was changed keeps it.

    Parameters
    ----------
    message
        The beginning of its id.
    wait
        How long to wait until somebody is told.
    """
    told = context.call("message.withdraw", {"message": message, "wait_s": wait})
    shown = fields.record(told, "message")
    context.out.result(told, [f"{fields.text(shown, 'state')} · {shown_id(fields.text(shown, 'id'))}"])
    if fields.flag(told, "told"):
        return Exit.OK
    context.out.say("Nobody has been told yet. It goes out by itself as soon as a member's node is reachable.")
    return Exit.QUEUED


# ---------------------------------------------------------------- helpers


def looked_up(api: Api, group: str) -> JsonObject:
    """Look at the group; one that is not there is found out before anything is typed."""
    try:
        return fields.record(api.call("group.show", {"group": group}), "group")
    except MeshError as error:
        if error.code == "E-NO-GROUP":
            raise (_still_outside(api, group) or error) from None
        return {}  # a look that fails is no reason not to post


def _still_outside(api: Api, group: str) -> RefusedError | None:
    """Make the error for a group that one waits to enter; None where one does not."""
    joins: list[JsonObject] = []
    with suppress(MeshError):
        joins = fields.records(api.call("join.list", {}), "joins")
    for join in joins:
        name = fields.text(fields.record(join, "group"), "name")
        if name.casefold() == group.casefold() and fields.text(join, "state") in WAITING:
            return RefusedError(
                f'You are not in "{one_line(name)}" yet: {join_words(join)}.',
                why="Only who is in can post.",
                do=join_step(join),
                code="E-NOT-MEMBER",
            )
    return None


def audience(shown: JsonObject, *, no_history: bool) -> list[str]:
    """Who can see it, and at a terminal who is there, said before it is written. RefusedError for one who is out."""
    state = fields.text(shown, "state")
    if state in {"left", "removed"}:
        raise RefusedError(
            f'You are not in "{one_line(fields.text(shown, "name"))}" any more.',
            why="Nobody in it would receive what you send.",
            do="Ask someone in the group for a new invite.",
            code="E-NOT-MEMBER",
        )
    if fields.flag(fields.record(shown, "talk"), "ended"):
        raise RefusedError(
            f'The talk "{one_line(fields.text(shown, "name"))}" has ended.',
            why="The other one is out of it, and nobody else comes in: nobody would receive what you send.",
            do="`mesh talk GROUP MEMBER` asks for a new one; what was said here stays to be read.",
            code="E-NOT-MEMBER",
        )
    if state in {"cut-off", "told-out"}:
        return [f'Take care with "{one_line(fields.text(shown, "name"))}". {sentence(standing(shown))}']
    line = audience_line({**shown, "history": "none"} if no_history else shown)
    there = [reach_line(shown), CRISIS] if can_ask() else []
    welcome = WELCOME if fields.flag(shown, "new_here") else ""
    return [said for said in (welcome, line, *there) if said]


def _shown_group(api: Api, group: str) -> JsonObject:
    """Look at a group; nothing where that fails: it is not what was asked for."""
    with suppress(MeshError):
        return fields.record(api.call("group.show", {"group": group}), "group")
    return {}


def _said(text: str | None) -> str:
    said = given_text(text, "What do you want to say?", instead="TEXT, or - for stdin")
    if not said.strip():
        raise LocalError("There is nothing to say in it.", do="Write a text.", code="E-TEXT")
    return said


def _written(context: Context, text: str | None, seen_by: list[str], warning: str) -> str:
    """Give the text, asked for where it was left out; what its author should know is said to them before."""
    context.out.say(*(seen_by if text is None else []), *tips_for(warning))
    said = _said(text)
    mind_contacts(context, said, typed=text is None)
    return said


def mind_contacts(context: Context, text: str, *, typed: bool) -> None:
    """Ask once before what may lead to a person goes to everybody; without a terminal, say so and let it go."""
    from mesh.support.contacts import contacts_in

    seen = contacts_in(text)
    if not seen or context.yes:
        return
    hint = f"Your text seems to hold {' and '.join(kind.value for kind in seen)}."
    if not can_ask():
        context.out.say(f"{hint} It goes to everyone in the group.")
    elif not confirm(f"{hint} This goes to everyone in the group: send it?", instead="--yes"):
        if typed:  # it stands nowhere else, and was work
            context.out.insist(ONCE_MORE, text)
        raise LocalError("You did not send it.", do="Change the text, and post it again.", code="E-NOT-CONFIRMED")


def answered(api: Api, message: str | None) -> JsonObject:
    """Look at the message to be answered, before a text is typed. What is unclear is left to the post."""
    try:
        if message is not None:
            return fields.record(api.call("message.show", {"message": message}), "message")
    except MeshError as error:
        if error.code == "E-NO-MESSAGE":
            raise
    return {}


def _page(told: JsonObject, *, opened: bool) -> Iterator[str]:
    messages = fields.records(told, "messages")
    if earlier := fields.record(told, "earlier"):
        name = one_line(fields.text(earlier, "name"))
        named = f'"{name}"' if name else "a group that is not here"
        yield f"Earlier words are in {named} ({shown_id(fields.text(earlier, 'id'))})."
        yield ""
    if fields.flag(meeting := fields.record(told, "meeting"), "soon"):
        yield f"[meeting: {meeting_line(meeting)}]"
    if pinned := [] if opened else list(pin_lines(told)):
        yield from pinned
        yield ""
    if fields.flag(told, "older"):
        yield OLDER
    for place, message in enumerate(messages):
        if place or fields.flag(told, "older"):
            yield ""
        yield from message_lines(message)
    if fields.flag(told, "newer"):
        yield ""
        yield NEWER
    for gap in fields.records(told, "gaps"):
        yield gap_line(gap)
    if line := catching_up_line(fields.record(told, "catching_up")):
        yield f"[{line}]"
    if until := fields.text(fields.record(told, "quiet"), "until"):
        yield f"[You are asked to be quiet until {when(until)}; `mesh log` shows why, and by whom.]"
    if not messages:
        yield "There is nothing to read here."


def _follow(context: Context, api: Api, asked: JsonObject) -> None:
    """Show the page, then what comes. The stream is opened first, so that nothing falls between the two."""
    stream = api.stream("read.follow", {"group": asked["group"]})
    first = next(stream, None)
    group: JsonObject = {} if first is None or "group" not in first else {"group": first["group"]}
    told = api.call("read", asked)
    context.out.say(*([OLDER] if fields.flag(told, "older") else []))
    context.out.say(*([SILENT] if first is not None and fields.flag(first, "silent") else []))
    if pinned := list(pin_lines(told)):
        context.out.result({"event": "pins", **group, "pins": told["pins"]}, [*pinned, ""])
    shown = set()
    for message in fields.records(told, "messages"):
        shown.add(fields.text(message, "id"))
        _show_event(context, {"event": "message", **group, "message": message})
    for gap in fields.records(told, "gaps"):
        _show_event(context, {"event": "gap", **group, "gap": gap})
    if progress := fields.record(told, "catching_up"):
        _show_event(context, {"event": "catching-up", **group, **progress})
    if first is not None and fields.text(first, "event") != "following":
        _show_event(context, first)
    for event in stream:
        message = fields.record(event, "message")
        if fields.text(event, "event") != "message" or fields.text(message, "id") not in shown:
            _show_event(context, event)


def _show_event(context: Context, event: JsonObject) -> None:
    match fields.text(event, "event"):
        case "message":
            lines = [*message_lines(fields.record(event, "message")), ""]
        case "gap":
            lines = [gap_line(fields.record(event, "gap"))]
        case "state":
            message = fields.record(event, "message")
            lines = [f"({shown_id(fields.text(message, 'id'))}: {delivery_line(message)})"]
        case "turn":
            lines = ["[It is your turn in the circle: `mesh circle say`, or `mesh circle pass`.]"]
        case "digest":
            lines = [f"[{digest_line(event)}]"]
        case "support":
            lines = [f"[{event_line(event)}]"]
        case "catching-up":
            lines = [f"[{catching_up_line(event)}]"]
        case _:
            lines = []
    if lines or context.out.json:
        context.out.result(event, lines)


def _group_name(entry: JsonObject) -> str:
    group = entry.get("group")
    if isinstance(group, dict):
        return one_line(fields.text(group, "name")) or shown_id(fields.text(group, "id"))
    return shown_id(group) if isinstance(group, str) else ""
