"""Choosing a group's keepers: a setting, so that all members agree on them (protocol.md §8)."""

from mesh.commands import Rank
from mesh.errors import LocalError, RefusedError
from mesh.groups.authoring import author
from mesh.peer.keepers import keepers_of
from mesh.peer.speaking import publish
from mesh.peer.state import Room, State, Step
from mesh.phrases import phrase
from mesh.upkeep import AddKeeper, DropKeeper
from mesh.wire import limits
from mesh.wire.operations import OpType, Setting, SettingsBody
from mesh.wire.tickets import KEEPER_ID_BYTES, KEEPER_SETTING, ticket_from_text, ticket_to_text


def set_keeper(state: State, room: Room, command: AddKeeper | DropKeeper, step: Step) -> None:
    """Have the group use a keeper, or no longer. LocalError or RefusedError: nothing has changed."""
    known = keepers_of(room.group)
    if isinstance(command, AddKeeper):
        ticket = ticket_from_text(command.ticket)
        if any(other.peer == ticket.peer and other.account != ticket.account for other in known.values()):
            raise LocalError(
                "that keeper keeps for this group already",
                do="`mesh keeper list` shows it; remove it first to use another ticket of it",
                code="E-KEEPER",
            )
        if ticket.account not in known and len(known) >= limits.KEEPERS_MAX:
            raise LocalError(
                phrase("a group has at most {most} keepers", most=limits.KEEPERS_MAX),
                do="remove one with `mesh keeper remove`",
                code="E-KEEPER",
            )
        keeper, value = ticket.keeper, ticket_to_text(ticket)
    else:
        keeper, value = command.keeper[:KEEPER_ID_BYTES], ""
        if keeper not in [ticket.keeper for ticket in known.values()]:
            raise LocalError("the group has no such keeper", do="`mesh keeper list` shows them", code="E-KEEPER")
    _require_steward(room)
    body = SettingsBody(settings=[Setting(key=KEEPER_SETTING + keeper.hex(), value=value)])
    publish(state, room, author(room.group, OpType.SETTINGS, body, step.means()), step)


def _require_steward(room: Room) -> None:
    """RefusedError, with whom to ask, for one who may not change the group's settings."""
    if room.group.rank > Rank.STEWARD:
        able = [member.alias for _, member in sorted(room.group.view.members.items()) if member.rank <= Rank.STEWARD]
        raise RefusedError(
            "only stewards and founders choose this group's keepers",
            why="a keeper sees when the group speaks and how much, and the addresses of its members' nodes",
            do=phrase("ask one of them: {members}", members=", ".join(able)) if able else "ask in the group who could",
        )
