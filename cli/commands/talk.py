"""`post`: say something, told before who can see it, and after how far it came."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final, Literal

from cyclopts import Parameter

from cli import fields
from cli.ask import can_ask, confirm, given_text
from cli.attach import Given, hand_over, opened
from cli.context import Context
from cli.errors import sentence
from cli.foresight import CRISIS, WELCOME, reach_line
from cli.join_lines import join_next, join_state
from cli.modes import means_advice, mode_for
from cli.options import Commas, Flag, Here, Seconds, SecondsOrNone, WordOrNone
from cli.output import one_line
from cli.prompted import ONCE_MORE, given_back, require_welcome
from cli.render import all_of, audience_line, delivery_line, shown_id, standing
from cli.tips import tips_for
from cli.words import tell, to_tell
from mesh.errors import Exit, LocalError, MeshError, RefusedError
from mesh.node.local.api import Api
from mesh.node.local.protocol import JsonObject
from mesh.phrases import phrase

Mode = Literal["listening", "experience", "advice", "resources"]
WAITING: Final = frozenset({"preview", "knocking", "awaiting-approval"})  # states of an attempt to join
IN_A_CIRCLE: Final = (
    "A circle is under way: one speaks, and the others listen. Your words wait here until it is over.",
    "`mesh circle show` says who speaks; `mesh message withdraw` takes your words back.",
    "`mesh talk` asks a member to talk with you alone, and `mesh crisis` says who listens at any hour.",
)
CONTACTS: Final = {  # what a text may seem to hold (`mesh.support.contacts`)
    "a phone number": to_tell("a phone number"),
    "an e-mail address": to_tell("an e-mail address"),
    "a street address": to_tell("a street address"),
}
FILES_STAY: Final = to_tell(
    "The files do not go out with it: others' nodes fetch them from yours, or from a member's that has them already. "
    "Leave yours running; keepers hold no files."
)


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

    At a terminal you are asked once before a phone number, an e-mail address or a street goes to the whole group. That
    is a guess: it misses some, and at times it is wrong.

    You also see how many can read it, and who is there: who is linked with your node now. Others may be online too.
    Whoever sees your words can copy them.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    text
        What you want to say; - reads it from stdin.
    mode
        What you wish for in answers: to be listened to (if you do not say), others' experience, advice, or resources.
        In an answer: what it is. A group may have locked one mode; then that is the one. It is your word: a changed
        program may send anything under it.
    cw
        A content warning: others see this label, and open your words when they choose to. The label is your own word,
        and a changed program may show all at once. Tips come by the label alone: your text is not looked at for them.
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
    asked: JsonObject = {"group": group, "cw": cw or "", "topics": list(topics or ())}
    asked |= {"reply_to": reply_to, "quote": quote, "no_history": no_history}
    asked |= {"may_leave": may_leave, "expires_s": expires, "wait_s": wait}
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
        if text is None:
            require_welcome(api, "post", asked | {"mode": mode_of_it, "confirm_advice": advice})
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
    context.out.say(*([tell(FILES_STAY)] if fields.records(message, "files") else []))
    if (warning := one_line(fields.text(message, "cw"))) and not fields.text(asked, "cw"):
        context.out.say(tell("It bears the warning of what it quotes: {label}.", label=warning))
    return Exit.QUEUED if waiting else Exit.OK


def _sent(context: Context, api: Api, asked: JsonObject, files: Sequence[Given], *, typed: bool) -> JsonObject:
    """Hand over the files, then post; where that fails, a text that was typed for it is shown once more."""
    with given_back(context, [fields.text(asked, "text")] if typed else []):
        if files:
            asked["files"] = hand_over(api, fields.text(asked, "group"), files)
        return api.call("post", asked)


def what_it_waits_for(message: JsonObject, group: JsonObject, *, node_up: bool) -> list[str]:
    """Say why a message waits, and promise no more than is so."""
    if fields.flag(fields.record(message, "circle"), "waits"):
        return [tell(line) for line in IN_A_CIRCLE]
    why = fields.said(message, "why")
    if fields.text(group, "state") in {"cut-off", "told-out"}:
        return [tell("Nobody has taken it: you may have been removed. `mesh status` says what you can do.")]
    if fields.number(group, "members") == 1:
        return [sentence(why)] if why else []
    if group.get("confirmed") is False:
        return [
            sentence(why),
            tell("It goes out by itself once another member's node is reachable, or after `mesh group confirm`."),
        ]
    if not node_up:
        return [tell("Your node is not running. Start it with `mesh up`, and this goes out by itself.")]
    goes = (
        tell("Nobody has taken it yet. It goes out by itself as soon as a member's node or a keeper is reachable.")
        if fields.number(group, "keepers")
        else tell("Nobody has taken it yet. It goes out by itself as soon as a member's node is reachable.")
    )
    return [goes, *([sentence(why)] if why else [])]


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
                phrase('You are not in "{group}" yet: {state}.', group=one_line(name), state=join_state(join)),
                why="Only who is in can post.",
                do=join_next(join),
                code="E-NOT-MEMBER",
            )
    return None


def audience(shown: JsonObject, *, no_history: bool) -> list[str]:
    """Who can see it, and at a terminal who is there, said before it is written. RefusedError for one who is out."""
    state = fields.text(shown, "state")
    if state in {"left", "removed"}:
        raise RefusedError(
            phrase('You are not in "{group}" any more.', group=one_line(fields.text(shown, "name"))),
            why="Nobody in it would receive what you send.",
            do="Ask someone in the group for a new invite.",
            code="E-NOT-MEMBER",
        )
    if fields.flag(fields.record(shown, "talk"), "ended"):
        raise RefusedError(
            phrase('The talk "{group}" has ended.', group=one_line(fields.text(shown, "name"))),
            why="The other one is out of it, and nobody else comes in: nobody would receive what you send.",
            do="`mesh talk GROUP MEMBER` asks for a new one; what was said here stays to be read.",
            code="E-NOT-MEMBER",
        )
    if state in {"cut-off", "told-out"}:
        name = one_line(fields.text(shown, "name"))
        return [tell('Take care with "{group}". {why}', group=name, why=sentence(standing(shown)))]
    line = audience_line({**shown, "history": "none"} if no_history else shown)
    there = [reach_line(shown), tell(CRISIS)] if can_ask() else []
    welcome = tell(WELCOME) if fields.flag(shown, "new_here") else ""
    return [said for said in (welcome, line, *there) if said]


def _shown_group(api: Api, group: str) -> JsonObject:
    """Look at a group; nothing where that fails: it is not what was asked for."""
    with suppress(MeshError):
        return fields.record(api.call("group.show", {"group": group}), "group")
    return {}


def _said(text: str | None) -> str:
    said = given_text(text, "What do you want to say?", instead=phrase("TEXT, or - for stdin"))
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
    found = [tell(CONTACTS[kind.value]) for kind in seen]
    if not can_ask():
        context.out.say(tell("Your text seems to hold {what}. It goes to everyone in the group.", what=all_of(found)))
    elif not confirm(
        phrase("Your text seems to hold {what}. This goes to everyone in the group: send it?", what=all_of(found)),
        instead="--yes",
    ):
        if typed:  # it stands nowhere else, and was work
            context.out.insist(tell(ONCE_MORE), text)
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
