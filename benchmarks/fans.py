"""Fan-out, ours and others', round by round in one sitting; ratios are taken in each round, and the median counts."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.peers import FAST, PEERS, Load, Run, run_peer
from benchmarks.report import Figure

NODES: Final = 8
OURS: Final = "Support Mesh"
AMONG: Final = "Support Mesh, a process for each node"
ROUNDS: Final = 3
# network.md §8: our rate as a part of theirs, and our p99 at 50 a second as a part of theirs.
RATE_BARS: Final = {"py-libp2p gossipsub": 8.0, "js-libp2p gossipsub": 1.2, "LXMF": 20.0}
BURST_MIB: Final = 8 * 150  # as much as eight idle nodes may have (network.md §8)
P99_BARS: Final = {"pyipv8": 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Where other meshes are found: their scripts, and what is installed for them. None: nobody else is measured."""

    scripts: Path
    installed: Path


def measure_fans(beside: Beside | None, rounds: int) -> Iterator[tuple[str, list[Figure]]]:
    """Measure each load, everybody in turn; give the rows of each."""
    for load_name, load in FAST.items():
        runs: dict[str, list[Run]] = {}
        for _ in range(rounds):
            for name, run in _round(load_name, load, beside):
                runs.setdefault(name, []).append(run)
                print(f"  {load_name}: {name}: {run.per_s:,.0f}/s, p50 {run.p50_ms:.1f} ms, p99 {run.p99_ms:.1f} ms, "
                      f"{100 * run.delivered:.1f} % delivered", flush=True)  # fmt: skip
        yield load_name, list(_rows(load_name, runs))


def _round(load_name: str, load: Load, beside: Beside | None) -> Iterator[tuple[str, Run]]:
    yield OURS, run_ours("benchmarks.fan", load)
    yield AMONG, run_ours("benchmarks.fan_processes", load)
    for peer in PEERS if beside is not None else ():
        assert beside is not None
        if load_name in peer.loads:
            run = run_peer(peer, peer.loads[load_name], NODES, beside.scripts, beside.installed)
            if run is None:
                print(f"  {load_name}: {peer.name}: no figures")
            else:
                yield peer.name, run


def run_ours(module: str, load: Load) -> Run:
    """Run our own nodes once, in a process of their own."""
    command = [sys.executable, "-P", "-m", module, str(NODES), str(load.messages), f"{load.rate:g}"]
    said = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)
    delivered = said["delivered"] / said["expected"]
    times = said["p50_ms"], said["p99_ms"]
    return Run(
        per_s=said["per_s"], p50_ms=times[0], p99_ms=times[1], delivered=delivered, peak_mib=said.get("peak_mib")
    )


def _rows(load_name: str, runs: dict[str, list[Run]]) -> Iterator[Figure]:
    paced = load_name.endswith("a second")
    for name, taken in runs.items():
        if not paced:
            yield Figure(name=f"{name}: deliveries", unit="/s", values=[run.per_s for run in taken])
        yield Figure(name=f"{name}: p50", unit="ms", values=[run.p50_ms for run in taken])
        yield Figure(name=f"{name}: p99", unit="ms", values=[run.p99_ms for run in taken])
        delivered = [100 * run.delivered for run in taken]
        bar = 100.0 if name in (OURS, AMONG) else None
        if load_name.startswith("burst") and (peaks := [run.peak_mib for run in taken if run.peak_mib is not None]):
            yield Figure(name=f"{name}: memory at its highest, 8 nodes", unit="MiB", values=peaks, bar=BURST_MIB)
        yield Figure(name=f"{name}: delivered", unit="percent", values=delivered, bar=bar)
    ours = runs[OURS]
    for name, taken in runs.items():
        if name in (OURS, AMONG):
            continue
        pairs = list(zip(ours, taken, strict=False))
        if paced:
            ratios = [mine.p99_ms / theirs.p99_ms for mine, theirs in pairs]
            at_most = P99_BARS.get(name)
            yield Figure(name=f"our p99 against {name}'s", unit="× p99", values=ratios, bar=at_most)
        elif load_name == "closed loop":
            ratios = [mine.per_s / theirs.per_s for mine, theirs in pairs]
            yield Figure(name=f"our rate against {name}'s", unit="×", values=ratios, bar=RATE_BARS.get(name))
