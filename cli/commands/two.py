"""`talk`: two members of a group talk as two, under fresh aliases, and the others do not see who asked whom."""

import time
from typing import Final

from cli import fields
from cli.commands.home import require_identity
from cli.commands.join import WAIT_S, finish, go_on
from cli.context import Context
from cli.options import Flag, Here, Seconds, WordOrNone
from cli.output import one_line
from cli.render import shown_id, when
from cli.words import tell, tell_each, to_tell
from mesh.errors import Exit, LocalError
from mesh.node.local.api import Api
from mesh.node.local.protocol import JsonObject
from mesh.phrases import phrase

STATES: Final = {
    "waiting": to_tell("not sent yet: nobody of the group is reachable"),
    "asked": to_tell("asked; no answer yet"),
    "offered": to_tell("asks you: --accept or --decline"),
    "declined": to_tell("you declined; they were not told"),
    "joining": to_tell("you accepted; on your way"),
    "open": to_tell("you can talk"),
    "ended": to_tell("ended"),
    "expired": to_tell("ran out"),
}


def talk(
    group: str | None = None,
    member: str | None = None,
    /,
    *,
    alias: WordOrNone = None,
    accept: Flag = False,
    decline: Flag = False,
    list_: Flag = False,
    wait: Seconds = WAIT_S,
    context: Here,
) -> int | None:
    """Talk with a member of a group as two, under aliases that the group does not know.

    Without a member, lists the talks. With one, asks them: your node founds a group for the two of you and hands them
    the way in under seal. The other members see that you sent a sealed note; not to whom, nor what it says. Both of
    you see with whom you talk; nothing else links the two groups, but whoever watches the network sees that your nodes
    are linked. Nobody else can come in. An offer is good for 14 days. Asking the same member again is asking once.

    mesh talk Tuesday juniper
    mesh talk Tuesday juniper --accept

    Parameters
    ----------
    group
        The group in which you both are: its name, or the beginning of its id.
    member
        The member's alias, or the beginning of their id.
    alias
        What you are called there; without it two words are drawn, and it is never your alias in the group.
    accept
        Accept the member's offer. Your passphrase is needed, as it is to ask.
    decline
        Decline the member's offer. They are not told.
    list_
        List the talks of the group, or all.
    wait
        With --accept: how long to wait before leaving it to the node.
    """
    require_identity(context)
    if accept and decline:
        raise LocalError("--accept and --decline do not go together.", do="Give one of them.", code="E-USAGE")
    if member is None or group is None or list_:
        if accept or decline:
            raise LocalError("Whose offer?", do="Name the group and the member.", code="E-VALUE-NEEDED")
        _list(context, group)
        return None
    named: JsonObject = {"group": group, "member": member}
    with context.api() as api:
        if accept:
            told = context.signed(api, "talk.accept", {**named, "alias": alias})
            return finish(
                context, go_on(context, api, told, alias, agree=True, end=time.monotonic() + wait), by_whom=False
            )
        if decline:
            context.out.result(
                api.call("talk.decline", named), [tell("Declined. It stays on this node: they are not told.")]
            )
            return None
        return _ask(context, api, named, alias)


def _ask(context: Context, api: Api, named: JsonObject, alias: str | None) -> int:
    stands = api.call("talk.check", named)
    who = one_line(fields.person(fields.record(stands, "member")))
    if not stands.get("talk") and fields.text(fields.record(stands, "offered"), "state") in {"offered", "joining"}:
        raise LocalError(
            phrase("You have been asked already, by {who}.", who=who),
            why="One talk is enough for two.",
            do="Run the same command with --accept or --decline.",
            code="E-TALK-OFFERED",
        )
    if stands.get("talk"):
        told: JsonObject = {"group": stands["group"], "talk": stands["talk"]}
    else:
        told = context.signed(api, "talk.offer", {**named, "alias": alias})
    shown, new = fields.record(told, "talk"), fields.record(told, "group")
    state, name = fields.text(shown, "state"), one_line(fields.text(new, "name"))
    context.out.result(told, [_stands(state, who, name, one_line(fields.text(new, "alias")))])
    context.out.say(tell('`mesh post "{talk}"` says something there; `mesh talk` shows how it stands.', talk=name))
    return Exit.QUEUED if state == "waiting" else Exit.OK


def _stands(state: str, who: str, name: str, alias: str) -> str:
    """Say how far an offer of one's own has come."""
    match state:
        case "open":
            return tell('You and {name} talk in "{talk}".', name=who, talk=name)
        case "asked":
            asked = '{name} is asked, and can come into "{talk}", where you are {alias}.'
            return tell(asked, name=who, talk=name, alias=alias)
        case _:
            waits = '{name} will be asked as soon as somebody of the group is reachable; the talk is "{talk}".'
            return tell(waits, name=who, talk=name)


def _list(context: Context, group: str | None) -> None:
    told = context.call("talk.list", {"group": group})
    talks = fields.records(told, "talks")
    context.out.result(told, [] if talks else [tell("There are no talks.")])
    context.out.table(
        tell_each("with", "of", "state", "talk", "since"),
        [
            (
                one_line(fields.person(fields.record(talk, "with"))),
                one_line(fields.text(fields.record(talk, "group"), "name")),
                _state(talk),
                one_line(fields.text(talk, "name")) or shown_id(fields.text(talk, "id")),
                when(fields.text(talk, "at")),
            )
            for talk in talks
        ],
    )


def _state(talk: JsonObject) -> str:
    """Say how a talk stands; what was answered on another device of one's own, this one cannot know."""
    state = fields.text(talk, "state")
    words = tell(STATES[state]) if state in STATES else one_line(state)
    if state == "offered" and fields.number(talk, "other_devices"):
        return f"{words}; {tell('or you have answered on another device of yours')}"
    return words
