"""People for a story: each has a home, a passphrase file and a node process, and does everything through `mesh`.

The end-to-end tests use the same people. A node that was started is stopped by its own process id, whatever happens.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
Object: TypeAlias = dict[str, Json]

COMMAND_S: Final = 90.0  # the longest that one command may take before it counts as hung
LOOPBACK: Final = "/ip4/127.0.0.1/tcp/0"
PYTHON: Final = (sys.executable, "-P", "-m")
MESH: Final = "cli.main"


class StoryError(AssertionError):
    """Something in the story is not as it should be."""


@dataclass(slots=True)
class Person:
    """Someone with a node of their own."""

    name: str
    folder: Path
    pid: int | None = None
    listen: str = LOOPBACK
    env: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """The folder that holds their identity and messages."""
        return self.folder / self.name

    @property
    def passphrase_file(self) -> Path:
        """Where their passphrase lies, so that nobody has to type it in a story."""
        return self.folder / f"{self.name}.passphrase"

    def environment(self) -> dict[str, str]:
        """Return the environment of their commands: their own home and sockets, nobody else's settings."""
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR", "LANG") if key in os.environ}
        return {
            **kept,
            "PYTHONPATH": str(Path(__file__).resolve().parent.parent),
            "MESH_HOME": str(self.home),
            "MESH_PASSPHRASE_FILE": str(self.passphrase_file),
            "XDG_RUNTIME_DIR": str(self.folder / "run"),
            **self.env,
        }

    # ------------------------------------------------------------ commands

    def begin(self, *words: str, program: str = MESH) -> "subprocess.Popen[str]":
        """Start a command and return its process."""
        return subprocess.Popen(
            [*PYTHON, program, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment(),
            text=True,
        )

    def run(self, *words: str, given: str = "") -> "subprocess.CompletedProcess[str]":
        """Run a command to its end, with `given` on its stdin."""
        process = self.begin(*words)
        try:
            out, err = process.communicate(given, timeout=COMMAND_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise StoryError(f"{self.name}: mesh {' '.join(words)} hung") from None
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def mesh(self, *words: str, given: str = "", exit: tuple[int, ...] = (0,)) -> Object:
        """Run a command with --json and return its answer; StoryError if it ends with another status."""
        done = self.run(*words, "--json", given=given)
        if done.returncode not in exit:
            raise StoryError(
                f"{self.name}: mesh {' '.join(words)} ended with {done.returncode}: {done.stdout}{done.stderr}"
            )
        answer: Object = json.loads(done.stdout.splitlines()[-1]) if done.stdout.strip() else {}
        return answer

    # ------------------------------------------------------------ the node

    def init(self) -> Object:
        """Make their identity."""
        return finish_init(self.begin_init())

    def begin_init(self) -> "subprocess.Popen[str]":
        """Start making their identity; it takes seconds, so several people do it at once."""
        self._choose_passphrase()
        return self.begin("init", "--name", self.name, "--yes", "--json")

    def init_with(self, words: str) -> Object:
        """Make a further home of the identity that these 24 words are."""
        self._choose_passphrase()
        return self.mesh("init", "--name", self.name, "--words-fd", "0", given=words + "\n")

    def _choose_passphrase(self) -> None:
        (self.folder / "run").mkdir(mode=0o700, exist_ok=True)
        self.passphrase_file.write_text(f"the passphrase of {self.name}\n", encoding="utf-8")
        self.passphrase_file.chmod(0o600)

    def up(self, *words: str) -> Object:
        """Start their node behind the terminal; return its `ready` event."""
        ready = self.mesh("up", "--detach", "--listen", self.listen, *words)
        pid = ready["pid"]
        assert isinstance(pid, int)
        self.pid = pid
        return ready

    def down(self) -> None:
        """Stop their node and see its process end."""
        self.mesh("down")
        if self.pid is not None:
            wait_for(lambda: not is_running(self.pid), f"{self.name}'s node to end", 20)
            self.pid = None

    def kill(self) -> None:
        """Kill their node, as a power cut would."""
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            wait_for(lambda: not is_running(self.pid), f"{self.name}'s node to end", 20)
            self.pid = None

    # ------------------------------------------------------------ what they do

    def join(self, code: str, *words: str) -> Object:
        """Join with a code, agreeing to what is shown."""
        return self.mesh("join", "-", "--agree", *words, given=code + "\n")

    def post(self, group: str, text: str, *words: str, exit: tuple[int, ...] = (0,)) -> Object:
        """Say something; the text goes over stdin."""
        return self.mesh("post", group, "-", *words, given=text, exit=exit)

    def texts(self, group: str) -> list[str]:
        """Read a group; return what is said in it, oldest first."""
        return [str(m["text"]) for m in records(self.mesh("read", group, "--limit", "500"), "messages")]

    def sees(self, group: str, *texts: str, seconds: float = 30) -> None:
        """Wait until they can read each of these, and that none is there twice."""
        wait_for(lambda: set(texts) <= set(self.texts(group)), f"{self.name} to read {texts}", seconds)
        shown = self.texts(group)
        if any(shown.count(text) != 1 for text in texts):
            raise StoryError(f"{self.name} sees something twice: {shown}")

    def group(self, name: str) -> Object:
        """Show a group."""
        return record(self.mesh("group", "show", name), "group")

    def is_out(self, name: str) -> bool:
        """Say whether their node has seen a key that it was not given, or was told that they are out."""
        return self.group(name)["state"] in ("cut-off", "told-out")


def finish_init(process: "subprocess.Popen[str]") -> Object:
    """Wait for `begin_init` to end."""
    out, err = process.communicate(timeout=COMMAND_S)
    if process.returncode != 0:
        raise StoryError(f"mesh init ended with {process.returncode}: {out}{err}")
    made: Object = json.loads(out)
    return made


def port_of(ready: Mapping[str, Json]) -> int:
    """Return the TCP port of the first address in a `ready` event."""
    addresses = ready["addresses"]
    assert isinstance(addresses, list)
    return int(str(addresses[0]).split("/tcp/")[1].split("/")[0])


def wait_for(condition: Callable[[], bool], what: str, seconds: float) -> float:
    """Look until something holds; return how long it took. StoryError when the time is over."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise StoryError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(0.02)  # between two looks, not instead of one
    return time.monotonic() - began


def is_running(pid: int | None) -> bool:
    """Say whether a process is there and not just waiting to be collected."""
    if pid is None:
        return False
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2][0]
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return state != "Z"


def record(value: Mapping[str, Json], key: str) -> Object:
    """Return an object in an answer."""
    found = value[key]
    assert isinstance(found, dict)
    return found


def records(value: Mapping[str, Json], key: str) -> list[Object]:
    """Return a list of objects in an answer."""
    found = value[key]
    assert isinstance(found, list)
    return [entry for entry in found if isinstance(entry, dict)]


def text(value: Mapping[str, Json], key: str) -> str:
    """Return a text in an answer."""
    found = value[key]
    assert isinstance(found, str)
    return found
