"""`device …`: several homes of one person, which share a root and are each a device of their own in every group."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from mesh.errors import LocalError, RefusedError
from mesh.groups.pairing import pairing_check, pairing_keys
from mesh.identity.keys import PAIRING_SEED_BYTES, member_seed, pairing_key
from mesh.ids import DeviceId, GroupId, HomeId
from mesh.node.chance import OsEntropy
from mesh.node.local.inprocess import node_needed
from mesh.node.local.methods import given
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.groups import SEEN_WAIT_S
from mesh.node.local.methods.names import device_named
from mesh.node.local.methods.removals import count_seen
from mesh.node.local.methods.shown import each, iso
from mesh.node.local.protocol import JsonObject, phrased
from mesh.peer import homes
from mesh.peer.paired import Entering
from mesh.peer.state import Room
from mesh.secret import Secret
from mesh.upkeep import EndEntering, EnterGroup, ForgetHome, OpenPairing, RemoveDevice, StartEntering
from mesh.wire import limits
from mesh.wire.codes import DeviceCode, device_from_uri, device_to_uri
from mesh.wire.pairing import HomeEntry

MINUTE_MS: Final = 60_000


async def add(desk: Desk, params: JsonObject) -> JsonObject:
    """Show a code that brings one other home of the same root into our groups."""
    if not desk.running:
        raise node_needed()
    seed = OsEntropy().draw(PAIRING_SEED_BYTES)
    key = await desk.with_root(given.text(params, "passphrase"), lambda root: pairing_key(root, seed))
    expiry_minute = -(-(desk.now().wall_ms + limits.PAIRING_MS) // MINUTE_MS)
    command = OpenPairing(key=key, name=given.text(params, "name", ""), own_name=given.text(params, "this", ""))
    await desk.ask(command)
    addresses = tuple(desk.state.addresses[: limits.ADDRESSES_MAX])
    code = DeviceCode(seed=seed, check=pairing_check(key), expiry_minute=expiry_minute)
    return {
        "code": device_to_uri(code, addresses),
        "expires": iso(desk.now().wall_ms + limits.PAIRING_MS),
        "addresses": len(addresses),
        "groups": sum(_is_in(room) for room in desk.state.rooms.values()),
    }


async def join(desk: Desk, params: JsonObject) -> JsonObject:
    """Enter the groups of the home that showed a code. Asked again with the same code, it goes on where it stood."""
    if not desk.running:
        raise node_needed()
    code, addresses = device_from_uri(given.text(params, "code"))
    passphrase = given.text(params, "passphrase")
    key = await desk.with_root(passphrase, lambda root: pairing_key(root, code.seed))
    if pairing_check(key) != code.check:
        raise RefusedError(
            "that code is of another identity than this home's",
            why="only homes that were made from the same 24 words are devices of one person",
            do="make this home anew with `mesh init --words`; `mesh id show` shows the same fingerprint on both",
            code="E-OTHER-IDENTITY",
        )
    under_way = desk.state.entering
    if under_way is None or under_way.keys != pairing_keys(key):
        if desk.now().wall_ms >= code.expiry_minute * MINUTE_MS:
            raise RefusedError(
                "that code has run out",
                why="a device code is good for 15 minutes",
                do="show a new one with `mesh device add` on your other device",
                code="E-CODE-EXPIRED",
            )
        await desk.ask(StartEntering(key=key, addresses=addresses))
    elif set(addresses) - set(under_way.addresses):  # it was given without them before, or with others
        await desk.ask(StartEntering(key=key, addresses=addresses))
    entering = desk.state.entering
    assert entering is not None, "it was just begun"
    await _enter_all(desk, entering, passphrase, given.seconds(params, "wait_s", 0.0))
    return _report(desk, entering)


async def _enter_all(desk: Desk, entering: Entering, passphrase: str, wait_s: float) -> None:
    """Enter one group after the other as their logs come, for at most so long."""
    end_ms = desk.now().mono_ms + round(wait_s * 1000)

    async def until_next() -> bool:
        left_s = max(0, end_ms - desk.now().mono_ms) / 1000
        await desk.until(lambda: entering.over or entering.ready is not None, left_s)
        return entering.ready is not None

    seeds: dict[GroupId, Secret] | None = None
    while await until_next() and entering.ready is not None:
        if seeds is None:
            seeds = await desk.with_root(passphrase, partial(_seeds, entering.nonces))
        gid = entering.ready.gid
        await desk.ask(EnterGroup(group=gid, member_seed=seeds.pop(gid)))
    if entering.over and desk.state.entering is entering:
        await desk.ask(EndEntering())


def _seeds(nonces: Mapping[GroupId, bytes], root: Secret) -> dict[GroupId, Secret]:
    return {gid: member_seed(root, nonce) for gid, nonce in nonces.items()}


def _report(desk: Desk, entering: Entering) -> JsonObject:
    own = homes.own_entry(desk.state)
    state = "done" if entering.over else "entering" if entering.listed else "looking"
    return {
        "state": state,
        "device": None if own is None or not entering.listed else _device(desk, own, current=True),
        "with": None if entering.other is None else {"id": entering.other.home.hex(), "name": entering.other.name},
        "entered": each(_group(desk, gid) for gid in entering.entered),
        "here": each(_group(desk, gid) for gid in entering.here),
        "refused": each({"id": gid.hex(), **phrased(why=entering.refused[gid])} for gid in entering.refused),
    }


async def list_devices(desk: Desk, params: JsonObject) -> JsonObject:
    """List the homes of this identity, as far as this one knows, and devices of ours that belong to none of these."""
    del params
    own = homes.own_entry(desk.state)
    found = [] if own is None else [_device(desk, own, current=True)]
    found += [_device(desk, entry, current=False) for entry in homes.other_entries(desk.state) if _stands(desk, entry)]
    return {
        "devices": each(found),
        "unknown": each(
            {"id": dev.hex(), "group": _group(desk, room.group.gid)} for room, dev in homes.strays(desk.state)
        ),
    }


def _stands(desk: Desk, entry: HomeEntry) -> bool:
    """Say whether a home may still be in some group: it was in none yet, is in one, or in one that is not here."""
    elsewhere = any(device.gid not in desk.state.rooms for device in entry.devices)
    return not entry.devices or elsewhere or bool(homes.devices_of(desk.state, entry.home))


def _device(desk: Desk, entry: HomeEntry, *, current: bool) -> JsonObject:
    groups = entry.devices if current else homes.devices_of(desk.state, entry.home)
    return {
        "id": entry.home.hex(),
        "name": entry.name,
        "since": iso(entry.since_ms),
        "current": current,
        "groups": len(groups),
    }


# ---------------------------------------------------------------- removal


async def remove_check(desk: Desk, params: JsonObject) -> JsonObject:
    """Say which device would be removed from which groups. Nothing changes; the errors of removing."""
    home, targets = _targets(desk, given.text(params, "device"))
    return {
        "device": _named(desk, home, targets),
        "groups": each(_group(desk, room.group.gid) for room, _ in targets),
        "elsewhere": _elsewhere(desk, home),
    }


async def remove(desk: Desk, params: JsonObject) -> JsonObject:
    """Remove a device of ours from every group that is here, and re-key each."""
    home, targets = _targets(desk, given.text(params, "device"))
    named, elsewhere = _named(desk, home, targets), _elsewhere(desk, home)
    nonces = [room.group.own.join_nonce for room, _ in targets]
    seeds = await desk.with_root(
        given.text(params, "passphrase"), lambda root: [member_seed(root, nonce) for nonce in nonces]
    )
    done: list[Room] = []
    refused: list[JsonObject] = []
    for (room, dev), seed in zip(targets, seeds, strict=True):
        try:
            await desk.ask(RemoveDevice(group=room.group.gid, device=dev, member_seed=seed))
            done.append(room)
        except LocalError as error:
            refused.append({**_group(desk, room.group.gid), **phrased(why=error.phrases.what)})
    if home is not None and not refused and not elsewhere:
        await desk.ask(ForgetHome(home=home))
    linked = {room.group.gid: len(desk.state.present(room)) for room in done}
    await desk.until(
        lambda: all(count_seen(desk.state, room, room.group.log.everything) >= linked[room.group.gid] for room in done),
        SEEN_WAIT_S,
    )
    return {
        "removed": named,
        "groups": each(
            {
                **_group(desk, room.group.gid),
                "seen_by": count_seen(desk.state, room, room.group.log.everything),
                "members": len(room.group.others),
            }
            for room in done
        ),
        "refused": each(refused),
        "elsewhere": elsewhere,
    }


def _targets(desk: Desk, name: str) -> tuple[HomeId | None, list[tuple[Room, DeviceId]]]:
    """Return the home of this name or id and its devices, or (None, one device that belongs to no known home)."""
    found = device_named(desk.state, name)
    if found in desk.state.homes:
        home = HomeId(found)
        if desk.state.homes[home].own:
            raise LocalError(
                "that is the device that you are using",
                why="a device is removed by another one, which goes on and makes the new keys",
                do="remove it from another device; or leave its groups here with `mesh group leave --wipe`",
                code="E-THIS-DEVICE",
            )
        return home, homes.devices_of(desk.state, home)
    return None, [(room, dev) for room, dev in homes.strays(desk.state) if dev == found]


def _elsewhere(desk: Desk, home: HomeId | None) -> int:
    """Count the groups that a home may be in and this one is not: nothing can be done about those from here."""
    if home is None:
        return 0
    held = {gid for gid, room in desk.state.rooms.items() if _is_in(room)}
    return sum(device.gid not in held for device in desk.state.homes[home].entry.devices)


def _named(desk: Desk, home: HomeId | None, targets: list[tuple[Room, DeviceId]]) -> JsonObject:
    if home is not None:
        return {"id": home.hex(), "name": desk.state.homes[home].entry.name}
    return {"id": targets[0][1].hex(), "name": ""}


def _group(desk: Desk, gid: GroupId) -> JsonObject:
    room = desk.state.rooms.get(gid)
    return {"id": gid.hex(), "name": "" if room is None else room.group.founding.name}


def _is_in(room: Room) -> bool:
    return room.group.me is not None and not room.group.own.left
