"""What followed, said after it was done: JSON in, lines out."""

from cli import fields
from cli.output import one_line
from cli.render import shown_id
from cli.words import tell, tell_many
from mesh.node.local.protocol import JsonObject


def left_lines(told: JsonObject, *, wipe: bool) -> list[str]:
    """Say what became of leaving a group: what is deleted, here and with the others, and what is not yet."""
    if not wipe:
        return [tell("You left the group. What was said stays here to be read; `--wipe` deletes it.")]
    if not fields.flag(told, "wiped"):
        return [
            tell("You left the group. What was said in it is deleted here."),
            tell("The list of members and the keys of the group stay until a member's node has heard that you left."),
            tell("Until then what you said stays with the others too. This goes on by itself while your node runs."),
            tell("With --now it deletes the rest at once; then nobody hears that you left, or takes your words away."),
        ]
    if fields.flag(told, "told"):
        return [
            tell("You left the group. What was stored of it here is deleted."),
            tell("A member's node has heard of it: what you said goes from it, and from each that hears of it."),
        ]
    unheard = tell("No member's node was seen to hear of it: what you said may stay with the others.")
    return [tell("What was stored here of the group is deleted."), *([unheard] if told.get("told") is False else [])]


def removed_lines(told: JsonObject) -> list[str]:
    """Say what became of a removal: who has seen it, which codes are closed with it, whom else to look at."""
    lines = [
        tell_many(
            "Removed. {count} of {of} have seen it; whoever has sends them nothing more.",
            "Removed. {count} of {of} have seen it; whoever has sends them nothing more.",
            count=fields.number(told, "seen_by"),
            of=fields.number(told, "members"),
        )
    ]
    if closed := fields.records(told, "invites_closed"):
        lines.append(
            tell_many(
                "{count} open invite code is closed with it: {codes}.",
                "{count} open invite codes are closed with it: {codes}.",
                count=len(closed),
                codes=", ".join(_invite(entry) for entry in closed),
            )
        )
        lines.append(tell("Whoever still holds one needs a new one: `mesh invite new`."))
    if let_in := fields.texts(told, "let_in"):
        lines.append(
            tell_many(
                "Also review the {count} person they invited: {names}.",
                "Also review the {count} people they invited: {names}.",
                count=len(let_in),
                names=", ".join(one_line(name) for name in let_in),
            )
        )
    return lines


def _invite(entry: JsonObject) -> str:
    note = one_line(fields.text(entry, "note"))
    return shown_id(fields.text(entry, "id")) + (f" ({note})" if note else "")
