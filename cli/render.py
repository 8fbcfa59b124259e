"""How things look in words: messages, gaps, problems, events. Pure: JSON in, lines out.

Names and texts here come from other people. `Output` makes every line safe; what this module sees to is that
nothing can pretend to be a line of ours: a name stays on its line, and a message's text is always indented.
"""

from collections.abc import Iterable
from datetime import datetime
from math import ceil
from typing import Final

from cli import fields
from cli.durations import spoken_duration
from cli.output import one_line, safe
from mesh.node.local.protocol import JsonObject

SHOWN_ID_CHARS: Final = 8  # of 32 or 64; ids are accepted from 6 on
SHOWN_HASH_CHARS: Final = 16  # of 64: told apart by accident never, by intent with effort; `--compare` takes all
JOIN_WORDS: Final = {
    "looking": "looking for the group",
    "preview": "found; you have not agreed to join yet",
    "knocking": "knocking until a member's node lets you in",
    "awaiting-approval": "waiting for a moderator, steward or founder to let you in",
    "joined": "you are in",
    "refused": "not let in",
    "expired": "the code has run out",
}
STANDINGS: Final = {
    "left": "you left it",
    "removed": "you are no longer in it",
    "cut-off": "you may have been removed: this device was given no new key, or members' nodes pass it by",
    "told-out": "others say that you are not in this group any more",
    "keyless": "the group has a new key that was not given to this device; members' nodes give it one",
}
JOINED_SINCE: Final = {
    "left": "you came in, and have left it since",
    "removed": "you came in, and are no longer in it",
    "cut-off": "you came in, and may have been removed since",
    "told-out": "you came in, and others say that you are not in it any more",
}
STATES: Final = {  # of a message, where there is something to say beside it
    "queued": "waiting: no other node says yet that it has it",
    "expired": "expired",
    "withdrawn": "withdrawn",
    "history": "handed on by a member, signed by its author",
    "after-removal": "sent after removal: its author was not in any more",
}
CLOSED: Final = {  # why a message stays closed until it is opened; a warning is shown in its head
    "hidden": "you hid it",
    "blocked": "you blocked its author",
    "muted": "you muted its author",
    "mode": "the group had locked another mode",
    "agreement": "its author has not said yes to the agreement yet",
    "muted-word": "it holds a word that you muted",
    "muted-topic": "you muted its topic",
    "quiet": "its author was asked to be quiet then",
    "turn": "said while another spoke; it is open when the circle is over",
    "pace": "its author is new, and has said much in that hour",
}
LEAVES: Final = {"all": "may leave the group", "askers": "may leave the group by some who asked"}
AT_KEEPER: Final = "Your knock waits at a keeper of the group: you and its members need not be online at the same time."
INDENT: Final = "    "
NO_ADDRESS: Final = (
    "The code had no part after #, which says where to look. Nobody is found unless your node is linked with "
    "a member already: ask for the whole code."
)
NO_ADDRESS_OFFERED: Final = (
    "No address of anybody who may be there is known here. Nobody is found unless your node is linked with one of them "
    "already."
)


def counted(count: int, thing: str) -> str:
    """Say how many: `1 message`, `3 messages`."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


def shown_id(hex_id: str) -> str:
    """Shorten an id to what is shown and can be typed."""
    return hex_id[:SHOWN_ID_CHARS]


def short_hash(hex_hash: str) -> str:
    """Shorten a hash to what two people read to each other: 16 characters in groups of four."""
    return " ".join(hex_hash[at : at + 4] for at in range(0, min(len(hex_hash), SHOWN_HASH_CHARS), 4))


def indented(text: str) -> list[str]:
    """Indent each line of a text that somebody else wrote."""
    return [f"{INDENT}{line}" for line in safe(text).split("\n")]


def when(iso: str, now: datetime | None = None) -> str:
    """Show an ISO 8601 time in local time: the clock alone for today, else the day too."""
    try:
        at = datetime.fromisoformat(iso).astimezone()
    except ValueError:
        return one_line(iso)
    now = now or datetime.now().astimezone()
    if at.date() == now.date():
        return f"{at:%H:%M}"
    return f"{at:%a} {at.day} {at:%b %H:%M}" if at.year == now.year else f"{at.day} {at:%b %Y %H:%M}"


def expiry_words(iso: str, now: datetime | None = None) -> str:
    """Say in how long a message disappears, rounded up to a unit; nothing for one that does not, or has."""
    try:
        left = (datetime.fromisoformat(iso) - (now or datetime.now().astimezone())).total_seconds()
    except ValueError:
        return ""
    if left <= 0:
        return ""
    seconds = ceil(left)
    size = next((size for size in (86_400, 3600, 60) if seconds >= 2 * size), 1)
    return f"expires in {spoken_duration(ceil(seconds / size) * size)}"


def author_name(message: JsonObject) -> str:
    """Name a message's author: the alias, else the id."""
    author = fields.record(message, "author")
    return one_line(fields.person(author)) if fields.text(author, "alias") else shown_id(fields.text(author, "id"))


