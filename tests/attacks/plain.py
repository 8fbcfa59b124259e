"""A group told act by act, on plain records: who does what, having heard of what.

Everybody has heard everything, unless a step says `after` which acts its author had heard of: that is how people part,
and how somebody back-dates. What an act says, and nothing else, decides here; who could sign it is not asked. What the
rules of form refuse raises `RemoteError`, and the group is as it was.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import pytest

from mesh.commands import Rank
from mesh.errors import Fault, RemoteError
from mesh.ids import DeviceId, MemberPk, OpId
from mesh.membership.acts import NOTHING, Act, Approved
from mesh.membership.graph import Entry, Graph
from mesh.membership.resolve import Views, take
from mesh.membership.views import View
from mesh.wire.operations import OpType

Heads = tuple[OpId, ...]
DEVICES_MAX: Final = 1000


class Told:
    """Alice's group, founded with `settings`. `ranks` names who else is in when the story begins, and at which rank."""

    def __init__(self, settings: dict[str, str] | None = None, /, **ranks: Rank) -> None:
        self.graph = Graph()
        self.views = Views(self.graph)
        alice = Person(group=self, name="alice", dev=device("alice"))
        first: dict[str, object] = {"member": alice.pk, "device": alice.dev, "rank": Rank.FOUNDER, "alias": "alice"}
        first["settings"] = settings or {}
        self.tell(Act(type=OpType.CREATE, **self._place(alice.dev, (), NOTHING), **first))  # type: ignore[arg-type]  # by name
        self.people = [alice, *(alice.admits(name, max(rank, Rank.MEMBER)) for name, rank in ranks.items())]
        for person, rank in zip(self.people[1:], ranks.values(), strict=True):
            if rank < Rank.MEMBER:
                alice.promotes(person, rank)

    # ------------------------------------------------------------ what there is

    @property
    def heads(self) -> Heads:
        """What one has heard of who has heard everything."""
        return tuple(self.graph.heads)

    @property
    def view(self) -> View:
        """The group as one sees it who has heard everything."""
        return self.views.of(self.graph.everything)

    @property
    def names(self) -> set[str]:
        """Who is in."""
        return {member.alias for member in self.view.members.values()}

    def counts(self, op_id: OpId) -> bool:
        """Whether an act counts."""
        return bool(self.graph.bit(op_id) & self.view.valid)

    # ------------------------------------------------------------ what happens

    def tell(self, act: Act) -> OpId:
        """Let everybody take an act in; RemoteError if its form is refused."""
        take(act, self.graph, self.views, DEVICES_MAX)
        return act.op_id

    def act(
        self,
        author: "Person",
        kind: OpType,
        *,
        after: Heads | None = None,
        auth: OpId | None = None,
        changes: dict[str, object] | None = None,
        **content: object,
    ) -> OpId:
        """Let somebody act; `auth` and `changes` (of its place in the graph) are for those who bend the form."""
        deps = self.heads if after is None else after
        grant = self._grant(author, deps) if auth is None else auth
        place = self._place(author.dev, deps, grant) | (changes or {})
        return self.tell(Act(type=kind, **place, **content))  # type: ignore[arg-type]  # which fields depends on the type

    def _grant(self, author: "Person", deps: Heads) -> OpId:
        member = self.views.of(self._past(deps)).members.get(author.pk)
        assert member is not None, f"{author.name} was not in then: name the grant that is exercised"
        return member.grant

    def _past(self, deps: Heads) -> int:
        past = self.graph.closure(deps)
        assert past is not None, "one can only have heard of what was told"
        return past

    def _place(self, dev: DeviceId, deps: Heads, auth: OpId) -> dict[str, object]:
        seen = list(self.graph.entries(self._past(deps)))
        own = max((e.act for e in seen if e.act.dev == dev), key=lambda act: act.dseq, default=None)
        return {
            "op_id": OpId(f"act {len(self.graph)}".encode().ljust(32, b".")),
            "dev": dev,
            "dseq": 1 if own is None else own.dseq + 1,
            "dprev": NOTHING if own is None else own.op_id,
            "deps": tuple(sorted(deps)),
            "auth": auth,
            "gen": 1 + max((e.act.gen for e in seen), default=0),
        }

    def entry(self, op_id: OpId) -> Entry:
        """An act in its place."""
        found = self.graph.entry(op_id)
        assert found is not None
        return found


