"""`shelf`: links and texts that members put up for each other."""

from cyclopts import App

from cli import fields
from cli.ask import given_line, given_text
from cli.options import Flag, Here, Seconds, WordOrNone
from cli.output import one_line
from cli.prompted import Asking, call_with_words
from cli.render import INDENT, indented, shown_id, when
from cli.told import told_code
from cli.words import tell
from mesh.node.local.protocol import JsonObject
from mesh.phrases import phrase

app = App(name="shelf", help="Links and texts that members put up for each other.")


@app.command
def add(
    group: str,
    title: str | None = None,
    text: str | None = None,
    /,
    *,
    link: WordOrNone = None,
    note: str = "",
    language: WordOrNone = None,
    review_by: WordOrNone = None,
    wait: Seconds = 2,
    context: Here,
) -> int:
    """Put a link or a text on the group's shelf. Everybody in the group sees it, and who comes in later too.

    It stays there until it is retired, however long the group keeps messages. Name a day for someone to look at it
    again; after that day the list says so. Nobody checks what is put up: it is its author's word. Of one device 32
    stand at a time. Of what it retires, and of what it says helped, the newest 256 count. For example:

    mesh shelf add "Tuesday grief" "What helps at night" --link https://example.org/night --review-by 2027-03-31
    mesh shelf add "Tuesday grief" "Breathing" "In for four, out for six." --language en

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    title
        What it is, in one line; left out it is asked for.
    text
        The text itself; - reads it from stdin. Left out it is asked for where there is no --link.
    link
        Where it is: https://… or http://….
    note
        For whom it is good, or what to know before.
    language
        In which language it is: en, pt-BR.
    review_by
        The day by which someone should look whether it still holds: 2027-03-31.
    wait
        How long to wait until somebody is told.
    """
    asked: JsonObject = {
        "group": group,
        "link": link,
        "note": note,
        "language": language,
        "review_by": review_by,
        "wait_s": wait,
    }
    text = "" if text is None and link else text
    words: Asking = {
        "title": (title, lambda: given_line(title, "Its title", instead="TITLE")),
        "text": (text, lambda: given_text(text, "The text", instead=phrase("TEXT, --link, or - for stdin"))),
    }
    told = call_with_words(context, "shelf.add", asked, words)
    line = resource_line(fields.record(told, "resource"))
    context.out.result(told, [tell("On the shelf: {resource}", resource=line)])
    return told_code(context, told)


@app.command(name="list")
def list_(group: str, /, *, context: Here) -> None:
    """List what stands on the group's shelf, in the order in which it was put up.

    Nothing is ranked: how many it helped is only said. What a blocked or muted member put up is left out, and so is
    what holds a word that you muted; `mesh shelf show` opens it.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    """
    told = context.call("shelf.list", {"group": group})
    found = fields.records(told, "resources")
    lines = [line for resource in found for line in [resource_line(resource), *below(resource)]]
    context.out.result(told, lines or [tell("Nothing stands on the shelf. `mesh shelf add` puts something up.")])
    if count := fields.number(told, "left_out"):
        context.out.say(tell("Left out, by what you block or mute, or as too old: {count}.", count=count))


@app.command
def show(resource: str, /, *, context: Here) -> None:
    """Show a resource whole.

    Parameters
    ----------
    resource
        The beginning of its id.
    """
    told = context.call("shelf.show", {"resource": resource})
    found = fields.record(told, "resource")
    text = indented(fields.text(found, "text")) if fields.text(found, "text") else []
    context.out.result(told, [resource_line(found), *below(found), *text])


@app.command
def helped(resource: str, /, *, withdraw: Flag = False, wait: Seconds = 2, context: Here) -> int:
    """Say that a resource helped you. The others see how many it helped; a changed program can see whom.

    Parameters
    ----------
    resource
        The beginning of its id.
    withdraw
        Take that back.
    wait
        How long to wait until somebody is told.
    """
    told = context.call("shelf.helped", {"resource": resource, "withdraw": withdraw, "wait_s": wait})
    context.out.result(told, [resource_line(fields.record(told, "resource"))])
    return told_code(context, told)


@app.command
def retire(resource: str, /, *, wait: Seconds = 2, context: Here) -> int:
    """Take a resource off the shelf for everybody: your own, or as a moderator or more senior any.

    It does not come back; put it up anew if it should. A changed program may go on showing it.

    Parameters
    ----------
    resource
        The beginning of its id.
    wait
        How long to wait until somebody is told.
    """
    told = context.call("shelf.retire", {"resource": resource, "wait_s": wait})
    title = one_line(fields.text(fields.record(told, "retired"), "title"))
    context.out.result(told, [tell("Off the shelf: {title}", title=title)])
    return told_code(context, told)


def resource_line(resource: JsonObject) -> str:
    """Say in a line what a resource is; what we say of it comes first, so that no title can pass for it."""
    count = fields.number(resource, "helped")
    due = fields.text(resource, "review_by")
    overdue, again = tell("overdue, look again by {day}", day=due), tell("look again by {day}", day=due)
    helped_too, helped_others = tell("helped {count}, you too", count=count), tell("helped {count}", count=count)
    parts = [
        shown_id(fields.text(resource, "id")),
        fields.text(resource, "language"),
        (helped_too if fields.flag(resource, "helped_me") else helped_others) if count else "",
        (overdue if fields.flag(resource, "overdue") else again) if due else "",
        tell("nobody has been told yet") if fields.flag(resource, "waits") else "",
    ]
    return f"{' · '.join(part for part in parts if part)}: {one_line(fields.text(resource, 'title'))}"


def below(resource: JsonObject) -> list[str]:
    """Say what stands below that line: who put it up and when, its link and note."""
    who = tell("you") if fields.flag(resource, "mine") else one_line(fields.person(fields.record(resource, "author")))
    found = [one_line(fields.text(resource, name)) for name in ("link", "note")]
    by = tell("by {who}, {time}", who=who, time=when(fields.text(resource, "at")))
    return [f"{INDENT}{line}" for line in [by, *filter(None, found)]]
