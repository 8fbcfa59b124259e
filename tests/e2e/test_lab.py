"""The lab on real processes: it agrees with the world about a small evening, and leaves no process behind."""

import os
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from demo.people import PYTHON, is_running, wait_for
from mesh.errors import Exit
from simulations.lab.agreement import SMALL, SMALL_WORLDS, compare, in_worlds
from simulations.lab.running import run_in_lab

pytestmark = pytest.mark.e2e
END_S = 20.0


def test_real_nodes_and_the_world_agree_about_a_small_evening() -> None:
    """What is delivered. How soon depends on what else this machine does, and what it costs on how links come about,
    which the world makes too easy: both are `make lab`'s, which says where they miss their bounds.
    """
    plan = SMALL.plan()
    lab = run_in_lab(plan, SMALL.seed)
    assert (lab.posts, lab.wanted, lab.came, lab.passed_over) == (10, 30, 30, ())
    assert len(lab.latencies_ms) == 30, "each reader's node told of each post"
    assert lab.settle_s is not None
    assert min(lab.latencies_ms) >= plan.weather.latency_ms, "nothing is sooner than the weather lets it be"
    rows = {one.figure: one for one in compare(SMALL.name, in_worlds(plan, SMALL.seed, count=SMALL_WORLDS), [lab])}
    assert rows["delivery_ratio"].met
    assert rows["deliveries"].off == 0
    assert 0.5 < rows["up_bytes_mean"].level3 / rows["up_bytes_mean"].level1 < 2


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_a_lab_comes_to_an_end_none_of_its_nodes_is_left(how: signal.Signals) -> None:
    with tempfile.TemporaryDirectory() as folder:  # with a short name, as a socket's path must have
        _ends(how, Path(folder))


def _ends(how: signal.Signals, folder: Path) -> None:
    words = ("sim", "lab", "plain-evening", "--nodes", "1", "--set", "posts=1", "--set", "seconds=600")
    env = {**os.environ, "TMPDIR": str(folder)}
    with subprocess.Popen([*PYTHON, "cli.main", *words], stderr=subprocess.PIPE, text=True, env=env) as process:
        assert process.stderr is not None
        try:
            assert any("found" in line for line in process.stderr), "the group is founded: the node runs"
            nodes = children(process.pid)
            assert len(nodes) == 1
            process.send_signal(how)
            process.stderr.close()
            assert process.wait(END_S) != Exit.OK
        finally:
            process.kill()
    wait_for(lambda: not any(is_running(pid) for pid in nodes), "the nodes to end", END_S)
    left = [] if how is signal.SIGKILL else list(folder.iterdir())
    assert left == [], "nor any of their homes"


def test_what_no_lab_can_do_is_named_and_nothing_is_started() -> None:
    done = subprocess.run(
        [*PYTHON, "cli.main", "sim", "lab", "crash-at-every-commit", "--json"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == Exit.USAGE
    assert "E-SIM" in done.stdout
    assert "`crash`" in done.stdout


def children(pid: int) -> list[int]:
    """Return the processes that this one has started and that run."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    return [child for child, parent in pairs if parent == pid and child != pid]
