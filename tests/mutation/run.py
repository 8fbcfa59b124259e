"""Put one small fault after the other into the code, and see whether a test notices.

Run it with `make mutants` (`ARGS="--sample 200 --seed 1"` tries some, `ARGS="membership/standing"` one module). It
prints what became of each fault and ends with 1 if one survives that `survivors.toml` does not list with a reason.
`ARGS="--again run.log"` tries those anew that an earlier run, whose words are in that file, did not see noticed.
Each is tried in a process of its own, forked from this one in a copy of the tree, where the changed module takes the
place of the written one as it is imported: no file is changed. The limit is on the processor's time, so that other work
on the machine decides nothing.
"""

import argparse
import importlib
import os
import resource
import signal
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Final

import pytest

from tests.attacks.index import ROOT
from tests.attacks.run import NEEDED, copy_tree
from tests.mutation.mutants import Mutant, mutants

LISTED: Final = Path(__file__).parent / "survivors.toml"
AT_ONCE: Final = 2  # processes
SLOWER: Final = 4  # times as long as the tests take without a fault, and then some seconds
SPARE_S: Final = 10
WALL_S_MAX: Final = 900  # a fault may also wait for ever
QUIET: Final = "ignore::pytest.PytestAssertRewriteWarning"
UNNOTICED: Final = ("survived", "BROKEN")
NOTICED: Final = (1, 2)  # of pytest: a test failed; a file of tests could not be read
OWN: Final = ("mesh", "simulations", "tests", "cli")  # packages that a child reads from the copy
BENEATH: Final = ("mesh.wire", "mesh.crypto", "mesh.ids", "mesh.errors", "mesh.commands", "mesh.events", "mesh.secret")
READY: Final = (  # read once, before the first fork; what builds on the changed module is read anew in each child
    *(
        "pytest",
        "hypothesis.stateful",
        "pytest_trio.plugin",
        "_hypothesis_pytestplugin",
        "inline_snapshot.pytest_plugin",
    ),
    *("msgpack", "nacl.bindings", "cryptography.hazmat.primitives.hpke", "mesh.wire.codec", "mesh.wire.frames"),
    *("mesh.wire.invites", "mesh.wire.messages", "mesh.wire.operations", "mesh.crypto.keys", "mesh.commands"),
)

Stages = tuple[tuple[str, ...], ...]  # files of tests; the next are read only where these notice nothing
BELONGING: Final[Stages] = (
    (  # those first that take least
        *("attacks/test_membership.py", "attacks/test_devices.py"),
        *("membership/test_structure.py", "membership/test_standing.py", "membership/test_graph.py", "membership"),
    ),
    (
        *("groups/test_resolve.py", "groups/test_resolve_invites.py", "groups/test_rules.py", "groups/test_oplog.py"),
        *("attacks/test_epochs.py", "attacks/test_operations.py"),
        *("groups/test_authoring.py", "groups/test_long_logs.py", "groups/test_epochs.py"),
    ),
)
KEYS: Final[Stages] = (
    (
        *("groups/test_schedule.py", "groups/test_forgetting.py", "groups/test_ratchet.py"),
        *("groups/test_epochs.py", "groups/test_receiving.py"),
    ),
    (
        *("peer/test_keeping.py", "attacks/test_epochs.py", "attacks/test_messages.py", "attacks/test_frames.py"),
        *("groups/test_envelopes.py", "groups/test_messaging.py", "groups/test_messaging_forged.py"),
        *("groups/test_group.py", "groups/test_authoring.py", "groups/test_joining.py", "groups/test_long_logs.py"),
    ),
)
MODULES: Final = {
    **{f"mesh/membership/{name}.py": BELONGING for name in ("graph", "structure", "standing", "rendering", "resolve")},
    **{f"mesh/groups/{name}.py": KEYS for name in ("epochs", "schedule", "ratchet", "receiving", "forgetting")},
}


@dataclass(frozen=True, slots=True)
class Instead:
    """Imports a module with a fault in it."""

    mutant: Mutant
    where: Path

    @property
    def module(self) -> str:
        """The module's name."""
        return self.mutant.path.removesuffix(".py").replace("/", ".")

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Answer the import system's question for this one module."""
        if name != self.module:
            return None
        return spec_from_loader(name, self)  # type: ignore[arg-type]  # its type wants load_module, which is long gone

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Leave that to the import system."""
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Run the changed text."""
        file = self.where / self.mutant.path
        exec(compile(self.mutant.apply(file.read_text()), str(file), "exec"), module.__dict__)


def child(where: Path, stages: Stages, mutant: Mutant | None, cpu_s: int) -> int:
    """Start the tests with a fault, or as the tree is, in a process of their own; return its id."""
    started = os.fork()
    if started:
        return started
    code = 3
    try:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        os.chdir(where)
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
        signal.alarm(WALL_S_MAX)
        if mutant is not None:
            sys.meta_path.insert(0, Instead(mutant, where))
        for stage in stages:
            files = [f"tests/{name}" for name in stage]
            # The plugins are here already, and are not ours to rewrite.
            code = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-W", QUIET, *files]))
            if code != 0:
                break
    finally:
        os._exit(code)