def message_lines(message: JsonObject) -> list[str]:
    """Show a message: who, when, in which mode, its id; then its text, or that a warning keeps it closed."""
    identity, warning = shown_id(fields.text(message, "id")), one_line(fields.text(message, "cw"))
    parts = [author_name(message), when(fields.text(message, "at")), one_line(fields.text(message, "mode"))]
    if topics := fields.texts(message, "topics"):
        parts.append(f"topics: {', '.join(one_line(topic) for topic in topics)}")
    if reply := fields.text(message, "reply_to"):
        asked = one_line(fields.text(message, "asked_mode"))
        parts.append(f"in reply to {shown_id(reply)}{f' (asked for {asked})' if asked else ''}")
    if warning:
        parts.append(f"warning: {warning}")
    parts.append(LEAVES.get(fields.text(message, "may_leave"), ""))
    parts.append(circle_words(message))
    parts.append(STATES.get(fields.text(message, "state"), ""))
    if fields.text(message, "state") not in {"expired", "withdrawn"}:
        parts.append(expiry_words(fields.text(message, "expires")))
    # The mark stands at the very end, after an id of ours: no alias can pass itself off as having it.
    verified = ["key verified"] if fields.flag(fields.record(message, "author"), "verified") else []
    head = " · ".join([*(part for part in parts if part), identity, *verified])
    why = one_line(fields.text(message, "why"))
    folded = folded_words(message)
    if message.get("text") is None:
        behind = fields.records(message, "files")
        beside = f"; {counted(len(behind), 'file')} with it" if behind else ""
        because = CLOSED.get(fields.text(message, "closed_by"), "")
        closed = "; ".join(part for part in (f"closed{f': {because}' if because else ''}", folded) if part)
        closed = f"{closed}; --open {identity} opens it"
        return [head, f"{INDENT}({why or closed}{beside})"]
    files = [f"{INDENT}{file_line(file)}" for file in fields.records(message, "files")]
    notes = [f"{INDENT}({said})" for said in (why, folded) if said]
    return [head, *quote_lines(message), *indented(fields.text(message, "text")), *files, *notes]


def quote_lines(message: JsonObject) -> list[str]:
    """Show what a message quotes, each line behind a mark; words from elsewhere with what is known of them: little."""
    quote = fields.record(message, "quote")
    if not quote:
        return []
    said = [f"{INDENT}| {line}" for line in safe(fields.text(quote, "text")).split("\n")]
    if fields.flag(quote, "elsewhere"):
        return [f"{INDENT}(words from another group; that their author agreed is {author_name(message)}'s word)", *said]
    short = shown_id(fields.text(quote, "id"))
    if not fields.record(quote, "author"):
        return [f"{INDENT}(quotes {short}, which is not here or was taken back)"]
    who = one_line(fields.person(fields.record(quote, "author")))
    if quote.get("text") is None:
        warning = one_line(fields.text(quote, "cw"))
        return [f"{INDENT}(quotes {who}, {short}: closed{f', warning: {warning}' if warning else ''})"]
    return [f"{INDENT}(quotes {who}, {short})", *said]


def circle_words(message: JsonObject) -> str:
    """Say that a message belongs to a circle, was said out of turn there, or waits for its end."""
    circle = fields.record(message, "circle")
    if not circle:
        return ""
    if fields.flag(circle, "waits"):
        return "waits until the circle is over"
    identity = shown_id(fields.text(circle, "id"))
    return f"circle {identity}, out of turn" if fields.flag(circle, "out_of_turn") else f"circle {identity}"


def folded_words(message: JsonObject) -> str:
    """Say that a message is folded, and by whom: members, or one moderator or somebody more senior."""
    if not fields.flag(message, "collapsed"):
        return ""
    folder = fields.record(message, "folded_by")
    asked = counted(fields.number(message, "flags"), "member")
    if fields.flag(message, "mine"):
        who = f"{one_line(fields.person(folder))} did that" if folder else f"{asked} asked for that"
        return f"folded for others: {who}. Nothing is deleted, and whoever wants to can open it"
    return (
        f"folded by {one_line(fields.person(folder))}"
        if folder
        else f"folded: {asked} would rather not meet it unasked"
    )


def file_line(file: JsonObject) -> str:
    """Say what a file beside a message is called, how long it is, and how much of it is here."""
    got, of, state = fields.number(file, "got"), fields.number(file, "of"), fields.text(file, "state")
    far = f"{got * 100 // of} % here" if got and got < of else {"here": "here"}.get(state, "not here yet")
    return f"[file: {one_line(fields.text(file, 'name'))} · {file_size(fields.number(file, 'size'))} · {far}]"


