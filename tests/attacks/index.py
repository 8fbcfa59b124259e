"""What there is of tests and patches, read from the files: for the runner, and for the test of the index itself."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
DEFENCES: Final = HERE / "defences"


@dataclass(frozen=True, kw_only=True)
class Attack:
    """A test, by its file (from the root) and name."""

    number: int
    path: str
    test: str

    @property
    def title(self) -> str:
        """What is tried, as the test's name has it."""
        return self.test.removeprefix(f"test_attack_{self.number:02}_").replace("_", " ")

    @property
    def patch(self) -> Path:
        """The patch that takes the defence out."""
        return patch_of(self.number)


def patch_of(number: int) -> Path:
    """Where the patch of an attack lies."""
    return DEFENCES / f"{number:02}.patch"


def attacks() -> list[Attack]:
    """Every test in this folder that names an attack, by number."""
    return sorted(
        (
            Attack(number=int(number), path=str(path.relative_to(ROOT)), test=test)
            for path in sorted(HERE.glob("test_*.py"))
            for test, number in re.findall(r"^def (test_attack_(\d\d)_\w+)\(", path.read_text(), re.MULTILINE)
        ),
        key=lambda attack: attack.number,
    )


def defence(patch: str) -> list[tuple[str, str]]:
    """The (file, function) of each part of a patch; the function stands behind the second @@."""
    found, path = [], ""
    for line in patch.splitlines():
        if line.startswith("+++ b/"):
            path = line.removeprefix("+++ b/")
        elif line.startswith("@@ "):
            found.append((path, line.rpartition("@@ ")[2]))
    return found


def applies(patch: Path, tree: Path, *options: str) -> bool:
    """Apply a patch to a tree (or, with `--check`, see whether it would); say whether it fits."""
    command = ["git", "apply", *options, str(patch)]
    # A tree that is no repository must not be taken for a part of one that happens to lie above it.
    settings = os.environ | {"GIT_CEILING_DIRECTORIES": str(tree.parent)}
    return subprocess.run(command, cwd=tree, env=settings, check=False, capture_output=True).returncode == 0