def make_ready(where: Path) -> None:
    """Let this process read what its children need and no fault touches; from the copy, where it is our own."""
    os.environ["HYPOTHESIS_PROFILE"] = "mutants"
    sys.path.insert(0, str(where))
    _forget(lambda name: True)
    for name in READY:
        importlib.import_module(name)
    _forget(lambda name: name != "mesh" and not name.startswith(BENEATH))


def _forget(which: Callable[[str], bool]) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] in OWN and which(name)]:
        del sys.modules[name]


def baseline(where: Path) -> dict[Stages, int]:
    """Return how many seconds the tests of each kind may take, by how many they take without a fault."""
    allowed: dict[Stages, int] = {}
    for stages in dict.fromkeys(MODULES.values()):
        pid = child(where, stages, None, WALL_S_MAX)
        _, status, used = os.wait4(pid, 0)
        if os.waitstatus_to_exitcode(status) != 0:
            print(f"these tests do not pass as the tree is: {stages}")
            sys.exit(1)
        spent = used.ru_utime + used.ru_stime
        print(f"{sum(map(len, stages))} files of tests take {spent:.0f} s without a fault", flush=True)
        allowed[stages] = round(SLOWER * spent + SPARE_S)
    return allowed


def try_all(where: Path, chosen: list[Mutant], allowed: dict[Stages, int]) -> Iterator[tuple[Mutant, str]]:
    """Try faults, some at once; give each with its verdict as it is found."""
    waiting, running = chosen[::-1], dict[int, Mutant]()
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            mutant = waiting.pop()
            stages = MODULES[mutant.path]
            running[child(where, stages, mutant, allowed[stages])] = mutant
        pid, status = os.wait()
        yield running.pop(pid), verdict(os.waitstatus_to_exitcode(status))


def verdict(code: int) -> str:
    """Say what a child's end means: pytest's exit code, or less than nothing for a signal."""
    if code < 0:
        return "timed out"
    if code in NOTICED:
        return "killed"
    return "survived" if code == 0 else "BROKEN"


def listed() -> dict[str, str]:
    """Return the faults that may survive, and why: each is no fault, as nothing can tell it apart."""
    entries = tomllib.loads(LISTED.read_text())["survivor"] if LISTED.exists() else []
    return {entry["place"]: entry["reason"] for entry in entries}


def chosen_from(everything: list[Mutant], modules: list[str], sample: int, seed: int) -> list[Mutant]:
    """Return those asked for; the dice mix them, so that what is printed early speaks for all."""
    found = [mutant for mutant in everything if not modules or any(name in mutant.place for name in modules)]
    Random(seed).shuffle(found)
    return found[: sample or len(found)]


def not_noticed(log: Path) -> frozenset[str]:
    """Return the places of the faults that a run was not seen to notice, from what it printed."""
    lines = [line.split(": ", 2) for line in log.read_text().splitlines()]
    return frozenset(line[2] for line in lines if line[0] in UNNOTICED and len(line) > 2)


def main() -> int:
    """Try the faults asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "modules", nargs="*", help="parts of their names (`standing.py`, `Chain.take`); all if none is named"
    )
    parser.add_argument("--sample", type=int, default=0, help="so many of them, drawn by the seed; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--again", type=Path, help="what a run printed: only those of its faults that survived")
    asked = parser.parse_args()
    began, may_survive = time.monotonic(), listed()
    everything = [mutant for path in MODULES for mutant in mutants(path, (ROOT / path).read_text())]
    again = not_noticed(asked.again) if asked.again else None
    tried = [mutant for mutant in everything if again is None or mutant.place in again]
    chosen = chosen_from(tried, asked.modules, asked.sample, asked.seed)
    counts, unlisted = Counter[tuple[str, str]](), list[str]()
    with tempfile.TemporaryDirectory(prefix="mesh-mutants-") as folder:
        copy_tree(Path(folder), (*NEEDED, "docs"))
        make_ready(Path(folder))
        for mutant, found in try_all(Path(folder), chosen, baseline(Path(folder))):
            known = found == "survived" and mutant.place in may_survive
            counts[mutant.path, "equivalent" if known else found] += 1
            if found in UNNOTICED and not known:
                unlisted.append(mutant.place)
                print(f"{found}: line {mutant.line}: {mutant.place}", flush=True)
            if counts.total() % 100 == 0:
                print(f"{counts.total()} of {len(chosen)}, {time.monotonic() - began:.0f} s", flush=True)
    stale = sorted(set(may_survive) - {mutant.place for mutant in everything})
    show(counts)
    for place in stale:
        print(f"listed, and no such fault can be put in: {place}")
    print(f"{len(chosen)} of {len(everything)} faults, {time.monotonic() - began:.0f} s; {len(unlisted)} not noticed")
    return 1 if unlisted or stale else 0


def show(counts: Counter[tuple[str, str]]) -> None:
    """Print the table."""
    verdicts = ("killed", "timed out", "equivalent", "survived", "BROKEN")
    print(f"\n{'':36}" + "".join(f"{name:>12}" for name in verdicts))
    for path in [path for path in MODULES if any(at == path for at, _ in counts)]:
        print(f"{path:36}" + "".join(f"{counts[path, name]:12}" for name in verdicts))


if __name__ == "__main__":
    sys.exit(main())