def file_size(size: int) -> str:
    """Say a size in bytes as people do."""
    if size < 1024:
        return counted(size, "byte")
    return f"{size / 1024:.0f} KiB" if size < 1024 * 1024 else f"{size / (1024 * 1024):.1f} MiB"


def gap_line(gap: JsonObject) -> str:
    """Say what is missing, from whom, and what is being done about it."""
    author = author_name(gap)
    missing, asking = fields.number(gap, "missing"), fields.number(gap, "asking")
    ending = "asking nobody: no member is reachable" if not asking else f"asking {counted(asking, 'member')}"
    verb = "is" if missing == 1 else "are"
    why = one_line(fields.text(gap, "why"))
    ending = why if why and asking else ending
    return f"[{counted(missing, 'message')} from {author} {verb} missing; {ending}]"


def catching_up_line(progress: JsonObject) -> str:
    """Say how far a long catch-up is; empty where there is none."""
    got, of = fields.number(progress, "got"), fields.number(progress, "of")
    return f"catching up: {got:,} of {of:,} messages" if of else ""


def delivery_line(message: JsonObject) -> str:
    """Say how far a message of one's own has come, and never more than is known."""
    state, of = fields.text(message, "state"), fields.number(message, "of")
    parts = [state]
    if holders := [_holder(holder) for holder in fields.records(message, "held_by")]:
        named = ", ".join(one_line(name) for name in holders[:3])
        more = f" and {len(holders) - 3} more" if len(holders) > 3 else ""
        parts.append(f"{named}{more} {'says it has' if len(holders) == 1 else 'say they have'} it")
    if of and state != "queued":
        parts.append(f"reached {fields.number(message, 'reached')} of {of}")
    return " · ".join(parts)


def _holder(holder: JsonObject) -> str:
    """Name who says that they have a message."""
    name = one_line(fields.person(holder))
    return f"keeper {name}" if fields.flag(holder, "keeper") else name


def delivery_lines(message: JsonObject) -> list[str]:
    """Say all that is known of a message of one's own: who has it and since when, who confirmed it, who never will."""
    lines = [delivery_line(message)]
    for holder in fields.records(message, "held_by"):
        at, keeper = when(fields.text(holder, "at")), fields.flag(holder, "keeper")
        who = _holder(holder) if keeper else f"{one_line(fields.person(holder))}'s node"
        lines.append(f"{INDENT}{who} said at {at} that it stored it")
    for key, words in (
        ("reached_by", "confirmed under seal"),
        ("receipts_off", "give no receipts, whether they have it or not"),
        ("waiting_for", "not confirmed yet"),
    ):
        if named := fields.texts(message, key):
            lines.append(f"{INDENT}{words}: {', '.join(one_line(name) for name in named)}")
    return lines


def newcomers_see(history: str) -> str:
    """Say what newcomers see of what was said before they came, from the setting."""
    kind, _, count = history.partition(":")
    if kind == "last" and count.isdecimal():
        what = "last message" if count == "1" else f"last {count} messages"
        return f"newcomers see the {what}"
    if kind == "days" and count.isdecimal():
        return f"newcomers see what was said in the last {'day' if count == '1' else f'{count} days'} before they came"
    return {"": "", "none": "who comes in after it was sent does not see it"}.get(
        history, "newcomers see some of what was said"
    )


def audience_line(group: JsonObject) -> str:
    """Say who can see a post before it is sent: how many, for how long, and whether newcomers do."""
    members = fields.number(group, "members")
    if not members:
        return ""
    others = members - 1
    seen = f"Seen by at most {others}" if others else "Nobody else is in this group now"
    keep = group.get("keep")
    kept = spoken_duration(keep) if isinstance(keep, int) else one_line(fields.text(group, "keep"))
    history = fields.text(group, "history")
    parts = [
        f"{seen} {'person' if others == 1 else 'people'}" if others else seen,
        f"kept {kept}" if kept else "",
        newcomers_see(history),
    ]
    return "; ".join(part for part in parts if part) + "."


def standing(group: JsonObject) -> str:
    """Say how one stands in a group where one is not simply a member."""
    return STANDINGS.get(fields.text(group, "state"), "")


def join_words(join: JsonObject) -> str:
    """Say how far an attempt to join has come, and why it ended."""
    state, why = fields.text(join, "state"), one_line(fields.text(join, "why"))
    if state == "joined" and (since := JOINED_SINCE.get(fields.text(join, "standing"))):
        return since
    words = JOIN_WORDS.get(state, one_line(state))
    if state == "expired" and fields.flag(join, "offered"):
        words = "the offer has run out"
    return f"{words} ({why.rstrip('.').lower()})" if state == "refused" and why else words


