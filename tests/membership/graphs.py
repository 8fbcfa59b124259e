"""Random groups on plain records: people who part and meet, act with and without right, and back-date what they do.

Everything is drawn from one seed. `Story.grown` says what was taken in; whatever the structure refuses is left out, as
an honest node would.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType

from mesh.commands import Rank
from mesh.errors import RemoteError
from mesh.ids import DeviceId, MemberPk, OpId
from mesh.membership.acts import NOTHING, Act, Approved
from mesh.membership.graph import Entry, Graph
from mesh.membership.resolve import Views, take
from mesh.membership.structure import MEMBERS_INVITE
from mesh.wire.operations import OpType

DEVICES_MAX = 1000
RANKS = tuple(Rank)
CALM_BELOW = 0.1
STORMY = MappingProxyType(
    {
        OpType.ADMIT: 8,
        OpType.PROMOTE: 6,
        OpType.DEMOTE: 2,
        OpType.REMOVE: 4,
        OpType.LEAVE: 1,
        OpType.INVITE: 5,
        OpType.UNINVITE: 2,
        OpType.SETTINGS: 2,
        OpType.REKEY: 3,
        OpType.DEVICE_ADD: 3,
        OpType.DEVICE_REMOVE: 3,
    }
)
CALM = MappingProxyType(
    {
        OpType.ADMIT: 30,
        OpType.PROMOTE: 8,
        OpType.DEMOTE: 1,
        OpType.REMOVE: 4,
        OpType.LEAVE: 1,
        OpType.INVITE: 20,
        OpType.UNINVITE: 4,
        OpType.SETTINGS: 4,
        OpType.REKEY: 40,
        OpType.DEVICE_ADD: 4,
        OpType.DEVICE_REMOVE: 1,
    }
)


NAMING = 0.25  # how many invites say who may come in


def name(kind: str, number: int, size: int) -> bytes:
    """An id that says what it is of."""
    return f"{kind}{number}".encode().ljust(size, b".")


FORMERS = tuple(MemberPk(name("f", k, 32)) for k in range(4))


class Story:
    """A group that grows. `seen` is what each device has heard of, as heads."""

    def __init__(
        self, seed: int, *, part: float = 0.5, hostile: float = 0.2, weights: Mapping[OpType, int] = STORMY
    ) -> None:
        self.dice = Random(seed)
        self.part = part  # how often somebody acts without having heard the news
        self.hostile = hostile  # how often somebody acts as no honest node would
        self.weights = weights
        self._makers: dict[OpType, Callable[[DeviceId], dict[str, object] | None]] = {
            OpType.ADMIT: self._admit,
            OpType.PROMOTE: self._promote,
            OpType.DEMOTE: self._demote,
            OpType.REMOVE: self._remove,
            OpType.LEAVE: self._leave,
            OpType.INVITE: self._invite,
            OpType.UNINVITE: self._uninvite,
            OpType.SETTINGS: self._settings,
            OpType.REKEY: self._rekey,
            OpType.DEVICE_ADD: self._device_add,
            OpType.DEVICE_REMOVE: self._device_remove,
        }
        self.graph = Graph()
        self.views = Views(self.graph)
        self.acts: list[Act] = []
        self.seen: dict[DeviceId, int] = {}
        self.counts: Counter[str] = Counter()
        self._numbers: Counter[str] = Counter()
        member, dev = self._member(), self._device()
        self._take(
            Act(
                op_id=self._op_id(),
                type=OpType.CREATE,
                dev=dev,
                dseq=1,
                dprev=NOTHING,
                deps=(),
                auth=NOTHING,
                gen=1,
                member=member,
                device=dev,
                rank=Rank.FOUNDER,
                settings={MEMBERS_INVITE: "on"},
                alias="a",
            )
        )

    # ------------------------------------------------------------ growing

    def grows(self, acts: int) -> "Story":
        """Let things happen until so many acts are in."""
        while len(self.acts) < acts:
            self.step()
        return self

    def wanders(self, steps: int) -> "Story":
        """Let so many things be tried."""
        for _ in range(steps):
            self.step()
        return self

    def step(self) -> bool:
        """Let one device hear some news, or none, and act. Whether it was taken in."""
        dev = self.dice.choice(list(self.seen))
        if self.dice.random() >= self.part:
            if self.hostile < CALM_BELOW:
                self.seen[dev] = self.graph.everything
            for other in self.dice.sample(list(self.seen), min(3, len(self.seen))):
                self.seen[dev] |= self.seen[other]
        if dev not in self.views.of(self.seen[dev]).devices and self.dice.random() >= self.hostile:
            return False
        kind = self.dice.choices(list(self.weights), list(self.weights.values()))[0]
        content = self._makers[kind](dev)
        return content is not None and self._act(dev, content)

    def _act(self, dev: DeviceId, content: dict[str, object]) -> bool:
        content = dict(content)
        author = content.pop("author", dev)
        assert isinstance(author, bytes)
        past = self.seen[dev]
        own = list(self.graph.entries(self.graph.written_by(DeviceId(author), past)))
        if own and self.dice.random() < self.hostile / 4:  # back-dated: on a fork of its own chain
            past = self.dice.choice(own).closure
            own = [e for e in own if e.bit & past]
        last = max(own, key=lambda e: e.act.dseq, default=None)
        owner = content.get("member") if author not in self.seen else self.graph.owner(DeviceId(author))
        auth = self._auth(MemberPk(owner), past) if isinstance(owner, bytes) else None
        if auth is None:
            return False
        heads = self._heads(past)
        act = Act(
            op_id=self._op_id(),
            dev=DeviceId(author),
            dseq=1 if last is None else last.act.dseq + 1,
            dprev=NOTHING if last is None else last.act.op_id,
            deps=tuple(sorted(head.act.op_id for head in heads)),
            auth=auth.act.op_id,
            gen=1 + max(head.act.gen for head in heads),
            **content,  # type: ignore[arg-type] # which fields there are depends on the type
        )
        return self._take(act)

    def _take(self, act: Act) -> bool:
        try:
            entry = take(act, self.graph, self.views, DEVICES_MAX)
        except RemoteError:
            self.counts["refused"] += 1
            return False
        self.acts.append(act)
        self.counts[act.type.name] += 1
        for dev in (act.dev, act.device):
            if dev is not None:
                self.seen[dev] = self.seen.get(dev, 0) | entry.closure
        return True

    def _heads(self, mask: int) -> list[Entry]:
        entries = list(self.graph.entries(mask))
        past = 0
        for entry in entries:
            past |= entry.past
        return [entry for entry in entries if not entry.bit & past]

    def _auth(self, member: MemberPk, past: int) -> Entry | None:
        """A live grant, or, of one who is hostile, any that they ever had."""
        if self.dice.random() >= self.hostile:
            me = self.views.of(past).members.get(member)
            return None if me is None else self.graph.entry(me.grant)
        grants = list(self.graph.entries(self.graph.granted_to(member, past)))
        return self.dice.choice(grants) if grants else None

    # ------------------------------------------------------------ what they do

    def _someone(self, dev: DeviceId) -> MemberPk:
        view = self.views.of(self.seen[dev])
        everybody = list(view.departed) if self.dice.random() < self.hostile / 2 and view.departed else [*view.members]
        juniors = [pk for pk in everybody if pk in view.members and view.members[pk].rank > Rank.FOUNDER]
        if juniors and self.dice.random() >= self.hostile:
            return self.dice.choice(juniors)
        return self.dice.choice(everybody or [MemberPk(name("m", 0, 32))])

    def _invite(self, _: DeviceId) -> dict[str, object]:
        rank = self.dice.choice((Rank.MEMBER, Rank.NEWCOMER))
        if self.dice.random() < NAMING:
            allow = tuple(sorted(self.dice.sample(FORMERS, self.dice.randrange(1, 4))))
            return {"type": OpType.INVITE, "rank": rank, "uses": len(allow), "allow": allow}
        return {
            "type": OpType.INVITE,
            "rank": rank,
            "uses": self.dice.randrange(1, 4),
            "approvals_needed": self.dice.choice((0, 0, 0, 1)),
        }

    def _former(self, invite: OpId | None, again: Act | None) -> MemberPk | None:
        """By which name of another group somebody comes in; of one who is hostile, any, or none."""
        entry = None if invite is None else self.graph.entry(invite)
        allow = () if entry is None else entry.act.allow
        if self.dice.random() < self.hostile / 4:
            return self.dice.choice((None, *FORMERS))
        if again is not None and again.invite == invite:
            return again.former
        return self.dice.choice(allow) if allow else None

    def _admit(self, dev: DeviceId) -> dict[str, object]:
        past = self.seen[dev]
        view = self.views.of(past)
        invite = self.dice.choice([None, *view.invites])
        known = [e.act for e in self.graph.entries(self.graph.of_type(OpType.ADMIT, self.graph.everything))]
        again = self.dice.choice(known) if known and self.dice.random() < 0.3 else None  # two let the same one in
        asked = self.dice.sample(list(view.members.values()), min(2, len(view.members)))
        approvals = [
            Approved(grant=member.grant, dev=member.devices[0])
            for member in asked
            if member.rank <= Rank.MODERATOR and member.devices
        ]
        return {
            "type": OpType.ADMIT,
            "member": self._member() if again is None else again.subject,
            "device": self._device() if again is None else again.device,
            "rank": self.dice.choice((Rank.MEMBER, Rank.NEWCOMER, Rank.NEWCOMER)),
            "invite": invite,
            "former": self._former(invite, again),
            "approvals": tuple(approvals),
            "alias": "x",
        }

    def _promote(self, dev: DeviceId) -> dict[str, object]:
        members = self.views.of(self.seen[dev]).members
        me = members.get(self._owner(dev))
        juniors = [m for m in members.values() if me is not None and m.rank > me.rank]
        if me is None or not juniors or self.dice.random() < self.hostile:
            return {"type": OpType.PROMOTE, "member": self._someone(dev), "rank": self.dice.choice(RANKS)}
        target = self.dice.choice(juniors)
        ranks = [rank for rank in RANKS if me.rank < rank < target.rank]
        return {"type": OpType.PROMOTE, "member": target.pk, "rank": self.dice.choice(ranks or [Rank.FOUNDER])}

    def _owner(self, dev: DeviceId) -> MemberPk:
        owner = self.graph.owner(dev)
        assert owner is not None
        return owner

    def _demote(self, dev: DeviceId) -> dict[str, object] | None:
        who = self.graph.owner(dev) if self.dice.random() < 0.3 else self._someone(dev)
        return None if self._stays(who) else {"type": OpType.DEMOTE, "member": who, "rank": self.dice.choice(RANKS)}

    def _remove(self, dev: DeviceId) -> dict[str, object]:
        return {"type": OpType.REMOVE, "member": self._someone(dev)}

    def _leave(self, dev: DeviceId) -> dict[str, object] | None:
        return None if self._stays(self.graph.owner(dev)) else {"type": OpType.LEAVE}

    def _stays(self, member: MemberPk | None) -> bool:
        """In calm weather the founder stays, else most groups end after a few acts."""
        return self.hostile < CALM_BELOW and member == self.acts[0].member

    def _uninvite(self, dev: DeviceId) -> dict[str, object] | None:
        invites = list(self.views.of(self.seen[dev]).invites)
        return {"type": OpType.UNINVITE, "invite": self.dice.choice(invites)} if invites else None

    def _settings(self, _: DeviceId) -> dict[str, object]:
        key = self.dice.choice(("history", "keep", "note"))
        return {"type": OpType.SETTINGS, "settings": {key: self.dice.choice(("none", "last:9", "days:2", "7", "0"))}}

    def _rekey(self, dev: DeviceId) -> dict[str, object]:
        devices = tuple(sorted(self.views.of(self.seen[dev]).devices))
        cut = self.dice.randrange(len(devices) + 1)
        dormant = tuple(d for d in devices[cut:] if d != dev)
        return {
            "type": OpType.REKEY,
            "recipients": tuple(d for d in devices if d not in dormant),
            "dormant": dormant,
        }

    def _device_add(self, dev: DeviceId) -> dict[str, object]:
        new = self._device()
        content: dict[str, object] = {"type": OpType.DEVICE_ADD, "member": self.graph.owner(dev), "device": new}
        return content | {"author": new} if self.dice.random() < 0.5 else content

    def _device_remove(self, dev: DeviceId) -> dict[str, object] | None:
        other = self.dice.choice([dev, *self.seen])
        if self._stays(self.graph.owner(other)):
            return None
        written = list(self.graph.entries(self.graph.written_by(other, self.seen[dev])))
        cut = self.dice.choice([NOTHING, *(entry.act.op_id for entry in written[-3:])])
        return {
            "type": OpType.DEVICE_REMOVE,
            "member": self.graph.owner(other),
            "device": other,
            "cut": None if other == dev and self.dice.random() < 0.5 else cut,
        }

    # ------------------------------------------------------------ names

    def _number(self, kind: str) -> int:
        self._numbers[kind] += 1
        return self._numbers[kind]

    def _op_id(self) -> OpId:
        # The order of ids decides between equals, so it must not be that of coming in.
        return OpId(self.dice.randbytes(4) + name("op", self._number("op"), 28))

    def _member(self) -> MemberPk:
        return MemberPk(name("m", self._number("member"), 32))

    def _device(self) -> DeviceId:
        return DeviceId(name("d", self._number("device"), 16))
