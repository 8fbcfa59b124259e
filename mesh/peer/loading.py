"""Loading: from the rows of the store back to the state of the machine."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from mesh.errors import RemoteError
from mesh.events import Space
from mesh.gossip.delivery import Delivery, DeliveryRecord
from mesh.gossip.shelf import Account, Host, Place, Shelf
from mesh.groups.group import Group
from mesh.groups.messaging import read_keyup
from mesh.groups.records import InviteRecord, OwnState, damaged, load
from mesh.ids import AccountId, DeviceId, FrameId, GroupId, HomeId, JoinId, MemberPk, MsgId, OpId, PostId, TopicId
from mesh.peer.files import Held
from mesh.peer.placing import note_message
from mesh.peer.records import (
    AccountRecord,
    ContactRecord,
    DraftRecord,
    FilesRecord,
    HomeRecord,
    JoinRecord,
    KeeperRecord,
    KnockRecord,
    ListenRecord,
    MessageRecord,
    NoteRecord,
    ObjectionRecord,
    ProofRecord,
    SizeRecord,
    TalkRecord,
    TrackRecord,
    VerifiedRecord,
)
from mesh.peer.state import Room, State
from mesh.peer.stated import Stated
from mesh.peer.tracks import Track

Rows = Mapping[bytes, bytes]
_GID: Final = 32
_TAKEN_BACK_BYTES: Final = 32  # device, post id
_MSEQ_BYTES: Final = 8
_GAVE_WAY_BYTES: Final = 32  # device, mseq, 8 B of the msg id
_GROUP_SPACES: Final = (Space.OPS, Space.EPOCHS, Space.CHAINS, Space.KEMS, Space.DEVICES)
# Spaces whose keys do not begin with a group.
_WHOLE: Final = (
    Space.GROUPS,
    Space.JOINS,
    Space.HOMES,
    Space.KEEPER,
    Space.SIZES,
)


def load_state(records: Mapping[Space, Rows]) -> State:
    """Build the machine's state from what the store holds; StoreError if it is damaged."""
    state = State()
    by_group = {space: _by_group(rows) for space, rows in records.items() if space not in _WHOLE}
    for key, value in records.get(Space.GROUPS, {}).items():
        gid = GroupId(key)
        rows: dict[Space, Rows] = {space: groups.get(gid, {}) for space, groups in by_group.items()}
        kept = {space: rows.get(space, {}) for space in _GROUP_SPACES}
        state.rooms[gid] = _load_room(Room(Group.restore(load(OwnState, value), kept)), rows)
    for key, value in records.get(Space.JOINS, {}).items():
        state.joins[JoinId(key)] = load(JoinRecord, value)
    for key, value in records.get(Space.HOMES, {}).items():
        state.homes[HomeId(key)] = load(HomeRecord, value)
    state.host = _load_host(records)
    return state


def _load_statement(key: bytes, value: bytes) -> Stated:
    try:
        stated = Stated.of(load(MessageRecord, value))
    except RemoteError as error:
        raise damaged("a statement") from error
    if stated.key != key:
        raise damaged("a statement")
    return stated


def _load_host(records: Mapping[Space, Rows]) -> Host | None:
    rows = dict(records.get(Space.KEEPER, {}))
    own = rows.pop(b"", None)
    sizes = records.get(Space.SIZES, {})
    if own is None:
        if rows or sizes:
            raise damaged("what is kept for others")
        return None
    record = load(KeeperRecord, own)
    shelf = Shelf(record.quota)
    for key, value in rows.items():
        account = load(AccountRecord, value)
        topics = OrderedDict((named.topic, named.named_ms) for named in account.topics)
        shelf.restore(AccountId(key), Account(account.quota, account.days, account.aside, topics))
    for key, value in sorted(sizes.items(), key=lambda row: row[0][32:]):  # oldest first
        size = load(SizeRecord, value)
        at_ms, frame = int.from_bytes(key[32:40], "big"), FrameId(key[40:])
        place = Place(TopicId(key[:32]), at_ms, frame, size.type, size.size)
        shelf.restore_place(place, [AccountId(account) for account in size.accounts])
    return Host(on=record.on, secret=record.secret, days=record.days, shelf=shelf)