def join_step(join: JsonObject) -> str:
    """Name the next step in an attempt to join."""
    drop = f"`mesh joins drop {shown_id(fields.text(join, 'id'))}`"
    match fields.text(join, "state"):
        case "looking" if join.get("addresses") == 0:
            return nowhere_line(join)
        case "looking":
            return "Leave your node running; it goes on looking."
        case "preview":
            return f"{same_again(join)} shows it and asks you; {drop} ends it."
        case "knocking" if fields.flag(join, "at_keeper"):
            return AT_KEEPER
        case "knocking":
            return "Leave your node running; it goes on knocking."
        case "awaiting-approval":
            words = " ".join(fields.texts(join, "key_words"))
            return f"They see these words beside your knock: {words}." if words else "Leave your node running."
        case "joined":
            return f"{drop} takes this line away."
        case _:
            return f"{ask_again(join).rstrip('.')}; {drop} takes this line away."


def ask_again(join: JsonObject) -> str:
    """Say who can make another attempt possible."""
    if fields.flag(join, "offered"):
        return "Whoever made the offer can make it again."
    return "Ask the person who invited you for a new code."


def nowhere_line(join: JsonObject) -> str:
    """Say that there is no address to look at, and what that means."""
    return NO_ADDRESS_OFFERED if fields.flag(join, "offered") else NO_ADDRESS


def same_again(join: JsonObject) -> str:
    """Name the command that goes on with an attempt to join: by the code, or by the offer that it follows."""
    follows = fields.record(join, "follows")
    if not follows:
        return "`mesh join` with the same code"
    group = one_line(fields.text(fields.record(follows, "group"), "name"))
    return f'`mesh group fork "{group}" --follow {shown_id(fields.text(follows, "id"))}`'


def join_name(join: JsonObject) -> str:
    """Name the group of an attempt to join: as it showed itself, or as a successor to where it was offered."""
    if name := one_line(fields.text(fields.record(join, "group"), "name")):
        return f'"{name}"'
    earlier = one_line(fields.text(fields.record(fields.record(join, "follows"), "group"), "name"))
    return f'a successor to "{earlier}"' if earlier else ""


def join_lines(join: JsonObject) -> list[str]:
    """Say how an attempt to join stands, and the next step."""
    name, short = join_name(join), shown_id(fields.text(join, "id"))
    named = f"{name} ({short})" if name else short
    return [f"Joining {named}: {join_words(join)}.", f"  {join_step(join)}"]


def problem_lines(told: JsonObject) -> list[str]:
    """Say each problem, and what to do about it."""
    lines = []
    for problem in fields.records(told, "problems"):
        lines.append(f"! {one_line(fields.text(problem, 'what'))}")
        if do := one_line(fields.text(problem, "do")):
            lines.append(f"  {do}")
    return lines


def event_line(event: JsonObject) -> str:
    """Say an event of the node in one line."""
    group = shown_id(fields.text(event, "group"))
    match fields.text(event, "event"):
        case "link":
            peer = one_line(fields.text(event, "peer"))
            return f"Linked with {peer}" if fields.flag(event, "linked") else f"No longer linked with {peer}"
        case "message":
            return f"A message in group {group}"
        case "state":
            message = fields.record(event, "message")
            return f"Your message {shown_id(fields.text(message, 'id'))} is {fields.text(message, 'state')}"
        case "joined":
            return f"Somebody joined group {group}"
        case "join":
            state = fields.text(event, "state")
            return f"Joining {shown_id(fields.text(event, 'join'))}: {JOIN_WORDS.get(state, state or 'dropped')}"
        case "knock":
            return f"Somebody waits at the door of group {group}: `mesh knocks list`"
        case "talk":
            return f"Somebody of group {group} asks to talk with you as two: `mesh talk`"
        case "listen":
            state = fields.text(event, "state")
            if state == "offered":
                return f"Somebody of group {group} asks for a listener: `mesh listen list`"
            return f"A talk with a listener, asked for in group {group}: {one_line(state)}"
        case "fork":
            return f"A successor to group {group} is offered to you: `mesh status`"
        case "group":
            history = fields.text(event, "history")
            said = "newcomers see nothing of what was said" if history == "none" else newcomers_see(history)
            return f"Group {group} has changed{f': from now on {said}' if said else ''}"
        case "turn":
            return f"It is your turn in a circle of group {group}: `mesh circle show`"
        case "support":
            return f"Group {group}: something about a {one_line(fields.text(event, 'form'))} has changed"
        case "history":
            so_far = "" if fields.flag(event, "done") else " so far"
            return f"Earlier messages of group {group}: {fields.number(event, 'messages')}{so_far}"
        case "catching-up":
            return f"Group {group}: {catching_up_line(event)}"
        case other:
            return one_line(other)


def facts(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Lay out names and values, one a line, leaving out what is empty."""
    return [f"{name}: {one_line(value)}" for name, value in pairs if value]
