"""What a person decides or notes for themself: kept here, told to nobody.

The machine only writes it down. What it means is said in `mesh.support`, and holds where posts are shown
(`mesh.node.local`): so nothing that leaves this node can depend on it.
"""

from typing import Final

from msgspec import structs

from mesh.commands import ClearPosts, KeepOwn
from mesh.events import Space
from mesh.groups.operations import Operation
from mesh.groups.records import load
from mesh.peer.fetching import drop_files
from mesh.peer.proving import forget_one
from mesh.peer.records import MessageRecord
from mesh.peer.state import Room, State, Step
from mesh.support.own import About, SinceRecord, own_key
from mesh.wire.codec import encode
from mesh.wire.operations import OpType

LOGGED: Final = frozenset(
    {OpType.REMOVE, OpType.PROMOTE, OpType.DEMOTE, OpType.SETTINGS, OpType.AGREEMENT, OpType.FORK}
)


def keep_own(command: KeepOwn, step: Step) -> None:
    """Write down, or forget, what is one's own."""
    for key, value in command.changes:
        if value is None:
            step.journal.delete(Space.OWN, key)
        else:
            step.journal.put(Space.OWN, key, value)
    step.journal.make_durable()


def clear_posts(state: State, command: ClearPosts, step: Step) -> None:
    """Forget what posts of others said, and their files. Their places stay: what follows them still follows them.

    Sealed frames stay too, as long as others may lack them: their keys are gone, so nobody opens them here.
    """
    room = state.room(command.group)
    for key, value in command.rows:
        record = load(MessageRecord, value)
        if record.member == room.group.own.member_pk or not record.mseq:
            continue
        step.journal.put(Space.MESSAGES, key, encode(structs.replace(record, body=b"", origin=None)))
        step.journal.delete(Space.UNREAD, key)
        forget_one(state, room.group.gid, record.dev, record.mseq)
        drop_files(room, record.post, step)
    step.journal.make_durable()


def note_came(room: Room, ops: list[Operation], step: Step) -> None:
    """Write down when operations came that are shown in the group's log: they bear no time themselves."""
    for op in ops:
        if op.type in LOGGED:
            value = encode(SinceRecord(at_ms=step.now.wall_ms))
            step.journal.put(Space.OWN, own_key(About.CAME, op.op_id, room.group.gid), value)