@dataclass(frozen=True, kw_only=True)
class Person:
    """A member, acting through one of their devices. `how` is `after`, `auth` and `changes` of `Told.act`."""

    group: Told
    name: str
    dev: DeviceId

    @property
    def pk(self) -> MemberPk:
        return MemberPk(self.name.encode().ljust(32, b"."))

    @property
    def rank(self) -> Rank | None:
        """Their rank; None for one who is not in."""
        member = self.group.view.members.get(self.pk)
        return None if member is None else member.rank

    @property
    def grant(self) -> OpId:
        """The grant that gives them their rank."""
        return self.group.view.members[self.pk].grant

    @property
    def devices(self) -> set[DeviceId]:
        """Those of their devices that are in."""
        member = self.group.view.members.get(self.pk)
        return set() if member is None else set(member.devices)

    def on(self, device_name: str) -> "Person":
        """The same person at another device of theirs, whether it is in or not."""
        return Person(group=self.group, name=self.name, dev=device(device_name))

    # ------------------------------------------------------------ ranks and doors

    def admits(
        self,
        name: str,
        rank: Rank = Rank.MEMBER,
        *,
        at: str = "",
        under: OpId | None = None,
        approvals: tuple[Approved, ...] = (),
        **how: object,
    ) -> "Person":
        """Let somebody in, on the device `at`."""
        someone = Person(group=self.group, name=name, dev=device(at or name))
        given = {"member": someone.pk, "device": someone.dev, "alias": name}
        self.does(OpType.ADMIT, **given, rank=rank, invite=under, approvals=approvals, **how)
        return someone

    def approves(self) -> Approved:
        """Say yes to a joiner, under the grant that they have now."""
        return Approved(grant=self.grant, dev=self.dev)

    def promotes(self, other: "Person", rank: Rank, **how: object) -> OpId:
        return self.does(OpType.PROMOTE, member=other.pk, rank=rank, **how)

    def demotes(self, other: "Person", rank: Rank, **how: object) -> OpId:
        return self.does(OpType.DEMOTE, member=other.pk, rank=rank, **how)

    def removes(self, other: "Person", **how: object) -> OpId:
        return self.does(OpType.REMOVE, member=other.pk, **how)

    def leaves(self, **how: object) -> OpId:
        return self.does(OpType.LEAVE, **how)

    def invites(self, uses: int = 1, approvals: int = 0, **how: object) -> OpId:
        return self.does(OpType.INVITE, rank=Rank.MEMBER, uses=uses, approvals_needed=approvals, **how)

    def uninvites(self, invite: OpId, **how: object) -> OpId:
        return self.does(OpType.UNINVITE, invite=invite, **how)

    def sets(self, key: str = "note", value: str = "x", **how: object) -> OpId:
        return self.does(OpType.SETTINGS, settings={key: value}, **how)

    # ------------------------------------------------------------ devices and epochs

    def adds(self, device_name: str, **how: object) -> "Person":
        """Bring in a further device of one's own."""
        self.does(OpType.DEVICE_ADD, member=self.pk, device=device(device_name), **how)
        return self.on(device_name)

    def takes(self, other: "Person", *, cut: OpId | None, **how: object) -> OpId:
        """Remove the device at which somebody sits; `cut` is the last of its acts that holds."""
        return self.does(OpType.DEVICE_REMOVE, member=other.pk, device=other.dev, cut=cut, **how)

    def rekeys(self, recipients: set[DeviceId], dormant: set[DeviceId] | None = None, **how: object) -> OpId:
        listed = {"recipients": tuple(sorted(recipients)), "dormant": tuple(sorted(dormant or ()))}
        return self.does(OpType.REKEY, **listed, **how)

    def does(self, kind: OpType, **how: object) -> OpId:
        """Do anything."""
        return self.group.act(self, kind, **how)  # type: ignore[arg-type]  # the record says whether it fits


@contextmanager
def refused() -> Iterator[None]:
    """Demand that what happens here is refused for its form, for ever and by everybody."""
    with pytest.raises(RemoteError) as caught:
        yield
    assert caught.value.fault is Fault.AGAINST_RULES


def device(name: str) -> DeviceId:
    """The id of a device that is named so."""
    return DeviceId(name.encode().ljust(16, b"."))
