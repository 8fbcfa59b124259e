"""What would follow, said before it is done: JSON in, lines out. Where a person is asked, the question comes last."""

from typing import Final

from cli import fields
from cli.output import one_line
from cli.render import shown_id
from mesh.node.local.protocol import JsonObject

WELCOME: Final = (
    "You are new here, and this is your first post. Many begin with hello, and with what brings them; the others know "
    "then whom they talk with. Say no more than you like."
)
CRISIS: Final = "If you may not stay safe, do not wait for an answer here: `mesh crisis` shows who listens now."


def reach_line(group: JsonObject) -> str:
    """Say how many can take what is said now; "this will wait" where nobody can."""
    if not is_in(group) or fields.number(group, "members") < 2:
        return ""
    there = fields.record(group, "reachable")
    if not there:
        return "Your node is not running: this will wait until it does."
    count, of, keepers = (fields.number(there, key) for key in ("members", "of", "keepers"))
    if keepers and not count:
        return f"0 of {of} online; {'a keeper is' if keepers == 1 else f'{keepers} keepers are'} there to take it."
    if not count:
        return f"0 of {of} online: this will wait."
    through = "" if count == of else " Others may be reached through them."
    return f"{count} of {of} linked with your node now.{through}"


def is_in(group: JsonObject) -> bool:
    """Say whether one is in a group, as far as this node knows."""
    return fields.text(group, "state") not in {"left", "removed"}


def namesake_lines(name: str, groups: list[JsonObject]) -> list[str]:
    """Say what another group of the same name means for those that are here."""
    lines, named = [], f'"{one_line(name)}"'
    for group in groups:
        short = shown_id(fields.text(group, "id"))
        if is_in(group):
            lines.append(f"You are in a group called {named} already ({short}). Type ids to tell the two apart.")
        else:
            lines.append(
                f"Here is also a {named} that you are out of. Its name means the new one; type {short} for it."
            )
    return lines


def leave_lines(would: JsonObject, *, wipe: bool, now: bool = False) -> list[str]:
    """Say what follows from leaving a group; the question comes last."""
    group = fields.record(would, "group")
    named = f'"{one_line(fields.text(group, "name"))}" ({shown_id(fields.text(group, "id"))})'
    if not is_in(group):
        return [f"Delete all that is stored here of {named}, which you are out of?"]
    lines = []
    if fields.flag(would, "only_founder"):
        lines.append("You are its only founder. Once you have left, nobody in it can make another founder.")
    alias = one_line(fields.text(group, "alias"))
    if wipe:
        lines.append("What was said in it is deleted here for good.")
        lines.append("What you said goes from others' nodes too, as each hears of it. Copies that people made stay.")
    if now:
        lines.append("Nobody is waited for: if no node of theirs is there now, what you said stays with the others.")
    return [*lines, f"Leave {named}{f', where you are {alias}' if alias else ''}?"]


def remove_lines(would: JsonObject) -> list[str]:
    """Say what follows from removing a member; the question comes last."""
    group, member = fields.record(would, "group"), fields.record(would, "member")
    lines = []
    if count := fields.number(would, "invites_open"):
        codes = "1 open invite code closes" if count == 1 else f"{count} open invite codes close"
        lines.append(f"{codes} with it, as far as your rank may close them.")
    if let_in := fields.texts(would, "let_in"):
        lines.append(f"They invited: {', '.join(one_line(name) for name in let_in)}. These stay in.")
    return [*lines, f'Remove {one_line(fields.person(member))} from "{one_line(fields.text(group, "name"))}"?']


def device_lines(would: JsonObject) -> list[str]:
    """Say what follows from removing a device of one's own; the question comes last."""
    device, groups = fields.record(would, "device"), fields.records(would, "groups")
    name = one_line(fields.text(device, "name")) or shown_id(fields.text(device, "id"))
    lines = [f"It goes out of “{one_line(fields.text(group, 'name'))}”, which gets a new key." for group in groups]
    if count := fields.number(would, "elsewhere"):
        lines.append(f"It may be in {count} more that this device is not in; there it stays.")
    lines.append("It cannot come back by itself; as a new device it can, with your words and a new code.")
    return [*lines, f"Remove {name}?"]
