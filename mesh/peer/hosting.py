"""Hosting: we are a keeper. Sealed frames wait here for people whom we do not know (network.md §5, protocol.md §8).

A keeper has no keys. It sees topics, which are hashes, types, sizes and times, and the addresses of those who come. It
keeps frames on topics only that a ticket of ours asked for, within its quota, checks what can be checked without a key,
says STORED of what it has stored and of nothing else, and hands frames on to whoever shares their topic. What waits at
a door is handed whole to whoever comes to it; the frames of an epoch are compared first.
"""

from collections.abc import Container
from typing import Final

from mesh.errors import Fault, LocalError, RemoteError
from mesh.events import LinkKind, SendClass, SendStored, Space
from mesh.gossip.reconcile import Index, Items, answer, session_key
from mesh.gossip.shelf import (
    ASIDE_DAYS,
    AT_DOORS,
    BUCKETS,
    Host,
    Place,
    Shelf,
    aside_quota,
    is_own_ticket,
    ticket_mac,
)
from mesh.ids import AccountId, FrameId, TopicId
from mesh.peer.links import Compared, Link
from mesh.peer.records import AccountRecord, KeeperRecord, NamedTopic, SizeRecord
from mesh.peer.routing import forward_on
from mesh.peer.state import State, Step
from mesh.phrases import phrase
from mesh.upkeep import IssueTicket, TurnKeeperOn
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.frames import Frame, topics_of
from mesh.wire.keepers import KeepAsk, KeptSaid, RangesType, pack_keep, pack_ranges, split_wanted
from mesh.wire.text import require_text
from mesh.wire.tickets import Ticket, ticket_to_text

OWN_KEY: Final = b""  # in Space.KEEPER; accounts stand under their ids
QUOTA_BYTES: Final = 1024 * 1024 * 1024  # what a keeper keeps in all where its operator says nothing; ours
TICKET_BYTES: Final = 128 * 1024 * 1024  # and for one ticket: about a year of a busy group of ten
DAYS: Final = 30
_NAMED_MS: Final = 3_600_000  # a topic that was named within so long is not written again; ours
_COMPARE_MS: Final = 5_000  # an index of one topic is not made anew for one link within so long, ...; ours
_ITEMS_MAX: Final = 400_000  # nor are indexes of more frames than this; some 0.4 s of work; ours
_COMPARED_MAX: Final = 8  # indexes that are kept for one link; ours
_SWEEP_MS: Final = 600_000  # what is too old is looked for so often: all that is kept is gone through; ours
_INDEXED_MAX: Final = 2**20  # frames in the indexes of all links: some 200 MB at most; ours


# ---------------------------------------------------------------- the operator


def turn_on(state: State, command: TurnKeeperOn, step: Step) -> None:
    """Keep for others from now on, or under other terms. LocalError for terms that cannot be."""
    quota = QUOTA_BYTES if command.quota is None else command.quota
    days = DAYS if command.days is None else command.days
    if not 1 <= quota <= limits.QUOTA_BYTES_MAX or not 1 <= days <= limits.KEPT_DAYS_MAX:
        raise LocalError(
            phrase(
                "a keeper keeps up to {gibibytes} GiB, for 1 to {days} days",
                gibibytes=limits.QUOTA_BYTES_MAX // 2**30,
                days=limits.KEPT_DAYS_MAX,
            ),
            code="E-USAGE",
        )
    if state.host is None:
        state.host = Host(on=True, secret=step.entropy.draw(32), days=days, shelf=Shelf(quota))
    host = state.host
    if command.quota is not None or not host.on:
        host.shelf.quota = quota
    if command.days is not None or not host.on:
        host.days = days
    was_off, host.on = not host.on, True
    _save_own(host, step)
    if was_off:  # those who showed a ticket meanwhile hear of it now, and ask again
        _say_to_all(state, host, None, step)


def turn_off(state: State, step: Step) -> None:
    """Keep nothing any more, forget what is here, and say so to those who left it. Tickets stay good."""
    host = state.host
    if host is None or not host.on:
        return
    state.host = Host(on=False, secret=host.secret, days=host.days, shelf=Shelf(host.shelf.quota))
    for space in (Space.KEPT, Space.SIZES, Space.KEEPER):
        step.journal.delete_prefix(space, b"")
    _save_own(state.host, step)
    _say_to_all(state, state.host, host.shelf.accounts, step)


