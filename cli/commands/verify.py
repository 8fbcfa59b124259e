"""`verify`: read a number to each other, compare, and keep that it was the same."""

from typing import Annotated, Final

from cyclopts import Parameter

from cli import fields
from cli.commands.invite import picture
from cli.options import Flag, Here
from cli.output import one_line
from cli.render import INDENT, short_hash, shown_id
from cli.words import tell, tell_many
from mesh.node.local.protocol import JsonObject

GROUPS_PER_LINE: Final = 4  # of five digits: what one reads aloud in a breath


def verify(
    group: str,
    member: str | None = None,
    /,
    *,
    confirm: Flag = False,
    compare: Annotated[str | None, Parameter(metavar="NUMBER|HASH")] = None,
    qr: Flag = False,
    context: Here,
) -> None:
    """Compare keys with somebody: both read out the same number, or something stands between you.

    With MEMBER: the number of the two of you. Read it to each other over another way than this program, where you know
    that it is them: face to face, or by a call. The same digits prove that your nodes hold each other's true keys. Then
    what comes under that name in this group was signed by their device, and nobody sits between you. They do not prove
    who the person is: their voice does. They do not prove that no one else uses their device, and say nothing of other
    members or groups. Whoever leaves and comes back has a new key, and a new number.

    Without MEMBER: the number of the whole group. The same digits prove that you two see the same members; not which
    of them is who. The state hash changes with each change of the group: the same hash proves that your two nodes hold
    the same changes, so that nobody shows you different groups.

    Nothing is sent by this command.

    For example: `mesh verify "Tuesday grief" juniper`, then, while juniper reads theirs out,
    `mesh verify "Tuesday grief" juniper --compare "65546 72458 …" --confirm`.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    member
        The member's alias, or the beginning of their id.
    confirm
        Keep that you compared this member's key, and that it was the same. Only you see it: in `mesh group members` and
        beside what they say.
    compare
        What the other one read out: a number, or the state hash (as shown, or in full). If it differs from what is
        here, the exit status is 6 and nothing is kept.
    qr
        Also show the number as a picture, to be scanned instead of read.
    """
    asked: JsonObject = {"group": group, "member": member, "confirm": confirm, "compare": compare}
    told = context.call("verify", asked)
    context.out.result(told, verify_lines(told))
    if qr and not context.out.json:
        context.out.result({}, picture(fields.text(told, "safety_number").replace(" ", "")))
    context.out.say(*_next_lines(told))


def verify_lines(told: JsonObject) -> list[str]:
    """Show the numbers, what was compared, and what is kept."""
    member = fields.record(told, "member")
    named = one_line(fields.person(member)) if member else ""
    group = one_line(fields.text(fields.record(told, "group"), "name"))
    digits = fields.text(told, "safety_number").split()
    rows = (digits[at : at + GROUPS_PER_LINE] for at in range(0, len(digits), GROUPS_PER_LINE))
    ours = tell('The number of you and {name} in "{group}":', name=named, group=group)
    lines = [ours if member else tell('The number of all who are in "{group}":', group=group)]
    lines += [f"{INDENT}{' '.join(row)}" for row in rows]
    lines.append(tell("The group's words: {words}", words=" ".join(fields.texts(told, "fingerprint_words"))))
    lines.append(tell("State of the group here: {hash}", hash=short_hash(fields.text(told, "state_hash"))))
    match fields.text(told, "compared"):
        case "number":
            lines.append(tell("What was read out is the same number."))
        case "state":
            lines.append(tell("What was read out is the same state: both nodes hold the same changes of the group."))
        case _:
            pass
    return [*lines, _kept_line(told, named), *_alike_lines(told, named)]


def _kept_line(told: JsonObject, named: str) -> str:
    if named and fields.flag(told, "verified"):
        return tell("You have confirmed the key of {name}.", name=named)
    if named:
        matched = fields.text(told, "compared") == "number"
        not_kept = tell("Not kept: the same command with --confirm keeps that it was.")
        return not_kept if matched else tell("Not confirmed yet.")
    return tell_many(
        "You have confirmed the keys of {known} of {count} other member.",
        "You have confirmed the keys of {known} of {count} other members.",
        count=fields.number(told, "members") - 1,
        known=fields.number(told, "members_verified"),
    )


def _alike_lines(told: JsonObject, named: str) -> list[str]:
    """Warn of names that look like this one: one may compare with the right person and confirm another's key."""
    alike = fields.records(told, "alike")
    here = [_with_id(other) for other in alike if not fields.flag(other, "departed")]
    gone = [_with_id(other) for other in alike if fields.flag(other, "departed")]
    own = tell("This is the key that begins with {id}.", id=shown_id(fields.text(fields.record(told, "member"), "id")))
    lines = []
    if here:
        care = tell_many(
            "Take care: {names} has a name that looks like {name}.",
            "Take care: {names} have names that look like {name}.",
            count=len(here),
            names=", ".join(here),
            name=named,
        )
        lines.append(f"{care} {own}")
    if gone:
        was = tell(
            "No longer in, under a name like it: {names}. It may be {name} as they were before, or somebody else.",
            names=", ".join(gone),
            name=named,
        )
        lines.append(f"{was} {own}")
    return lines


def _with_id(who: JsonObject) -> str:
    return f"{one_line(fields.text(who, 'alias'))} ({shown_id(fields.text(who, 'id'))})"


def _next_lines(told: JsonObject) -> list[str]:
    if not told.get("member"):
        return [tell("`mesh verify GROUP MEMBER` gives the number of you and one member.")]
    if fields.flag(told, "verified") or fields.text(told, "compared") == "number":
        return []
    return [
        tell("Read it to each other where you know that it is them: face to face, or by a call."),
        tell("If it is the same, `--confirm` keeps that. `--compare NUMBER` compares it for you."),
    ]
