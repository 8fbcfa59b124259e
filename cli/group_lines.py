"""What is said of a group and its members beside plain facts. Pure: JSON in, lines out."""

from collections.abc import Iterator
from typing import Final

from cli import fields
from cli.modes import locked_mode
from cli.output import one_line
from cli.render import facts, history_seen, indented, shown_id, when
from cli.words import tell, tell_many, to_tell
from mesh.node.local.protocol import JsonObject

UNUSUAL: Final = {"beacons": "off", "receipts": "off", "fetch-files": "off", "invite-address": "on"}  # one's own
MAKERS: Final = {"on": to_tell("plain members make them too"), "off": to_tell("plain members make none")}
OFFERS: Final = {
    "joined": to_tell("you are in it"),
    "joining": to_tell("you are on your way"),
    "not-for-you": to_tell("to others, not to you"),
    "expired": to_tell("it has run out"),
    "declined": to_tell("you declined"),
    "open": to_tell("`mesh group fork GROUP --follow OFFER` shows it"),
}


def proof_lines(told: JsonObject) -> list[str]:
    """Show what was signed twice, whole: these lines are for programs and for keeping."""
    named, lines = one_line(fields.person(fields.record(told, "member"))), []
    for proof in fields.records(told, "proofs"):
        device, number = shown_id(fields.text(proof, "device")), fields.number(proof, "number")
        lines.append(
            tell("Two messages of {name}'s device {id} under number {number}:", name=named, id=device, number=number)
            if fields.text(proof, "kind") == "message"
            else tell(
                "Two operations of {name}'s device {id} under number {number}:", name=named, id=device, number=number
            )
        )
        lines.append(f"  prefix: {fields.text(proof, 'prefix')}")
        for place in ("first", "second"):
            part = fields.record(proof, place)
            lines += facts((f"  {place} {key}", fields.text(part, key)) for key in ("id", "key", "tbs", "sig"))
        if not proof.get("first"):
            lines.append("  " + tell("The first is not kept: what is here shows it to you, and to nobody else."))
    return lines or [tell("Nothing here shows that {name} signed anything twice in one place.", name=named)]


def removal_line(removal: JsonObject) -> str:
    """Say of whom the newest removal was, and how many know of it: whoever does not still encrypts to who is out."""
    if not removal:
        return ""
    seen, of, name = (
        fields.number(removal, "seen_by"),
        fields.number(removal, "members"),
        one_line(who(removal, "member")),
    )
    if not of:
        return tell("{name}, nobody else is in", name=name)
    return tell("{name}, seen by {count} of {of} others", name=name, count=seen, of=of)


def look_alike_lines(members: list[JsonObject]) -> list[str]:
    """Say which members' names look alike, and how they are told apart."""
    alike = [fields.person(member) for member in members if fields.flag(member, "alike")]
    if not alike:
        return []
    return [
        tell("Names here look like others: {names}.", names=", ".join(one_line(name) for name in alike)),
        tell("Go by the ids, and compare keys with `mesh verify GROUP MEMBER`."),
    ]


def notes(member: JsonObject) -> Iterator[str]:
    """Say what there is to know of a member beside their row."""
    if member.get("seen_removal") is False:
        yield tell("has not heard yet of everybody, or every device, that is out")
    if until := fields.text(member, "quiet_until"):
        yield tell("asked to be quiet until {time}", time=when(until))
    if (devices := fields.number(member, "devices")) > 1:
        yield tell_many("{count} device", "{count} devices", count=devices)
    if fields.flag(member, "equivocated"):
        yield tell("a device signed twice in one place (`mesh group show --proof`)")


def history_line(shown: JsonObject) -> str:
    """Say what newcomers see of what was said before they came."""
    return history_seen(fields.text(shown, "history"))


def locked_line(shown: JsonObject) -> str:
    """Say which mode alone a group takes, if it has locked one."""
    mode = locked_mode(shown)
    return tell("{mode} alone: other nodes close what is posted in another", mode=mode) if mode else ""


def rank_words(member: JsonObject) -> str:
    """Show a member's rank; a newcomer's with what becomes of it by itself."""
    rank, until = fields.text(member, "rank"), fields.text(member, "newcomer_until")
    if held := fields.texts(member, "held_by"):
        return tell("{rank}, held by {names}", rank=rank, names=", ".join(held))
    return tell("{rank} until about {time}", rank=rank, time=when(until)) if until else rank


def members_line(shown: JsonObject) -> str:
    """Say how many are in, and with how many devices where these are more."""
    members, devices = fields.number(shown, "members"), fields.number(shown, "devices")
    if devices <= members:
        return str(members)
    return tell_many(
        "{members}, with {count} device", "{members}, with {count} devices", count=devices, members=members
    )


def key_window(shown: JsonObject) -> str:
    """Say when old keys go; nothing of a group that one is out of."""
    days = fields.text(fields.record(shown, "settings"), "key-window") if shown.get("settings") else ""
    return tell("when everybody has gone on, or after {days} days", days=days) if days else ""


