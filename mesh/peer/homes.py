"""Homes: which homes this identity has, as far as this one knows (protocol.md §18).

A home is what `mesh init` makes: one store, and in each group one device. Nothing on the wire links the devices of a
home in two groups, so only the homes themselves can: they tell each other when they are paired. What is known is a
list, and no proof; who belongs to a group, its operations alone say.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from mesh.errors import LocalError
from mesh.events import Put, Space
from mesh.ids import DeviceId, Entropy, GroupId, HomeId
from mesh.journal import Journal
from mesh.peer.records import HomeRecord
from mesh.peer.state import Room, State, Step
from mesh.phrases import phrase
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.pairing import HomeDevice, HomeEntry

FIRST_NAME = "device 1"


def fresh_home(entropy: Entropy, wall_ms: int) -> HomeRecord:
    """Return the record of a new home, our own."""
    entry = HomeEntry(home=HomeId(entropy.draw(16)), name=FIRST_NAME, since_ms=wall_ms, devices=[])
    return HomeRecord(own=True, entry=entry)


def home_write(record: HomeRecord) -> Put:
    """Return the write that keeps a home."""
    return Put(Space.HOMES, record.entry.home, encode(record))


def own_entry(state: State) -> HomeEntry | None:
    """Return what others are told of this home: its devices are those of the groups that are here."""
    own = next((record.entry for record in state.homes.values() if record.own), None)
    if own is None:
        return None
    rooms = sorted(state.rooms.values(), key=lambda room: room.group.gid)
    devices = [HomeDevice(gid=room.group.gid, dev=room.group.own.dev) for room in rooms if room.group.me is not None]
    return replace(own, devices=devices[: limits.GROUPS_MAX])


def require_own(state: State, step: Step) -> HomeEntry:
    """Return our own home's entry; it is drawn now where it was not when the home was made."""
    found = own_entry(state)
    if found is None:
        _save(state, fresh_home(step.entropy, step.now.wall_ms), step.journal)
        found = own_entry(state)
    assert found is not None
    return found


def other_entries(state: State) -> list[HomeEntry]:
    """Return the other homes that are known, the oldest first."""
    others = [record.entry for record in state.homes.values() if not record.own]
    return sorted(others, key=lambda entry: (entry.since_ms, entry.home))


def learn_homes(state: State, entries: Iterable[HomeEntry], step: Step) -> None:
    """Keep what another home says of homes; of itself it says it first. More than the limit are not kept."""
    for entry in entries:
        known = state.homes.get(entry.home)
        if known is not None and known.own:
            continue
        if known is None and len(state.homes) >= limits.HOMES_MAX:
            continue
        before = {} if known is None else {device.gid: device for device in known.entry.devices}
        merged = {**before, **{device.gid: device for device in entry.devices}}
        devices = sorted(merged.values(), key=lambda device: device.gid)[: limits.GROUPS_MAX]
        record = HomeRecord(own=False, entry=replace(entry, devices=devices))
        if record != known:
            _save(state, record, step.journal)


def name_own(state: State, name: str, step: Step) -> None:
    """Call this home by another name."""
    own = require_own(state, step)
    if own.name != name:
        _save(state, HomeRecord(own=True, entry=replace(own, name=name, devices=[])), step.journal)


def free_name(state: State) -> str:
    """Return a name by number that no home has."""
    taken = {record.entry.name for record in state.homes.values()}
    return next(name for k in range(1, limits.HOMES_MAX + 2) if (name := f"device {k}") not in taken)


def require_free(state: State, name: str, *, but: HomeId | None = None) -> None:
    """LocalError if another home is called so."""
    if any(record.entry.name.casefold() == name.casefold() for home, record in state.homes.items() if home != but):
        raise LocalError(
            phrase("a device of yours is called “{name}” already", name=name),
            why="a device is removed by its name, and the wrong one must not be",
            do="choose another name; `mesh device list` shows those that are taken",
            code="E-DEVICE-NAME",
        )


def forget_home(state: State, home: HomeId, step: Step) -> None:
    """Forget another home. LocalError if there is none, or it is this one."""
    record = state.homes.get(home)
    if record is None or record.own:
        raise LocalError("there is no such device", do="`mesh device list` shows yours", code="E-NO-DEVICE")
    del state.homes[home]
    step.journal.delete(Space.HOMES, home)


def forget_group(state: State, gid: GroupId, step: Step) -> None:
    """Forget which devices our homes are in a group that is forgotten here."""
    for record in list(state.homes.values()):
        kept = [device for device in record.entry.devices if device.gid != gid]
        if len(kept) < len(record.entry.devices):
            entry = replace(record.entry, devices=kept)
            _save(state, HomeRecord(own=record.own, entry=entry), step.journal)


def devices_of(state: State, home: HomeId) -> list[tuple[Room, DeviceId]]:
    """Return the devices of another home that are in, in the groups that are here."""
    found = []
    for device in state.homes[home].entry.devices:
        room = state.rooms.get(device.gid)
        if room is not None and room.group.view.devices.get(device.dev) == room.group.own.member_pk:
            found.append((room, device.dev))
    return found


def strays(state: State) -> list[tuple[Room, DeviceId]]:
    """Return the devices of ours that are in some group here and belong to no home that is known."""
    known = {(device.gid, device.dev) for record in state.homes.values() for device in record.entry.devices}
    found: list[tuple[Room, DeviceId]] = []
    for room in state.rooms.values():
        me = room.group.me
        devices = () if me is None else me.devices
        found += [(room, d) for d in devices if d != room.group.own.dev and (room.group.gid, d) not in known]
    return found


def _save(state: State, record: HomeRecord, journal: Journal) -> None:
    state.homes[record.entry.home] = record
    journal.put(Space.HOMES, record.entry.home, encode(record))
    journal.make_durable()
