"""The structure of an act: what must hold, from its ancestors alone, or it is refused for ever (protocol.md §4).

Every check looks only at the past that the act itself names, so all nodes refuse the same ones. Whether a well-formed
act then *counts* beside concurrent ones is `mesh.membership.standing`'s question. Signatures, keys and texts are
checked by `mesh.groups.rules`.
"""

from dataclasses import dataclass
from typing import Final, Protocol

from mesh.commands import Rank
from mesh.errors import Fault, RemoteError
from mesh.ids import MemberPk
from mesh.membership.acts import NOTHING, Act
from mesh.membership.graph import BY_MEMBER_KEY, Entry, Graph
from mesh.membership.views import Member, View
from mesh.wire.limits import DEVICES_PER_MEMBER_MAX, FORKS_PER_DEVICE_MAX, INVITE_USES_MAX
from mesh.wire.operations import OpType

MEMBERS_INVITE: Final = "members-invite"  # the setting by which plain members may invite
SUCCEEDS: Final = "succeeds"  # the group that this one continues: its id in hex
TALK: Final = "talk"  # a conversation of two: its founder lets one in, and nobody after
FOUNDING_ONLY: Final = frozenset({SUCCEEDS, TALK})  # settings that stand in the create, or never
_JOINABLE: Final = (Rank.MEMBER, Rank.NEWCOMER)


class ViewSource(Protocol):
    """Whoever knows the views of a graph's masks."""

    def of(self, mask: int) -> View:
        """Return the view of a downward-closed mask that is not empty."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """An act before its judge: what its author had seen, who they were in it, and the rank that they exercise."""

    entry: Entry
    graph: Graph
    view: View
    author: Member
    rank: Rank

    @property
    def act(self) -> Act:
        return self.entry.act

    @property
    def past(self) -> int:
        return self.entry.past

    def needs(self, least: Rank) -> None:
        if self.rank > least:
            raise _against("an operation that needs a more senior grant")


def check(entry: Entry, graph: Graph, views: ViewSource, devices_max: int) -> None:
    """Check any act but a create, already placed in the graph; RemoteError(AGAINST_RULES)."""
    act = entry.act
    view = views.of(entry.past)
    _check_chain(entry, graph)
    author = view.members.get(entry.author)
    adds_itself = act.type is OpType.DEVICE_ADD and act.dev == act.device
    if author is None or not (adds_itself or act.dev in author.devices):
        raise _against("an operation by a device that is not in")
    if entry.grant is None or entry.grant.act.member != entry.author:
        raise _against("an operation exercises a grant that is not its author's")
    case = _Case(entry=entry, graph=graph, view=view, author=author, rank=entry.rank)
    _check_type(case, devices_max)
    if act.recipients is not None:
        after = view if act.type is OpType.REKEY else views.of(entry.closure)
        _check_recipients(act, act.recipients, after)


def _check_chain(entry: Entry, graph: Graph) -> None:
    """A device's acts follow each other, and it has seen them all."""
    act = entry.act
    before = graph.entry(act.dprev)
    if act.dseq == 1:
        follows = act.dprev == NOTHING
    else:
        follows = before is not None and before.is_before(entry) and before.act.dev == act.dev
        follows = follows and before is not None and act.dseq == before.act.dseq + 1
    # As many as its number says: had it seen a fork of its own, there would be more.
    if not follows or graph.written_by(act.dev, entry.past).bit_count() != act.dseq - 1:
        raise _against("a device's operations do not follow each other")


def _check_type(case: _Case, devices_max: int) -> None:
    match case.act.type:
        case OpType.ADMIT:
            _check_admit(case, devices_max)
        case OpType.PROMOTE:
            _check_promote(case)
        case OpType.DEMOTE:
            _check_demote(case)
        case OpType.REMOVE:
            case.needs(Rank.MODERATOR)
            if not case.graph.granted_to(case.act.subject, case.past):
                raise _against("a removal of someone who never was in")
        case OpType.INVITE:
            case.needs(Rank.MEMBER if case.view.settings.get(MEMBERS_INVITE) == "on" else Rank.MODERATOR)
            _check_invite(case.act)
        case OpType.UNINVITE:
            invite = case.view.invites.get(case.act.invite or NOTHING)
            if invite is None:
                raise _against("an uninvite of nothing")
            if invite.issuer != case.author.pk:
                case.needs(Rank.MODERATOR)
        case OpType.SETTINGS | OpType.AGREEMENT:
            case.needs(Rank.STEWARD)
            if not FOUNDING_ONLY.isdisjoint(case.act.settings):
                raise _against("a change of what only a founding sets")
        case OpType.DEVICE_ADD:
            _check_device_add(case, devices_max)
        case OpType.DEVICE_REMOVE:
            _check_device_remove(case)
        case OpType.FORK:
            _check_fork(case)
        case OpType.REKEY | OpType.LEAVE:
            pass  # whoever is in may
        case _:
            raise _against("an operation that cannot stand here")


def _check_promote(case: _Case) -> None:
    target = case.view.members.get(case.act.subject)
    new = case.act.granted_rank
    if target is None:
        raise _against("a change of rank for someone who is not in")
    # Between two ranks: so it takes a moderator to make a newcomer a member, and a steward to make anybody more.
    founder_names_founder = case.rank is Rank.FOUNDER and new is Rank.FOUNDER
    if (new <= case.rank and not founder_names_founder) or new >= target.rank:
        raise _against("a promotion to or above the author's own rank, or that promotes nobody")


