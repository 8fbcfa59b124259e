"""How long the main job takes on this machine: real nodes on loopback, medians beside their bars.

Run it with `make bench`. The bars are absolute times and so say as much about the machine as about the program: read
them together with the line that describes it.
"""

import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from demo.people import MESH, PYTHON, Person, StoryError, finish_init, record, text
from mesh.identity.keyslot import Role, keyslot_cost
from mesh.identity.passphrase import SALT_BYTES, derive
from mesh.node.home import Home
from mesh.node.local.client import connect

GROUP: Final = "bench"
POSTS: Final = 60
RUNS: Final = 7
MS: Final = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A measured quantity: all its values in ms, and the bar it is held against."""

    name: str
    values: list[float]
    bar_ms: float | None

    @property
    def median(self) -> float:
        """The middle value."""
        return statistics.median(self.values)

    def line(self) -> str:
        """Say it in one line."""
        worst = sorted(self.values)[max(0, round(len(self.values) * 0.95) - 1)]
        bar = (
            ""
            if self.bar_ms is None
            else f"bar {self.bar_ms:7.0f} ms  {'met' if self.median <= self.bar_ms else 'MISSED'}"
        )
        return f"{self.name:<46} median {self.median:8.1f} ms   p95 {worst:8.1f} ms   n {len(self.values):3}   {bar}"


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
    read_ms = [run("read", GROUP) for _ in range(RUNS)]
    return [
        Figure(name="mesh --help", values=help_ms, bar_ms=400),
        Figure(name="mesh read, node up", values=read_ms, bar_ms=400),
    ]


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
        Figure(name="key derivation alone", values=derive_ms, bar_ms=None),
        Figure(name="mesh read, node down", values=read_ms, bar_ms=statistics.median(derive_ms) + 300),
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
    return Figure(name="post to another node's screen", values=taken, bar_ms=50)


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
            Figure(name="mesh up --detach, to ready", values=up_ms, bar_ms=4000),
            Figure(name="mesh join, admitter online", values=joins, bar_ms=3000),
            screen,
            *commands(wren),
        ]
        wren.down()
        return [*figures, *closed_read(wren)]
    finally:
        wren.kill()
        juniper.kill()


def _join(wren: Person, juniper: Person) -> None:
    code = text(wren.mesh("invite", "new", GROUP), "code")
    if record(juniper.join(code), "join")["state"] != "joined":
        raise StoryError("juniper is not in")


def main() -> int:
    """Measure, print, and keep the figures."""
    machine = (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"
    )
    print(f"{machine}; whole processes: {' '.join([*PYTHON[1:], MESH])}")
    with tempfile.TemporaryDirectory(prefix="mesh-bench-") as folder:
        figures = measure(Path(folder))
    for figure in figures:
        print(figure.line())
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    kept = {
        "machine": machine,
        "figures": [
            {
                "name": f.name,
                "median_ms": round(f.median, 1),
                "bar_ms": f.bar_ms,
                "values_ms": [round(v, 1) for v in f.values],
            }
            for f in figures
        ],
    }
    (results / "main_job.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
