"""`join`: from a code to a seat in the group, in steps that survive a restart.

The code is looked for, the group shows itself, the person agrees and takes an alias, the node knocks until
it is let in. Each step is kept by the node: the command, run again with the same code, goes on where it was.
"""

import time
from typing import Final

from cyclopts import App

from cli import fields
from cli.aliases import ask_alias
from cli.ask import confirm, given_line
from cli.commands.home import require_identity
from cli.context import Context
from cli.durations import spoken_duration
from cli.errors import as_json
from cli.group_lines import agreement_lines, words_of
from cli.join_lines import AT_KEEPER, ask_again, join_name, join_step, join_words, nowhere, same_again
from cli.options import Flag, Here, Seconds, WordOrNone
from cli.output import one_line
from cli.render import history_seen, shown_id
from cli.words import tell, tell_each, to_tell
from mesh.errors import Exit, LocalError, MeshError, RefusedError
from mesh.node.local.api import Api
from mesh.node.local.protocol import JsonObject
from mesh.phrases import phrase

WAIT_S: Final = 60  # commands.md, "Rules"
SLICE_S: Final = 30  # one question to the node waits this long at most, so that Ctrl-C and a stop are noticed

PAUSE_S: Final = 0.2
UNTIL: Final = {"preview": {"looking"}, "joined": {"knocking", "awaiting-approval"}}  # the states to wait in

UNANSWERED: Final = to_tell('Nobody of "{group}" has answered your knock yet.')
ALREADY_IN: Final = "You are in"  # begins the reason of a refusal that is none
WAITS: Final = {  # what is said of an attempt that goes on
    "looking": to_tell("Nobody of the group was found yet."),
    "awaiting-approval": to_tell('A moderator, steward or founder of "{group}" has to let you in; nobody has yet.'),
}

app = App(name="joins", help="The groups that you are trying to join.")


def join(
    code: str | None = None,
    /,
    *,
    alias: WordOrNone = None,
    agree: Flag = False,
    wait: Seconds = WAIT_S,
    context: Here,
) -> int:
    """Join a group with a code that a member gave you.

    You see what the group is before you agree to anything. If nobody lets you in while this waits, your node
    goes on knocking and the exit status is 4. Leave CODE out to be asked for it: whoever sees it can knock.

    Some codes ask for approval: then moderators, stewards or founders have to say yes. They see six words beside
    your knock and you see the same, so that you can compare them by voice.

    Parameters
    ----------
    code
        The whole code, with what follows #; - reads it from stdin.
    alias
        What you are called in this group.
    agree
        Agree to the group's agreement without being asked.
    wait
        How long to wait before leaving it to the node.
    """
    require_identity(context)
    code = given_line(code, "The code", instead=phrase("CODE, or - for stdin"))
    if not code:
        raise LocalError("No code was given.", do="Run `mesh join` again, and paste the code.", code="E-VALUE-NEEDED")
    end = time.monotonic() + wait
    with context.api() as api:
        told = go_on(context, api, api.call("join.start", {"code": code}), alias, agree=agree, end=end)
    return finish(context, told)


def go_on(context: Context, api: Api, told: JsonObject, alias: str | None, *, agree: bool, end: float) -> JsonObject:
    """Take an attempt to join as far as it goes until `end` (monotonic, s): look, ask the person, knock."""
    if _state(told) == "looking" and context.node_up:
        context.out.say(tell("Looking for the group …"), *_nowhere(told))
        told = _wait(context, api, told, "preview", end)
    if _state(told) == "preview":
        told = _agree(context, api, told, alias, agree=agree)
    if _state(told) in UNTIL["joined"] and context.node_up:
        context.out.say(tell("Knocking …"))
    if _state(told) in UNTIL["joined"]:
        context.out.say(*_door_words(told))
    if _state(told) in UNTIL["joined"] and context.node_up:
        told = _wait(context, api, told, "joined", end)
    return told


@app.command(name="list")
def list_(*, context: Here) -> None:
    """List the groups that you are trying to join, and how far you have come."""
    told = context.call("join.list")
    joins = fields.records(told, "joins")
    context.out.result(told, [] if joins else [tell("You are not trying to join any group.")])
    context.out.table(
        tell_each("id", "group", "state", "next"),
        [
            (
                shown_id(fields.text(join, "id")),
                fields.text(fields.record(join, "group"), "name") or join_name(join),
                join_words(join),
                join_step(join),
            )
            for join in joins
        ],
    )


