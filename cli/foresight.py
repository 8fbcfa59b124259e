"""What would follow, said before it is done: JSON in, lines out. Where a person is asked, the question comes last."""

from typing import Final

from cli import fields
from cli.output import one_line
from cli.render import shown_id
from cli.words import tell, tell_many, to_tell
from mesh.node.local.protocol import JsonObject

WELCOME: Final = to_tell(
    "You are new here, and this is your first post. Many begin with hello, and with what brings them; the others know "
    "then whom they talk with. Say no more than you like."
)
CRISIS: Final = to_tell(
    "If you may not stay safe, do not wait for an answer here: `mesh crisis` shows who listens now."
)

NAMED_MAX: Final = 12  # by their aliases; a few lines on a screen


def reach_line(group: JsonObject) -> str:
    """Say how many can take what is said now; "this will wait" where nobody can."""
    if not is_in(group) or fields.number(group, "members") < 2:
        return ""
    there = fields.record(group, "reachable")
    if not there:
        return tell("Your node is not running: this will wait until it does.")
    count, of, keepers = (fields.number(there, key) for key in ("members", "of", "keepers"))
    if keepers and not count:
        return tell_many(
            "0 of {of} online; a keeper is there to take it.",
            "0 of {of} online; {count} keepers are there to take it.",
            count=keepers,
            of=of,
        )
    if not count:
        return tell("0 of {of} online: this will wait.", of=of)
    if count == of:
        return tell("{count} of {of} linked with your node now.", count=count, of=of)
    return tell("{count} of {of} linked with your node now. Others may be reached through them.", count=count, of=of)


def is_in(group: JsonObject) -> bool:
    """Say whether one is in a group, as far as this node knows."""
    return fields.text(group, "state") not in {"left", "removed"}


def namesake_lines(name: str, groups: list[JsonObject]) -> list[str]:
    """Say what another group of the same name means for those that are here."""
    lines, name = [], one_line(name)
    for group in groups:
        short = shown_id(fields.text(group, "id"))
        if is_in(group):
            lines.append(
                tell(
                    'You are in a group called "{name}" already ({id}). Type ids to tell the two apart.',
                    name=name,
                    id=short,
                )
            )
        else:
            lines.append(
                tell(
                    'Here is also a "{name}" that you are out of. Its name means the new one; type {id} for it.',
                    name=name,
                    id=short,
                )
            )
    return lines


def leave_lines(would: JsonObject, *, wipe: bool, now: bool = False) -> list[str]:
    """Say what follows from leaving a group; the question comes last. Nothing is asked where nothing would change."""
    group = fields.record(would, "group")
    name, short = one_line(fields.text(group, "name")), shown_id(fields.text(group, "id"))
    if fields.flag(would, "unheard"):
        return _unheard_lines(would, name, short, now=now)
    if not is_in(group):
        return [tell('Delete all that is stored here of "{group}" ({id}), which you are out of?', group=name, id=short)]
    lines = []
    if fields.flag(would, "only_founder"):
        lines.append(tell("You are its only founder. Once you have left, nobody in it can make another founder."))
    if wipe:
        lines.append(tell("What was said in it is deleted here for good."))
        lines.append(
            tell("What you said goes from others' nodes too, as each hears of it. Copies that people made stay.")
        )
    if now and others_of(would) and not fields.flag(would, "reachable"):
        lines.append(never_told(would))
    elif now:
        lines.append(
            tell("Nobody is waited for: if no node of theirs is there now, what you said stays with the others.")
        )
    if alias := one_line(fields.text(group, "alias")):
        return [*lines, tell('Leave "{group}" ({id}), where you are {alias}?', group=name, id=short, alias=alias)]
    return [*lines, tell('Leave "{group}" ({id})?', group=name, id=short)]


def _unheard_lines(would: JsonObject, name: str, short: str, *, now: bool) -> list[str]:
    """Say what follows where one has left, and nobody is known to have heard of it."""
    lines = [
        tell('You left "{group}" ({id}), and nobody there is known to have heard of it yet.', group=name, id=short)
    ]
    if now:
        goes_on = tell("Without --now your node goes on trying to tell them, for as long as it runs.")
        return [*lines, never_told(would), goes_on, tell("Delete the rest now, and tell nobody?")]
    if fields.flag(would, "wiped"):
        return []
    lines.append(tell("What it takes to tell them stays until one of them has: {names}.", names=others_of(would)))
    return [*lines, tell("Delete all else that is stored here of it?")]


def never_told(would: JsonObject) -> str:
    """Say who would never hear that one left, and what that means."""
    return tell(
        "These are never told that you left; they list you on, and keep what you said: {names}.", names=others_of(would)
    )


def others_of(would: JsonObject) -> str:
    """Name who is in a group: the first of them, and how many more there are."""
    names = [one_line(name) for name in fields.texts(would, "others")]
    listed = ", ".join(names[:NAMED_MAX])
    if more := len(names[NAMED_MAX:]):
        return tell_many("{names} and {count} more", "{names} and {count} more", count=more, names=listed)
    return listed


def remove_lines(would: JsonObject) -> list[str]:
    """Say what follows from removing a member; the question comes last."""
    group, member = fields.record(would, "group"), fields.record(would, "member")
    lines = []
    if count := fields.number(would, "invites_open"):
        lines.append(
            tell_many(
                "{count} open invite code closes with it, as far as your rank may close them.",
                "{count} open invite codes close with it, as far as your rank may close them.",
                count=count,
            )
        )
    if let_in := fields.texts(would, "let_in"):
        lines.append(tell("They invited: {names}. These stay in.", names=", ".join(map(one_line, let_in))))
    name, named = one_line(fields.person(member)), one_line(fields.text(group, "name"))
    return [*lines, tell('Remove {name} from "{group}"?', name=name, group=named)]


def device_lines(would: JsonObject) -> list[str]:
    """Say what follows from removing a device of one's own; the question comes last."""
    device, groups = fields.record(would, "device"), fields.records(would, "groups")
    name = one_line(fields.text(device, "name")) or shown_id(fields.text(device, "id"))
    lines = [
        tell("It goes out of “{group}”, which gets a new key.", group=one_line(fields.text(group, "name")))
        for group in groups
    ]
    if count := fields.number(would, "elsewhere"):
        lines.append(
            tell_many(
                "It may be in {count} more that this device is not in; there it stays.",
                "It may be in {count} more that this device is not in; there it stays.",
                count=count,
            )
        )
    lines.append(tell("It cannot come back by itself; as a new device it can, with your words and a new code."))
    return [*lines, tell("Remove {name}?", name=name)]
