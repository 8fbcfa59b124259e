"""Confirming: a second member's word that what we were welcomed with is the whole group (protocol.md §12).

Whoever let us in handed us the log. All of it is signed, but one who was removed can show it as it was before. So what
a person says is held back until another member's node has told us, over a proved session, that it counts us in and what
it has; or until the person takes the one's word for it. What our node says of itself (where it is, what it received)
goes out: it is how the others find us.

A founder's word is enough: nobody can have removed them. So it is where there is nobody else to ask. Only those count
who were in before us, and who are no kin of the one, while there are such: one who was removed can bring in guests of
their own, and be let in by them. Kin are two who, going back from each to who brought them in, and so on, meet before
the founder. While we are not confirmed ourselves we let nobody in, and name no operations to those who came after
us or beside us: else two who were let in by the same one would be each other's proof.
"""

from mesh.commands import Rank
from mesh.events import Notice
from mesh.groups.group import Group
from mesh.ids import DeviceId, MemberPk
from mesh.membership.graph import Entry
from mesh.peer.links import Session
from mesh.peer.state import Room, Step
from mesh.wire.operations import OpType


def welcomer(group: Group) -> MemberPk | None:
    """Return who let us in; None for a founder, or for one who is not in."""
    admit = _admit(group)
    return None if admit is None else admit.author


def begin(room: Room, step: Step) -> None:
    """We have just been let in: is there anybody whose word is to be waited for?"""
    by_founders = all(entry.level == Rank.FOUNDER for entry in _welcome(room.group))
    room.group.set_own(step.journal, confirmed=by_founders or not confirmers(room.group))


def _admit(group: Group) -> Entry | None:
    admit = None if group.me is None else group.log.graph.entry(group.me.admitted)
    return admit if admit is not None and admit.act.type is OpType.ADMIT else None


def _welcome(group: Group) -> list[Entry]:
    """Return the operations by which we came in: the admit, and the first epoch for us, mostly the same one."""
    admit, graph = _admit(group), group.log.graph
    entries = graph.entries(group.log.everything)
    listing = [entry for entry in entries if group.own.dev in (entry.act.recipients or ())]
    first = min(listing, key=lambda entry: (entry.act.gen, entry.act.op_id), default=None)
    return [entry for entry in (admit, first) if entry is not None]


def confirmers(group: Group) -> list[MemberPk]:
    """Return whose word counts: of those who were in before us, who is no kin of who let us in, or anybody but them."""
    if group.me is None:
        return []
    firsts = {entry.author for entry in _welcome(group)}
    before, members = group.log.past(group.me.admitted), group.view.members
    others = [pk for pk in group.others if pk not in firsts and group.log.bit(members[pk].admitted) & before]
    kin = {pk for first in firsts for pk in _line(group, first)}
    return [pk for pk in others if kin.isdisjoint(_line(group, pk))] or others


def _line(group: Group, member: MemberPk) -> set[MemberPk]:
    """Return a member, who brought them in, who brought those in, and so on, in or not; without the founder."""
    graph = group.log.graph
    found: set[MemberPk] = set()
    by = member
    while by not in found:
        entries = graph.entries(graph.brought_for(by, group.log.everything))
        admit = next((entry for entry in entries if entry.act.type is OpType.ADMIT), None)
        if admit is None:
            break
        found.add(by)
        invite = None if admit.act.invite is None else graph.entry(admit.act.invite)
        by = (admit if invite is None else invite).author
    return found


def hear_word(room: Room, session: Session, step: Step) -> None:
    """A proved, current device has told its state: is it a second member's word that the group is as we have it?"""
    group = room.group
    if group.own.confirmed or group.me is None or session.device is None:
        return
    known = group.log.closure(session.heads) or 0
    member = group.view.devices.get(session.device)
    if all(known & entry.bit for entry in _welcome(group)) and member in confirmers(group):
        accept(room, step)


def accept(room: Room, step: Step) -> None:
    """Take the group to be as we have it."""
    if not room.group.own.confirmed:
        room.group.set_own(step.journal, confirmed=True)
        step.notify(Notice.GROUP, room.group.gid)


def tells_heads_to(room: Room, dev: DeviceId) -> bool:
    """Say whether we vouch for the group towards a device: while we are not confirmed, only to those before us."""
    group = room.group
    member = group.view.member_of(dev)
    if group.own.confirmed or group.me is None or member is None:
        return True
    return bool(group.log.past(group.me.admitted) & group.log.bit(member.admitted))
