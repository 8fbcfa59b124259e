"""`group fork`: a successor to a group, for lost stewards and stolen founders; offered to each, followed by choice."""

import time
from typing import Annotated

from cyclopts import Parameter

from cli import fields
from cli.ask import confirm
from cli.commands.group import signed
from cli.commands.join import WAIT_S, finish, go_on
from cli.context import Context
from cli.options import Flag, Here, Seconds
from cli.output import one_line
from cli.render import counted, shown_id
from mesh.errors import LocalError
from mesh.node.local.api import Api
from mesh.node.local.protocol import JsonObject, JsonValue


def fork(
    group: str,
    /,
    *,
    name: str | None = None,
    without: Annotated[list[str] | None, Parameter(negative="", metavar="MEMBER")] = None,
    alias: str | None = None,
    follow: Annotated[str | None, Parameter(metavar="ID")] = None,
    agree: Flag = False,
    wait: Seconds = WAIT_S,
    again: Annotated[str | None, Parameter(metavar="NEW")] = None,
    decline: Annotated[str | None, Parameter(metavar="ID")] = None,
    context: Here,
) -> int | None:
    """Found a successor to a group and offer it to its members; or follow one that was offered.

    For a group whose stewards are gone, or whose founder's key is in wrong hands. Any member can do it. What the group
    is about, its topics, agreement and settings are taken over; you are the successor's founder. Each member is told
    and follows by their own choice; nobody is moved. Both groups go on, and what was said stays in the old one.

    Everybody in the old group sees who offers it and to whom, those left out too. They can look at the new group's name
    and agreement and watch who knocks; only those named can come in, each once, with their key in the old group. The
    new group's members see who in the old one each of them was. An offer is good for 90 days.

    mesh group fork Tuesday --without Marlow
    mesh group fork Tuesday --follow 1a2b3c4d

    Parameters
    ----------
    group
        The old group's name, or the beginning of its id.
    name
        What the successor is called; without it, the old name and "(new)".
    without
        A member who is not to come along; may be given several times.
    alias
        What you are called in the successor; without it, as in the old group.
    follow
        Follow the offer with this id, which `mesh status` and `mesh group show` tell. Your passphrase is needed.
    agree
        With --follow: agree to the successor's agreement without being asked.
    wait
        With --follow: how long to wait before leaving it to the node.
    again
        Offer this successor once more, to all who have not come: when an offer has run out, or was closed because
        somebody left or was removed.
    decline
        Be reminded no more of the offer with this id.
    """
    given = [flag for flag, value in (("--follow", follow), ("--again", again), ("--decline", decline)) if value]
    if len(given) > 1:
        raise LocalError(f"{' and '.join(given)} do not go together.", do="Give one of them.", code="E-USAGE")
    with context.api() as api:
        if follow:
            return _follow(context, api, {"group": group, "fork": follow}, alias, agree=agree, wait=wait)
        if decline:
            told = api.call("group.fork.decline", {"group": group, "fork": decline})
            context.out.result(told, ["You are reminded of that offer no more. It can still be followed."])
            return None
        names: list[JsonValue] = list(without or ())
        if again:
            told = api.call("group.fork.again", {"group": group, "successor": again, "without": names})
        else:
            told = _found(context, api, {"group": group, "name": name, "without": names, "alias": alias})
    _say(context, told)
    return None


def _found(context: Context, api: Api, asked: JsonObject) -> JsonObject:
    if not context.yes:
        old = fields.record(api.call("group.show", {"group": asked["group"]}), "group")
        context.out.insist(
            f'Everybody in "{one_line(fields.text(old, "name"))}" will see that you offer a successor, and to whom.'
        )
        if not confirm("Found it, and offer it?", instead="--yes"):
            raise LocalError("Nothing was changed.", why="It was not confirmed.", code="E-NOT-CONFIRMED")
    return signed(context, api, "group.fork", asked)


def _say(context: Context, told: JsonObject) -> None:
    new, old = fields.record(told, "group"), fields.record(told, "succeeds")
    named, short = one_line(fields.text(new, "name")), shown_id(fields.text(new, "id"))
    offer = fields.records(old, "successors")[-1]
    offered = counted(fields.number(offer, "offered_to"), "member")
    context.out.result(
        told,
        [
            f'"{named}" ({short}) succeeds "{one_line(fields.text(old, "name"))}", and is offered to {offered}.',
            "The offer is good for 90 days; `--again` renews it.",
        ],
    )


def _follow(context: Context, api: Api, asked: JsonObject, alias: str | None, *, agree: bool, wait: float) -> int:
    told = api.call("group.fork.follow", asked)
    told = go_on(context, api, told, alias, agree=agree, end=time.monotonic() + wait)
    return finish(context, told)
