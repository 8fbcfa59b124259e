"""Loading: from the rows of the store back to the state of the machine."""

from collections.abc import Mapping
from typing import Final

from mesh.events import Space
from mesh.gossip.delivery import Delivery, DeliveryRecord
from mesh.groups.group import Group
from mesh.groups.records import InviteRecord, OwnState, load
from mesh.ids import DeviceId, GroupId, JoinId, MsgId, OpId, PostId
from mesh.peer.placing import note_message
from mesh.peer.records import (
    ContactRecord,
    DraftRecord,
    JoinRecord,
    KnockRecord,
    MessageRecord,
    TrackRecord,
)
from mesh.peer.state import Room, State, Track

Rows = Mapping[bytes, bytes]
_GID: Final = 32


def load_state(records: Mapping[Space, Rows]) -> State:
    """Build the machine's state from what the store holds; StoreError if it is damaged."""
    state = State()
    for key, value in records.get(Space.GROUPS, {}).items():
        gid = GroupId(key)
        own = load(OwnState, value)
        rows = {space: _of_group(records, space, gid) for space in (Space.OPS, Space.EPOCHS, Space.CHAINS, Space.KEMS)}
        state.rooms[gid] = _load_room(Room(Group.restore(own, rows)), gid, records)
    for key, value in records.get(Space.JOINS, {}).items():
        state.joins[JoinId(key)] = load(JoinRecord, value)
    return state


def _of_group(records: Mapping[Space, Rows], space: Space, gid: GroupId) -> dict[bytes, bytes]:
    return {key: value for key, value in sorted(records.get(space, {}).items()) if key.startswith(gid)}


def _load_room(room: Room, gid: GroupId, records: Mapping[Space, Rows]) -> Room:
    def rows(space: Space) -> list[tuple[bytes, bytes]]:
        return [(key[_GID:], value) for key, value in _of_group(records, space, gid).items()]

    for key, value in rows(Space.FRONTIERS):
        room.tracks[DeviceId(key)] = Track.from_record(load(TrackRecord, value))
    for key, value in rows(Space.DRAFTS):
        room.drafts[int.from_bytes(key, "big")] = load(DraftRecord, value)
    for key, value in rows(Space.DELIVERY):
        delivery = Delivery.from_record(load(DeliveryRecord, value))
        room.deliveries[PostId(key)] = delivery
        if delivery.mseq and delivery.reached != delivery.of:
            room.sent[delivery.mseq] = PostId(key)
    for key, value in rows(Space.INVITES):
        room.invites[OpId(key)] = load(InviteRecord, value)
    for key, value in rows(Space.KNOCKS):
        room.knocks[key] = load(KnockRecord, value)
    for key, value in rows(Space.CONTACTS):
        room.contacts[DeviceId(key)] = load(ContactRecord, value)
    before: tuple[MsgId, ...] = ()
    for _, value in rows(Space.MESSAGES):
        message = load(MessageRecord, value)
        if message.mseq:
            note_message(room, message.msg_id, before, message.at_ms)
            before = (message.msg_id,)
    return room
