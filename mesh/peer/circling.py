"""Circling: a group's circle as it bears on this node: whose turn it is, and which of our posts wait for its end.

What holds is in `mesh.support.circles`. Here a post of ours that was typed while another speaks stays as a draft until
the circle is over; and the person is told, once, that it is their turn.
"""

from mesh.events import Notice
from mesh.peer.records import DraftRecord
from mesh.peer.state import Room, Step
from mesh.peer.statements import counting
from mesh.support import circles
from mesh.support.circles import FORMS_OF_CIRCLES, Circle, Phase, seat
from mesh.wire.messages import Kind
from mesh.wire.statements import Form


def circles_of(room: Room, wall_ms: int) -> list[Circle]:
    """Return the circles of a group of which anything is known, in the order in which they were opened."""
    opened = counting(room, Form.CIRCLE, wall_ms)
    if not opened:
        return []
    said = {form: counting(room, form, wall_ms) for form in FORMS_OF_CIRCLES}
    return circles.fold(said, room.group.view.members, wall_ms)


def under_way(room: Room, wall_ms: int) -> Circle | None:
    """Return the circle that is not over yet."""
    found = circles.current(circles_of(room, wall_ms))
    return found if found is not None and found.phase is not Phase.CLOSED else None


def was_here_before(room: Room, circle: Circle, seen_ms: int) -> bool:
    """Say whether what came here at this time was here before the circle was heard of: whatever times both bear."""
    opening = circle.opening
    rows = (stated.record for stated in room.statements.about(Form.CIRCLE, opening.subject))
    return any(row.msg_id == opening.msg_id and seen_ms < row.seen_ms for row in rows)


def waits_for_end(room: Room, circle: Circle | None, draft: DraftRecord) -> bool:
    """Say whether a post of ours was typed while another spoke, and so goes out when the circle is over."""
    if circle is None or draft.kind != Kind.POST:
        return False
    return circle.is_out_of_turn(room.group.own.member_pk, draft.post, draft.ts_ms, slack_ms=0)


def note_turn(room: Room, step: Step) -> None:
    """Tell whoever listens that it is our turn, if it is and was not before."""
    circle = under_way(room, step.now.wall_ms)
    turn = None if circle is None else circle.speaking
    ours = circle is not None and turn is not None and turn.member == room.group.own.member_pk
    told = seat(circle.id, turn) if circle is not None and turn is not None and ours else b""
    if told and told != room.turn_told and circle is not None:
        step.notify(Notice.TURN, room.group.gid, circle.id)
    room.turn_told = told
