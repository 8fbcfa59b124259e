"""How long the core takes: who belongs, epochs, steps of the machine, sets, sealing; no network, no disk."""

import time
from collections.abc import Iterator
from random import Random
from typing import Final

from benchmarks.codec import measure_codec
from benchmarks.messages import measure_messages
from benchmarks.report import Figure
from benchmarks.sets import measure_sets
from benchmarks.steps import measure_steps
from benchmarks.timing import timed
from mesh.commands import Rank, Suite
from mesh.groups.epochs import draft_epoch
from mesh.ids import DeviceId, MemberPk, OpId
from mesh.membership.acts import NOTHING, Act
from mesh.membership.graph import Entry, Graph
from mesh.membership.rendering import render
from mesh.membership.resolve import Views, resolve, take
from mesh.membership.standing import judge
from mesh.node.chance import HpkeSealer, OsEntropy
from mesh.wire.operations import OpType

OPERATIONS: Final = 3000
MEMBERS: Final = 64
DEVICES_MAX: Final = 1000
RUNS: Final = 5

# ---------------------------------------------------------------- who belongs


class History:
    """A group's life on plain records: people come, rise, are removed; one act in ten is written unheard of others."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        self.graph = Graph()
        self.views = Views(self.graph)
        self.acts: list[Act] = []
        self.known: dict[DeviceId, int] = {}
        founder = self.dice.randbytes(32), self.dice.randbytes(16)
        self._take(
            dev=DeviceId(founder[1]),
            kind=OpType.CREATE,
            member=MemberPk(founder[0]),
            device=DeviceId(founder[1]),
            rank=Rank.FOUNDER,
        )
        while len(self.acts) < OPERATIONS:
            self._step()

    def _step(self) -> None:
        view = self.views.of(self.graph.everything)
        dev = self.dice.choice(sorted(view.devices))
        if self.dice.random() < 0.9:
            self.known[dev] = self.graph.everything
        me = self.views.of(self.known[dev]).member_of(dev)
        if me is None:
            self.known[dev] = self.graph.everything
            return
        draw = self.dice.random()
        if me.rank <= Rank.MODERATOR and draw < 0.2 and len(view.members) < MEMBERS:
            new = MemberPk(self.dice.randbytes(32))
            device = DeviceId(self.dice.randbytes(16))
            self._take(dev=dev, kind=OpType.ADMIT, member=new, device=device, rank=Rank.MEMBER)
        elif me.rank is Rank.FOUNDER and draw < 0.6 and len(view.members) > 4:
            other = self.dice.choice([m for m in view.members.values() if m.rank > Rank.STEWARD] or [me])
            if other.rank > Rank.MODERATOR and sum(m.rank < Rank.MEMBER for m in view.members.values()) < 8:
                self._take(dev=dev, kind=OpType.PROMOTE, member=other.pk, rank=Rank.MODERATOR)
        elif me.rank <= Rank.MODERATOR and draw < 0.3 and len(view.members) > MEMBERS // 2:
            juniors = [m.pk for m in view.members.values() if m.rank > me.rank]
            if juniors:
                self._take(dev=dev, kind=OpType.REMOVE, member=self.dice.choice(sorted(juniors)))
        else:
            devices = tuple(sorted(self.views.of(self.known[dev]).devices))
            self._take(dev=dev, kind=OpType.REKEY, recipients=devices)

    def _take(self, *, dev: DeviceId, kind: OpType, **content: object) -> None:
        act = self.next_act(dev, kind, **content)
        entry = take(act, self.graph, self.views, DEVICES_MAX)
        self.acts.append(act)
        self.known[dev] = self.known.get(dev, 0) | entry.closure
        if act.device is not None:
            self.known[act.device] = entry.closure

    def next_act(self, dev: DeviceId, kind: OpType, **content: object) -> Act:
        """Return what a device would write on all that it knows."""
        past = self.known.get(dev, 0)
        own = list(self.graph.entries(self.graph.written_by(dev, past)))
        heads = self._heads(past)
        me = self.views.of(past).member_of(dev) if past else None
        fields: dict[str, object] = {
            "op_id": OpId(self.dice.randbytes(32)),
            "type": kind,
            "dev": dev,
            "dseq": len(own) + 1,
            "dprev": own[-1].act.op_id if own else NOTHING,
            "deps": tuple(sorted(head.act.op_id for head in heads)),
            "auth": NOTHING if me is None else me.grant,
            "gen": 1 + max((head.act.gen for head in heads), default=0),
        }
        return Act(**fields, **content)  # type: ignore[arg-type] # which content there is depends on the type

    def _heads(self, mask: int) -> list[Entry]:
        entries = list(self.graph.entries(mask))
        past = 0
        for entry in entries:
            past |= entry.past
        return [entry for entry in entries if not entry.bit & past]


def measure_resolve() -> list[Figure]:
    """Resolve a long history from nothing, judge it once, and take one more operation."""
    history = History(1)
    whole = timed("resolve, structure of each operation included", lambda: resolve(history.acts), RUNS, bar=300)
    judged = timed("judged once from nothing", lambda: render(judge(history.graph, history.graph.everything)), RUNS)
    more: list[float] = []
    for _ in range(50):
        view = history.views.of(history.graph.everything)
        dev = history.dice.choice(sorted(view.devices))
        history.known[dev] = history.graph.everything
        act = history.next_act(dev, OpType.REKEY, recipients=tuple(sorted(view.devices)))
        began = time.process_time()
        entry = take(act, history.graph, history.views, DEVICES_MAX)
        history.views.of(history.graph.everything)
        more.append((time.process_time() - began) * 1000)
        history.known[dev] = entry.closure
    return [whole, judged, Figure(name="one more operation", unit="ms", values=more, bar=2)]


# ---------------------------------------------------------------- epochs


def measure_epoch() -> Figure:
    """Make an epoch for as many devices as the hybrid suite carries."""
    sealer = HpkeSealer()
    keys = [sealer.generate(Suite.HYBRID)[1] for _ in range(192)]
    recipients = {DeviceId(k.to_bytes(16, "big")): pk for k, pk in enumerate(keys)}

    def make() -> None:
        draft_epoch(
            gid=bytes(32),
            suite=Suite.HYBRID,
            recipients=recipients,
            kem_number=1,
            kem_pk=keys[0],
            entropy=OsEntropy(),
            sealer=sealer,
        )

    return timed("an epoch for 192 devices, hybrid", make, RUNS, bar=120)


# ---------------------------------------------------------------- all of it


def measure_core(pythons: dict[str, str]) -> Iterator[tuple[str, list[Figure]]]:
    """Measure a part after the other; `pythons`: an interpreter for each peer of `messages.PEERS` that is there."""
    yield (
        f"The core: a history of {OPERATIONS:,} operations, epochs, steps, codec (of the processor's time)",
        [*measure_resolve(), measure_epoch(), *measure_steps(), *measure_codec()],
    )
    yield "Reconciling sets of 100,000", measure_sets()
    yield "Sealing and opening 256 B, rates of the processor's time", measure_messages(pythons)
