"""`group fork`: a successor to a group, for lost stewards and stolen founders; offered to each, followed by choice."""

import time
from typing import Annotated

from cyclopts import Parameter

from cli import fields
from cli.ask import confirm
from cli.commands.join import WAIT_S, finish, go_on
from cli.context import Context
from cli.options import Flag, Here, Seconds, WordOrNone, WordsOrNone
from cli.output import one_line
from cli.render import shown_id
from cli.words import tell, tell_many
from mesh.errors import LocalError
from mesh.node.local.api import Api
from mesh.node.local.protocol import JsonObject, JsonValue
from mesh.phrases import phrase


def fork(
    group: str,
    /,
    *,
    name: WordOrNone = None,
    without: Annotated[WordsOrNone, Parameter(negative="", metavar="MEMBER")] = None,
    alias: WordOrNone = None,
    follow: Annotated[WordOrNone, Parameter(metavar="ID")] = None,
    agree: Flag = False,
    wait: Seconds = WAIT_S,
    again: Annotated[WordOrNone, Parameter(metavar="NEW")] = None,
    decline: Annotated[WordOrNone, Parameter(metavar="ID")] = None,
    context: Here,
) -> int | None:
    """Found a successor to a group and offer it to its members; or follow one that was offered.

    For a group whose stewards are gone, or whose founder's key is in wrong hands. One whose beacons are off may look
    gone and be there. Any member can do it. What the group is about, its topics, agreement and settings are taken over;
    you are the successor's founder. Each member is told and follows by their own choice; nobody is moved. Both groups
    go on, and what was said stays in the old one.

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
    given = [
        flag for flag, value in (("--follow", follow), ("--again", again), ("--decline", decline)) if value is not None
    ]
    if len(given) > 1:
        what = phrase("These do not go together: {options}.", options=", ".join(given))
        raise LocalError(what, do="Give one of them.", code="E-USAGE")
    with context.api() as api:
        if follow is not None:
            return _follow(context, api, {"group": group, "fork": follow}, alias, agree=agree, wait=wait)
        if decline is not None:
            told = api.call("group.fork.decline", {"group": group, "fork": decline})
            context.out.result(told, [tell("You are reminded of that offer no more. It can still be followed.")])
            return None
        names: list[JsonValue] = list(without or ())
        if again is not None:
            told = api.call("group.fork.again", {"group": group, "successor": again, "without": names})
        else:
            told = _found(context, api, {"group": group, "name": name, "without": names, "alias": alias})
    _say(context, told)
    return None


def _found(context: Context, api: Api, asked: JsonObject) -> JsonObject:
    old = fields.record(api.call("group.show", {"group": asked["group"]}), "group")
    context.out.insist(*_standing_lines(old))
    if not context.yes:
        context.out.insist(
            tell(
                'Everybody in "{group}" will see that you offer a successor, and to whom.',
                group=one_line(fields.text(old, "name")),
            )
        )
        if not confirm("Found it, and offer it?", instead="--yes"):
            raise LocalError("Nothing was changed.", why="It was not confirmed.", code="E-NOT-CONFIRMED")
    return context.signed(api, "group.fork", asked)


def _standing_lines(old: JsonObject) -> list[str]:
    """Say which successors of one's own stand already, and what renews an offer instead of founding one more."""
    name = one_line(fields.text(old, "name"))
    return [
        tell(
            'A successor of yours stands already: "{successor}" ({id}). `mesh group fork "{group}" --again {id}` '
            "offers it once more, without founding another.",
            successor=one_line(fields.text(offer, "name")),
            id=shown_id(fields.text(offer, "group")),
            group=name,
        )
        for offer in fields.records(old, "successors")
        if fields.flag(offer, "mine") and fields.text(offer, "state") == "joined"
    ]


def _say(context: Context, told: JsonObject) -> None:
    new, old = fields.record(told, "group"), fields.record(told, "succeeds")
    named, short = one_line(fields.text(new, "name")), shown_id(fields.text(new, "id"))
    offer = fields.records(old, "successors")[-1]
    succeeds = tell_many(
        '"{group}" ({id}) succeeds "{old}", and is offered to {count} member.',
        '"{group}" ({id}) succeeds "{old}", and is offered to {count} members.',
        count=fields.number(offer, "offered_to"),
        group=named,
        id=short,
        old=one_line(fields.text(old, "name")),
    )
    context.out.result(told, [succeeds, tell("The offer is good for 90 days; `--again` renews it.")])
    context.say_unheard()


def _follow(context: Context, api: Api, asked: JsonObject, alias: str | None, *, agree: bool, wait: float) -> int:
    told = api.call("group.fork.follow", asked)
    told = go_on(context, api, told, alias, agree=agree, end=time.monotonic() + wait)
    return finish(context, told)