def _save_own(host: Host, step: Step) -> None:
    record = KeeperRecord(on=host.on, secret=host.secret, quota=host.shelf.quota, days=host.days)
    step.journal.put(Space.KEEPER, OWN_KEY, encode(record))
    step.journal.make_durable()
    step.topics_changed = True


def issue_ticket(state: State, command: IssueTicket, step: Step) -> bytes:
    """Make a ticket for a fresh account; return its text. LocalError where we are no keeper, or have no address."""
    host = state.host
    if host is None or not host.on:
        raise LocalError("this node is no keeper", do="`mesh keeper on` makes it one", code="E-KEEPER")
    note = require_text("note", command.note, limits.TICKET_NOTE_BYTES_MAX, empty=True)
    quota = min(TICKET_BYTES, host.shelf.quota) if command.quota is None else command.quota
    if not 1 <= quota <= host.shelf.quota:
        raise LocalError(
            "a ticket is for no more than the keeper keeps in all",
            do="make it smaller, or `mesh keeper on --quota` larger",
            code="E-USAGE",
        )
    account = AccountId(step.entropy.draw(16))
    ticket = Ticket(
        account=account,
        quota=quota,
        mac=ticket_mac(host.secret, account, quota),
        addresses=command.addresses,
        note=note,
    )
    return ticket_to_text(ticket).encode()


# ---------------------------------------------------------------- accounts


def hear_ask(state: State, link: Link, ask: KeepAsk, step: Step) -> None:
    """A member asks to have topics kept. RemoteError for a ticket that is none of ours."""
    host = state.host
    account = AccountId(ask.account)
    if host is None or not is_own_ticket(host.secret, account, ask.quota, ask.mac):
        raise RemoteError(Fault.AGAINST_RULES, "a ticket that this keeper did not give")
    if ask.aside:
        account = _aside(link, host, account, step)
        for other in [one for one, shown in link.tickets.items() if shown.aside and shown.account == ask.account]:
            del link.tickets[other]
    link.tickets[account] = ask
    if host.on and _may_name(link, host, account, ask, step):
        _name(host.shelf, account, ask, step)
    _say_held(link, host, account, ask, step)


def _aside(link: Link, host: Host, account: AccountId, step: Step) -> AccountId:
    """Return the account that whoever is at a link has aside of a ticket's; a new one, if they have none.

    Of too many the one goes that was asked for longest ago. Its name is drawn: the store does not say whose it is.
    """
    own = (account, link.peer)
    if own not in host.asides:
        host.asides[own] = AccountId(step.entropy.draw(16))
        beside = [key for key in host.asides if key[0] == account]
        for key in beside[: -limits.KEPT_ASIDES_MAX]:
            closed = host.asides.pop(key)
            _forget(host.shelf.close(closed), step)
            step.journal.delete(Space.KEEPER, closed)
            step.topics_changed = True
    host.asides.move_to_end(own)
    return host.asides[own]


def _name(shelf: Shelf, account: AccountId, ask: KeepAsk, step: Step) -> None:
    """Keep from now on what a ticket's holder asks for."""
    before, now_ms = shelf.accounts.get(account), step.now.wall_ms
    known, days = ({}, 0) if before is None else (dict(before.topics), before.days)
    days_asked = min(ask.days, ASIDE_DAYS) if ask.aside else ask.days
    gone, taken = shelf.name(account, _quota(ask), ask.topics, now_ms, days=days_asked, aside=ask.aside)
    _forget(gone, step)
    for place in taken:
        _save_place(shelf, place, step)
    kept = shelf.accounts[account]
    if days != kept.days or any(now_ms - known.get(topic, 0) >= _NAMED_MS for topic in ask.topics):
        _save_account(shelf, account, step)
    if known.keys() != kept.topics.keys():
        step.topics_changed = True


def _quota(ask: KeepAsk) -> int:
    """Return how many bytes there is room for."""
    return aside_quota(ask.quota) if ask.aside else ask.quota


def _may_name(link: Link, host: Host, account: AccountId, ask: KeepAsk, step: Step) -> bool:
    """Say whether a link may have so many new topics kept now: each is looked for among what every link names."""
    kept = host.shelf.accounts.get(account)
    known = {} if kept is None else kept.topics
    return link.named.take(len([topic for topic in ask.topics if topic not in known]), step.now.mono_ms)


