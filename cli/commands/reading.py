"""`read`: a page of what was said in a group, and what comes while one looks."""

from collections.abc import Iterator
from typing import Annotated, Final

from cyclopts import Parameter

from cli import fields
from cli.commands.meeting import meeting_line
from cli.commands.pin import pin_lines
from cli.context import Context
from cli.event_lines import event_line
from cli.options import Flag, Here
from cli.output import one_line
from cli.pace import SILENT, digest_line
from cli.render import catching_up_line, delivery_line, gap_line, message_lines, shown_id, when
from cli.words import tell, to_tell
from mesh.errors import LocalError
from mesh.node.local.api import Api
from mesh.node.local.protocol import JsonObject

LIMIT: Final = 50  # messages; a screen or two
OLDER: Final = to_tell(
    "[There are older ones. --before and the first id here shows them; --limit N shows up to 500 at once.]"
)


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

    A warning is its author's own word: what has none may need one. A changed program may show all at once.

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
    context.out.result(told, _page(told, opened=open_ is not None, conversing=context.conversing))
    if not context.node_up:
        context.out.say(tell("Your node is not running, so nothing new can come. Start it with `mesh up`."))


def _page(told: JsonObject, *, opened: bool, conversing: bool) -> Iterator[str]:
    messages = fields.records(told, "messages")
    if earlier := fields.record(told, "earlier"):
        name, short = one_line(fields.text(earlier, "name")), shown_id(fields.text(earlier, "id"))
        yield (
            tell('Earlier words are in "{group}" ({id}).', group=name, id=short)
            if name
            else tell("Earlier words are in a group that is not here ({id}).", id=short)
        )
        yield ""
    if fields.flag(meeting := fields.record(told, "meeting"), "soon"):
        yield tell("[meeting: {meeting}]", meeting=meeting_line(meeting))
    if pinned := [] if opened else list(pin_lines(told, conversing=conversing)):
        yield from pinned
        yield ""
    if fields.flag(told, "older"):
        yield tell(OLDER)
    for place, message in enumerate(messages):
        if place or fields.flag(told, "older"):
            yield ""
        yield from message_lines(message, conversing=conversing)
    if fields.flag(told, "newer"):
        yield ""
        yield tell("[More is unread. The same again shows it.]")
    for gap in fields.records(told, "gaps"):
        yield gap_line(gap)
    if line := catching_up_line(fields.record(told, "catching_up")):
        yield f"[{line}]"
    if until := fields.text(fields.record(told, "quiet"), "until"):
        yield tell(
            "[You are asked to be quiet until {time}; `mesh log GROUP` shows why, and by whom.]", time=when(until)
        )
    if line := circle_line(fields.record(told, "circle")):
        yield line
    if not messages:
        yield tell("There is nothing to read here.")


def circle_line(news: JsonObject) -> str:
    """Say that a circle is under way, as far as that is news; empty otherwise."""
    match fields.text(news, "state"), fields.flag(news, "joined"):
        case _ if fields.flag(news, "my_turn"):
            return tell("[It is your turn in the circle: `mesh circle say`, or `mesh circle pass`.]")
        case "open", False:
            return tell("[A circle is open. `mesh circle join` takes part; `mesh circle show` shows it.]")
        case (("running" | "closing"), _):
            return tell("[A circle goes on. What you post here waits until it is over; `mesh circle show` shows it.]")
        case _:
            return ""


def _follow(context: Context, api: Api, asked: JsonObject) -> None:
    """Show the page, then what comes. The stream is opened first, so that nothing falls between the two."""
    stream = api.stream("read.follow", {"group": asked["group"]})
    first = next(stream, None)
    group: JsonObject = {} if first is None or "group" not in first else {"group": first["group"]}
    told = api.call("read", asked)
    context.out.say(*([tell(OLDER)] if fields.flag(told, "older") else []))
    context.out.say(*([tell(SILENT)] if first is not None and fields.flag(first, "silent") else []))
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
    if line := circle_line(fields.record(told, "circle")):
        context.out.say(line)
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
            lines = [tell("[It is your turn in the circle: `mesh circle say`, or `mesh circle pass`.]")]
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
