"""How an attempt to join stands, in words, and what comes next. Pure: JSON in, lines out."""

from typing import Final

from cli import fields
from cli.output import one_line
from cli.render import shown_id
from cli.words import tell, tell_phrase, to_tell
from mesh.node.local.protocol import JsonObject
from mesh.phrases import Phrase, own, phrase, verbatim

JOIN_WORDS: Final = {
    "looking": to_tell("looking for the group"),
    "preview": to_tell("found; you have not agreed to join yet"),
    "knocking": to_tell("knocking until a member's node lets you in"),
    "awaiting-approval": to_tell("waiting for a moderator, steward or founder to let you in"),
    "joined": to_tell("you are in"),
    "refused": to_tell("not let in"),
    "expired": to_tell("the code has run out"),
}
JOINED_SINCE: Final = {
    "left": to_tell("you came in, and have left it since"),
    "removed": to_tell("you came in, and are no longer in it"),
    "cut-off": to_tell("you came in, and may have been removed since"),
    "told-out": to_tell("you came in, and others say that you are not in it any more"),
}
AT_KEEPER: Final = "Your knock waits at a keeper of the group: you and its members need not be online at the same time."
NO_ADDRESS: Final = (
    "The code had no part after #, which says where to look. Nobody is found unless your node is linked with "
    "a member already: ask for the whole code."
)
NO_ADDRESS_OFFERED: Final = (
    "No address of anybody who may be there is known here. Nobody is found unless your node is linked with one of them "
    "already."
)


def join_words(join: JsonObject) -> str:
    """Say how far an attempt to join has come, and why it ended."""
    return tell_phrase(join_state(join))


def join_state(join: JsonObject) -> Phrase:
    """Give how far an attempt to join has come, and why it ended."""
    state, why = fields.text(join, "state"), one_line(fields.said(join, "why")).rstrip(".")
    if state == "joined" and (since := JOINED_SINCE.get(fields.text(join, "standing"))):
        return own(since)
    if state == "expired" and fields.flag(join, "offered"):
        return phrase("the offer has run out")
    if state == "refused" and why:
        return phrase("not let in ({why})", why=why[0].lower() + why[1:])
    return own(JOIN_WORDS[state]) if state in JOIN_WORDS else verbatim(one_line(state))


def join_step(join: JsonObject) -> str:
    """Name the next step in an attempt to join."""
    return tell_phrase(join_next(join))


def join_next(join: JsonObject) -> Phrase:
    """Give the next step in an attempt to join."""
    drop = f"`mesh joins drop {shown_id(fields.text(join, 'id'))}`"
    match fields.text(join, "state"):
        case "looking" if join.get("addresses") == 0:
            return own(nowhere(join))
        case "looking":
            return phrase("Leave your node running; it goes on looking.")
        case "preview":
            return phrase("{command} shows it and asks you; {drop} ends it.", command=same_again(join), drop=drop)
        case "knocking" if fields.flag(join, "at_keeper"):
            return own(AT_KEEPER)
        case "knocking":
            return phrase("Leave your node running; it goes on knocking.")
        case "awaiting-approval":
            words = " ".join(fields.texts(join, "key_words"))
            if not words:
                return phrase("Leave your node running.")
            return phrase("They see these words beside your knock: {words}.", words=words)
        case "joined":
            return phrase("{drop} takes this line away.", drop=drop)
        case _ if fields.flag(join, "offered"):
            return phrase("Whoever made the offer can make it again; {drop} takes this line away.", drop=drop)
        case _:
            return phrase("Ask the person who invited you for a new code; {drop} takes this line away.", drop=drop)


def ask_again(join: JsonObject) -> str:
    """Give what to say of who can make another attempt possible."""
    if fields.flag(join, "offered"):
        return "Whoever made the offer can make it again."
    return "Ask the person who invited you for a new code."


def nowhere(join: JsonObject) -> str:
    """Give what to say where there is no address to look at, and what that means."""
    return NO_ADDRESS_OFFERED if fields.flag(join, "offered") else NO_ADDRESS


def same_again(join: JsonObject) -> Phrase:
    """Name the command that goes on with an attempt to join: by the code, or by the offer that it follows."""
    follows = fields.record(join, "follows")
    if not follows:
        return phrase("`mesh join` with the same code")
    group = one_line(fields.text(fields.record(follows, "group"), "name"))
    return verbatim(f'`mesh group fork "{group}" --follow {shown_id(fields.text(follows, "id"))}`')


def join_name(join: JsonObject) -> str:
    """Name the group of an attempt to join: as it showed itself, or as a successor to where it was offered."""
    if name := one_line(fields.text(fields.record(join, "group"), "name")):
        return f'"{name}"'
    earlier = one_line(fields.text(fields.record(fields.record(join, "follows"), "group"), "name"))
    return tell('a successor to "{group}"', group=earlier) if earlier else ""


def join_lines(join: JsonObject) -> list[str]:
    """Say how an attempt to join stands, and the next step."""
    name, short = join_name(join), shown_id(fields.text(join, "id"))
    named = f"{name} ({short})" if name else short
    return [tell("Joining {group}: {state}.", group=named, state=join_state(join)), f"  {join_step(join)}"]
