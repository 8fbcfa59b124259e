"""Newcomers go slowly: as long as that is their rank, so many posts an hour, and what is beyond stays closed.

Nothing is refused on the wire: a newcomer's own program holds to it, and those of others show closed what a changed one
says beyond, counted by where posts stand. When the newcomer becomes a member, all of it opens.
"""

from typing import Final

from mesh.commands import Rank
from mesh.errors import RefusedError
from mesh.events import Space
from mesh.groups.records import load
from mesh.ids import GroupId, MemberPk
from mesh.peer.records import MessageRecord
from mesh.peer.state import Room, message_key
from mesh.phrases import phrase
from mesh.store.base import Store
from mesh.wire.messages import Kind

POSTS_AN_HOUR: Final = 12  # ours
_HOUR_MS: Final = 3_600_000
_ROWS_MAX: Final = 2048  # read of the hour before a post, the newest; ours


def is_newcomer(room: Room, member: MemberPk) -> bool:
    """Say whether a member is a newcomer now."""
    there = room.group.view.members.get(member)
    return there is not None and there.rank is Rank.NEWCOMER


def require_pace(store: Store, room: Room, wall_ms: int) -> None:
    """RefusedError for a newcomer who has said as much in the last hour as newcomers do."""
    own, gid = room.group.own.member_pk, room.group.gid
    if is_newcomer(room, own) and _said(store, gid, own, wall_ms, gid + (wall_ms + 1).to_bytes(8, "big")):
        raise RefusedError(
            phrase("newcomers say {most} things an hour at the most, and you have", most=POSTS_AN_HOUR),
            why="for the first days one listens and finds one's way; others' nodes would show more of it closed",
            do="say it a little later; a moderator can make you a member before",
            code="E-NEWCOMER-PACE",
        )


def is_beyond_pace(store: Store, room: Room, record: MessageRecord) -> bool:
    """Say whether a post of somebody who is a newcomer now stands beyond what newcomers say in an hour."""
    if not is_newcomer(room, MemberPk(record.member)):
        return False
    key = message_key(room.group.gid, record.at_ms, record.post, record.msg_id)
    return _said(store, room.group.gid, MemberPk(record.member), record.at_ms, key)


def _said(store: Store, gid: GroupId, member: MemberPk, at_ms: int, before: bytes) -> bool:
    """Say whether a member has said as much in the hour before a place as newcomers do."""
    after = gid + max(0, at_ms - _HOUR_MS).to_bytes(8, "big")
    rows = store.scan(Space.MESSAGES, gid, after=after, before=before, limit=_ROWS_MAX, reverse=True)
    found = 0
    for _, value in rows:
        record = load(MessageRecord, value)
        found += record.member == member and record.kind in (Kind.POST, Kind.WITHDRAWAL)
        if found >= POSTS_AN_HOUR:
            return True
    return False