def dormant_after(shown: JsonObject) -> str:
    """Say who gets no key of ours until they are back; nothing of a group that one is out of."""
    days = fields.text(fields.record(shown, "settings"), "dormant-after") if shown.get("settings") else ""
    return tell("devices not heard of for {days} days, until they are back", days=days) if days else ""


def codes_line(shown: JsonObject) -> str:
    """Say what a group has set for its codes; nothing where it has set nothing."""
    settings = fields.record(shown, "settings")
    asked, makers = fields.text(settings, "approvals"), fields.text(settings, "members-invite")
    parts = []
    if asked.isdecimal():
        parts.append(
            tell_many(
                "of more than one use ask for {count} approval",
                "of more than one use ask for {count} approvals",
                count=int(asked),
            )
        )
    parts.append(tell(MAKERS.get(makers, "")))
    return "; ".join(filter(None, parts))


def own_choices(shown: JsonObject) -> str:
    """Say what one has set for oneself in a group, where that is not what a node does anyway."""
    settings = fields.record(shown, "settings")
    return ", ".join(f"{key} {value}" for key, value in UNUSUAL.items() if fields.text(settings, key) == value)


def agreement_lines(agreement: JsonObject) -> list[str]:
    """Show an agreement and its version."""
    text = fields.text(agreement, "text")
    if not text:
        return [tell("This group has no agreement.")]
    return [tell("Agreement, version {version}:", version=fields.number(agreement, "version")), *indented(text)]


def said_yes_line(told: JsonObject) -> str:
    """Say how many have said yes to an agreement."""
    accepted = fields.record(told, "accepted")
    yes, of = fields.number(accepted, "yes"), fields.number(accepted, "of")
    return tell_many(
        "{count} of {of} have said yes to this version.",
        "{count} of {of} have said yes to this version.",
        count=yes,
        of=of,
    )


def partner_line(shown: JsonObject) -> str:
    """Say with whom a talk of two is."""
    talk = fields.record(shown, "talk")
    who, group = fields.record(talk, "with"), fields.text(fields.record(talk, "group"), "name")
    return tell('{name} of "{group}"', name=fields.person(who), group=group) if who else ""


def earlier_line(shown: JsonObject) -> str:
    """Say where the earlier words are of a group that succeeds another."""
    earlier = fields.record(shown, "succeeds")
    if not earlier:
        return ""
    name, short = fields.text(earlier, "name"), shown_id(fields.text(earlier, "id"))
    if name:
        return tell('in "{group}" ({id})', group=name, id=short)
    return tell("in a group that is not here ({id})", id=short)


def confirmed_line(shown: JsonObject) -> str:
    """Say that only one member has told who is in a group, if that is so."""
    if shown.get("confirmed") is not False:
        return ""
    if by := who(shown, "welcomed_by"):
        return tell("no: only {name} has said who is in it; `mesh group confirm` takes that word", name=by)
    return tell("no: only whoever let you in has said who is in it; `mesh group confirm` takes that word")


def followed_line(shown: JsonObject) -> str:
    """Say how many of the earlier group have come."""
    followed = fields.record(shown, "followed")
    if not followed:
        return ""
    came, of = fields.number(followed, "came"), fields.number(followed, "of")
    return tell_many("{count} of {of} have come", "{count} of {of} have come", count=came, of=of)


def successor_line(offer: JsonObject) -> str:
    """Say what successor was offered, by whom, and how that stands."""
    name, state = fields.text(offer, "name"), fields.text(offer, "state")
    named = f'"{one_line(name)}"' if name else shown_id(fields.text(offer, "group"))
    by, short = one_line(fields.person(fields.record(offer, "by"))), shown_id(fields.text(offer, "id"))
    stands = tell(OFFERS[state]) if state in OFFERS else one_line(state)
    return tell(
        "successor: {group}, offered by {name} (offer {id}): {state}", group=named, name=by, id=short, state=stands
    )


def agreement_named(group: JsonObject) -> str:
    """Say which version of the agreement holds, and where to read it."""
    agreement = fields.record(group, "agreement")
    if not fields.text(agreement, "text"):
        return ""
    return tell("version {version}; `mesh group agreement show` shows it", version=fields.number(agreement, "version"))


def who(entry: JsonObject, name: str) -> str:
    """Name the person in a field: by alias, else by the beginning of their id."""
    found = entry.get(name)
    if isinstance(found, dict):
        return fields.person(found) if fields.text(found, "alias") else shown_id(fields.text(found, "id"))
    return shown_id(found) if isinstance(found, str) else ""


def words_of(group: JsonObject) -> list[str]:
    """Show a group's words, if it has any."""
    words = fields.texts(group, "fingerprint_words")
    return [tell("Its words, the same for every member: {words}", words=" ".join(words))] if words else []
