"""`group`: create, list, show and leave groups, and what a steward does in one."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from cli import fields
from cli.ask import STDIN, ask_line, can_ask, confirm, given_line, given_text, read_stdin
from cli.commands.home import show_groups
from cli.context import Context
from cli.durations import spoken_duration
from cli.options import Flag, Here, SecondsOrNone
from cli.output import one_line
from cli.render import facts, indented, shown_id, when
from mesh.errors import LocalError
from mesh.node.local.protocol import JsonObject

app = App(name="group", help="Create, list, show, leave and steward groups.")
agreement = App(name="agreement", help="What the members of a group agree on.")
app.command(agreement)

Rank = Literal["founder", "steward", "moderator", "member"]


@app.command
def create(
    name: str | None = None,
    /,
    *,
    about: str = "",
    topic: Annotated[list[str] | None, Parameter(negative="", metavar="T")] = None,
    agreement: Annotated[Path | None, Parameter(metavar="FILE")] = None,
    alias: str | None = None,
    history: Annotated[str, Parameter(metavar="none|last:N|days:N")] = "none",
    keep: SecondsOrNone = None,
    suite: Literal["pq", "classic"] = "pq",
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
        A file with the text that everybody who joins agrees to.
    alias
        What you are called in this group.
    history
        What newcomers see of what was said before they came.
    keep
        How long messages are kept, at least by honest nodes.
    suite
        How keys are sealed: also against a later quantum computer (pq), or smaller (classic).
    approvals
        How many members must approve each newcomer, unless an invite says otherwise.
    """
    name = given_line(name, "What is the group called?", instead="NAME")
    text = _read_file(agreement) if agreement else ""
    told = context.call(
        "group.create",
        {
            "name": name,
            "about": about,
            "topics": list(topic or ()),
            "agreement": text,
            "alias": ask_alias(context, alias),
            "history": history,
            "keep": keep,
            "suite": suite,
            "approvals": approvals,
            "passphrase": context.passphrase(),
        },
    )
    group = fields.record(told, "group")
    named = one_line(fields.text(group, "name"))
    context.out.result(told, [f'You founded "{named}" ({shown_id(fields.text(group, "id"))}).', *_words(group)])
    context.out.say(f'Next: `mesh invite new "{named}"` makes a code for one person.')


@app.command(name="list")
def list_(*, context: Here) -> None:
    """List your groups."""
    told = context.call("group.list")
    context.out.result(told, [] if fields.records(told, "groups") else ["You are in no group yet."])
    show_groups(context.out, told)


@app.command
def show(group: str, /, *, context: Here) -> None:
    """Show a group: what it is about, its settings, its words.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    """
    told = context.call("group.show", {"group": group})
    shown = fields.record(told, "group")
    keep = shown.get("keep")
    context.out.result(
        told,
        [
            *facts(
                (
                    ("name", fields.text(shown, "name")),
                    ("id", fields.text(shown, "id")),
                    ("about", fields.text(shown, "about")),
                    ("topics", ", ".join(fields.texts(shown, "topics"))),
                    (
                        "you",
                        " · ".join(filter(None, (fields.text(shown, "alias"), fields.text(shown, "rank")))),
                    ),
                    ("members", str(fields.number(shown, "members"))),
                    ("unread", str(fields.number(shown, "unread"))),
                    ("epoch", str(fields.number(shown, "epoch"))),
                    ("newcomers see", fields.text(shown, "history")),
                    ("kept for", spoken_duration(keep) if isinstance(keep, int) else str(keep or "")),
                    ("suite", fields.text(shown, "suite")),
                )
            ),
            *_words(shown),
        ],
    )


@app.command
def members(group: str, /, *, context: Here) -> None:
    """List the members of a group.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    """
    told = context.call("group.members", {"group": group})
    context.out.result(told)
    context.out.table(
        ("alias", "rank", "since", "state", "invited by", "id"),
        [
            (
                fields.text(member, "alias"),
                fields.text(member, "rank"),
                when(fields.text(member, "since")),
                fields.text(member, "state"),
                _who(member, "invited_by"),
                shown_id(fields.text(member, "id")),
            )
            for member in fields.records(told, "members")
        ],
    )


