"""`group fork`: found a successor and offer it, follow one, or be reminded of one no more."""

from mesh.commands import DeclineFork, FollowFork, OfferFork, OfferForkAgain
from mesh.ids import GroupId, JoinId
from mesh.node.local.methods import given
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.joins import join_json
from mesh.node.local.methods.names import fork_named, group_named, member_named
from mesh.node.local.methods.shown import alias_of, group_json
from mesh.node.local.protocol import JsonObject


async def fork(desk: Desk, params: JsonObject) -> JsonObject:
    """Found a successor, and offer it to the members."""
    room = group_named(desk.state, given.text(params, "group"))
    without = tuple(member_named(room, name) for name in given.texts(params, "without"))
    name, alias = given.maybe_text(params, "name"), given.maybe_text(params, "alias")
    nonce, seed = await desk.member_seed(given.text(params, "passphrase"))
    gid = await desk.ask(
        OfferFork(
            group=room.group.gid,
            name=f"{room.group.founding.name} (new)" if name is None else name,
            alias=alias_of(room, room.group.own.member_pk) if alias is None else alias,
            without=without,
            join_nonce=nonce,
            member_seed=seed,
        )
    )
    return {
        "group": group_json(desk, desk.state.rooms[GroupId(gid)]),
        "succeeds": group_json(desk, room),
    }


async def again(desk: Desk, params: JsonObject) -> JsonObject:
    """Offer a successor once more, to those who have not come."""
    room = group_named(desk.state, given.text(params, "group"))
    successor = group_named(desk.state, given.text(params, "successor"))
    without = tuple(member_named(room, name) for name in given.texts(params, "without"))
    await desk.ask(OfferForkAgain(group=room.group.gid, successor=successor.group.gid, without=without))
    return {"group": group_json(desk, successor), "succeeds": group_json(desk, room)}


async def follow(desk: Desk, params: JsonObject) -> JsonObject:
    """Begin to look for a successor; it goes on as with a code."""
    room = group_named(desk.state, given.text(params, "group"))
    named = fork_named(room, given.text(params, "fork"))
    join = JoinId(await desk.ask(FollowFork(group=room.group.gid, fork=named)))
    return {"join": join_json(desk, desk.state.joins[join])}


async def decline(desk: Desk, params: JsonObject) -> JsonObject:
    """Be reminded of an offer no more."""
    room = group_named(desk.state, given.text(params, "group"))
    named = fork_named(room, given.text(params, "fork"))
    await desk.ask(DeclineFork(group=room.group.gid, fork=named))
    return {"declined": {"id": named.hex()}}
