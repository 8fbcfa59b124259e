"""`listen`: offer to listen, or ask for a listener: a talk of two in which neither is shown who the other is."""

from typing import Final

from cyclopts import App

from cli import fields
from cli.ask import can_ask, confirm
from cli.commands.home import require_identity
from cli.commands.talk import Mode
from cli.context import Context
from cli.foresight import CRISIS
from cli.options import Commas, Flag, Here, Seconds, WordOrNone
from cli.output import one_line
from cli.render import INDENT, shown_id, when
from cli.told import told_code
from cli.words import tell, tell_many, to_tell
from mesh.errors import Exit, LocalError, RefusedError
from mesh.node.local.protocol import JsonObject

app = App(name="listen", help="Offer to listen, or ask for a listener; neither is shown who the other is.")

DAY_S: Final = 86_400
STATES: Final = {
    "waiting": to_tell("not sent yet: nobody of the group is reachable"),
    "asked": to_tell("asked; nobody has said yes yet"),
    "offered": to_tell("asks you; accept, or do nothing"),
    "declined": to_tell("you put it aside; they were not told"),
    "joining": to_tell("you said yes; on your way"),
    "taken": to_tell("another was there first; thank you for being ready"),
    "open": to_tell("you can talk"),
    "ended": to_tell("ended"),
    "expired": to_tell("nobody was free this time"),
}
CARE: Final = (
    to_tell("That talk has ended. Whatever was said, you did not have to hold it alone."),
    to_tell("Take a moment: some water, some air, or somebody whom you like."),
    CRISIS,
)
DIRECT: Final = (
    to_tell("No keeper carries this talk. Your two nodes will link with each other."),
    to_tell("Each learns the other's network address, and whoever watches the network sees that they are linked."),
)


