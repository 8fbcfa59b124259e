"""Plant each fault of `tests/simulations/faults/` in a copy of the tree, and let the ordinary scenarios look for it.

Run it with `make faults`. For each fault every scenario is run at its own size, seed after seed, until a check fails;
the table names the scenario, the seed and the check. It ends with 1 if one is not found, or if the tree fails without
any. `--recorded` runs what the README's table names, and nothing else; `--shrink 200` makes each case small, in so many
runs. What is changed is the copy, in a temporary folder that is gone afterwards.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tests.attacks.index import applies, defence
from tests.attacks.run import copy_tree

FAULTS: Final = Path(__file__).parent / "faults"
README: Final = FAULTS / "README.md"
SEEDS: Final = 500
RUN_S_MAX: Final = 3_600
NEEDED: Final = ("mesh", "simulations", "tests", "pyproject.toml", "requirements")


@dataclass(frozen=True, slots=True)
class Found:
    """By what a fault was found, and after how many runs."""

    scenario: str
    seed: int
    check: str
    found: str
    runs: int
    small: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sought:
    """Which runs are to be tried."""

    seeds: int = SEEDS
    seed: int | None = None  # this one alone
    only: tuple[str, ...] = ()  # these scenarios alone
    shrink: int = 0  # make what fails small, in so many runs at most

    def words(self) -> list[str]:
        """Say it to `tests.simulations.looking`."""
        one = [] if self.seed is None else ["--seed", str(self.seed)]
        return ["--seeds", str(self.seeds), *one, "--shrink", str(self.shrink), *self.only]


def patches() -> list[Path]:
    """Give every planted fault, in order."""
    return sorted(FAULTS.glob("*.patch"))


def recorded() -> dict[str, Sought]:
    """Give what the README's table says of each fault, by its number: where it was found first."""
    rows = [line.split("|") for line in README.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    found = [[cell.strip() for cell in row[1:-1]] for row in rows]
    return {row[0]: Sought(seed=int(row[2]), only=(row[1],)) for row in found if row[0].isdecimal()}


def look(where: Path, sought: Sought) -> Found | None:
    """Run the scenarios in a tree, in a process of its own; None if every one holds."""
    command = [sys.executable, "-P", "-m", "tests.simulations.looking", *sought.words()]
    settings = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(where)}
    ran = subprocess.run(
        command, cwd=where, env=settings, check=False, capture_output=True, text=True, timeout=RUN_S_MAX
    )
    if ran.returncode:
        raise RuntimeError(ran.stderr[-2000:])
    told = json.loads(ran.stdout)
    return Found(**{**told, "small": tuple(told.get("small", ()))}) if told else None


def plant(patch: Path, where: Path, sought: Sought) -> Found | None:
    """Look for one fault in a copy, and take it out again. RuntimeError if it cannot be planted."""
    files = {where / path for path, _ in defence(patch.read_text())}
    before = {file: file.read_bytes() for file in files}
    if not applies(patch, where):
        raise RuntimeError(f"{patch.name} does not apply")
    try:
        return look(where, sought)
    finally:
        for file, data in before.items():
            file.write_bytes(data)


def main() -> int:
    """Look for the faults asked for, or for all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("numbers", nargs="*", help="which faults; all if none is named")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many seeds at most")
    parser.add_argument("--only", nargs="*", default=[], help="these scenarios alone")
    parser.add_argument("--recorded", action="store_true", help="only the runs that the README names")
    parser.add_argument("--shrink", type=int, default=0, metavar="RUNS", help="make each case small")
    asked = parser.parse_args()
    sought, before, missed = Sought(asked.seeds, None, tuple(asked.only), asked.shrink), recorded(), 0
    with tempfile.TemporaryDirectory(prefix="mesh-faults-") as folder:
        where = Path(folder)
        copy_tree(where, NEEDED)
        if not asked.recorded and (found := look(where, replace(sought, seeds=1))) is not None:
            print(f"The tree fails without any fault: {found}")
            return 1
        for patch in patches():
            number = patch.name[:2]
            if asked.numbers and number not in asked.numbers:
                continue
            found = plant(patch, where, replace(before[number], shrink=asked.shrink) if asked.recorded else sought)
            missed += found is None
            _tell(patch, found)
    return 1 if missed else 0


def _tell(patch: Path, found: Found | None) -> None:
    said = "NOT FOUND" if found is None else f"{found.scenario}, seed {found.seed}: {found.check}: {found.found}"
    print(f"{patch.stem:44} | {said}", flush=True)
    for line in found.small if found is not None else ():
        print(f"    {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
