"""`keeper`: hold sealed messages for others on this node, and choose who holds them for your groups."""

from cyclopts import App

from cli import fields
from cli.ask import confirm, given_text
from cli.context import Context
from cli.options import Here, SecondsOrNone, SizeOrNone
from cli.output import one_line
from cli.render import counted, shown_id, when
from cli.sizes import format_size
from mesh.errors import LocalError
from mesh.node.local.protocol import JsonObject

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
    context.out.result(told, [f"This node is a keeper: {_terms(told)}."])
    context.out.say("Next: `mesh keeper ticket` makes a ticket for one group. Keep the node running: `mesh up`.")


@app.command
def off(*, context: Here) -> None:
    """Keep nothing for others any more, and forget what this node held for them.

    Who said something has it still; one who is away may find it nowhere else meanwhile. Tickets are good again if you
    turn it on again.
    """
    with context.api() as api:
        held = 0 if context.yes else fields.number(api.call("keeper.status", {}), "frames")
        if held and not confirm(f"It holds {counted(held, 'sealed piece')} for others. Forget them?", instead="--yes"):
            raise LocalError("Nothing was changed.", code="E-NOT-CONFIRMED")
        told = api.call("keeper.off", {})
    context.out.result(told, ["This node is no keeper, and has forgotten what it held for others."])


@app.command
def status(*, context: Here) -> None:
    """Say what this node holds for others."""
    told = context.call("keeper.status")
    if not fields.flag(told, "on"):
        context.out.result(told, ["This node is no keeper. `mesh keeper on` makes it one."])
        return
    oldest = fields.text(told, "oldest")
    since = f", the oldest since {when(oldest)}" if oldest else ""
    pieces = counted(fields.number(told, "frames"), "sealed piece")
    held = f"It holds {format_size(fields.number(told, 'bytes'))} in {pieces}{since}."
    asked = f"Tickets of yours that are in use: {fields.number(told, 'accounts')}."
    context.out.result(told, [f"This node is a keeper: {_terms(told)}.", held, asked])


def _terms(told: JsonObject) -> str:
    return f"up to {format_size(fields.number(told, 'quota'))}, each piece for {fields.number(told, 'days')} days"


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
        "Give it to a steward or founder of one group, privately; they type `mesh keeper add GROUP` and paste it."
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
    text = given_text(ticket, "The ticket", instead="TICKET, or - for stdin")
    if not text.strip():
        raise LocalError("No ticket was given.", do="Run it again, and paste the ticket.", code="E-VALUE-NEEDED")
    told = context.call("keeper.add", {"group": group, "ticket": text})
    keeper = fields.record(told, "keeper")
    context.out.result(told, [f"The group's members leave what they say at {_name(keeper)} too."])
    if not fields.flag(keeper, "reachable"):
        context.out.say("It is not reachable now; members' nodes go on trying. `mesh keeper list` shows how it stands.")
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
    context.out.result(told, [f"Nothing more is left at {_name(fields.record(told, 'removed'))}."])
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
    context.out.result(told, [] if keepers else ["The group has no keeper. `mesh keeper add` gives it one."])
    context.out.table(
        ("id", "note", "now", "says that it holds"),
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
        context.out.say("They say what they hold when they are asked, every ten minutes.")


def _now(context: Context, keeper: JsonObject) -> str:
    """Say whether a keeper is reachable, which only a node that runs can know."""
    if not context.node_up:
        return "not known: your node is not running"
    return "reachable" if fields.flag(keeper, "reachable") else "not reachable"


def _holds(keeper: JsonObject) -> str:
    if keeper.get("holds") is None:
        return "nothing said yet"
    if not fields.flag(keeper, "keeps"):
        return "nothing: it keeps for nobody now"
    holds = fields.record(keeper, "holds")
    of = f"of {format_size(fields.number(holds, 'quota'))}"
    return f"{counted(fields.number(holds, 'frames'), 'piece')}, {format_size(fields.number(holds, 'bytes'))} {of}"


def _name(keeper: JsonObject) -> str:
    return one_line(fields.text(keeper, "note")) or f"keeper {shown_id(fields.text(keeper, 'id'))}"
