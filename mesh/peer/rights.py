"""Rights: what one must be in a group to do something in it, said in words where one is not."""

from mesh.commands import Rank
from mesh.errors import RefusedError
from mesh.peer.state import Room
from mesh.phrases import own, phrase


def require_in(room: Room) -> None:
    """RefusedError unless we are in the group."""
    if room.group.me is None or room.group.own.left:
        raise RefusedError(
            phrase("you are not in “{group}” any more", group=room.group.founding.name),
            why="nobody in it would receive what you send",
            do="ask someone in the group for a new invite",
            code="E-NOT-MEMBER",
        )


def require_rank(room: Room, least: Rank, what: str) -> None:
    """RefusedError, in words, for one whose rank is lower than what this needs: moderator or steward."""
    require_in(room)
    if room.group.rank > least:
        deed, rank = own(what), room.group.rank.name.lower()
        raise RefusedError(
            phrase("only stewards and founders can {deed}, and your rank is {rank}", deed=deed, rank=rank)
            if least is Rank.STEWARD
            else phrase(
                "only moderators, stewards and founders can {deed}, and your rank is {rank}", deed=deed, rank=rank
            ),
            why="every member's node would refuse it",
            do="ask one of them; `mesh group members` shows who it is",
        )
