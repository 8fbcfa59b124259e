"""How long the main job takes on this machine: real nodes on loopback, medians beside their bars.

The bars are absolute times and so say as much about the machine as about the program: read them together with the line
that describes it.
"""

import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from benchmarks.idle import measure_idle
from benchmarks.report import Figure
from demo.people import COMMAND_S, MESH, PYTHON, Person, StoryError, finish_init, record, text
from mesh.identity.keyslot import Role, keyslot_cost
from mesh.identity.passphrase import SALT_BYTES, derive
from mesh.node.home import Home
from mesh.node.local.client import connect

GROUP: Final = "bench"
POSTS: Final = 60
RUNS: Final = 7
MS: Final = 1000.0
NO_NETWORK: Final = ("unshare", "--user", "--map-root-user", "--net")  # a network of its own, with nothing in it


def timed(act: Callable[[], object]) -> float:
    """Return how long something takes, in ms."""
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * MS


def commands(person: Person) -> list[Figure]:
    """Time whole commands, the start of Python included."""

    def run(*words: str) -> float:
        return timed(lambda: _must(person, *words))

    help_ms = [run("--help") for _ in range(RUNS)]
    crisis_ms = [run("crisis", "--locale", "GB") for _ in range(RUNS)]
    read_ms = [run("read", GROUP) for _ in range(RUNS)]
    return [
        Figure(name="mesh --help", unit="ms", values=help_ms, bar=400),
        Figure(name="mesh crisis", unit="ms", values=crisis_ms, bar=400),
        Figure(name="mesh read, node up", unit="ms", values=read_ms, bar=400),
    ]


def crisis_alone(folder: Path) -> Figure:
    """Time the crisis card on a machine that has nothing: no home, no node and, where that can be had, no network."""
    nothing = folder / "nothing"
    nothing.mkdir()
    cut_off = _can_cut_off()
    line = [*(NO_NETWORK if cut_off else ()), *PYTHON, MESH, "crisis", "--locale", "GB"]
    kept = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
    env = {**kept, "HOME": str(nothing), "PYTHONPATH": str(Path(__file__).resolve().parent.parent)}

    def run() -> None:
        subprocess.run(line, env=env, cwd=nothing, check=True, capture_output=True, timeout=COMMAND_S)

    values = [timed(run) for _ in range(RUNS)]
    if any(nothing.iterdir()):
        raise StoryError("mesh crisis left something behind")
    without = "no home, node or network" if cut_off else "no home or node (network not cut)"
    return Figure(name=f"mesh crisis, {without}", unit="ms", values=values, bar=400)


def _can_cut_off() -> bool:
    """Say whether this machine lets us run a command without a network."""
    try:
        return (
            subprocess.run([*NO_NETWORK, "true"], check=False, capture_output=True, timeout=COMMAND_S).returncode == 0
        )
    except OSError:
        return False


def _must(person: Person, *words: str) -> None:
    done = person.run(*words)
    if done.returncode != 0:
        raise StoryError(f"mesh {' '.join(words)}: {done.stderr}")


def closed_read(person: Person) -> list[Figure]:
    """Time `mesh read` with the node down, and the key derivation that it contains."""
    read_ms = [timed(lambda: _must(person, "read", GROUP)) for _ in range(RUNS)]
    home = Home.at(person.home)
    cost = keyslot_cost(home.keyslot.read_bytes(), role=Role.STORE)
    derive_ms = [timed(lambda: derive("some passphrase", bytes(SALT_BYTES), cost)) for _ in range(3)]
    return [
        Figure(name="key derivation alone", unit="ms", values=derive_ms, bar=None),
        Figure(name="mesh read, node down", unit="ms", values=read_ms, bar=statistics.median(derive_ms) + 300),
    ]


def post_to_screen(wren: Person, juniper: Person) -> Figure:
    """Time from asking wren's node to post until the line is on juniper's `mesh read --follow`."""
    follow = juniper.begin("read", GROUP, "--follow", "--json")
    assert follow.stdout is not None
    taken: list[float] = []
    try:
        os.environ["XDG_RUNTIME_DIR"] = wren.environment()["XDG_RUNTIME_DIR"]
        node = connect(wren.home)
        assert node is not None
        with closing(node):
            node.call("post", {"group": GROUP, "text": "first", "wait_s": 5.0})
            _until(follow.stdout.readline, "first")
            for k in range(POSTS):
                began = time.perf_counter()
                node.call("post", {"group": GROUP, "text": f"post {k}", "wait_s": 0.0})
                _until(follow.stdout.readline, f"post {k}")
                taken.append((time.perf_counter() - began) * MS)
    finally:
        follow.kill()
        follow.communicate()
    return Figure(name="post to another node's screen", unit="ms", values=taken, bar=50)


def _until(readline: Callable[[], str], words: str) -> None:
    while True:
        line = readline()
        if not line:
            raise StoryError("the screen went dark")
        event = json.loads(line)
        if event.get("event") == "message" and event["message"]["text"] == words:
            return


def measure(folder: Path) -> list[Figure]:
    """Measure all of it with two people."""
    alone = crisis_alone(folder)
    wren, juniper = Person("wren", folder), Person("juniper", folder)
    try:
        for process in (wren.begin_init(), juniper.begin_init()):
            finish_init(process)
        up_ms = []
        for _ in range(3):
            up_ms.append(timed(wren.up))
            wren.down()
        wren.up()
        juniper.up()
        wren.mesh("group", "create", GROUP)
        joins = [timed(lambda: _join(wren, juniper))]
        screen = post_to_screen(wren, juniper)
        figures = [
            Figure(name="mesh up --detach, to ready", unit="ms", values=up_ms, bar=4000),
            Figure(name="mesh join, admitter online", unit="ms", values=joins, bar=3000),
            screen,
            alone,
            *commands(wren),
        ]
        figures += measure_idle(wren)
        wren.down()
        return [*figures, *closed_read(wren)]
    finally:
        wren.kill()
        juniper.kill()


def _join(wren: Person, juniper: Person) -> None:
    code = text(wren.mesh("invite", "new", GROUP), "code")
    if record(juniper.join(code), "join")["state"] != "joined":
        raise StoryError("juniper is not in")
