"""From what counts to what is shown: members, devices, invites, settings (protocol.md §4, rules 6 and 7).

`render` draws a whole view; `redraw` takes the view of one act fewer and draws anew only what that act is about.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from mesh.ids import DeviceId, MemberPk, OpId
from mesh.membership.graph import Entry
from mesh.membership.standing import Standing
from mesh.membership.views import Invite, Member, View
from mesh.wire.limits import DEVICES_PER_MEMBER_MAX
from mesh.wire.operations import OpType

_SETTERS: Final = (OpType.CREATE, OpType.SETTINGS)
_AGREEMENTS: Final = (OpType.CREATE, OpType.AGREEMENT)


def render(standing: Standing) -> View:
    """Draw the view of a standing."""
    graph, mask = standing.graph, standing.mask
    view = View(members={}, devices={}, departed={}, lost={}, invites={}, settings={}, agreement=OpId(b""), valid=0)
    entries = graph.entries(graph.of_type(OpType.CREATE, mask) | graph.of_type(OpType.ADMIT, mask))
    entered = {entry.act.subject for entry in entries}
    view = _with_members(view, standing, sorted(entered))
    invites = graph.entries(graph.of_type(OpType.INVITE, standing.valid))
    return View(
        members=view.members,
        devices=view.devices,
        departed=view.departed,
        lost=view.lost,
        invites={entry.act.op_id: _invite(standing, entry) for entry in invites},
        settings=_settings(standing),
        agreement=_agreement(standing),
        valid=standing.valid,
    )


def redraw(view: View, standing: Standing, changed: int) -> View:
    """Draw the view of a standing from that of one act fewer; `changed` are those that are new or stand otherwise."""
    members: set[MemberPk] = set()
    invites: set[OpId] = set()
    kinds: set[OpType] = set()
    for entry in standing.graph.entries(changed):
        act = entry.act
        kinds.add(act.type)
        match act.type:
            case OpType.LEAVE:
                members.add(entry.author)
            case OpType.INVITE:
                invites.add(act.op_id)
            case OpType.UNINVITE:
                invites.add(act.named_invite)
            case _:
                members.update(() if act.member is None else (act.member,))
        if act.type is OpType.REMOVE:
            made = standing.graph.authored_by(act.subject, standing.mask)
            issued = standing.graph.entries(standing.graph.of_type(OpType.INVITE, made))
            invites.update(invite.act.op_id for invite in issued)
    if members:
        view = _with_members(view, standing, sorted(members))
    return View(
        members=view.members,
        devices=view.devices,
        departed=view.departed,
        lost=view.lost,
        invites=_with_invites(view.invites, standing, invites) if invites else view.invites,
        settings=_settings(standing) if OpType.SETTINGS in kinds else view.settings,
        agreement=_agreement(standing) if OpType.AGREEMENT in kinds else view.agreement,
        valid=standing.valid,
    )


# ---------------------------------------------------------------- members


def _with_members(view: View, standing: Standing, concerned: Iterable[MemberPk]) -> View:
    """Draw these members anew."""
    members, devices = dict(view.members), dict(view.devices)
    departed, lost = dict(view.departed), dict(view.lost)
    for pk in concerned:
        before = members.pop(pk, None)
        departed.pop(pk, None)
        for dev in () if before is None else before.devices:
            del devices[dev]
        for entry in standing.graph.entries(standing.graph.brought_for(pk, standing.mask)):
            lost.pop(entry.act.named_device, None)
        live = standing.live_grants(pk)
        if live:
            taken = _lost_devices(standing, pk, live)
            lost.update(taken)
            members[pk] = member = _member(standing, pk, live, taken)
            devices.update((dev, pk) for dev in member.devices)
        else:
            farewell = _farewell(standing, pk)
            if farewell is not None:
                departed[pk] = farewell
    return View(
        members=members,
        devices=devices,
        departed=departed,
        lost=lost,
        invites=view.invites,
        settings=view.settings,
        agreement=view.agreement,
        valid=standing.valid,
    )


def _lost_devices(standing: Standing, pk: MemberPk, live: list[Entry]) -> dict[DeviceId, tuple[OpId, ...]]:
    brought = standing.graph.entries(standing.graph.brought_for(pk, standing.mask))
    takings = {dev: standing.taking(dev, live) for dev in {entry.act.named_device for entry in brought}}
    return {dev: tuple(sorted(loss.act.op_id for loss in by)) for dev, by in takings.items() if by}


def _member(standing: Standing, pk: MemberPk, live: list[Entry], lost: Mapping[DeviceId, tuple[OpId, ...]]) -> Member:
    """Draw one member, in a way that is the same on every node.

    A device bound in an admit stays bound while its member is in by any grant, whether that admit counts or not; of
    the devices that were not taken away the first few are theirs (rule 6).
    """
    graph = standing.graph
    brought = sorted(graph.entries(graph.brought_for(pk, standing.mask)), key=lambda e: (e.act.gen, e.act.op_id))
    entered = [entry for entry in brought if entry.act.type is not OpType.DEVICE_ADD]
    counting = [entry for entry in entered if entry.bit & standing.valid]
    first = (counting or entered)[0]
    inviter = None
    if first.act.type is OpType.ADMIT:
        invite = None if first.act.invite is None else graph.entry(first.act.invite)
        inviter = (first if invite is None else invite).author
    there = dict.fromkeys(entry.act.named_device for entry in brought if entry.act.named_device not in lost)
    return Member(
        pk=pk,
        alias=first.act.alias,
        rank=live[0].act.granted_rank,
        grant=live[0].act.op_id,
        admitted=first.act.op_id,
        invited_by=inviter,
        devices=tuple(sorted(list(there)[:DEVICES_PER_MEMBER_MAX])),
    )


def _farewell(standing: Standing, pk: MemberPk) -> OpId | None:
    # A removal says more than a leave: it carries the cut.
    removed = [r for r in standing.removals.get(pk, ()) if r.act.type is OpType.REMOVE]
    left = [leave for leave in standing.leaves.get(pk, ()) if leave.act.type is OpType.LEAVE]
    said = min(removed or left, key=lambda e: e.seniority, default=None)
    return None if said is None else said.act.op_id


# ---------------------------------------------------------------- invites, settings, agreement


def _with_invites(before: Mapping[OpId, Invite], standing: Standing, concerned: Iterable[OpId]) -> dict[OpId, Invite]:
    """Draw these invites anew; the order in which they stand says nothing."""
    invites = dict(before)
    for op_id in concerned:
        invites.pop(op_id, None)
        entry = standing.graph.entry(op_id)
        if entry is not None and entry.bit & standing.valid:
            invites[op_id] = _invite(standing, entry)
    return invites


def _invite(standing: Standing, entry: Entry) -> Invite:
    removed = any(r.act.type is OpType.REMOVE for r in standing.removals.get(entry.author, ()))
    return Invite(
        op_id=entry.act.op_id,
        issuer=entry.author,
        open=not standing.uninvites.get(entry.act.op_id) and not removed,
    )


def _settings(standing: Standing) -> dict[str, str]:
    setters: dict[str, list[Entry]] = {}
    for entry in _of_types(standing, _SETTERS):
        for key in entry.act.settings:
            setters.setdefault(key, []).append(entry)
    return {key: _in_force(key, _latest(entries)) for key, entries in sorted(setters.items())}


def _in_force(key: str, latest: list[Entry]) -> str:
    """Return the value that holds of those set side by side: the strictest where there is one, else the most senior."""
    strictness = STRICTNESS.get(key)
    if strictness is not None:
        return min((entry.act.settings[key] for entry in latest), key=lambda value: (*strictness(value), value))
    return min(latest, key=_by_rank).act.settings[key]


def _agreement(standing: Standing) -> OpId:
    return min(_latest(_of_types(standing, _AGREEMENTS)), key=_by_rank).act.op_id


def _of_types(standing: Standing, kinds: Iterable[OpType]) -> list[Entry]:
    graph = standing.graph
    return [entry for kind in kinds for entry in graph.entries(graph.of_type(kind, standing.valid))]


def _latest(entries: list[Entry]) -> list[Entry]:
    """Return those that no other of them builds on."""
    past = 0
    for entry in entries:
        past |= entry.past
    return [entry for entry in entries if not past & entry.bit]


def _by_rank(entry: Entry) -> tuple[int, OpId]:
    return (entry.level, entry.act.op_id)


def _history(value: str) -> tuple[int, int]:
    """Order what newcomers may read: nothing, the last messages, the last days; less before more."""
    kind, _, count = value.partition(":")
    order = {"none": 0, "last": 1, "days": 2}.get(kind, -1)
    return (order, int(count) if count.isdecimal() and len(count) <= _DIGITS_MAX else 0)


def _retention(value: str) -> tuple[int, int]:
    """Order how long posts are kept, in hours: less before more, and for ever ("0") last."""
    hours = int(value) if value.isdecimal() and len(value) <= _DIGITS_MAX else 0
    return (int(hours == 0), hours)


_DIGITS_MAX: Final = 9
STRICTNESS: Final[Mapping[str, Callable[[str], tuple[int, int]]]] = {"history": _history, "keep": _retention}
