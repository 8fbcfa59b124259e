"""`group`: create, list, show and leave groups, and what a steward does in one."""

from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from cli import fields
from cli.aliases import ask_alias
from cli.ask import confirm, given_line, read_file
from cli.commands import agreement
from cli.commands.agreement import offered_agreement
from cli.commands.fork import fork
from cli.commands.home import show_groups
from cli.commands.meeting import meeting_line
from cli.commands.pin import pin, pin_lines
from cli.commands.settings import set_
from cli.context import Context
from cli.durations import spoken_duration
from cli.foresight import CRISIS, is_in, leave_lines, namesake_lines, reach_line, remove_lines
from cli.group_lines import (
    agreement_named,
    codes_line,
    confirmed_line,
    dormant_after,
    earlier_line,
    followed_line,
    history_line,
    key_window,
    locked_line,
    look_alike_lines,
    members_line,
    notes,
    own_choices,
    partner_line,
    proof_lines,
    rank_words,
    removal_line,
    successor_line,
    who,
    words_of,
)
from cli.hindsight import left_lines, removed_lines
from cli.options import Flag, Here, SecondsOrNone, WordOrNone
from cli.output import one_line
from cli.render import facts, history_seen, short_hash, shown_id, standing, when
from cli.words import tell, tell_each
from mesh.errors import Exit, LocalError, MeshError
from mesh.node.local.api import Api
from mesh.node.local.protocol import JsonObject

app = App(name="group", help="Create, list, show, leave and steward groups.")
app.command(agreement.app)
app.command(fork)
app.command(pin)
app.command(set_, name="set")

Rank = Literal["founder", "steward", "moderator", "member"]


@app.command
def create(
    name: str | None = None,
    /,
    *,
    about: str = "",
    topic: Annotated[list[str] | None, Parameter(negative="", metavar="T")] = None,
    agreement: Annotated[Path | None, Parameter(metavar="FILE")] = None,
    alias: WordOrNone = None,
    history: Annotated[str, Parameter(metavar="none|last:N|days:N")] = "none",
    keep: SecondsOrNone = None,
    suite: Literal["pq", "classic"] = "pq",
    lock_mode: Literal["listening", "experience", "advice", "resources"] | None = None,
    approvals: Annotated[int | None, Parameter(metavar="K")] = None,
    context: Here,
) -> None:
    """Create a group, and be its founder.

    Your passphrase is needed: your key in this group is made from what it opens.

    Parameters
    ----------
    name
        What the group is called; its members and whoever holds an invite code see it.
    about
        What it is about, in a sentence.
    topic
        A topic; may be given several times.
    agreement
        A file with the text that everybody who joins agrees to. Left out at a terminal, the one that ships is offered.
    alias
        What you are called in this group.
    history
        What newcomers see of what was said before they came: nothing (none), the last messages (last:50; up to 500),
        or those of the last days (days:7; up to 90). That is so for the first who comes too: what you said while you
        were alone is among it. What is said while it is `none` stays unseen if you change it.
    keep
        How long every member's node keeps what is said, from one hour to ten years; left out: until it leaves. Copies
        that people made stay, and a changed program keeps what it likes.
    suite
        How keys are sealed: also against a later quantum computer (pq), or smaller (classic).
    lock_mode
        The one mode in which messages are posted here; `mesh group set GROUP lock-mode off` ends that.
    approvals
        What codes of more than one use ask for, unless `invite new` says otherwise. 0: the node of a member who is
        online lets people in by itself. 1 to 8: so many moderators, stewards and founders have to say
        yes, not necessarily at the same time.
    """
    name = given_line(name, "What is the group called?", instead="NAME")
    if not name:
        raise LocalError("The group's name is empty.", do="Run the command again, and give it a name.", code="E-TEXT")
    with context.api() as api:
        namesakes = _namesakes(api, name)
        context.out.say(*namesake_lines(name, namesakes))
        asked: JsonObject = {
            "name": name,
            "about": about,
            "topics": list(topic or ()),
            "agreement": read_file(agreement) if agreement else offered_agreement(context),
            "alias": ask_alias(context, api, alias),
            "history": history,
            "keep": keep,
            "suite": suite,
            "lock_mode": lock_mode,
            "approvals": approvals,
        }
        told = context.signed(api, "group.create", asked)
    _tell_founded(context, told, namesakes, history)


def _tell_founded(context: Context, told: JsonObject, namesakes: list[JsonObject], history: str) -> None:
    """Say what was founded, and the next step."""
    group = fields.record(told, "group")
    named, short = one_line(fields.text(group, "name")), shown_id(fields.text(group, "id"))
    context.out.result(told, [tell('You founded "{group}" ({id}).', group=named, id=short), *words_of(group)])
    if history != "none":
        context.out.say(
            tell(
                "From now on newcomers see {what}: the first also what you say while you are alone here.",
                what=history_seen(history),
            )
        )
    meant = short if any(is_in(other) for other in namesakes) else f'"{named}"'
    context.out.say(tell("Next: `mesh invite new {group}` makes a code for one person.", group=meant))