@app.command
def drop(join: str, /, *, context: Here) -> None:
    """Stop trying to join a group, or take away the line of an attempt that is over.

    Parameters
    ----------
    join
        The beginning of its id in `mesh joins list`.
    """
    told = context.call("join.drop", {"join": join})
    context.out.result(told, [tell("Dropped. Your node does not look or knock there.")])


# ---------------------------------------------------------------- steps


def preview_lines(join: JsonObject) -> list[str]:
    """Show what one is about to join: name, purpose, how many, who invites, who sees what, the agreement."""
    group = fields.record(join, "group")
    lines = [tell("Group: {group}", group=one_line(fields.text(group, "name")))]
    if about := one_line(fields.text(group, "about")):
        lines.append(tell("About: {about}", about=about))
    if count := fields.number(group, "members"):
        lines.append(tell("Members: {count}", count=count))
    if inviter := one_line(fields.text(fields.record(join, "inviter"), "alias")):
        lines.append(tell("Invited by: {name}", name=inviter))
    return [
        *lines,
        *words_of(group),
        *_approval_lines(join),
        *_history_lines(group),
        *_keep_lines(group),
        tell("Once you are in, the members can see what you post, your alias, and your node's network address."),
        *agreement_lines(fields.record(join, "agreement")),
    ]


def _history_lines(group: JsonObject) -> list[str]:
    """Say what one will see of what was said before, and what later newcomers will see of one's own words."""
    if (history := fields.text(group, "history")) == "none":
        return [
            tell("Newcomers see nothing of what was said before they came: you will not, nor will those after you.")
        ]
    if not history:
        return []
    seen = history_seen(history)
    return [tell("Newcomers see {what}: you will, and those who come after you see yours.", what=seen)]


def _keep_lines(group: JsonObject) -> list[str]:
    """Say how long what one says is kept there, where it is not kept for ever."""
    if not (keep := fields.number(group, "keep")):
        return []
    kept = spoken_duration(keep)
    return [tell("What is said is deleted after {time}, on every node that keeps to the rules.", time=kept)]


def _approval_lines(join: JsonObject) -> list[str]:
    if not fields.number(join, "approvals"):
        return []
    return [
        tell("This code asks for approval: once you have agreed, a moderator, steward or founder has to let you in.")
    ]


def _door_words(told: JsonObject) -> list[str]:
    """Say what stands beside the knock while somebody has to let one in: it can be compared while both wait."""
    words = " ".join(fields.texts(fields.record(told, "join"), "key_words"))
    if not words or _state(told) != "awaiting-approval":
        return []
    return [
        tell(
            "Whoever may let you in sees these words beside your knock, and can compare them with you: {words}",
            words=words,
        )
    ]


def _agree(context: Context, api: Api, told: JsonObject, alias: str | None, *, agree: bool) -> JsonObject:
    join = fields.record(told, "join")
    agreement = fields.record(join, "agreement")
    context.out.insist(*preview_lines(join)) if not agree else context.out.say(*preview_lines(join))
    if not agree:
        question = "Do you agree, and want to join?" if fields.text(agreement, "text") else "Do you want to join?"
        if not confirm(question, instead="--agree"):
            api.call("join.drop", {"join": fields.text(join, "id")})
            raise LocalError(
                "You did not join.",
                why="You did not agree, and this attempt is dropped: `mesh status` does not list it.",
                do=phrase("Run {command} if you want to after all.", command=same_again(join)),
                code="E-NOT-CONFIRMED",
            )
    asked: JsonObject = {
        "join": fields.text(join, "id"),
        "alias": ask_alias(context, api, alias),
        "agreement_version": fields.number(agreement, "version"),
    }
    return context.with_passphrase(lambda: api.call("join.agree", {**asked, "passphrase": context.passphrase()}))


def _nowhere(told: JsonObject) -> list[str]:
    """Say that there is no address to look at, if that is known."""
    join = fields.record(told, "join")
    return [tell(nowhere(join))] if join.get("addresses") == 0 else []


def _wait(context: Context, api: Api, told: JsonObject, until: str, end: float) -> JsonObject:
    """Wait until the join has come as far as `until`, or further, or the time is over."""
    try:
        return _wait_for(api, told, until, end)
    except KeyboardInterrupt:
        context.out.insist("", *_goes_on(told, until))
        raise


