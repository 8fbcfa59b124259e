"""Groups and members as JSON: exactly the keys of the commands' contract."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Final

from mesh.commands import Rank
from mesh.groups.discreet import is_listening
from mesh.groups.dormancy import DORMANT_AFTER, DORMANT_DAYS, missing_epoch
from mesh.groups.erasing import has_erased
from mesh.groups.forgetting import DAY_MS, KEY_WINDOW, WINDOW_DAYS
from mesh.groups.history import HISTORY, shown_window
from mesh.groups.invites import HOUR_MS
from mesh.groups.operations import card_device
from mesh.groups.retention import keep_ms
from mesh.identity.fingerprints import group_words, state_hash
from mesh.ids import MemberPk
from mesh.membership.graph import Entry
from mesh.membership.views import Member
from mesh.node.local.methods.chosen import unread_in
from mesh.node.local.methods.desk import Desk
from mesh.node.local.protocol import JsonObject, JsonValue
from mesh.peer.beacons import BEACONS
from mesh.peer.catching_up import progress
from mesh.peer.confirming import welcomer
from mesh.peer.forking import Fork, followers, forks_of, predecessor
from mesh.peer.keepers import keepers_of
from mesh.peer.raising import objectors, ripe_ms
from mesh.peer.records import JoinRecord
from mesh.peer.routing import JOINING
from mesh.peer.speaking import RECEIPTS
from mesh.peer.state import Room, State
from mesh.peer.talking import has_ended, is_talk, parent_of
from mesh.phrases import Phrase, phrase
from mesh.support.aliases import OURS, any_like
from mesh.wire.operations import AdmitBody, CreateBody, OpType, RemoveBody
from mesh.wire.tickets import KEEPER_SETTING

FIRST_DAY: Final = date(1970, 1, 1).toordinal()
NO_TRACE: Final = "someone who left"  # in place of an alias
SUITE_NAMES = {1: "classic", 2: "pq"}


def iso(wall_ms: int) -> str:
    """Return a time as ISO 8601 in UTC; what no calendar holds is shown as the epoch."""
    if not 0 <= wall_ms < 253_402_300_800_000:  # the year 10000
        wall_ms = 0
    return datetime.fromtimestamp(wall_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_day(number: int) -> str | None:
    """Return a day (1: 1 January of the year 1) as ISO 8601; None for 0."""
    return date.fromordinal(number).isoformat() if number else None


def today(desk: Desk) -> int:
    """Return the day that it is by our clock, in UTC, as its number."""
    return FIRST_DAY + desk.now().wall_ms // DAY_MS


def group_json(desk: Desk, room: Room) -> JsonObject:
    """Describe a group as `status` and `group list` do, with what `group show` adds."""
    group = room.group
    me = group.me
    epoch = group.epoch
    epoch_op = None if epoch is None else group.log.get(epoch)
    return {
        "id": group.gid.hex(),
        "name": group.founding.name,
        "about": group.founding.about,
        "topics": list(group.founding.topics),
        "members": len(group.view.members),
        "devices": len(group.view.devices),
        "unread": unread_in(desk.store, group.gid),
        "epoch": 0 if epoch_op is None else epoch_op.tbs.gen,
        "complete": group.epoch_is_complete,
        "keepers": len(keepers_of(group)),
        "reachable": _reachable(desk, room),
        "catching_up": catching_up_json(desk.state, room),
        "suite": SUITE_NAMES[group.suite],
        "fingerprint": group.gid.hex(),
        "fingerprint_words": list(group_words(group.gid)),
        "state_hash": state_hash(group.gid, group.view.members, group.log.heads).hex(),
        "state": state_of(room),
        "confirmed": group.own.confirmed,
        "welcomed_by": _welcomer(room),
        "alias": "" if me is None else me.alias,
        "rank": "" if me is None else me.rank.name.lower(),
        "new_here": me is not None and me.rank is Rank.NEWCOMER and not room.deliveries,
        "history": shown_window(group.view.settings.get(HISTORY, "none")),
        "keep": keep_ms(group) // 1000 or None,
        "agreement": agreement_json(room),
        "settings": {
            **{k: v for k, v in group.view.settings.items() if not k.startswith(KEEPER_SETTING)},
            BEACONS: "on",
            RECEIPTS: "on",
            KEY_WINDOW: str(WINDOW_DAYS),
            DORMANT_AFTER: str(DORMANT_DAYS),
            **group.own.settings_map(),
        },
        "talk": _talk_of(desk.state, room),
        "succeeds": earlier_json(desk.state, room),
        "followed": _followed(room),
        "successors": each(successor_json(desk, room, fork) for fork in forks_of(group)),
    }


def rooms_shown(state: State) -> list[Room]:
    """Return the groups that are listed: not those that stand ready for a listener, while nobody has come."""
    return [room for room in state.rooms.values() if room.group.others or not is_listening(room.group)]


def _reachable(desk: Desk, room: Room) -> JsonObject | None:
    """Count the other members and the keepers whose nodes are linked with ours now; None while no node runs.

    In a large group a node links with some members alone; the others may be reached through them.
    """
    if not desk.running:
        return None
    devices, peers = room.group.view.devices, desk.linked_peers()
    there = {devices[s.device] for _, s in desk.state.present(room) if s.device is not None}
    return {
        "members": len(there - {room.group.own.member_pk}),
        "of": len(room.group.others),
        "keepers": sum(ticket.peer in peers for ticket in keepers_of(room.group).values()),
    }


def _talk_of(state: State, room: Room) -> JsonObject | None:
    """Say with whom a conversation of two is, and in which group they were met; None for any other group."""
    if not is_talk(room.group):
        return None
    known = parent_of(state, room.group.gid)
    if known is None:
        return {"with": None, "group": None, "ended": has_ended(room)}
    parent, talk = known
    return {
        "ended": has_ended(room),
        "with": person(parent, talk.member),
        "group": {"id": parent.group.gid.hex(), "name": parent.group.founding.name},
    }


def other_devices(room: Room) -> int:
    """Count our own other devices in a group."""
    return 0 if room.group.me is None else len(room.group.me.devices) - 1


def earlier_json(state: State, room: Room) -> JsonObject | None:
    """Name the group that this one succeeds, if it does; by its id alone where it is not here."""
    gid = predecessor(room.group)
    earlier = None if gid is None else state.rooms.get(gid)
    return None if gid is None else {"id": gid.hex(), "name": None if earlier is None else earlier.group.founding.name}


def _followed(room: Room) -> JsonObject | None:
    """Say how many of those whom a successor was offered to have come; None for a group that is none."""
    if predecessor(room.group) is None:
        return None
    offered, came = followers(room.group)
    return {"came": len(came), "of": len(offered)}


def successor_json(desk: Desk, room: Room, fork: Fork) -> JsonObject:
    """Describe a successor that was offered in a group; `name` only where it is here."""
    here = desk.state.rooms.get(fork.body.new_gid)
    return {
        "id": fork.op_id.hex(),
        "group": fork.body.new_gid.hex(),
        "name": None if here is None else here.group.founding.name,
        "by": person(room, fork.by),
        "mine": fork.by == room.group.own.member_pk,
        "offered_to": len(fork.body.allow),
        "expires": iso(fork.body.expiry_hour * HOUR_MS),
        "state": offer_state(desk, room, fork),
    }


def offer_state(desk: Desk, room: Room, fork: Fork) -> str:
    """Say how an offer stands for us: joined, joining, not-for-you, expired, declined or open."""
    here = desk.state.rooms.get(fork.body.new_gid)
    if here is not None and state_of(here) == "member":
        return "joined"
    if any(j.offer is not None and j.offer.gid == fork.body.new_gid and j.stage in JOINING for j in _joins(desk)):
        return "joining"
    if room.group.own.member_pk not in fork.body.allow:
        return "not-for-you"
    if desk.now().wall_ms >= fork.body.expiry_hour * HOUR_MS:
        return "expired"
    return "declined" if fork.op_id in room.group.own.declined else "open"


def _joins(desk: Desk) -> Iterable[JoinRecord]:
    return desk.state.joins.values()


def state_of(room: Room) -> str:
    """Say how we stand in a group: member, left, removed, keyless, or cut off (by signs)."""
    if room.group.own.left:
        return "left"
    if room.group.me is None:
        return "removed"
    if room.seems_out:
        return "told-out" if room.denied else "cut-off"
    return "member" if missing_epoch(room.group) is None else "keyless"


def _welcomer(room: Room) -> JsonObject | None:
    by = welcomer(room.group)
    return None if by is None else person(room, by)


def unconfirmed(room: Room) -> Phrase | None:
    """Say that only one member has told us who is in, if that is so."""
    if room.group.own.confirmed or state_of(room) != "member":
        return None
    by = welcomer(room.group)
    if by is None:
        return phrase("nobody but whoever let you in has confirmed who is in this group")
    return phrase("nobody but {name} has confirmed who is in this group", name=alias_of(room, by))


def agreement_json(room: Room) -> JsonObject:
    """Return the agreement in force."""
    version, text = room.group.agreement
    return {"version": version, "text": text}


def person(room: Room, pk: MemberPk) -> JsonObject:
    """Name someone who is or was in a group.

    `alike`: somebody else who is in has an alias that looks like theirs, or it looks like what the program itself says
    in place of a name. `verified`: the person here has compared this
    very key with them.
    """
    alias = alias_of(room, pk)
    return {
        "id": pk.hex(),
        "alias": alias,
        "alike": bool(members_like(room, alias, but=pk)) or (any_like(alias, OURS) and not has_erased(room.group, pk)),
        "verified": pk in room.verified,
    }


def members_like(room: Room, alias: str, *, but: MemberPk | None = None) -> list[MemberPk]:
    """Return who is in under an alias that a person may take for this one, leaving one out."""
    return [m.pk for m in room.group.view.members.values() if m.pk != but and any_like(alias, [m.alias])]


def alias_of(room: Room, pk: MemberPk) -> str:
    """Return an alias, also of one who is out; of one who left without a trace, that they did."""
    if has_erased(room.group, pk):
        return NO_TRACE
    member = room.group.view.members.get(pk)
    if member is not None:
        return member.alias
    for op in room.group.log.ops:
        if op.card is not None and op.card.member_pk == pk and isinstance(op.body, CreateBody | AdmitBody):
            return op.body.alias
    return ""


def member_json(desk: Desk, room: Room, member: Member) -> JsonObject:
    """Describe a member."""
    since = first_seen_ms(room, member)
    ripe = ripe_ms(room, member)
    inviter = member.invited_by
    linked = {s.device for _, s in desk.state.sessions(room.group.gid)}
    if member.pk == room.group.own.member_pk:
        state = "you"
    else:
        state = "linked" if any(dev in linked for dev in member.devices) else "away"
    heard_ms = max((room.tracks[dev].heard_ms for dev in member.devices if dev in room.tracks), default=0)
    return {
        **person(room, member.pk),
        "rank": member.rank.name.lower(),
        "since": None if since is None else iso(since),
        "state": state,
        "last_heard": iso(heard_ms) if heard_ms and state != "you" else None,
        "invited_by": None if inviter is None else person(room, inviter),
        "over_uses": any(invite.over_uses and member.pk in invite.let_in for invite in room.group.invites.values()),
        "newcomer_until": None if ripe is None else iso(ripe),
        "held_by": [person(room, pk) for pk in objectors(room, member.pk)],
        "devices": len(member.devices),
    }


def first_seen_ms(room: Room, member: Member) -> int | None:
    """Return since when a member is in, as our own clock had it when this node first saw them."""
    card = room.group.log.operation(member.admitted).card
    known = None if card is None else room.group.devices.get(card_device(card))
    return None if known is None else known.since_ms


def departed_json(room: Room) -> Iterator[JsonObject]:
    """Describe each one who was in and is out: whether they left or were removed, by whom, and the reason given.

    Who left is taken out by a removal too, which gives the others a new key: it builds on the leave, and names no
    reason. Any other removal is one, whatever the removed say of themselves beside it or after it. Of one who left
    without a trace nothing is said.
    """
    for pk in room.group.view.departed:
        if has_erased(room.group, pk):
            continue
        told: JsonObject = {**person(room, pk), "state": "left", "by": None, "reason": None}
        removal = _removal_of(room, pk)
        if removal is not None:
            by, reason = removal
            told |= {"state": "removed", "by": person(room, by), "reason": reason or None}
        yield told


def _removal_of(room: Room, pk: MemberPk) -> tuple[MemberPk, str] | None:
    """Return who removed a member, and why; None where nobody did but to follow up their own leave."""
    log, valid = room.group.log, room.group.view.valid
    for entry in log.graph.ranked(log.graph.of_type(OpType.REMOVE, valid)):
        body = log.operation(entry.act.op_id).body
        if isinstance(body, RemoveBody) and entry.act.subject == pk and is_removal(room, entry):
            return entry.author, body.reason
    return None


def is_removal(room: Room, entry: Entry) -> bool:
    """Say whether an operation removed a member, and did not merely follow up their own leave."""
    log = room.group.log
    body = log.operation(entry.act.op_id).body
    if not isinstance(body, RemoveBody):
        return False
    leaves = log.graph.entries(log.graph.left_by(entry.act.subject, log.everything))
    return bool(body.reason) or not any(leave.is_before(entry) for leave in leaves)


def catching_up_json(state: State, room: Room) -> JsonObject | None:
    """Say how many messages of a long catch-up have come, and of how many; None while there is none."""
    found = progress(state, room)
    return None if found is None else {"got": found[0], "of": found[1]}


def each(values: Iterable[JsonObject]) -> list[JsonValue]:
    """Return a list of objects as a JSON value."""
    return list(values)
