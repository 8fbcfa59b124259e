"""`keeper …`: being one for others, and a group's own."""

from typing import Final

from mesh.node.keepsakes import read_addresses
from mesh.node.local.methods import given
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.names import group_named, keeper_named
from mesh.node.local.methods.shown import each, iso
from mesh.node.local.protocol import JsonObject
from mesh.peer.keepers import keepers_of
from mesh.peer.state import Room
from mesh.upkeep import AddKeeper, DropKeeper, IssueTicket, TurnKeeperOff, TurnKeeperOn
from mesh.wire.tickets import Ticket, ticket_from_text

SAID_S: Final = 3.0  # how long a keeper that is linked is given to say what it holds; ours
_NOTHING: Final[JsonObject] = {"on": False, "accounts": 0, "topics": 0, "frames": 0, "bytes": 0, "quota": 0, "days": 0}


async def turn_on(desk: Desk, params: JsonObject) -> JsonObject:
    """Keep for others, or go on under other terms."""
    days = given.maybe_number(params, "days")
    await desk.ask(TurnKeeperOn(quota=given.maybe_number(params, "quota"), days=days))
    return _status(desk)


async def turn_off(desk: Desk, params: JsonObject) -> JsonObject:
    """Keep for nobody, and forget what was kept."""
    del params
    await desk.ask(TurnKeeperOff())
    return _status(desk)


async def status(desk: Desk, params: JsonObject) -> JsonObject:
    """Say what this node keeps for others."""
    del params
    return _status(desk)


def _status(desk: Desk) -> JsonObject:
    host = desk.state.host
    if host is None:
        return _NOTHING | {"oldest": None}
    shelf = host.shelf
    return {
        "on": host.on,
        "accounts": sum(not account.aside for account in shelf.accounts.values()),
        "topics": len(list(shelf.topics)),
        "frames": shelf.frames,
        "bytes": shelf.size,
        "quota": shelf.quota,
        "days": host.days,
        "oldest": iso(shelf.oldest_ms) if shelf.oldest_ms else None,
    }


async def ticket(desk: Desk, params: JsonObject) -> JsonObject:
    """Make a ticket for one group, to be given away."""
    addresses = desk.state.addresses or read_addresses(desk.store)
    note = given.text(params, "note", "")
    made = await desk.ask(IssueTicket(quota=given.maybe_number(params, "quota"), note=note, addresses=addresses))
    return {"ticket": made.decode()}


async def add(desk: Desk, params: JsonObject) -> JsonObject:
    """Have a group use a keeper; wait a moment for it."""
    room = group_named(desk.state, given.text(params, "group"))
    text = given.text(params, "ticket")
    await desk.ask(AddKeeper(group=room.group.gid, ticket=text))
    added = keepers_of(room.group)[ticket_from_text(text).account]
    await desk.until(lambda: added.account in room.keepers_said, SAID_S)
    return {"keeper": _keeper(desk, room, added)}


async def remove(desk: Desk, params: JsonObject) -> JsonObject:
    """Have a group use a keeper no more."""
    room = group_named(desk.state, given.text(params, "group"))
    found = keeper_named(room, given.text(params, "keeper"))
    await desk.ask(DropKeeper(group=room.group.gid, keeper=found.keeper))
    return {"removed": {"id": found.keeper.hex(), "note": found.note}}


async def list_keepers(desk: Desk, params: JsonObject) -> JsonObject:
    """List a group's keepers: whether each is reachable, and how much it says that it holds."""
    room = group_named(desk.state, given.text(params, "group"))
    return {"keepers": each(_keeper(desk, room, found) for found in keepers_of(room.group).values())}


def _keeper(desk: Desk, room: Room, found: Ticket) -> JsonObject:
    said = room.keepers_said.get(found.account)
    here = desk.running and found.peer in desk.linked_peers()
    holds: JsonObject | None = None
    if said is not None:
        holds = {
            "frames": said.frames,
            "bytes": said.size,
            "quota": said.quota,
            "topics": said.topics,
            "oldest": iso(said.oldest_ms) if said.oldest_ms else None,
        }
    return {
        "id": found.keeper.hex(),
        "note": found.note,
        "reachable": here,
        "keeps": None if said is None else said.accepted,
        "holds": holds,
        "quota": found.quota,
        "addresses": list(found.addresses),
    }