@app.command(name="list")
def list_(*, context: Here) -> None:
    """List your groups."""
    told = context.call("group.list")
    context.out.result(told, [] if fields.records(told, "groups") else [tell("You are in no group yet.")])
    show_groups(context.out, told)


@app.command
def show(group: str, /, *, proof: Annotated[str | None, Parameter(metavar="MEMBER")] = None, context: Here) -> None:
    """Show a group: what it is about, its settings, its words.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    proof
        Show instead what a device of this member signed twice in one place, with the signatures, so that any program
        can check it: Ed25519, under the key, over the prefix and the signed bytes after it. An old copy of a home that
        was put back does so too.
    """
    if proof is not None:
        told = context.call("group.proof", {"group": group, "member": proof})
        context.out.result(told, proof_lines(told))
        return
    told = context.call("group.show", {"group": group})
    shown = fields.record(told, "group")
    keep = shown.get("keep")
    context.out.result(
        told,
        [
            *facts(
                (
                    (tell("name"), fields.text(shown, "name")),
                    (tell("id"), fields.text(shown, "id")),
                    (tell("about"), fields.text(shown, "about")),
                    (tell("topics"), ", ".join(fields.texts(shown, "topics"))),
                    (
                        tell("you"),
                        " · ".join(filter(None, (fields.text(shown, "alias"), fields.text(shown, "rank")))),
                    ),
                    (tell("members"), members_line(shown)),
                    (tell("reached now"), reach_line(shown)),
                    (tell("mode"), locked_line(shown)),
                    (tell("unread"), str(fields.number(shown, "unread"))),
                    (tell("epoch"), str(fields.number(shown, "epoch"))),
                    (tell("newcomers see"), history_line(shown)),
                    (tell("kept for"), spoken_duration(keep) if isinstance(keep, int) else str(keep or "")),
                    (tell("codes"), codes_line(shown)),
                    (tell("suite"), fields.text(shown, "suite")),
                    (tell("old keys go"), key_window(shown)),
                    (tell("no key for"), dormant_after(shown)),
                    (tell("your own choice"), own_choices(shown)),
                    (tell("agreement"), agreement_named(shown)),
                    (tell("meets"), meeting_line(fields.record(shown, "meeting"))),
                    (tell("last removal"), removal_line(fields.record(shown, "removal"))),
                    (tell("state hash"), short_hash(fields.text(shown, "state_hash"))),
                    (tell("now"), standing(shown)),
                    (tell("a talk with"), partner_line(shown)),
                    (tell("earlier words"), earlier_line(shown)),
                    (tell("followed"), followed_line(shown)),
                    (tell("confirmed"), confirmed_line(shown)),
                )
            ),
            *(successor_line(offer) for offer in fields.records(shown, "successors")),
            *pin_lines(shown),
            *words_of(shown),
        ],
    )
    context.out.say(*([tell(CRISIS)] if is_in(shown) else []))


@app.command
def members(group: str, /, *, context: Here) -> None:
    """List the members of a group, and those who left or were removed, with the reason that was given.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    """
    told = context.call("group.members", {"group": group})
    context.out.result(told)
    context.out.table(
        tell_each("alias", "rank", "since", "state", "last heard", "invited by", "key", "note", "id"),
        [
            (
                fields.person(member),
                rank_words(member),
                when(fields.text(member, "since")),
                fields.text(member, "state"),
                when(heard) if (heard := fields.text(member, "last_heard")) else "",
                who(member, "invited_by"),
                tell("verified") if fields.flag(member, "verified") else "",
                "; ".join(notes(member)),
                shown_id(fields.text(member, "id")),
            )
            for member in fields.records(told, "members")
        ],
    )
    context.out.say(*look_alike_lines(fields.records(told, "members")))
    if departed := fields.records(told, "departed"):
        context.out.heading(tell("No longer in"))
        context.out.table(
            tell_each("alias", "state", "by", "reason", "id"),
            [
                (
                    fields.person(person),
                    fields.text(person, "state"),
                    who(person, "by"),
                    fields.text(person, "reason"),
                    shown_id(fields.text(person, "id")),
                )
                for person in departed
            ],
        )


