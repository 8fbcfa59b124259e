"""Tending: what no event would bring up, looked after in each group now and then: news that links lack, errands that
could not be done before, what has run out.
"""

from mesh.peer import (
    approving,
    beacons,
    catching_up,
    chores,
    doubting,
    fetching,
    history,
    keeping,
    noting,
    parting,
    raising,
    receipts,
    refilling,
    restating,
    retention,
    speaking,
    syncing,
    way_back,
)
from mesh.peer.state import Room, State, Step


def tend_groups(state: State, step: Step) -> None:
    """Look after all groups."""
    for room in list(state.rooms.values()):
        _tend(state, room, step)
    for room in list(state.rooms.values()):
        parting.tend(state, room, step)
    parting.tend_orphans(state, step)


def _tend(state: State, room: Room, step: Step) -> None:
    refilling.tend(state, room, step)
    for link, _ in list(state.sessions(room.group.gid)):
        syncing.tell_state(link, room, step)
    if not room.chore_due:
        chores.plan(state, room, step)
    doubting.note_silence(state, room, step)
    retention.sweep(state, room, step)
    speaking.hand_over(state, room, step)
    speaking.say_presence(state, room, step)
    receipts.plan_receipt(room, step)
    catching_up.ask_messages(state, room, step)
    history.ask_history(state, room, step)
    restating.ask_statements(state, room, step)
    fetching.ask_chunks(state, room, step)
    way_back.tend(state, room, step)
    keeping.tend_keys(state, room, step)
    beacons.tend_beacon(state, room, step)
    approving.tell_approvals(state, room, step)
    raising.tell_objections(state, room, step)
    noting.tend(state, room, step)