def _say_to_all(state: State, host: Host, accounts: Container[AccountId] | None, step: Step) -> None:
    """Say to those who showed the tickets of these accounts, or any (None), how it stands, unasked."""
    for link in state.links.values():
        for account, ask in link.tickets.items():
            if accounts is None or account in accounts:
                _say_held(link, host, account, ask, step)


def _say_held(link: Link, host: Host, account: AccountId, ask: KeepAsk, step: Step) -> None:
    kept = host.shelf.accounts.get(account)
    frames, size, oldest_ms = host.shelf.held(account)
    said = KeptSaid(
        account=ask.account,
        aside=ask.aside,
        accepted=host.on,
        topics=0 if kept is None else len(kept.topics),
        frames=frames,
        size=size,
        quota=_quota(ask),
        oldest_ms=oldest_ms,
    )
    step.send(link.link, LinkKind.KEEP, pack_keep(said), SendClass.CONTROL)


def _save_account(shelf: Shelf, account: AccountId, step: Step) -> None:
    kept = shelf.accounts.get(account)
    if kept is None:
        step.journal.delete(Space.KEEPER, account)
        return
    topics = [NamedTopic(topic=topic, named_ms=named_ms) for topic, named_ms in kept.topics.items()]
    record = AccountRecord(quota=kept.quota, days=kept.days, aside=kept.aside, topics=topics)
    step.journal.put(Space.KEEPER, account, encode(record))


def _save_place(shelf: Shelf, place: Place, step: Step) -> None:
    record = SizeRecord(type=place.type, size=place.size, accounts=[*shelf.holders(place)])
    step.journal.put(Space.SIZES, place.key, encode(record))


def _forget(gone: list[Place], step: Step) -> None:
    for place in gone:
        step.journal.delete(Space.KEPT, place.key)
        step.journal.delete(Space.SIZES, place.key)


def sweep(state: State, step: Step) -> None:
    """Forget what has lain here for longer than we keep, and topics that nobody has named for as long."""
    host, now_ms = state.host, step.now.mono_ms
    if host is None or not host.on or (host.swept_ms is not None and now_ms - host.swept_ms < _SWEEP_MS):
        return
    host.swept_ms, shelf = now_ms, host.shelf
    gone, accounts = shelf.expire(step.now.wall_ms, host.days)
    _forget(gone, step)
    for account in accounts:
        _save_account(shelf, account, step)
        step.topics_changed = True


# ---------------------------------------------------------------- frames


def kept_topic(state: State, frame: Frame, wall_ms: int) -> TopicId | None:
    """Return the topic of a frame if it is one that we were asked to keep."""
    if state.host is None or (frame.type not in AT_DOORS and frame.type not in BUCKETS):
        return None
    return next((topic for topic in topics_of(frame, wall_ms) if state.host.shelf.has_topic(topic)), None)


def holds(state: State, frame: Frame, wall_ms: int) -> bool:
    """Say whether we keep this very frame."""
    topic = kept_topic(state, frame, wall_ms)
    return topic is not None and state.host is not None and state.host.shelf.place(topic, frame.id) is not None


def would_keep(state: State, link: Link, frame: Frame, wall_ms: int) -> bool:
    """Say whether a frame from this link is to be kept for somebody for whom it is not kept yet."""
    topic = kept_topic(state, frame, wall_ms)
    if topic is None or state.host is None:
        return False
    return bool(state.host.shelf.takers(topic, frame.id, frame.type, link.tickets))


def take_in(state: State, link: Link, frame: Frame, step: Step) -> None:
    """Keep a frame whose outer signature holds, if its topic is one that we were asked to keep; and hand it on."""
    topic = kept_topic(state, frame, step.now.wall_ms)
    if topic is None or state.host is None:
        return
    shelf = state.host.shelf
    added = shelf.add(topic, frame.id, frame.type, len(frame.raw), step.now.wall_ms, link.tickets)
    if added is not None:
        place, gone = added
        step.journal.put(Space.KEPT, place.key, frame.raw)
        _save_place(shelf, place, step)
        _forget(gone, step)
    if shelf.place(topic, frame.id) is None:
        return  # there is no room, or its bringer showed no ticket of a group's that speaks there
    step.stored.setdefault(link.link, []).append(frame.id)
    forward_on(state, topics_of(frame, step.now.wall_ms), frame.id, frame.raw, step)


