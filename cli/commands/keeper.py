"""`keeper`: hold sealed messages for others on this node, and choose who holds them for your groups."""

from cyclopts import App

from cli import fields
from cli.ask import confirm, given_line
from cli.context import Context
from cli.options import Here, SecondsOrNone, SizeOrNone
from cli.output import one_line
from cli.render import shown_id, when
from cli.sizes import format_size
from cli.words import tell, tell_each, tell_many
from mesh.errors import LocalError
from mesh.node.local.protocol import JsonObject
from mesh.phrases import phrase, plural

app = App(name="keeper", help="Hold sealed messages for groups, and choose who holds yours.")

DAY_S = 86_400


@app.command
def on(*, quota: SizeOrNone = None, keep: SecondsOrNone = None, context: Here) -> None:
    """Make this node a keeper: it holds sealed messages for groups that have a ticket of yours.

    It cannot read any of it, and does not learn who writes. It sees when something comes, how much, and the network
    addresses of those who fetch it. It helps when it runs day and night. Next: `mesh keeper ticket`.

    Parameters
    ----------
    quota
        How much it holds in all, like 500M or 2G; 1 GiB if never said.
    keep
        How long it holds each message, in whole days up to 90d; 30d if never said.
    """
    if keep is not None and (keep % DAY_S or not keep):
        raise LocalError("A keeper keeps for whole days.", do="Say --keep 7d, or --keep 30d.", code="E-USAGE")
    days = None if keep is None else keep // DAY_S
    told = context.call("keeper.on", {"quota": quota, "days": days})
    context.out.result(told, [_terms_line(told)])
    context.out.say(tell("Next: `mesh keeper ticket` makes a ticket for one group. Keep the node running: `mesh up`."))


@app.command
def off(*, context: Here) -> None:
    """Keep nothing for others any more, and forget what this node held for them.

    Who said something has it still; one who is away may find it nowhere else meanwhile. Tickets are good again if you
    turn it on again.
    """
    with context.api() as api:
        held = 0 if context.yes else fields.number(api.call("keeper.status", {}), "frames")
        question = plural(
            "It holds {count} sealed piece for others. Forget them?",
            "It holds {count} sealed pieces for others. Forget them?",
            count=held,
        )
        if held and not confirm(question, instead="--yes"):
            raise LocalError("Nothing was changed.", code="E-NOT-CONFIRMED")
        told = api.call("keeper.off", {})
    context.out.result(told, [tell("This node is no keeper, and has forgotten what it held for others.")])


@app.command
def status(*, context: Here) -> None:
    """Say what this node holds for others."""
    told = context.call("keeper.status")
    if not fields.flag(told, "on"):
        context.out.result(told, [tell("This node is no keeper. `mesh keeper on` makes it one.")])
        return
    asked = tell("Tickets of yours that are in use: {count}.", count=fields.number(told, "accounts"))
    context.out.result(told, [_terms_line(told), _held_line(told), asked])


def _terms_line(told: JsonObject) -> str:
    size, days = format_size(fields.number(told, "quota")), fields.number(told, "days")
    return tell("This node is a keeper: up to {size}, each piece for {days} days.", size=size, days=days)


def _held_line(told: JsonObject) -> str:
    """Say how much is held, and since when where that is known."""
    count, size = fields.number(told, "frames"), format_size(fields.number(told, "bytes"))
    if not (oldest := fields.text(told, "oldest")):
        return tell_many(
            "It holds {size} in {count} sealed piece.",
            "It holds {size} in {count} sealed pieces.",
            count=count,
            size=size,
        )
    return tell_many(
        "It holds {size} in {count} sealed piece, the oldest since {time}.",
        "It holds {size} in {count} sealed pieces, the oldest since {time}.",
        count=count,
        size=size,
        time=when(oldest),
    )