@app.command
def leave(group: str, /, *, wipe: Flag = False, now: Flag = False, context: Here) -> int:
    """Leave a group.

    Your passphrase is needed: leaving is signed with your key in the group. With --wipe you leave without a trace,
    as far as others' nodes keep to the rules: what you said there goes from them too, also from nodes that are off
    now, once they hear of it. They list you no more, and where something of you is left you are "someone who left".
    That you were in, and whom you let in, stays in the group's signed records. Others remember what they read, and a
    program that was changed keeps it; a keeper holds sealed copies until their time is over. Exit status 4: nobody
    has heard of it yet; it goes on by itself while your node runs. For example: mesh group leave "Tuesday grief" --wipe

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    wipe
        Also take back all that you said, and delete what is stored here of the group: at once what was said and the
        keys that open it. The list of members and the keys of the group stay until a member's node has heard
        that you left.
    now
        With --wipe: delete these at once too, or now after all. If nobody has heard of it by then, nobody is told any
        more: they list you on, and what you said stays with them.
    """
    if now and not wipe:
        raise LocalError("--now goes with --wipe.", do="Add --wipe, or leave --now out.", code="E-USAGE")
    with context.api() as api:
        if not context.yes:
            would = api.call("group.leave.check", {"group": group, "wipe": wipe})
            if lines := leave_lines(would, wipe=wipe, now=now):
                context.out.insist(*lines[:-1])
                if not confirm(lines[-1], instead="--yes"):
                    raise _not_confirmed()
            group = fields.text(fields.record(would, "group"), "id")  # what was named is what is done
        told = context.signed(api, "group.leave", {"group": group, "wipe": wipe, "now": now})
    wiped = fields.flag(told, "wiped")
    context.out.result(told, left_lines(told, wipe=wipe))
    if not wiped:
        context.say_unheard()
    return Exit.QUEUED if wipe and not wiped else Exit.OK


@app.command
def remove(group: str, member: str, /, *, reason: str = "", context: Here) -> None:
    """Remove a member.

    The others get a new key, and what they say from then on stays closed to whoever was removed. All open invite codes
    of the group are closed with it, as far as your rank may close them: who was removed could watch who knocks.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    member
        The member's alias, or the beginning of their id.
    reason
        Why, in a sentence; the members see it in `mesh group members`.
    """
    with context.api() as api:
        if not context.yes:
            would = api.call("group.remove.check", {"group": group, "member": member})
            *lines, question = remove_lines(would)
            context.out.insist(*lines)
            if not confirm(question, instead="--yes"):
                raise _not_confirmed()
            group = fields.text(fields.record(would, "group"), "id")  # who was named is who is removed
            member = fields.text(fields.record(would, "member"), "id")
        told = api.call("group.remove", {"group": group, "member": member, "reason": reason})
    context.out.result(told, removed_lines(told))
    context.say_unheard()


@app.command
def rank(group: str, member: str, rank: Rank, /, *, context: Here) -> None:
    """Give a member another rank.

    The rank `member` also ends the time of a newcomer. Honest nodes keep a newcomer's limits: what a changed program
    says beyond them they show closed.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    member
        The member's alias, or the beginning of their id.
    rank
        The new rank.
    """
    told = context.call("group.rank", {"group": group, "member": member, "rank": rank})
    named = fields.person(fields.record(told, "member")) or member
    context.out.result(told, [tell("{name} is now {rank}.", name=one_line(named), rank=rank)])
    context.say_unheard()


@app.command
def hold(group: str, member: str, /, *, release: Flag = False, context: Here) -> int:
    """Keep a newcomer from becoming a member by themself.

    Whom a plain member's node let in is a newcomer. They become a member 72 hours after a moderator's node first saw
    them. As long as one member objects, no node does that; a moderator, steward or founder can still do it with
    `mesh group rank`. The group sees who objects, in `mesh group members`. Exit status 4: nobody could be told yet;
    your node tells them when somebody is there.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    member
        The newcomer's alias, or the beginning of their id.
    release
        Object no longer.
    """
    told = context.call("group.hold", {"group": group, "member": member, "release": release})
    named = one_line(fields.person(fields.record(told, "member")) or member)
    line = (
        tell("You no longer hold {name} back.", name=named)
        if release
        else tell("{name} stays a newcomer as long as you object.", name=named)
    )
    unheard = tell("Nobody is there to be told; your node does it when somebody is.")
    later = [] if fields.flag(told, "told") else [unheard]
    context.out.result(told, [line, *later])
    return Exit.OK if fields.flag(told, "told") else Exit.QUEUED


@app.command
def rekey(group: str, /, *, context: Here) -> None:
    """Start a new epoch: a fresh key for all present members.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    """
    told = context.call("group.rekey", {"group": group})
    context.out.result(told, [tell("The group has a new key.")])
    context.say_unheard()


@app.command(name="confirm")
def confirm_(group: str, /, *, context: Here) -> None:
    """Take the word of the one who let you in that the group is as you see it.

    What you post waits until a second member's node has confirmed who is in: somebody who was removed could show you
    the group as it was. This lets it go out. For example: mesh group confirm "Tuesday grief".

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    """
    told = context.call("group.confirm", {"group": group})
    context.out.result(told, [tell("The group counts as confirmed. What you post goes out.")])


# ---------------------------------------------------------------- helpers


def _namesakes(api: Api, name: str) -> list[JsonObject]:
    """Look for groups of this name; none where that fails: it is not what was asked for."""
    groups: list[JsonObject] = []
    with suppress(MeshError):
        groups = fields.records(api.call("group.list", {}), "groups")
    return [group for group in groups if fields.text(group, "name").casefold() == name.casefold()]


def _not_confirmed() -> LocalError:
    return LocalError("Nothing was changed.", why="It was not confirmed.", code="E-NOT-CONFIRMED")