@app.command
def offer(
    group: str,
    /,
    *,
    topics: Commas = None,
    hours: WordOrNone = None,
    for_: Seconds = 30 * DAY_S,
    wait: Seconds = 2,
    context: Here,
) -> int:
    """Offer to listen to members of a group, one at a time. All in the group see that you do.

    It binds you to nothing. When somebody asks, your own node looks whether it fits, and you say yes or do nothing.
    The offer lapses by itself, and when you leave. Those who are new cannot offer yet. For example:

    mesh listen offer "Tuesday grief" --topics loss,sleep --hours 18:00-22:00

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    topics
        What you would like to listen to; anything if left out.
    hours
        The hours of the day in which you may be asked, by your clock as it stands today.
    for_
        How long the offer stands, in days up to 366d.
    wait
        How long to wait until somebody is told.
    """
    if for_ % DAY_S or not for_:
        raise LocalError("An offer stands for whole days.", do="Say --for 7d, or --for 30d.", code="E-USAGE")
    asked: JsonObject = {"group": group, "topics": [*topics] if topics else [], "hours": hours, "days": for_ // DAY_S}
    told = context.call("listen.offer", {**asked, "wait_s": wait})
    context.out.result(told, [tell("You offer to listen. `mesh status` shows when somebody asks.")])
    return told_code(context, told)


@app.command
def withdraw(group: str, /, *, wait: Seconds = 2, context: Here) -> int:
    """Offer to listen no longer.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    wait
        How long to wait until somebody is told.
    """
    told = context.call("listen.withdraw", {"group": group, "wait_s": wait})
    context.out.result(told, [tell("You offer to listen no longer.")])
    return told_code(context, told)


@app.command
def ask(
    group: str,
    topic: str = "",
    /,
    *,
    mode: Mode = "listening",
    minutes: int = 30,
    direct: Flag = False,
    context: Here,
) -> int:
    """Ask for somebody to listen to you, one to one, under a name that nobody knows. Newcomers can ask too.

    Up to four who offered are asked by one sealed note. Others in the group see that you sent a sealed note: not to
    whom, nor what it says. The first who says yes talks with you; nobody else comes in. Neither of you is shown who
    the other is, but both programs know it, and a changed one can show it. Either may end it at any time.

    The group's keepers carry the talk and cannot read it. They see which two network addresses fetch it. Without a
    keeper your two nodes link with each other: then --direct is needed. A listener is a member, not a helpline. You are
    shown to the same people four times within three hours, and no more.

    mesh listen ask "Tuesday grief" "sleep" --minutes 30

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    topic
        What it is about, in a few words, if you like.
    mode
        What you wish for: to be listened to (if you do not say), others' experience, advice, or resources.
    minutes
        How long you would like to talk, 5 to 180. It ends nothing by itself.
    direct
        Go on where no keeper carries the talk.
    """
    require_identity(context)
    with context.api() as api:
        before = api.call("listen.check", {"group": group, "topic": topic})
        asked: JsonObject = {"group": group, "topic": topic, "mode": mode, "minutes": minutes}
        asked["direct"] = direct or (fields.number(before, "volunteers") > 0 and _goes_direct(context, before))
        told = context.signed(api, "listen.ask", asked)
    talk = fields.record(told, "talk")
    waits = fields.text(talk, "state") == "waiting"
    kept = tell("It is kept, and goes out as soon as somebody of the group is reachable.")
    asked_now = tell("You have asked. The first who says yes can talk with you; nobody may be free.")
    context.out.result(told, [kept if waits else asked_now])
    context.out.say(tell("`mesh listen list` shows how it stands; `mesh listen end` takes it back."), tell(CRISIS))
    return Exit.QUEUED if waits else Exit.OK


def _goes_direct(context: Context, before: JsonObject) -> bool:
    """Ask whether to go on without a keeper; where nobody can be asked, the node says what is needed."""
    if fields.flag(before, "kept") or not can_ask():
        return False
    return _agrees(context)


def _agrees(context: Context) -> bool:
    context.out.insist(*(tell(line) for line in DIRECT))
    if not confirm("Go on all the same?", instead="--direct"):
        raise RefusedError(
            "Nothing was sent.", do="Add a keeper to the group: `mesh keeper add`.", code="E-NOT-CONFIRMED"
        )
    return True


@app.command
def accept(talk: str, /, *, direct: Flag = False, wait: Seconds = 30, context: Here) -> int:
    """Say yes to one who asks for a listener. You are called by words that are drawn for this talk alone.

    You are not shown who asks; listen as you would to anybody. If another was first, you are told so. Your passphrase
    is needed. Where no keeper carries the talk, your two nodes link with each other, and --direct is needed.

    Parameters
    ----------
    talk
        The beginning of its id in `mesh listen list`.
    direct
        Go on where no keeper carries the talk.
    wait
        How long to wait before leaving it to the node.
    """
    require_identity(context)
    with context.api() as api:
        asked = next((t for t in fields.records(api.call("listen.list", {}), "talks") if _is_named(t, talk)), None)
        if asked is not None and not direct and not fields.flag(asked, "kept") and can_ask():
            direct = _agrees(context)
        told = context.signed(api, "listen.accept", {"talk": talk, "direct": direct, "wait_s": wait})
    shown = fields.record(told, "talk")
    state, name = fields.text(shown, "state"), one_line(fields.text(shown, "name"))
    if state == "open":
        alias = one_line(fields.text(shown, "alias"))
        context.out.result(told, [tell('You can talk, in "{talk}", where you are {alias}.', talk=name, alias=alias)])
        context.out.say(tell('`mesh post "{talk}"` says something there; `mesh listen end` ends it.', talk=name))
        return Exit.OK
    taken = tell("Another was there before you. Thank you for being ready: it counts.")
    context.out.result(told, [taken if state == "taken" else tell("They are not reached yet.")])
    if state == "joining":
        context.out.say(tell("Run it again in a while. `mesh listen list` shows how it stands."))
    return Exit.OK if state == "taken" else Exit.QUEUED


def _is_named(talk: JsonObject, name: str) -> bool:
    return fields.text(talk, "id").startswith(name.lower())


@app.command
def end(talk: WordOrNone = None, /, *, wait: Seconds = 2, context: Here) -> int:
    """End a talk, take back what you asked, or put aside what you were asked. Nobody is told why.

    All that was said goes from your store at once, and from theirs as soon as their node hears of it. A changed program
    may keep what it saw. A talk that nobody ends is forgotten after a day.

    Parameters
    ----------
    talk
        The beginning of its id in `mesh listen list`; left out, the one that is open.
    wait
        How long to wait until the other's node can be told.
    """
    told = context.call("listen.end", {"talk": talk, "wait_s": wait})
    was = fields.text(fields.record(told, "ended"), "was")
    if was in {"open", "ended"}:
        context.out.result(told, [tell(line) for line in CARE])
        return told_code(context, told)
    aside, back = tell("It is put aside. They are not told."), tell("It is taken back. Nobody is told.")
    context.out.result(told, [aside if was in {"offered", "joining"} else back])
    return Exit.OK


@app.command(name="list")
def list_(group: WordOrNone = None, /, *, context: Here) -> None:
    """List who offers to listen, and the talks: those that you asked for, and those that you are asked for.

    Parameters
    ----------
    group
        Only of this group.
    """
    told = context.call("listen.list", {"group": group})
    offers, talks = fields.records(told, "offers"), fields.records(told, "talks")
    lines = [line for found in offers for line in offer_lines(found)]
    lines += [line for found in talks for line in talk_lines(found)]
    context.out.result(told, lines or [tell("Nobody offers to listen yet. `mesh listen offer` does.")])


def offer_lines(offered: JsonObject) -> list[str]:
    """Say who offers to listen, to what and when."""
    name = one_line(fields.person(fields.record(offered, "member")))
    parts = [
        one_line(fields.text(fields.record(offered, "group"), "name")),
        tell("you listen") if fields.flag(offered, "mine") else tell("{name} listens", name=name),
        one_line(", ".join(fields.texts(offered, "topics"))),
        fields.text(offered, "hours"),
        tell("nobody has been told yet") if fields.flag(offered, "waits") else "",
    ]
    return [" · ".join(part for part in parts if part)]


def talk_lines(talk: JsonObject) -> list[str]:
    """Say how a talk stands; after its end, once, a last word."""
    state = fields.text(talk, "state")
    parts = [
        shown_id(fields.text(talk, "id")),
        one_line(fields.text(fields.record(talk, "group"), "name")),
        tell_many("{count} minute", "{count} minutes", count=fields.number(talk, "minutes")),
        fields.text(talk, "mode"),
        "" if fields.flag(talk, "kept") else tell("no keeper: --direct"),
        tell(STATES[state]) if state in STATES else one_line(state),
        tell("until {time}", time=when(fields.text(talk, "expires"))) if state in {"asked", "offered"} else "",
    ]
    topic, name = one_line(fields.text(talk, "topic")), one_line(fields.text(talk, "name"))
    where = tell('in "{talk}", where you are {alias}', talk=name, alias=one_line(fields.text(talk, "alias")))
    return [
        " · ".join(part for part in parts if part) + (f": {topic}" if topic else ""),
        *([f"{INDENT}{where}"] if name else []),
        *(f"{INDENT}{tell(line)}" for line in CARE if fields.flag(talk, "care")),
    ]
