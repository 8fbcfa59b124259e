"""How long the core takes: who belongs, epochs, sealing and opening; no network, no disk.

Run it with `make bench-core`. With `ARGS="--vodozemac PYTHON"`, an interpreter that has the vodozemac package, Megolm
is measured in the same sitting, and the ratio stands beside the bar.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from random import Random
from typing import Final

from mesh.commands import CreateGroup, Rank, Suite
from mesh.groups.authoring import found
from mesh.groups.epochs import draft_epoch
from mesh.groups.group import Group, Means
from mesh.groups.messaging import OpenedMessage, Wording, open_message, seal_message, take_in
from mesh.groups.ratchet import Chain
from mesh.ids import DeviceId, MemberPk, OpId
from mesh.journal import Journal
from mesh.membership.acts import NOTHING, Act
from mesh.membership.graph import Entry, Graph
from mesh.membership.rendering import render
from mesh.membership.resolve import Views, resolve, take
from mesh.membership.standing import judge
from mesh.node.chance import HpkeSealer, OsEntropy
from mesh.secret import Secret
from mesh.wire.frames import parse_frame, verify_frame
from mesh.wire.messages import Kind
from mesh.wire.operations import OpType

OPERATIONS: Final = 3000
MEMBERS: Final = 64
DEVICES_MAX: Final = 1000
MESSAGES: Final = 2000
TEXT: Final = b"x" * 256
RUNS: Final = 5
VODOZEMAC: Final = """
import time, vodozemac
n, text = 2000, b"x" * 256
out = vodozemac.GroupSession()
into = vodozemac.InboundGroupSession(out.session_key)
t = time.perf_counter(); sealed = [out.encrypt(text) for _ in range(n)]; seal = n / (time.perf_counter() - t)
t = time.perf_counter()
for message in sealed:
    into.decrypt(message)
print(seal, n / (time.perf_counter() - t))
"""


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


def measure_resolve() -> list[str]:
    """Resolve a long history from nothing, judge it once, and take one more operation."""
    history = History(1)
    removed = sum(act.type is OpType.REMOVE for act in history.acts)
    whole = median(lambda: resolve(history.acts))
    judged = median(lambda: render(judge(history.graph, history.graph.everything)))
    more: list[float] = []
    for _ in range(50):
        view = history.views.of(history.graph.everything)
        dev = history.dice.choice(sorted(view.devices))
        history.known[dev] = history.graph.everything
        act = history.next_act(dev, OpType.REKEY, recipients=tuple(sorted(view.devices)))
        began = time.perf_counter()
        entry = take(act, history.graph, history.views, DEVICES_MAX)
        history.views.of(history.graph.everything)
        more.append(time.perf_counter() - began)
        history.known[dev] = entry.closure
    people = len(history.views.of(history.graph.everything).members)
    return [
        f"a history of {OPERATIONS} operations, {people} members at its end, {removed} removals",
        line("  resolve, structure of each operation included", whole, 0.3),
        line("  judged once from nothing", judged, None),
        line("  one more operation", statistics.median(more), 0.002),
    ]


# ---------------------------------------------------------------- epochs and messages


def means() -> Means:
    """What a step needs, with the real sealer."""
    return Means(entropy=OsEntropy(), sealer=HpkeSealer(), journal=Journal(), wall_ms=1)


def measure_epoch() -> list[str]:
    """Make an epoch for as many devices as the hybrid suite carries."""
    sealer = HpkeSealer()
    keys = [sealer.generate(Suite.HYBRID)[1] for _ in range(192)]
    recipients = {DeviceId(k.to_bytes(16, "big")): pk for k, pk in enumerate(keys)}

    def make() -> int:
        draft = draft_epoch(
            gid=bytes(32),
            suite=Suite.HYBRID,
            recipients=recipients,
            kem_number=1,
            kem_pk=keys[0],
            entropy=OsEntropy(),
            sealer=sealer,
        )
        return sum(map(len, draft.wraps))

    size = make()
    return [
        line("an epoch for 192 devices, hybrid", median(make), 0.12),
        f"  its wraps: {size / 1024:.0f} KiB of at most 288",
    ]


def founded() -> Group:
    """A group of one."""
    command = CreateGroup(
        name="bench",
        about="",
        topics=(),
        agreement="",
        alias="wren",
        suite=Suite.CLASSIC,
        settings=(),
        join_nonce=bytes(32),
        member_seed=Secret(b"m" * 32),
    )
    return found(command, means())


def measure_messages(python: str | None) -> list[str]:
    """Seal and open posts with everything: padding, header, the author's signature and the outer one."""
    group, step = founded(), means()
    epoch = group.epoch
    assert epoch is not None
    dev = group.own.dev
    first = group.chains[epoch, dev]
    began = time.perf_counter()
    frames = [
        seal_message(
            group,
            epoch,
            Wording(uid=k.to_bytes(16, "big"), kind=Kind.POST, parents=(), ts_ms=1, flags=0, body=TEXT),
            step,
        ).frame
        for k in range(MESSAGES)
    ]
    seal = MESSAGES / (time.perf_counter() - began)
    group.chains[epoch, dev] = Chain(i=0, key=first.key)
    began = time.perf_counter()
    for raw in frames:
        frame = parse_frame(raw)
        verify_frame(frame)
        opened = open_message(group, frame, epoch)
        assert isinstance(opened, OpenedMessage)
        take_in(group, opened, step)
    opening = MESSAGES / (time.perf_counter() - began)
    if python is None:
        return [f"256 B sealed {seal:,.0f}/s, opened {opening:,.0f}/s (no vodozemac beside)"]
    done = subprocess.run([python, "-c", VODOZEMAC], capture_output=True, text=True, check=True)
    theirs = [float(word) for word in done.stdout.split()]
    return [
        f"256 B sealed {seal:,.0f}/s, opened {opening:,.0f}/s; Megolm {theirs[0]:,.0f}/s, {theirs[1]:,.0f}/s",
        f"  of Megolm's, with everything: sealing {seal / theirs[0]:.2f} (bar 0.40)",
        f"                                opening {opening / theirs[1]:.2f} (bar 0.35)",
    ]


# ---------------------------------------------------------------- saying it


def median(act: Callable[[], object]) -> float:
    """Return the median time of a few runs, in seconds."""
    found = []
    for _ in range(RUNS):
        began = time.perf_counter()
        act()
        found.append(time.perf_counter() - began)
    return statistics.median(found)


def line(what: str, seconds: float, bar: float | None) -> str:
    """Say one figure beside its bar."""
    held = "" if bar is None else f"   bar {bar * 1000:.0f} ms  {'met' if seconds <= bar else 'MISSED'}"
    return f"{what:<48} {seconds * 1000:8.2f} ms{held}"


def main() -> int:
    """Measure all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vodozemac", metavar="PYTHON", help="an interpreter that has the vodozemac package")
    asked = parser.parse_args()
    for part in (measure_resolve, measure_epoch, lambda: measure_messages(asked.vodozemac)):
        print(*part(), sep="\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
