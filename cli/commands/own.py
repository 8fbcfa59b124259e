"""`block`, `mute`, `hide` and what ends them: local and silent. Nobody is told, and nothing shows it from outside."""

from typing import Final

from cli import fields
from cli.context import Context
from cli.options import Commas, Flag, Here
from cli.output import one_line
from cli.render import shown_id
from cli.words import tell, tell_each, tell_many, to_tell
from mesh.errors import LocalError
from mesh.node.local.protocol import JsonObject

MUTED: Final = {"words": to_tell("muted words: {words}"), "topics": to_tell("muted topics: {words}")}


def block(group: str | None = None, member: str | None = None, /, *, clear: Flag = False, context: Here) -> None:
    """Stop seeing what a member says. They are not told, and cannot see it.

    Their messages are not shown, told of or counted, and neither is it when they ask to talk as two. What they do in
    the group counts as before: whom they let in is in, and your node goes on confirming what came. A talk of two that
    stands goes on until you leave it. They may come back under another key, as somebody new; then block them anew.
    For each group on its own, and on this device alone. Without GROUP and MEMBER it lists whom you have blocked or
    muted. For example:

    mesh block "Tuesday grief" juniper
    mesh block "Tuesday grief" juniper --clear

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    member
        The member's alias, or the beginning of their id.
    clear
        Also delete from here what they said, words and files; that they said something, and when, stays. Your node
        can then no longer hand it on to others who lack it.
    """
    if not _names(group, member):
        _show_list(context)
        return
    asked: JsonObject = {"group": group, "member": member, "blocked": True, "clear": clear}
    told = context.call("own.person", asked)
    lines = [tell("You no longer see what {name} says. They are not told.", name=_who(told))]
    if clear:
        lines.append(
            tell_many(
                "{count} message of theirs deleted here.",
                "{count} messages of theirs deleted here.",
                count=fields.number(told, "cleared"),
            )
        )
    context.out.result(told, lines)


def unblock(group: str, member: str, /, *, context: Here) -> None:
    """See again what a member says, and what they said meanwhile.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    member
        The member's alias, or the beginning of their id; also of one who is out by now.
    """
    told = context.call("own.person", {"group": group, "member": member, "blocked": False})
    context.out.result(told, [tell("You see again what {name} says.", name=_who(told))])


def mute(
    group: str | None = None,
    member: str | None = None,
    /,
    *,
    words: Commas = None,
    topics: Commas = None,
    context: Here,
) -> None:
    """Keep what a member says closed, or what holds a word or a topic, until you open it. Nobody is told.

    A muted member's messages stand in `mesh read`, closed; you are not told when they come, and they do not count as
    unread. Words and topics hold in all of your groups: what others say with them stays closed, as behind a content
    warning. A word is met whole, in text, warning and topics; with a * at its end, as the beginning of a word. What
    people write in other words, or in a picture, is not met. `mesh read GROUP --open ID` opens a message. Without
    anything it lists what is muted. For example:

    mesh mute "Tuesday grief" juniper
    mesh mute --words hospital,overdos*
    mesh mute --topics self-harm

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    member
        The member's alias, or the beginning of their id.
    words
        Words, separated by commas; they are added to those that are muted.
    topics
        Topics, separated by commas; they are added too.
    """
    if words or topics:
        _nobody(group)
        told = context.call("own.words", {"add_words": [*(words or ())], "add_topics": [*(topics or ())]})
        context.out.result(told, _muted_lines(told))
    elif _names(group, member):
        told = context.call("own.person", {"group": group, "member": member, "muted": True})
        closed = tell("What {name} says stays closed until you open it. They are not told.", name=_who(told))
        context.out.result(told, [closed])
    else:
        _show_list(context)


def unmute(
    group: str | None = None,
    member: str | None = None,
    /,
    *,
    words: Flag = False,
    topics: Flag = False,
    word: Commas = None,
    topic: Commas = None,
    context: Here,
) -> None:
    """End a muting: of a member, of some words or topics, or of all of them.

    For example:

    mesh unmute "Tuesday grief" juniper
    mesh unmute --word hospital
    mesh unmute --words

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    member
        The member's alias, or the beginning of their id; also of one who is out by now.
    words
        All words.
    topics
        All topics.
    word
        These words alone, separated by commas, as they were given.
    topic
        These topics alone, with commas between them.
    """
    if words or topics or word or topic:
        _nobody(group)
        asked: JsonObject = {
            "clear_words": words,
            "clear_topics": topics,
            "remove_words": [*(word or ())],
            "remove_topics": [*(topic or ())],
        }
        told = context.call("own.words", asked)
        context.out.result(told, _muted_lines(told))
    elif _names(group, member):
        told = context.call("own.person", {"group": group, "member": member, "muted": False})
        context.out.result(told, [tell("What {name} says is open again.", name=_who(told))])
    else:
        raise _who_is_missing()


def hide(message: str, /, *, undo: Flag = False, context: Here) -> None:
    """Keep one message closed for yourself; nobody is told.

    It keeps its place in `mesh read`, closed, and `mesh read GROUP --open ID` opens it. For example:

    mesh hide 3fa9c1d2
    mesh hide 3fa9c1d2 --undo

    Parameters
    ----------
    message
        The beginning of its id.
    undo
        Show it again.
    """
    told = context.call("own.hide", {"message": message, "undo": undo})
    short = shown_id(fields.text(fields.record(told, "message"), "id"))
    context.out.result(
        told, [tell("{id} is shown again.", id=short) if undo else tell("{id} stays closed for you.", id=short)]
    )


# ---------------------------------------------------------------- helpers


def _names(group: str | None, member: str | None) -> bool:
    """Say whether a member was named; LocalError where a group alone was."""
    if group is not None and member is None:
        raise _who_is_missing()
    return group is not None


def _who_is_missing() -> LocalError:
    return LocalError(
        "The member is missing.",
        why="A member is named within a group.",
        do="Write the group, then the member: `mesh block GROUP MEMBER`, `mesh unmute GROUP MEMBER`.",
        code="E-USAGE",
    )


def _nobody(group: str | None) -> None:
    """LocalError where a member was named beside words."""
    if group is not None:
        raise LocalError("Words and topics hold in all groups.", do="Leave out group and member.", code="E-USAGE")


def _who(told: JsonObject) -> str:
    return one_line(fields.person(fields.record(told, "member")))


def _muted_lines(told: JsonObject) -> list[str]:
    found = [
        tell(MUTED[kind], words=", ".join(one_line(word) for word in named))
        for kind in MUTED
        if (named := fields.texts(told, kind))
    ]
    return found or [tell("No words or topics are muted.")]


def _show_list(context: Context) -> None:
    """Show what is blocked and muted."""
    told = context.call("own.list")
    people = fields.records(told, "people")
    context.out.result(told, [*([] if people else [tell("Nobody is blocked or muted.")]), *_muted_lines(told)])
    context.out.table(
        tell_each("group", "member", "blocked", "muted", "id"),
        [
            (
                fields.text(fields.record(entry, "group"), "name"),
                fields.person(fields.record(entry, "member")),
                tell("yes") if fields.flag(entry, "blocked") else "",
                tell("yes") if fields.flag(entry, "muted") else "",
                shown_id(fields.text(fields.record(entry, "member"), "id")),
            )
            for entry in people
        ],
    )
