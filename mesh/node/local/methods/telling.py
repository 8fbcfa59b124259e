"""Telling: what happens becomes events for whoever listens, at the pace that the person wants.

While one pauses, in quiet hours, and for messages beside a digest, what others set off is held back, and nothing is
lost: once it is over, one event says how much is unread where. What became of one's own doing is told all the same:
how far an own post has come, how an attempt to join goes, devices of one's own, links.

Who is off duty in a group is told nothing there of what waits for stewards.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from datetime import date
from typing import Final

from mesh.events import Notice, Notify
from mesh.node.local.methods import given
from mesh.node.local.methods.chosen import unread_in
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.names import group_named
from mesh.node.local.methods.pace import is_silent, local_time, pace_of
from mesh.node.local.methods.shown import each
from mesh.node.local.methods.stewards import is_off_duty
from mesh.node.local.methods.talk import event_json
from mesh.node.local.protocol import JsonObject
from mesh.peer.state import Room
from mesh.support.tags import tag_name
from mesh.wire.notes import NoteTag

ONES_OWN: Final = frozenset({Notice.STATE, Notice.JOIN, Notice.DEVICE, Notice.LINK})
# What whoever is on duty is told of.
FOR_STEWARDS: Final = frozenset(map(tag_name, (NoteTag.REPORT, NoteTag.APPEAL, NoteTag.RECALL)))


class Teller:
    """What one who listens is told: of one group with messages in full (`only`), or of all by ids."""

    def __init__(self, only: Room | None = None) -> None:
        self._only = only
        self._held: date | None = None  # since then something is held back that a summary is owed for
        self._day: date | None = None
        self._told = 0  # messages, today

    def tell(self, desk: Desk, notice: Notify | None) -> list[JsonObject]:
        """Return the events to be told now; without a notice, what time alone brings."""
        wall_ms = desk.now().wall_ms
        pace, today = pace_of(desk.store), local_time(wall_ms).date()
        if self._day != today:
            self._day, self._told = today, 0
        silent = is_silent(pace, wall_ms)
        due = self._held is not None and not silent and (pace.digest is None or self._held != today)
        events = self._summary(desk) if due else []
        concerns = notice is not None and (self._only is None or notice.group == self._only.group.gid)
        event = event_json(desk, notice, full=self._only is not None) if notice is not None and concerns else None
        if notice is None or event is None or (_is_for_stewards(notice, event) and is_off_duty(desk, notice.group)):
            return events
        beyond = notice.notice is Notice.MESSAGE and pace.digest is not None and self._told >= pace.digest.cap
        if notice.notice not in ONES_OWN and (silent or beyond):
            self._held = self._held or today
            return events
        self._told += notice.notice is Notice.MESSAGE
        return [*events, event]

    def _summary(self, desk: Desk) -> list[JsonObject]:
        """Say how much is unread where, for all that was held back."""
        self._held = None
        rooms = desk.state.rooms.values() if self._only is None else [self._only]
        counted = [(room.group, unread_in(desk.store, room.group.gid)) for room in rooms]
        groups: list[JsonObject] = [
            {"id": group.gid.hex(), "name": group.founding.name, "unread": unread}
            for group, unread in counted
            if unread
        ]
        return [{"event": "digest", "groups": each(groups)}]


def _is_for_stewards(notice: Notify, event: JsonObject) -> bool:
    """Say whether something waits for moderators, stewards or founders: a knock, a report, an appeal."""
    return notice.notice is Notice.KNOCK or event.get("form") in FOR_STEWARDS


async def events_of(
    desk: Desk, notices: AsyncIterator[Notify | None], params: JsonObject, *, only: bool
) -> AsyncGenerator[JsonObject, None]:
    """Turn what happens into events; `only`: of the group that the parameters name. None: time goes by."""
    room = group_named(desk.state, given.text(params, "group")) if only else None
    following: JsonObject = {"event": "following", "silent": is_silent(pace_of(desk.store), desk.now().wall_ms)}
    yield following if room is None else following | {"group": room.group.gid.hex()}
    teller = Teller(room)
    async for notice in notices:
        for event in teller.tell(desk, notice):
            yield event