def _goes_on(told: JsonObject, until: str) -> list[str]:
    """Say what a node that runs goes on doing by itself."""
    if until == "joined":
        return [tell("Your node goes on knocking by itself. `mesh status` shows how it stands.")]
    again = same_again(fields.record(told, "join"))
    return [
        *_nowhere(told),
        tell("Your node goes on looking. Run {command} later, to see the group and to agree.", command=again),
    ]


def _wait_for(api: Api, told: JsonObject, until: str, end: float) -> JsonObject:
    join = fields.text(fields.record(told, "join"), "id")
    while _state(told) in UNTIL[until] and (left := end - time.monotonic()) > 0:
        began = time.monotonic()
        told = api.call("join.wait", {"join": join, "wait_s": min(left, SLICE_S), "until": until})
        if _state(told) in UNTIL[until] and time.monotonic() - began < PAUSE_S:
            time.sleep(PAUSE_S)  # a node that answers early must not be asked in a circle
    return told


def finish(context: Context, told: JsonObject, *, by_whom: bool = True) -> int:
    """Say how far an attempt to join has come; return the exit status. `by_whom`: name whoever made the code."""
    join = fields.record(told, "join")
    name = one_line(fields.text(fields.record(join, "group"), "name"))
    state = fields.text(join, "state")
    if state in {"refused", "expired"}:
        return _turned_away(context, told, state)
    if state == "joined":
        context.out.result(
            told, [tell('You are in "{group}".', group=name), *(_inviter(join) if by_whom else []), *_alike(join)]
        )
        context.out.say(tell('Next: `mesh read "{group}"`, and `mesh post "{group}"`.', group=name))
        return Exit.OK
    line = tell(WAITS.get(state, UNANSWERED), group=name)
    context.out.result(told, [line, *_at_keeper(join)])
    until = "preview" if state == "looking" else "joined"
    context.out.say(*(_goes_on(told, until) if context.node_up else waits_for_the_node(told, until)))
    return Exit.QUEUED


def _at_keeper(join: JsonObject) -> list[str]:
    """Say that one need not be online together with anybody."""
    return [tell(AT_KEEPER)] if fields.flag(join, "at_keeper") else []


def waits_for_the_node(told: JsonObject, until: str) -> list[str]:
    """Say what a node that is down would do, and no more than it would."""
    if until == "joined":
        return [tell("Your node is not running. Start it with `mesh up`, and it knocks by itself.")]
    again = same_again(fields.record(told, "join"))
    return [
        tell("Your node is not running. `mesh up` starts it."),
        *(
            _nowhere(told)
            or [tell("It then looks for the group. Run {command} again, to see it and to agree.", command=again)]
        ),
    ]


def _turned_away(context: Context, told: JsonObject, state: str) -> int:
    code = "E-INVITE-EXPIRED" if state == "expired" else "E-INVITE-REFUSED"
    join = fields.record(told, "join")
    over = "The offer has run out." if fields.flag(join, "offered") else "The invite has expired."
    what = over if state == "expired" else "The group did not let you in."
    already_in = fields.text(join, "why").startswith(ALREADY_IN)
    do = "Read on: `mesh group list` shows it." if already_in else ask_again(join)
    error = RefusedError(
        "No second place is needed." if already_in else what, why=fields.phrase_of(join, "why"), do=do, code=code
    )
    return refuse(context, error, told)


def refuse(context: Context, error: MeshError, told: JsonObject) -> int:
    """Say an error, and in JSON the join beside it."""
    from cli.errors import said

    if context.out.json:
        context.out.result({**as_json(error), **told})
    context.out.insist(*said(error))
    return int(error.exit)


def _alike(join: JsonObject) -> list[str]:
    """Say that somebody here goes by much the same alias: both are then shown with a part of their id."""
    names = [one_line(name) for name in fields.texts(join, "alike")]
    if not names:
        return []
    return [
        tell(
            "Somebody here goes by much the same alias as you: {names}. A part of the id stands beside both.",
            names=", ".join(names),
        )
    ]


def _inviter(join: JsonObject) -> list[str]:
    inviter = fields.record(join, "inviter")
    name = one_line(fields.person(inviter))
    return [tell("Invited by {name}.", name=name)] if fields.text(inviter, "alias") else []


def _state(told: JsonObject) -> str:
    return fields.text(fields.record(told, "join"), "state")
