"""What a command loads: commands that need no network and no keys start at once because they load neither."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.runner import environment
from tests.node.local.fake_node import fake_node

HEAVY = {"trio", "nacl", "apsw", "libp2p", "cryptography", "asyncio", "textual", "numpy", "msgpack", "msgspec"}
CLIENT = {  # what it takes to ask a node that runs
    "mesh.errors",
    "mesh.phrases",
    "mesh.node",
    "mesh.node.local",
    "mesh.node.local.api",
    "mesh.node.local.client",
    "mesh.node.local.paths",
    "mesh.node.local.protocol",
}
CARD = CLIENT | {"mesh.support", "mesh.support.crisis", "mesh.support.crisis_table"}
RUN = """
import sys
from cli.main import main
status = main(sys.argv[1:])
print("loaded", *{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
print("rooms", *(name for name in sys.modules if name.startswith("mesh.")), file=sys.stderr)
sys.exit(status)
"""


def loaded(*line: str) -> tuple[set[str], set[str]]:
    """Run a command line; give the top-level modules and the rooms of mesh that it loaded."""
    ran = subprocess.run(
        [sys.executable, "-c", RUN, *line], capture_output=True, text=True, check=False, env=environment()
    )
    modules, rooms = (entry.split()[1:] for entry in ran.stderr.splitlines()[-2:])
    return set(modules), set(rooms)


LIGHT = [
    ("--help",),
    ("post", "--help"),
    ("group", "create", "--help"),
    ("version",),
    ("api",),
    ("help", "E-USAGE"),
    ("crisis", "--locale", "GB"),
    ("bogus",),
    ("completion", "bash"),
]


@pytest.mark.parametrize("line", LIGHT, ids=[" ".join(line) for line in LIGHT])
def test_a_command_that_needs_no_node_loads_nothing_heavy(line: tuple[str, ...]) -> None:
    modules, _ = loaded(*line)
    assert modules & HEAVY == set()


def test_a_command_to_a_node_that_runs_loads_nothing_heavy(home: Path) -> None:
    with fake_node(home, {"read": {"messages": [], "gaps": []}}):
        modules, rooms = loaded("--home", str(home), "read", "grief")
    assert modules & (HEAVY | {"rich", "platformdirs"}) == set()
    assert rooms == CLIENT


def test_the_crisis_card_loads_nothing_that_needs_a_home_a_node_or_a_network(tmp_path: Path) -> None:
    """That is why it comes at once on a machine that has none of them; `make bench` times it there."""
    missing = tmp_path / "no" / "home"
    modules, rooms = loaded("--home", str(missing), "crisis", "--locale", "GB")
    assert modules & (HEAVY | {"ssl", "sqlite3", "rich", "platformdirs", "zeroconf"}) == set()
    assert rooms == CARD
    assert list(tmp_path.iterdir()) == []


def test_help_imports_no_command() -> None:
    code = "import sys; from cli.main import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not [name for name in ran.stderr.split() if name.startswith("cli.commands.")]