def give_doors(state: State, link: Link, topics: list[TopicId], step: Step) -> None:
    """Hand what waits at a door to a link that has turned out to share its topic.

    So it is each time, for one who looks again must not meet silence; what was given over a link before, only as fast
    as a link may have that.
    """
    if state.host is None:
        return
    keys: list[bytes] = []
    for topic in topics:
        places = [place for place in state.host.shelf.places(topic) if place.type in AT_DOORS]
        again = sum(place.size for place in places) if topic in link.handed else 0
        if places and link.given_again.take(again, step.now.mono_ms):
            link.handed[topic] = None
            keys += [place.key for place in places]
    if keys:
        given = SendStored(link=link.link, space=Space.KEPT, keys=tuple(keys), send_class=SendClass.REPAIR)
        step.effects.append(given)


# ---------------------------------------------------------------- comparing


def answer_ranges(state: State, link: Link, topic: TopicId, kind: RangesType, body: bytes, step: Step) -> None:
    """Answer what one who shares a topic asks of what we keep there. RemoteError if it makes no sense."""
    if state.host is None or not state.host.shelf.has_topic(topic):
        return
    shelf = state.host.shelf
    if kind is RangesType.QUESTION and not link.asked.take(len(body), step.now.mono_ms):
        raise RemoteError(Fault.OVER_LIMIT, "more questions than a link may ask")
    index = _index(state, shelf, link, topic, step)
    if index is None:
        return
    if kind is RangesType.QUESTION:
        _say(link, topic, RangesType.ANSWER, answer(index, body), SendClass.CONTROL, step)
        return
    found = (index.find(short) for short in split_wanted(body))
    wanted = dict.fromkeys(one[1] for one in found if one is not None)
    places = [place for frame in wanted if (place := shelf.place(topic, FrameId(frame))) is not None]
    places.sort(key=lambda place: (BUCKETS[place.type], place.at_ms))
    if places:
        keys = tuple(place.key for place in places)
        step.effects.append(SendStored(link=link.link, space=Space.KEPT, keys=keys, send_class=SendClass.REPAIR))
    _say(link, topic, RangesType.GIVEN, b"", SendClass.REPAIR, step)


def _index(state: State, shelf: Shelf, link: Link, topic: TopicId, step: Step) -> Index | None:
    """Return the index under a link's key; None for one who would have too much made in too short a time.

    One that is not quite new serves too.
    """
    made = link.compared.get(topic)
    now_ms = step.now.mono_ms
    if made is not None and (made.changes == shelf.changes(topic) or now_ms - made.at_ms < _COMPARE_MS):
        return made.index
    places = (place for place in shelf.places(topic) if place.type in BUCKETS)
    items = Items.of((BUCKETS[place.type], place.frame) for place in places)
    since_ms, spent = link.compared_items
    since_ms, spent = (since_ms, spent) if now_ms - since_ms < _COMPARE_MS else (now_ms, 0)
    if spent and spent + len(items) > _ITEMS_MAX:
        return None
    link.compared_items = since_ms, spent + len(items)
    key = session_key(topic, link.ends.hearer_nonce, link.ends.speaker_nonce)
    link.compared[topic] = Compared(changes=shelf.changes(topic), at_ms=now_ms, index=Index(items, key))
    while len(link.compared) > _COMPARED_MAX:
        link.compared.popitem(last=False)
    made = link.compared[topic]
    _drop_oldest(state, made)
    return made.index


def _drop_oldest(state: State, newest: Compared) -> None:
    """Keep no more indexes in memory than we have room for, whoever's they are."""
    several = [(one, link, topic) for link in state.links.values() for topic, one in link.compared.items()]
    total = sum(len(one.index) for one, _, _ in several)
    for one, link, topic in sorted(several, key=lambda entry: entry[0].at_ms):
        if total <= _INDEXED_MAX:
            return
        if one is not newest:
            total -= len(one.index)
            del link.compared[topic]


def _say(link: Link, topic: TopicId, kind: RangesType, body: bytes, send_class: SendClass, step: Step) -> None:
    step.send(link.link, LinkKind.RANGES, pack_ranges(link.topics.own_tag(topic), kind, body), send_class)
