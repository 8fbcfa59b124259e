"""One sitting: the main job, the store, the core, catching up, a crowd, fan-out; medians beside their bars and peers.

Run it with `make bench`; `ARGS="--scripts FOLDER --installed FOLDER"` measures other meshes too, `--vodozemac PYTHON`
and `--mls PYTHON` (interpreters that have these packages) other ways to seal, `--only fan` a part.
Bars in milliseconds say as much about the machine as about the program; ratios are from one sitting. What is measured
is kept in `benchmarks/results/`, one file for each sitting, and the newest as a page, `results/README.md`.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.catching_up import MESSAGES, measure_catching_up
from benchmarks.core import measure_core
from benchmarks.crowds import measure_crowds
from benchmarks.fans import ROUNDS, Beside, measure_fans
from benchmarks.main_job import measure
from benchmarks.peers import PEERS
from benchmarks.report import Figure, page
from benchmarks.stores import measure_stores

PARTS: Final = ("main", "store", "core", "catchup", "crowd", "fan")
RESULTS: Final = Path(__file__).parent / "results"


def main() -> int:
    """Measure, print, and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scripts", type=Path, help="the folder with other meshes' scripts (fan_….py)")
    parser.add_argument("--installed", type=Path, help="the folder with an environment for each of them")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part alone")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds of the fan-out")
    parser.add_argument("--vodozemac", metavar="PYTHON", help="an interpreter that has the vodozemac package")
    parser.add_argument("--mls", metavar="PYTHON", help="an interpreter that has the mls_rs_uniffi package")
    parser.add_argument("--messages", type=int, default=MESSAGES, help="to catch up on")
    parser.add_argument("--nodes", type=int, default=1_000, help="of the crowd")
    asked = parser.parse_args()
    if (asked.scripts is None) != (asked.installed is None):
        parser.error("--scripts and --installed go together")
    chosen = asked.only or PARTS
    now, machine = datetime.now(UTC), describe_machine()
    print(machine)
    parts: dict[str, Sequence[Figure]] = {}
    if "main" in chosen:
        with tempfile.TemporaryDirectory(prefix="mesh-bench-") as folder:
            show(parts, "The main job, whole processes", measure(Path(folder)))
    if "store" in chosen:
        show(parts, "The store", measure_stores())
    if "core" in chosen:
        pythons = {name: path for name, path in (("Megolm", asked.vodozemac), ("mls-rs", asked.mls)) if path}
        for name, figures in measure_core(pythons):
            show(parts, name, figures)
    if "catchup" in chosen:
        figures = measure_catching_up(asked.messages, asked.vodozemac)
        show(parts, f"{asked.messages:,} messages of 256 B after two weeks, times of the processor", figures)
    if "crowd" in chosen:
        show(parts, f"{asked.nodes:,} simulated nodes beside a mesh of degree 8", list(measure_crowds(asked.nodes)))
    if "fan" in chosen:
        for name, figures in measure_fans(others(asked.scripts, asked.installed), asked.rounds):
            show(parts, f"Fan-out among 8 nodes, 256 B: {name}", figures)
    keep(now, machine, parts)
    return 0


def others(scripts: Path | None, installed: Path | None) -> Beside | None:
    """Say where other meshes are found, if they are to be measured."""
    if scripts is None or installed is None:
        return None
    return Beside(scripts=scripts.resolve(), installed=installed.resolve())


def show(parts: dict[str, Sequence[Figure]], name: str, figures: list[Figure]) -> None:
    """Print a part and add it to the report."""
    print(f"\n{name}")
    print(*(figure.line() for figure in figures), sep="\n", flush=True)
    parts[name] = figures


def describe_machine() -> str:
    """Say where and of what this was measured."""
    said = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False, cwd=RESULTS.parent
    )
    commit = said.stdout.strip() or "no commit"
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}, "
        f"load {os.getloadavg()[0]:.1f} at the start, commit {commit}"
    )


def keep(now: datetime, machine: str, parts: dict[str, Sequence[Figure]]) -> None:
    """Write the sitting down, and the newest as a page."""
    RESULTS.mkdir(exist_ok=True)
    kept = {
        "at": now.isoformat(timespec="seconds"),
        "machine": machine,
        "parts": {name: [figure.kept() for figure in figures] for name, figures in parts.items()},
    }
    file = RESULTS / f"{now:%Y-%m-%d-%H%M}.json"
    file.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    notes = [
        "The other meshes differ in what they promise: "
        + "; ".join(f"{peer.name}: {peer.promises}" for peer in PEERS)
        + ". Ours seals each message to the group, signs it twice, and stores it encrypted before it counts.",
        "py-libp2p and LXMF get fewer messages, fewer at once, and 5 and 2 a second instead of 50.",
        f"All values: `{file.name}`.",
    ]
    (RESULTS / "README.md").write_text(page(f"Measured on {now:%Y-%m-%d}", machine, parts, notes), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
