"""Messages as JSON: what was said, how far one's own have come and what they wait for, and what is missing."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from mesh.errors import RemoteError
from mesh.events import Space
from mesh.gossip.delivery import Delivery, DeliveryState, End
from mesh.gossip.frontier import Frontier
from mesh.groups.dormancy import missing_epoch
from mesh.groups.erasing import is_erased
from mesh.groups.messaging import cut_of
from mesh.groups.records import load
from mesh.ids import DeviceId, MemberPk, PostId
from mesh.node.local.methods.chosen import choices_of
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.files import files_json
from mesh.node.local.methods.flags import NO_FLAGS, flags_json
from mesh.node.local.methods.newcomers import is_beyond_pace
from mesh.node.local.methods.sanctions import folded_by
from mesh.node.local.methods.shown import iso, person, unconfirmed
from mesh.node.local.protocol import JsonObject, JsonValue, phrased
from mesh.peer.agreeing import lacks_yes, waits_for_yes
from mesh.peer.circling import circles_of, waits_for_end, was_here_before
from mesh.peer.consent import consent_to, quote_waits, words_of
from mesh.peer.keepers import keepers_of
from mesh.peer.links import Session
from mesh.peer.modes import breaks_lock, is_held_back
from mesh.peer.placing import is_over
from mesh.peer.quieting import waits_for_quiet
from mesh.peer.receipts import keeps_quiet
from mesh.peer.records import MessageRecord
from mesh.peer.state import Room, State
from mesh.peer.statements import is_hushed, quiets_of
from mesh.peer.tracks import Track
from mesh.phrases import Words
from mesh.store.base import Store
from mesh.support.circles import Circle, current
from mesh.support.ladder import Quiet
from mesh.support.own import Choices, Closed
from mesh.support.posts import interpret, is_shown_whole
from mesh.support.quotes import quote_of
from mesh.wire.messages import Kind, PostBody, QuoteValue

_ENDINGS: Final = {
    End.OPEN: None,
    End.EXPIRED: "its time ran out; nodes that keep to the rules have forgotten it",
    End.WITHDRAWN: "you took it back; nodes that keep to the rules forget it as soon as they hear of that",
}


@dataclass(frozen=True, slots=True)
class Look:
    """What one who looks must know beside the group: the time by our clock, whether there is a network, and what one
    does not want to see.
    """

    wall_ms: int
    running: bool
    choices: Choices = field(default_factory=Choices)
    store: Store | None = None  # in which what a post answers or quotes is looked up
    state: State | None = None  # in which it is looked up whether what an own post quotes may still leave its group
    circles: tuple[Circle, ...] = ()
    quiets: tuple[Quiet, ...] = ()

    @staticmethod
    def of(desk: Desk, room: Room) -> "Look":
        """Return it for a group at a desk, now."""
        wall_ms = desk.now().wall_ms
        choices, circles = choices_of(desk.store, room.group.gid), tuple(circles_of(room, wall_ms))
        quiets = tuple(quiets_of(room, wall_ms))
        return Look(wall_ms, desk.running, choices, desk.store, desk.state, circles, quiets)


def message_json(look: Look, room: Room, value: bytes, *, opened: bool) -> JsonObject:
    """Describe a message from its row in the store; what is closed has no text, and `closed_by` says why."""
    record = load(MessageRecord, value)
    told: JsonObject = {
        "id": record.post.hex(),
        "group": room.group.gid.hex(),
        "author": person(room, record.member),
        "text": None,
        "closed_by": None,
        "mode": "",
        "cw": "",
        "topics": [],
        "at": iso(record.at_ms),
        "reply_to": None,
        "asked_mode": None,
        "state": "received",
        "files": [],
        "quote": None,
        "may_leave": "no",
        "expires": iso(record.gone_ms) if record.gone_ms else None,
        "circle": _place_in_circle(look, room, record),
        **NO_FLAGS,
        "folded_by": None,
        "why": None,
    }
    own, delivery = is_own(room, record), room.deliveries.get(record.post, Delivery())
    if (
        own
        and record.kind in (Kind.POST, Kind.WITHDRAWAL)
        and (delivery.end is not End.OPEN or is_over(room, record.at_ms, record.gone_ms, look.wall_ms))
    ):
        delivery = delivery.ended(End.EXPIRED)
        said = delivery_json(look, room, record.post, delivery, at_length=opened)
        return told | said | phrased(why=_ENDINGS[delivery.end])
    if own:
        told |= delivery_json(look, room, record.post, delivery, at_length=opened)
    elif record.mseq > cut_of(room.group, record.dev):
        told["state"] = "after-removal"
    elif record.handed_on:
        told["state"] = "history"
    if record.kind == Kind.WITHDRAWAL:
        return told | {"state": "withdrawn", **phrased(why="withdrawn by its author")}
    if record.kind != Kind.POST:
        return told | phrased(why="this kind of message needs a newer version of the program")
    if not record.body:
        return told | phrased(why="you deleted it here")
    try:
        post = interpret(record.body)
    except RemoteError:
        return told | phrased(why="this message cannot be shown by this version")
    told |= flags_json(room, record, look.wall_ms)
    folder = folded_by(room, record.post, record.member, look.wall_ms)
    told |= {"folded_by": folder, "collapsed": bool(told["collapsed"]) or folder is not None}
    closed = None if opened else _closed_by(look, room, record, post, folded=bool(told["collapsed"]))
    return told | {
        "text": post.text if closed is None else None,
        "closed_by": None if closed is None else closed.value,
        "mode": post.mode.name.lower(),
        "cw": post.cw,
        "topics": list(post.topics),
        "reply_to": post.reply_to.hex() or None,
        "asked_mode": None if look.store is None else asked_mode(look.store, room, post.reply_to),
        "files": files_json(room, record, opened=closed is None),
        "quote": _quote_json(look, room, post, opened=closed is None),
        "may_leave": _may_leave(room, record, look.wall_ms),
        **({} if is_shown_whole(post) else phrased(why="a part of this message needs a newer version")),
    }


def _place_in_circle(look: Look, room: Room, record: MessageRecord) -> JsonObject | None:
    """Say to which circle a post belongs, and whether it was said out of turn there, or waits for its end."""
    member, post = MemberPk(record.member), PostId(record.post)
    waits = _waits_for_circle(look, room, post)
    for circle in reversed(look.circles):
        out = circle.stands and not waits and circle.is_out_of_turn(member, post, record.ts_ms)
        out = out and not was_here_before(room, circle, record.seen_ms)
        if out or (waits and circle is current(look.circles)) or (member, post) in circle.posts:
            return {"id": circle.id.hex(), "out_of_turn": out, "waits": waits}
    return None


def _closed_by(look: Look, room: Room, record: MessageRecord, post: PostBody, *, folded: bool) -> Closed | None:
    """Say why a post is closed until it is opened; what one said oneself, by its own warning alone."""
    if breaks_lock(room.group, record, post.mode):
        return Closed.MODE
    if lacks_yes(room, record, look.wall_ms):
        return Closed.AGREEMENT
    if record.member == room.group.own.member_pk:
        return Closed.WARNING if post.cw else None
    if is_hushed(look.quiets, record, look.wall_ms):
        return Closed.QUIET
    if look.store is not None and is_beyond_pace(look.store, room, record):
        return Closed.PACE
    chosen = look.choices.closes_by_author(record.member, record.post) or look.choices.closes_by_words(post)
    if chosen or folded:
        return chosen or Closed.FOLDED
    circle = _place_in_circle(look, room, record)
    return Closed.TURN if circle is not None and circle["out_of_turn"] else None


def _may_leave(room: Room, record: MessageRecord, wall_ms: int) -> str:
    """Say by whose hand a post may leave the group, by its author's word: no (nobody's), askers (some), all."""
    consent = consent_to(room, words_of(room, record), wall_ms)
    return "all" if consent.everyone else "askers" if consent.to else "no"


def _quote_json(look: Look, room: Room, post: PostBody, *, opened: bool) -> JsonObject | None:
    """Describe what a post quotes. Of its own group: as it stands there, closed if it is closed there.

    From elsewhere: the words, and nobody's name. While the post that quotes is closed, so is what it quotes.
    """
    quote = quote_of(post)
    if quote is None:
        return None
    told: JsonObject = {"id": None, "author": None, "text": None, "cw": "", "closed_by": None, "elsewhere": True}
    if quote.text:
        return told | {"text": quote.text if opened else None}
    told |= {"id": quote.post.hex(), "elsewhere": False}
    row = quoted_row(look, room, quote)
    record = None if row is None else load(MessageRecord, row)
    said = None if record is None else _said(record)
    if record is None or said is None:
        return told
    folded = bool(flags_json(room, record, look.wall_ms)["collapsed"])
    closed = _closed_by(look, room, record, said, folded=folded)
    return told | {
        "author": person(room, record.member),
        "text": said.text if opened and closed is None else None,
        "cw": said.cw,
        "closed_by": None if closed is None else closed.value,
    }


def quoted_row(look: Look, room: Room, quote: QuoteValue) -> bytes | None:
    """Return the row of the post of the same group that is quoted; None where it is from elsewhere, or not here."""
    store, post = look.store, quote.post
    place = None if store is None or not post else store.get(Space.POSTS, room.group.gid + post)
    value = None if store is None or place is None else store.get(Space.MESSAGES, place)
    return None if value is None or is_hidden(look, room, value) else value


def _said(record: MessageRecord) -> PostBody | None:
    """Return what a row says; None where that is no post, or nothing any more."""
    if record.kind != Kind.POST or not record.body:
        return None
    try:
        return interpret(record.body)
    except RemoteError:
        return None


def asked_mode(store: Store, room: Room, post: bytes) -> str | None:
    """Return how the author of a post wants to be answered; None where it is not here, or says nothing any more."""
    place = store.get(Space.POSTS, room.group.gid + post) if post else None
    value = None if place is None else store.get(Space.MESSAGES, place)
    said = None if value is None else _said(load(MessageRecord, value))
    return None if said is None else said.mode.name.lower()


def is_own(room: Room, record: MessageRecord) -> bool:
    """Say whether this device wrote a message, under its present key or a former one."""
    return record.dev == room.group.own.dev or record.post in room.deliveries


def is_hidden(look: Look, room: Room, value: bytes) -> bool:
    """Say whether a message's time is over, though its row is still there for a moment: it is shown no more.

    Of an own post that ended by its own word it is shown that it did.
    """
    record = load(MessageRecord, value)
    return is_over(room, record.at_ms, 0 if is_own(room, record) else record.gone_ms, look.wall_ms)


# ---------------------------------------------------------------- how far one's own have come


def delivery_json(look: Look, room: Room, post: PostId, delivery: Delivery, *, at_length: bool) -> JsonObject:
    """Say how far an own message has come, by whose word and since when, and what it waits for.

    In a list of messages, why it waits is said of those alone that nobody has.
    """
    held = sorted(delivery.held.items(), key=lambda said: (said[1], said[0]))
    missing, silent = missing_from(room, post, delivery)
    return {
        "state": delivery.state.value,
        "reached": len(delivery.reached),
        "of": len(delivery.of),
        "held_by": [*_keepers(room, delivery), *(person(room, pk) | {"at": iso(said_ms)} for pk, said_ms in held)],
        "reached_by": [person(room, pk) for pk in sorted(delivery.reached)],
        "receipts_off": [person(room, pk) for pk in silent],
        "waiting_for": [person(room, pk) for pk in missing],
        **phrased(
            why=_why(look, room, post, delivery) if at_length or delivery.state is DeliveryState.QUEUED else None
        ),
    }


def _keepers(room: Room, delivery: Delivery) -> list[JsonObject]:
    """Name the keepers that say they have a message; one that the group has no more, by its id."""
    notes = {ticket.keeper: ticket.note for ticket in keepers_of(room.group).values()}
    return [
        {"id": keeper.hex(), "alias": notes.get(keeper) or keeper.hex()[:8], "keeper": True, "at": iso(said_ms)}
        for keeper, said_ms in sorted(delivery.kept.items(), key=lambda said: (said[1], said[0]))
    ]


def missing_from(room: Room, post: PostId, delivery: Delivery) -> tuple[list[MemberPk], list[MemberPk]]:
    """Return whose receipt an own message waits for, and who has not confirmed it and gives no receipts."""
    if not room.waits(post):
        return [], []
    missing = sorted(delivery.of - delivery.reached) if delivery.mseq else room.group.others
    silent = [pk for pk in missing if delivery.mseq and keeps_quiet(room, pk)]
    return [pk for pk in missing if pk not in silent], silent


def _why(look: Look, room: Room, post: PostId, delivery: Delivery) -> Words | None:
    """Say why an own message waits, or why one that nobody has waits no more; None where there is nothing to say."""
    if room.waits(post):
        return why_it_waits(look, room, post)
    if delivery.state is not DeliveryState.QUEUED:
        return None
    if room.group.own.left:
        return "it did not go out before you left"
    return "it did not go out before you were out of the group; say it again if you still want to"


def why_it_waits(look: Look, room: Room, post: PostId) -> Words:
    """Say what stands between an own message and everybody; one in `Room.waits`."""
    delivery = room.deliveries[post]
    if delivery.state is DeliveryState.QUEUED:
        return _why_queued(look, room, post, delivery)
    if room.group.me is None:
        return "you are not in the group any more"
    missing, _ = missing_from(room, post, delivery)
    if not missing:
        return "those who have not confirmed it give no receipts: none will come from them, whether they have it or not"
    if any(pk not in room.group.view.members for pk in missing):
        return "not all have confirmed; some of them have left the group"
    return "they have not confirmed it yet"


def _why_queued(look: Look, room: Room, post: PostId, delivery: Delivery) -> Words:
    """Say why nobody is known to have an own message."""
    if not room.group.others and not delivery.mseq and room.group.me is not None:
        return "nobody else is in the group yet"
    if room.seems_out or room.group.me is None:
        return "nobody has it; you may have been removed from the group"
    if any(is_held_back(room.group, draft) for draft in room.drafts.values() if draft.post == post):
        return "the group has locked another mode since you wrote it; it stays here, and you can take it back"
    if any(waits_for_yes(room, draft, look.wall_ms) for draft in room.drafts.values() if draft.post == post):
        return "the group's agreement has a new version; this goes out when you have said yes to it"
    drafts = [draft for draft in room.drafts.values() if draft.post == post]
    if look.state is not None and any(quote_waits(look.state, draft, look.wall_ms) for draft in drafts):
        return "what it quotes may not leave its group any more; it stays here, and you can take it back"
    if any(waits_for_quiet(room, draft, look.wall_ms) for draft in room.drafts.values() if draft.post == post):
        return "you have been asked to be quiet for a while; it goes out when that is over, and you can take it back"
    if _waits_for_circle(look, room, post):
        return "a circle is under way; it goes out by itself when the circle is over, and you can take it back"
    if not look.running:
        return "your node is not running"
    if missing_epoch(room.group) is not None:
        return "the group has a new key that was not given to this device; it has asked for one, and this waits for it"
    if not delivery.mseq and (only_one := unconfirmed(room)) is not None:
        return only_one
    if delivery.mseq:
        return "it went out, and no node has said yet that it stored it"
    return "no member's node is reachable; whoever is in the group when it goes out can read it"


def waits_for_circle(desk: Desk, room: Room, post: PostId) -> bool:
    """Say whether an own post waits until a circle is over."""
    return _waits_for_circle(Look.of(desk, room), room, post)


def _waits_for_circle(look: Look, room: Room, post: PostId) -> bool:
    circle = current(look.circles)
    return any(waits_for_end(room, circle, draft) for draft in room.drafts.values() if draft.post == post)


# ---------------------------------------------------------------- what is missing


def gaps_json(state: State, room: Room, *, but: Collection[MemberPk] = ()) -> list[JsonValue]:
    """Say which messages are known to be missing: from whom (`but` these), how many, and how many nodes are asked.

    What lies past a removal's cut is not missing, nor what was taken back without a trace: nobody asks for it, and it
    would not be shown.
    """
    sessions = [session for _, session in state.sessions(room.group.gid)]
    tops: dict[DeviceId, int] = {dev: track.top for dev, track in room.tracks.items()}
    for session in sessions:
        for dev, frontier in session.frontier.items():
            tops[dev] = max(tops.get(dev, 0), frontier.top)
    gaps: list[JsonValue] = []
    for dev, top in sorted(tops.items()):
        if is_erased(room.group, dev):
            continue
        card = room.group.log.card(dev)
        ranges = room.tracks.get(dev, Track()).settled.gaps_below(min(top, cut_of(room.group, dev)))
        missing = sum(last - first + 1 for first, last in ranges)
        if card is not None and missing and dev != room.group.own.dev and card.member_pk not in but:
            asking = sum(any(first in s.frontier.get(dev, Frontier()) for first, _ in ranges) for s in sessions)
            why = _why_missing(room, [s for s in sessions if s.device in room.group.view.devices], dev, ranges)
            gaps.append(
                {"author": person(room, card.member_pk), "missing": missing, "asking": asking, **phrased(why=why)}
            )
    return gaps


def _why_missing(room: Room, sessions: list[Session], dev: DeviceId, ranges: list[tuple[int, int]]) -> str | None:
    """Say what stands between us and messages that are missing; None where somebody is about to give them."""
    if missing_epoch(room.group) is not None:
        return "the group has a new key that was not given to this device; it has asked for one"
    if not sessions:
        return "no member's node is reachable"
    offered = [s for s in sessions if any(first in s.frontier.get(dev, Frontier()) for first, _ in ranges)]
    if not offered:
        return "none of those who are there has them; others are asked when they come"
    if all(first in s.closed.get(dev, Frontier()) for s in offered for first, _ in ranges):
        return "those who were asked did not give them so that they open; others are asked when they come"
    return None