@app.command
def ticket(*, quota: SizeOrNone = None, note: str = "", context: Here) -> None:
    """Make a ticket: whoever has it may have your node hold messages for one group.

    Give it to a steward of the group, privately: who has it can fill what it is good for. Make one for each group: two
    groups on one ticket are known to belong together. For example: mesh keeper ticket --note pi-kitchen.

    Parameters
    ----------
    quota
        How much it is good for, like 50M; 128 MiB if left out.
    note
        What the group's members see beside it.
    """
    told = context.call("keeper.ticket", {"quota": quota, "note": note})
    context.out.result(told, [fields.text(told, "ticket")])
    context.out.say(
        tell("Give it to a steward or founder of one group, privately; they type `mesh keeper add GROUP` and paste it.")
    )


@app.command
def add(group: str, ticket: str | None = None, /, *, context: Here) -> None:
    """Have a keeper hold what is said in a group, for members who are away.

    Stewards and founders choose. All members' nodes then link with the keeper. It sees their network addresses and
    when the group speaks, and can read nothing.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    ticket
        The ticket that the keeper's operator gave you; - reads it from stdin, and left out it is asked for.
    """
    text = given_line(ticket, "The ticket", instead=phrase("TICKET, or - for stdin"))
    if not text:
        raise LocalError("No ticket was given.", do="Run it again, and paste the ticket.", code="E-VALUE-NEEDED")
    told = context.call("keeper.add", {"group": group, "ticket": text})
    keeper = fields.record(told, "keeper")
    context.out.result(told, [tell("The group's members leave what they say at {keeper} too.", keeper=_name(keeper))])
    if not fields.flag(keeper, "reachable"):
        context.out.say(
            tell("It is not reachable now; members' nodes go on trying. `mesh keeper list` shows how it stands.")
        )
    context.say_unheard()


@app.command
def remove(group: str, keeper: str, /, *, context: Here) -> None:
    """Leave nothing at a keeper any more. What it holds it forgets by itself, after the days that it keeps.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    keeper
        Its note, or the beginning of its id in `mesh keeper list`.
    """
    told = context.call("keeper.remove", {"group": group, "keeper": keeper})
    context.out.result(told, [tell("Nothing more is left at {keeper}.", keeper=_name(fields.record(told, "removed")))])
    context.say_unheard()


@app.command(name="list")
def list_(group: str, /, *, context: Here) -> None:
    """List a group's keepers: whether each is reachable from here, and how much it says that it holds.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    """
    told = context.call("keeper.list", {"group": group})
    keepers = fields.records(told, "keepers")
    context.out.result(told, [] if keepers else [tell("The group has no keeper. `mesh keeper add` gives it one.")])
    context.out.table(
        tell_each("id", "note", "now", "says that it holds"),
        [
            (
                shown_id(fields.text(keeper, "id")),
                one_line(fields.text(keeper, "note")),
                _now(context, keeper),
                _holds(keeper),
            )
            for keeper in keepers
        ],
    )
    if keepers and context.node_up:
        context.out.say(tell("They say what they hold when they are asked, every ten minutes."))


def _now(context: Context, keeper: JsonObject) -> str:
    """Say whether a keeper is reachable, which only a node that runs can know."""
    if not context.node_up:
        return tell("not known: your node is not running")
    return tell("reachable") if fields.flag(keeper, "reachable") else tell("not reachable")


def _holds(keeper: JsonObject) -> str:
    if keeper.get("holds") is None:
        return tell("nothing said yet")
    if not fields.flag(keeper, "keeps"):
        return tell("nothing: it keeps for nobody now")
    holds = fields.record(keeper, "holds")
    return tell_many(
        "{count} piece, {size} of {quota}",
        "{count} pieces, {size} of {quota}",
        count=fields.number(holds, "frames"),
        size=format_size(fields.number(holds, "bytes")),
        quota=format_size(fields.number(holds, "quota")),
    )


def _name(keeper: JsonObject) -> str:
    return one_line(fields.text(keeper, "note")) or tell("keeper {id}", id=shown_id(fields.text(keeper, "id")))
