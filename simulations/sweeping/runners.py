"""Runners: processes in which the units of a sweep are run, so that a run can be ended whatever it does.

A run that takes too long is killed with its process; the next one gets a new process. What is asked and what comes back
is data alone, JSON as text: the same function (`carry`) serves the threads of one machine and the workers of a cluster.
A process whose code is not the asker's runs nothing.
"""

import os
import selectors
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import IO, Annotated, Final

import msgspec
from msgspec import Meta, Struct

from simulations.errors import PlanError
from simulations.running import ROOT, code_name, locks_name
from simulations.sweeping.rows import Ended, Limits, Row, broken
from simulations.sweeping.units import Unit

CHILD: Final = "simulations.sweeping.child"
START_S: Final = 120.0  # a processor that is very busy takes some seconds
ANSWER_BYTES_MAX: Final = 4 * 1024 * 1024


class Name(Struct, frozen=True):
    """What a process runs: its code, the versions of its libraries, its Python."""

    code: str
    locks: str
    python: str

    def same(self, other: "Name") -> bool:
        """Say whether both come to the same results; libraries are compared where both know theirs."""
        locks = not self.locks or not other.locks or self.locks == other.locks
        return (self.code, self.python) == (other.code, other.python) and locks

    def __str__(self) -> str:
        """Say it to a person."""
        return f"code {self.code}, libraries {self.locks or 'not known'}, Python {self.python}"


class Asked(Struct, frozen=True):
    """What is asked of a process: a unit, its limits, and of whom the asker is."""

    unit: Unit
    limits: Limits
    name: Name


class Came(Struct, frozen=True):
    """What came of it: a row, or why it was refused. `cpu_s`: seconds of a processor; of one killed, on the wall."""

    row: Row | None = None
    cpu_s: Annotated[float, Meta(ge=0)] = 0.0
    refused: Annotated[str, Meta(max_length=1_000)] = ""


def own_name() -> Name:
    """Name what this process runs."""
    return Name(code_name(), locks_name(), f"{sys.version_info[0]}.{sys.version_info[1]}")


# ---------------------------------------------------------------- one process


class _Gone(Exception):
    """The process ended before it answered."""


@dataclass(slots=True)
class Runner:
    """A process that runs one unit at a time, in a session of its own: what interrupts us does not reach it."""

    process: subprocess.Popen[bytes]
    name: Name = field(init=False)
    said: bytearray = field(default_factory=bytearray)

    @staticmethod
    def start() -> "Runner":
        """Start one; PlanError where it does not come up."""
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH", "")])])
        with TemporaryFile() as errors:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-P", "-m", CHILD],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,
            )
            runner = Runner(process)
            try:
                runner.name = msgspec.json.decode(runner._line(START_S), type=Name)
            except (_Gone, TimeoutError, msgspec.DecodeError) as error:
                runner.end()
                raise PlanError(f"A process for runs did not start: {_last(errors) or type(error).__name__}") from error
            except BaseException:
                runner.end()
                raise
        return runner

    def run(self, asked: Asked) -> Came:
        """Run a unit. Where the process did not survive it, or had to be ended, the row says so."""
        began = time.monotonic()
        try:
            assert self.process.stdin is not None
            self.process.stdin.write(msgspec.json.encode(asked) + b"\n")
            self.process.stdin.flush()
            came = msgspec.json.decode(self._line(asked.limits.seconds), type=Came)
        except TimeoutError:
            limit = asked.limits.seconds
            row = broken(asked.unit, "time", f"it took more than {limit:g} s", Ended("time", limit))
        except (_Gone, OSError, msgspec.DecodeError):
            self.end()
            row = broken(asked.unit, "process", _how(self.process.returncode), Ended("process"))
        else:
            if came.row is not None and came.row.ended is not None:
                self.end()  # after it ran out of memory, nobody knows what is whole in it
            return came
        self.end()
        return Came(row, round(time.monotonic() - began, 3))

    def end(self) -> None:
        """End it, in the middle of a run if there is one."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def _line(self, seconds: float) -> bytes:
        """Read a line within so many seconds; TimeoutError, or _Gone if the process ends or says what is none."""
        assert self.process.stdout is not None
        until = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while (end := self.said.find(b"\n")) < 0:
                if not selector.select(max(0.0, until - time.monotonic())):
                    raise TimeoutError
                more = os.read(self.process.stdout.fileno(), 65_536)
                self.said += more
                if not more or len(self.said) > ANSWER_BYTES_MAX:
                    raise _Gone
        line, self.said[: end + 1] = bytes(self.said[:end]), b""
        return line


def _how(code: int) -> str:
    return f"its process was ended by signal {-code}" if code < 0 else f"its process ended with {code}"


def _last(errors: IO[bytes]) -> str:
    errors.seek(0)
    lines = errors.read(65_536).decode(errors="replace").split("\n")
    return next((line[:300] for line in reversed(lines) if line.strip()), "")


# ---------------------------------------------------------------- several


@dataclass(slots=True)
class Crew:
    """The runners of one process, which may ask from several threads. They are kept from one unit to the next."""

    idle: list[Runner] = field(default_factory=list)
    all: list[Runner] = field(default_factory=list)
    ended: bool = False

    def run(self, asked: Asked) -> Came:
        """Run a unit in an idle runner, or a new one."""
        runner = self._runner(asked.name)
        if not runner.name.same(asked.name):
            self.all.remove(runner)
            runner.end()
            return Came(refused=f"there is {runner.name}; here is {asked.name}")
        came = runner.run(asked)
        if self.ended:
            runner.end()
        if runner.process.returncode is None:
            self.idle.append(runner)
        else:
            self.all.remove(runner)
        return came

    def _runner(self, name: Name) -> Runner:
        """Give a runner; of those that idle, one whose code is not the asker's any more is ended."""
        with suppress(IndexError):
            while True:
                runner = self.idle.pop()
                if runner.name.same(name) and runner.process.poll() is None:
                    return runner
                self.all.remove(runner)
                runner.end()
        runner = Runner.start()
        self.all.append(runner)
        if self.ended:
            runner.end()
        return runner

    def end(self) -> None:
        """End every runner, whatever it does, and start none any more."""
        self.ended = True
        for runner in list(self.all):
            runner.process.kill()  # whoever waits for it hears of it, and closes what it held
        while self.idle:
            self.idle.pop().end()

    def carry(self, asked: str) -> str:
        """Carry out a unit: text in, text out."""
        return msgspec.json.encode(self.run(msgspec.json.decode(asked, type=Asked))).decode()


CREW: Final = Crew()  # of a worker in a cluster, for as long as it lives


def carry(asked: str) -> str:
    """Carry out a unit: text in, text out. This is what is handed to the workers of a cluster."""
    return CREW.carry(asked)


def hello() -> str:
    """Say what code runs here, as a process that is new has it: what a worker is asked before anything else."""
    runner = Runner.start()
    runner.end()
    return msgspec.json.encode(runner.name).decode()
