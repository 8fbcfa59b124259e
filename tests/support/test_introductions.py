"""Codes in sealed notes: as a program writes them, and nothing beside them that a screen would show."""

import pytest

from mesh.errors import RemoteError
from mesh.ids import GroupId
from mesh.support.introductions import check_answer
from mesh.support.rooms import check_room
from mesh.wire.codes import InviteCode, to_text
from mesh.wire.notes import IntroductionNote, RoomNote

GID = GroupId(b"g" * 32)
CODE = to_text(InviteCode(seed=bytes(16), gid_prefix=GID[:16], expiry_hour=1))


@pytest.mark.parametrize("mark", ["\n", " ", "\n\n\u2028\x1c\r", "\t", "\u00a0", "\n" * 4000])
@pytest.mark.parametrize("place", [0, 20, len(CODE)])
def test_a_code_with_line_ends_or_spaces_in_it_is_no_honest_programs(mark: str, place: int) -> None:
    bent = CODE[:place] + mark + CODE[place:]
    with pytest.raises(RemoteError):
        check_answer(IntroductionNote(about=bytes(16), code=bent, text=""))
    with pytest.raises(RemoteError):
        check_room(RoomNote(gid=GID, code=bent))
    check_answer(IntroductionNote(about=bytes(16), code=CODE, text=""))
    check_room(RoomNote(gid=GID, code=CODE))
