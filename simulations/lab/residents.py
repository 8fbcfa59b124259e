"""Who lives in the lab: each has a home, a passphrase and a node process of their own, on loopback behind the shim.

A process is ended by the id of the one that was started, whatever happens. Its stdin is ours, so that it also ends when
we do not get to that. Identities are made and unlocked as anybody's are, key derivation included.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import trio

import simulations
from mesh.node.local.protocol import JsonObject
from simulations.lab import asking, node
from simulations.lab.asking import NodeGone
from simulations.lab.shim import HERE, Shim

LISTEN: Final = f"/ip4/{HERE}/tcp/0"
PYTHON: Final = (sys.executable, "-P", "-m")
KEPT: Final = ("PATH", "HOME", "TMPDIR")  # of our own environment
START_S: Final = 120.0  # the longest that one identity or one start may take, on a machine with much to do
END_S: Final = 10.0
ROOT: Final = Path(simulations.__file__).parents[1]


@dataclass(slots=True)
class Resident:
    """Somebody with a node. `said` counts what their nodes gave to links, by kind: of those that have ended."""

    name: str
    folder: Path
    shim: Shim
    others: tuple[str, ...]
    socket: str = ""  # of the local Api, while the node runs
    address: str = ""  # what it tells others of where it is
    said: Counter[str] = field(default_factory=Counter)
    _process: trio.Process | None = None

    @property
    def up(self) -> bool:
        """Whether their node runs and is ready."""
        return bool(self.socket)

    @property
    def home(self) -> Path:
        """The folder of their identity."""
        return self.folder / self.name

    @property
    def passphrase(self) -> str:
        """Their passphrase."""
        return f"the passphrase of {self.name}"

    def _environment(self) -> Mapping[str, str]:
        shim, me = self.shim, self.name
        fronts = {shim.door(other): shim.front(me, other) for other in self.others if other != me}
        return {
            **{key: os.environ[key] for key in KEPT if key in os.environ},
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            "MESH_HOME": str(self.home),
            "MESH_PASSPHRASE_FILE": str(self.folder / f"{me}.passphrase"),
            "XDG_RUNTIME_DIR": str(self.folder / "run"),
            node.FRONTS: node.written(fronts),
        }

    async def make(self) -> None:
        """Make their identity."""
        (self.folder / "run").mkdir(mode=0o700, exist_ok=True)
        secret = self.folder / f"{self.name}.passphrase"
        secret.touch(mode=0o600)
        secret.write_text(self.passphrase + "\n", encoding="utf-8")
        with trio.fail_after(START_S):
            done = await trio.run_process(
                [*PYTHON, "cli.main", "init", "--name", self.name, "--yes", "--json"],
                env=self._environment(),
                capture_stdout=True,
                capture_stderr=True,
                check=False,
                start_new_session=True,
            )
        if done.returncode != 0:
            raise NodeGone(f"no identity could be made for {self.name}: {_tail(done.stderr)}")

    async def start(self) -> None:
        """Start their node, and wait until it is ready; NodeGone if it is not in time."""
        assert self._process is None, "it runs already"
        door = f"/ip4/{HERE}/tcp/{self.shim.door(self.name)}"
        words = ("up", "--json", "--listen", LISTEN, "--announce", door)
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self._process = await trio.lowlevel.open_process(
                [*PYTHON, node.__name__, *words],
                env=self._environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        with trio.move_on_after(START_S):
            ready = await _first_line(self._process)
            if ready.get("event") == "ready":
                listening = ready["listening"]
                assert isinstance(listening, list)
                self.shim.lives_at(self.name, int(str(listening[0]).split("/")[4]))
                self.address = f"{door}/p2p/{asking.text(ready, 'peer_id')}"
                self.socket = asking.text(ready, "api")
                return
        await self.end()
        told = (self.folder / f"{self.name}.log").read_bytes()
        raise NodeGone(f"the node of {self.name} did not become ready: {_tail(told)}")

    async def ask(self, method: str, longer_s: float = 0.0, /, **params: object) -> JsonObject:
        """Ask their node, waiting so much longer than usual; MeshError for a refusal, NodeGone if it is off."""
        if not self.up:
            raise NodeGone(f"{self.name} is off")
        return await asking.ask(self.socket, method, params, wait_s=longer_s)  # type: ignore[arg-type] # all are JSON

    async def counted(self) -> Counter[str]:
        """Say how much their nodes have given to links so far, by kind."""
        if not self.up:
            return Counter(self.said)
        health = (await self.ask("node.health"))["health"]
        assert isinstance(health, dict)
        now = health["said_bytes"]
        assert isinstance(now, dict)
        return self.said + Counter({kind: count for kind, count in now.items() if isinstance(count, int)})

    async def stop(self) -> None:
        """End their node at once, as when the plug is pulled; what it had said is counted first."""
        self.said = await self.counted()
        await self.end()

    async def end(self) -> None:
        """End their process, if there is one, and see it gone."""
        process, self._process, self.socket = self._process, None, ""
        if process is None:
            return
        with trio.CancelScope(shield=True), trio.fail_after(END_S):
            process.kill()
            await process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    await pipe.aclose()

    def lose(self) -> None:
        """Lose their disk; they are nobody until there is a new identity."""
        shutil.rmtree(self.home)


async def _first_line(process: trio.Process) -> JsonObject:
    assert process.stdout is not None
    held = b""
    async for data in process.stdout:
        held += bytes(data)
        if b"\n" in held:
            said = json.loads(held.partition(b"\n")[0])
            return said if isinstance(said, dict) else {}
    return {}


def _tail(said: bytes) -> str:
    return said.decode(errors="replace").strip()[-300:]
