"""The stewards' private room: a group of its own, to which those who serve are asked under seal.

A room is a group like any other. What makes it the stewards' is kept by each of them: that one of them offered it, and
that they came in. Its own operations say nothing of the group that it belongs to.
"""

from typing import Final

from mesh.commands import Rank
from mesh.errors import Fault, LocalError, RemoteError
from mesh.support.notes import NoteRules
from mesh.wire.codec import Record
from mesh.wire.codes import from_uri, is_written_plainly
from mesh.wire.notes import NoteTag, RoomNote

GID_PREFIX_BYTES: Final = 16


def check_room(value: Record) -> None:
    """RemoteError unless this is a code of the group that it names."""
    assert isinstance(value, RoomNote)
    try:
        code, _ = from_uri(value.code)
    except LocalError as error:
        raise RemoteError(Fault.MALFORMED, "an offer of a room without a code") from error
    if not is_written_plainly(value.code):
        raise RemoteError(Fault.MALFORMED, "a code with more in it than a code")
    if code.gid_prefix != value.gid[:GID_PREFIX_BYTES]:
        raise RemoteError(Fault.MALFORMED, "an offer of a room that leads elsewhere")


ROOMS: Final = NoteRules(
    tag=NoteTag.ROOM,
    value=RoomNote,
    check=check_room,
    author=Rank.STEWARD,
    reader=Rank.STEWARD,
    newest=4,
)