def _by_group(rows: Rows) -> dict[bytes, dict[bytes, bytes]]:
    """Sort rows, and part them by the group that their keys begin with."""
    parted: dict[bytes, dict[bytes, bytes]] = {}
    for key in sorted(rows):
        parted.setdefault(key[:_GID], {})[key] = rows[key]
    return parted


def _load_room(room: Room, found: Mapping[Space, Rows]) -> Room:
    def rows(space: Space) -> list[tuple[bytes, bytes]]:
        return [(key[_GID:], value) for key, value in found.get(space, {}).items()]

    for key, value in rows(Space.FRONTIERS):
        room.tracks[DeviceId(key)] = Track.from_record(load(TrackRecord, value))
    for dev, track in room.tracks.items():
        room.group.note_seen(dev, track.heads)
        if track.keyup is not None:
            _, keyup = read_keyup(room.group, track.keyup)
            room.group.note_kem(dev, keyup.kem_number, keyup.kem_pk)
    for key, value in rows(Space.DRAFTS):
        room.drafts[int.from_bytes(key, "big")] = load(DraftRecord, value)
    for key, value in rows(Space.FILES):
        room.files[PostId(key)] = Held.from_record(load(FilesRecord, value))
    for key, value in rows(Space.DELIVERY):
        delivery = Delivery.from_record(load(DeliveryRecord, value))
        room.hold_delivery(PostId(key), delivery)
    for key, value in rows(Space.WITHDRAWN):
        room.withdrawn[PostId(key)] = load(MessageRecord, value)
    for key, value in rows(Space.TAKEN_BACK):
        if len(key) != _TAKEN_BACK_BYTES or len(value) != _MSEQ_BYTES:
            raise damaged("what was taken back")
        there = room.taken_back.setdefault(DeviceId(key[:16]), {})
        there[PostId(key[16:])] = int.from_bytes(value, "big")
    for key, value in rows(Space.INVITES):
        room.invites[OpId(key)] = load(InviteRecord, value)
    for key, value in rows(Space.KNOCKS):
        record = load(KnockRecord, value)
        if record.declined:
            room.declined[key] = None
        elif not record.frame:
            room.awaited_knocks[key] = record
        else:
            room.knocks[key] = record
            if any(yes.dev == room.group.own.dev for yes in record.approvals):
                room.untold_yes[key] = None
    for key, value in rows(Space.OBJECTIONS):
        word = load(ObjectionRecord, value)
        room.objections.setdefault(MemberPk(key[:32]), {})[DeviceId(key[32:])] = word
    for key, value in rows(Space.STATEMENTS):
        room.statements.put(_load_statement(key, value))
    for key, value in rows(Space.GAVE_WAY):
        if value or len(key) != _GAVE_WAY_BYTES:
            raise damaged("a statement")
        room.statements.note_gave_way(DeviceId(key[:16]), key[16:])
    for key, value in rows(Space.TALKS):
        room.talks[GroupId(key)] = load(TalkRecord, value)
    for key, value in rows(Space.NOTES):
        room.sealed[key] = load(NoteRecord, value)
    for key, value in rows(Space.LISTENS):
        room.listens[GroupId(key)] = load(ListenRecord, value)
    for key, value in rows(Space.CONTACTS):
        room.contacts[DeviceId(key)] = load(ContactRecord, value)
    for key, value in rows(Space.PROOFS):
        room.proofs[DeviceId(key)] = load(ProofRecord, value)
    for key, value in rows(Space.VERIFIED):
        room.verified[MemberPk(key)] = load(VerifiedRecord, value).at_ms
    room.epochs_known = frozenset(room.group.epochs)
    own = room.group.own
    room.silent = own.left and not own.wipe and not room.contacts
    before: tuple[MsgId, ...] = ()
    for _, value in rows(Space.MESSAGES):
        message = load(MessageRecord, value)
        if message.dev == own.dev:
            room.last_ts = max(room.last_ts, message.ts_ms)
        if message.mseq:
            note_message(room, message.msg_id, before, message.at_ms)
            before = (message.msg_id,)
    return room