def _check_demote(case: _Case) -> None:
    target = case.view.members.get(case.act.subject)
    new = case.act.granted_rank
    if target is None:
        raise _against("a change of rank for someone who is not in")
    if case.entry.level == BY_MEMBER_KEY:
        if new <= target.rank or new <= case.rank:
            raise _against("a self-demotion that demotes nobody")
        return
    case.needs(Rank.STEWARD)
    if target.rank <= case.rank or new <= target.rank:
        raise _against("a demotion of someone who is not junior, or that demotes nobody")


def _check_admit(case: _Case, devices_max: int) -> None:
    act, graph, past = case.act, case.graph, case.past
    case.needs(Rank.MEMBER)
    joiner = act.subject
    if graph.granted_to(joiner, past):
        raise _against("an admit of someone who was in before")
    _check_new_device(case, devices_max)
    moderates = case.rank <= Rank.MODERATOR
    if act.invite is not None and act.invite not in case.view.invites:
        raise _against("an admit under an invite that does not stand")
    if not moderates and (act.invite is None or act.rank is not Rank.NEWCOMER):
        raise _against("a plain member admits only newcomers, and only under an invite")
    if act.rank not in _JOINABLE:
        raise _against("an admit to a rank that a joiner cannot have")
    if case.view.settings.get(TALK) == "on" and graph.of_type(OpType.ADMIT, past):
        raise _against("a third one in a conversation of two")
    invite = None if act.invite is None else graph.entry(act.invite)
    _check_former(case, () if invite is None else invite.act.allow)
    if act.invite is None:
        return
    assert invite is not None, "it stands in the view"
    if len(graph.joiners(act.invite, past) | {joiner}) > invite.act.uses:
        raise _against("an admit past the uses of its invite")
    if not moderates and invite.act.approvals_needed:
        _check_approvals(case, invite.act.approvals_needed)


def _check_invite(act: Act) -> None:
    if act.rank not in _JOINABLE:
        raise _against("an invite to a rank that invites cannot give")
    if act.allow and (act.uses != len(act.allow) or act.approvals_needed or list(act.allow) != sorted(set(act.allow))):
        raise _against("an invite that names who may come in has other terms")
    if not act.allow and act.uses > INVITE_USES_MAX:
        raise _against("an invite for too many")


def _check_former(case: _Case, allow: tuple[MemberPk, ...]) -> None:
    """Who is named comes in by their own name and once; where nobody is named, nobody shows who they were."""
    act, graph = case.act, case.graph
    if not allow:
        if act.former is not None:
            raise _against("an admit that names who its joiner was, unasked")
        return
    if act.former not in allow:
        raise _against("an admit of someone whom its invite does not name")
    assert act.invite is not None
    if any(other.act.former == act.former for other in graph.entries(graph.admits_under(act.invite, case.past))):
        raise _against("an admit by a name that was used before")


def _check_approvals(case: _Case, needed: int) -> None:
    approvers: set[MemberPk] = set()
    for yes in case.act.approvals:
        member, grant = case.view.member_of(yes.dev), case.graph.entry(yes.grant)
        if member is None or grant is None or not grant.bit & case.past or grant.act.member != member.pk:
            raise _against("an approval by someone who is not in")
        if grant.act.rank is None or grant.act.rank > Rank.MODERATOR:
            raise _against("an approval by someone who is no moderator")
        approvers.add(member.pk)
    if len(approvers) < needed:
        raise _against("an admit with too few approvals")


def _check_new_device(case: _Case, devices_max: int) -> None:
    """A device comes in once, and a removed one never again."""
    if case.graph.brought(case.act.named_device, case.past):
        raise _against("a device that was in before")
    if len(case.view.devices) >= devices_max:
        raise _against("a further device in a group that is full")


def _check_device_add(case: _Case, devices_max: int) -> None:
    if case.act.member != case.author.pk:
        raise _against("a device that is added for somebody else")
    _check_new_device(case, devices_max)
    if len(case.author.devices) >= DEVICES_PER_MEMBER_MAX:
        raise _against("a member with too many devices")


def _check_device_remove(case: _Case) -> None:
    """A device goes by its member's word (also when it is gone already: this heals what it did), a senior's or its own.

    The last carries no cut; and no device that goes makes the epoch that follows.
    """
    act, graph = case.act, case.graph
    if graph.owner(act.named_device) != act.member or not graph.brought(act.named_device, case.past):
        raise _against("a removal of a device that never was in")
    if act.dev == act.device and act.recipients is not None:
        raise _against("an epoch by the device that goes")
    if case.entry.level != BY_MEMBER_KEY:
        if act.device not in case.view.devices:
            raise _against("a removal of a device that is not in")
        if act.dev != act.device:
            case.needs(Rank.MODERATOR)
            if case.view.members[act.subject].rank <= case.rank or act.cut is None:
                raise _against("a removal of a device of someone who is not junior")
    if act.cut is None or act.cut == NOTHING:
        return
    cut = graph.entry(act.cut)
    if cut is None or not cut.bit & case.past or cut.act.dev != act.device:
        raise _against("a removal of a device with the cut of another")


def _check_fork(case: _Case) -> None:
    case.needs(Rank.MEMBER)
    before = case.graph.of_type(OpType.FORK, case.graph.written_by(case.act.dev, case.past))
    if before.bit_count() >= FORKS_PER_DEVICE_MAX:
        raise _against("too many forks by the same device")


def _check_recipients(act: Act, recipients: tuple[bytes, ...], after: View) -> None:
    """Nobody is left out in silence, and nobody else is let in (protocol.md §5)."""
    listed = sorted((*recipients, *act.dormant))
    ordered = list(recipients) == sorted(recipients) and list(act.dormant) == sorted(act.dormant)
    if not ordered or act.dev not in recipients or listed != sorted(after.devices):
        raise _against("an epoch does not name exactly the devices that are in")


def _against(what: str) -> RemoteError:
    return RemoteError(Fault.AGAINST_RULES, what)