@app.command
def leave(group: str, /, *, wipe: Flag = False, context: Here) -> None:
    """Leave a group.

    Your passphrase is needed: leaving is signed with your key in the group.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    wipe
        Also forget all that is stored here of it.
    """
    if not context.yes:
        loss = " All that is stored here of it is destroyed." if wipe else ""
        if not confirm(f"Leave {one_line(group)}?{loss}", instead="--yes"):
            raise _not_confirmed()
    told = context.call("group.leave", {"group": group, "wipe": wipe, "passphrase": context.passphrase()})
    context.out.result(told, ["You left the group." + (" What was stored of it is gone." if wipe else "")])


@app.command
def remove(group: str, member: str, /, *, reason: str = "", context: Here) -> None:
    """Remove a member.

    The others get a new key, and what they say from then on stays closed to whoever was removed.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    member
        The member's alias, or the beginning of their id.
    reason
        Why, in a sentence; the members see it.
    """
    if not context.yes and not confirm(f"Remove {one_line(member)}?", instead="--yes"):
        raise _not_confirmed()
    told = context.call("group.remove", {"group": group, "member": member, "reason": reason})
    seen, of = fields.number(told, "seen_by"), fields.number(told, "members")
    context.out.result(told, [f"Removed. {seen} of {of} have seen it; whoever has sends them nothing more."])


@app.command
def rank(group: str, member: str, rank: Rank, /, *, context: Here) -> None:
    """Give a member another rank.

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
    context.out.result(told, [f"{one_line(member)} is now {rank}."])


@app.command
def rekey(group: str, /, *, context: Here) -> None:
    """Start a new epoch: a fresh key for all present members.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    """
    told = context.call("group.rekey", {"group": group})
    context.out.result(told, ["The group has a new key."])


@app.command(name="set")
def set_(group: str, key: str, value: str, /, *, context: Here) -> None:
    """Change a setting of a group, or one of your own in it.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    key
        The setting.
    value
        Its new value.
    """
    told = context.call("group.set", {"group": group, "key": key, "value": value})
    context.out.result(told, [f"{one_line(key)} is now {one_line(value)}."])


# ---------------------------------------------------------------- agreement


@agreement.command(name="show")
def show_agreement(group: str, /, *, context: Here) -> None:
    """Show a group's agreement.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    """
    told = context.call("group.agreement", {"group": group, "action": "show", "text": None})
    context.out.result(told, agreement_lines(fields.record(told, "agreement")))


@agreement.command
def edit(group: str, file: Path | None = None, /, *, context: Here) -> None:
    """Publish a new version of a group's agreement.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    file
        A file with the text; - reads it from stdin.
    """
    text = _read_file(file) if file else given_text(None, "The new agreement", instead="FILE, or - for stdin")
    told = context.call("group.agreement", {"group": group, "action": "edit", "text": text})
    version = fields.number(fields.record(told, "agreement"), "version")
    context.out.result(told, [f"Version {version} of the agreement is published."])


def agreement_lines(agreement: JsonObject) -> list[str]:
    """Show an agreement and its version."""
    text = fields.text(agreement, "text")
    if not text:
        return ["This group has no agreement."]
    return [f"Agreement, version {fields.number(agreement, 'version')}:", *indented(text)]


# ---------------------------------------------------------------- helpers


def ask_alias(context: Context, alias: str | None) -> str | None:
    """Give the alias; asked for at a terminal; None stands for the name that `init` was given."""
    if alias is not None or not can_ask():
        return alias
    context.out.say("Choose an alias. Nothing links it to who you are in other groups.")
    return ask_line("Alias", instead="--alias") or None


def _read_file(path: Path) -> str:
    if str(path) == STDIN:
        return read_stdin()
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise LocalError(f"{path} cannot be read: {why}.", code="E-FILE") from None


def _words(group: JsonObject) -> list[str]:
    words = fields.texts(group, "fingerprint_words")
    return [f"Its words, the same for every member: {' '.join(words)}"] if words else []


def _who(entry: JsonObject, name: str) -> str:
    who = entry.get(name)
    if isinstance(who, dict):
        return fields.text(who, "alias") or shown_id(fields.text(who, "id"))
    return shown_id(who) if isinstance(who, str) else ""


def _not_confirmed() -> LocalError:
    return LocalError("Nothing was changed.", why="It was not confirmed.", code="E-NOT-CONFIRMED")
