"""Take one defence out after the other, in a copy of the tree, and see whether the attack's test notices.

Run it with `make attacks`. It prints a table, and ends with 1 if a patch does not apply, if a test passes without its
defence, or if one fails with it. A test has noticed if it fails; one that breaks otherwise has shown nothing. What is
changed is the copy, in a temporary folder that is gone afterwards.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.attacks import NOT_YET
from tests.attacks.index import ROOT, Attack, applies, attacks, defence

NEEDED: Final = ("mesh", "simulations", "tests", "pyproject.toml")
TEST_S_MAX: Final = 300  # the slowest takes a few seconds; one that runs for ever has shown nothing
PASSED: Final = 0  # of pytest; 1: a test failed; any other: it could not do its work


def copy_tree(where: Path, needed: tuple[str, ...] = NEEDED) -> None:
    """Copy what git tracks or would track, as it is now."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *needed]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (where / name).parent.mkdir(parents=True, exist_ok=True)
            (where / name).write_bytes((ROOT / name).read_bytes())


def run_tests(where: Path, chosen: list[Attack]) -> tuple[int | None, str]:
    """Run these tests in the copy; return pytest's exit code (None: it took too long) and what it said."""
    tests = [f"{attack.path}::{attack.test}" for attack in chosen]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    # Without bytecode: a file that is patched and restored within a second could else be taken for what it was.
    settings = os.environ | {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(where),  # before the tree itself, which is installed
        "HYPOTHESIS_STORAGE_DIRECTORY": str(where / "examples"),
    }
    try:
        ran = subprocess.run(
            command, cwd=where, env=settings, check=False, capture_output=True, text=True, timeout=TEST_S_MAX
        )
    except subprocess.TimeoutExpired:
        return None, ""
    return ran.returncode, ran.stdout + ran.stderr


def try_attack(attack: Attack, patch: Path, where: Path) -> tuple[str, str]:
    """Run an attack's test without what a patch takes out, and put that back; return the verdict, and what was said."""
    files = {where / path for path, _ in defence(patch.read_text())}
    before = {file: file.read_bytes() for file in files if file.is_file()}
    if not applies(patch, where):
        return "PATCH DOES NOT APPLY", ""
    try:
        code, said = run_tests(where, [attack])
    finally:
        for file, data in before.items():
            file.write_bytes(data)
    reasons = [line for line in said.splitlines() if line.startswith("E  ")]
    match code:
        case 1:
            return "caught", reasons[0].removeprefix("E").strip() if reasons else ""
        case 0:
            return "NOT CAUGHT", ""
        case _:
            return "BROKEN", said[-2000:]


def main() -> int:
    """Try the attacks asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("numbers", type=int, nargs="*", help="which attacks; all if none is named")
    parser.add_argument("--why", action="store_true", help="show with what words each test failed")
    asked = parser.parse_args()
    known = {attack.number: attack for attack in attacks()}
    if unknown := sorted(set(asked.numbers) - set(known)):
        parser.error(
            f"no test bears the number {unknown[0]}: {NOT_YET.get(unknown[0], ('there is no such attack',))[-1]}"
        )
    chosen = [known[number] for number in sorted(set(asked.numbers) or known)]
    holes = 0
    with tempfile.TemporaryDirectory(prefix="mesh-attacks-") as folder:
        where = Path(folder)
        copy_tree(where)
        code, said = run_tests(where, chosen)
        if code != PASSED:
            print(said)
            print("Not all of these tests pass as the tree is: there is nothing to take out yet.")
            return 1
        for attack in chosen:
            verdict, why = try_attack(attack, attack.patch, where)
            holes += verdict != "caught"
            places = ", ".join(f"{path}:{function}" for path, function in defence(attack.patch.read_text()))
            print(f"{attack.number:02} | {attack.title:68} | {places:58} | {verdict}", flush=True)
            if why and (asked.why or verdict == "BROKEN"):
                print(f"       {why}")
    if NOT_YET:
        print("\nNot yet:")
    for number, (title, reason) in NOT_YET.items():
        print(f"{number:02} | {title:68} | {reason}")
    print(f"\n{len(chosen)} attacks tried without their defence: {len(chosen) - holes} caught, {holes} not.")
    return 1 if holes else 0


if __name__ == "__main__":
    sys.exit(main())
