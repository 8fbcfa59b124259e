"""A Dask cluster on 127.0.0.1 for a test: a scheduler and workers in processes of their own, ended with the test."""

import os
import re
import selectors
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).resolve().parents[2]
UP_S = 120.0  # a busy machine takes its time to import Dask
ALONE_S = 600  # then they end by themselves, where whoever started them was ended and could not
# A `sitecustomize.py` for processes that are to go astray: the order of what happens at once is drawn from elsewhere.
ASTRAY = """
import random
from simulations import chance
real = chance.seeded_dice
chance.seeded_dice = lambda seed, label: random.Random() if label.startswith("ties/") else real(seed, label)
"""


@dataclass(frozen=True)
class Started:
    """A process, and what it said as it came up."""

    process: subprocess.Popen[bytes]
    said: str


@contextmanager
def started(module: str, *arguments: str, until: str, env: Mapping[str, str] | None = None) -> Iterator[Started]:
    """Run one of Dask's programs until it says a pattern, then for as long as this lasts."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", f"distributed.cli.{module}", *arguments, "--no-dashboard"],
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        start_new_session=True,
    )
    try:
        assert process.stderr is not None
        yield Started(process, _heard(process.stderr.fileno(), until))
    finally:
        process.kill()
        process.wait(20)
        if process.stderr is not None:
            process.stderr.close()


def _heard(pipe: int, until: str) -> str:
    end, said = monotonic() + UP_S, ""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while not re.search(until, said):
            assert selector.select(end - monotonic()), f"{until!r} was not said: {said}"
            more = os.read(pipe, 65_536)
            assert more, said
            said += more.decode()
    return said


@contextmanager
def scheduler(env: Mapping[str, str] | None = None) -> Iterator[str]:
    """Start a scheduler on a port of its own; give its address as `--executor` takes it."""
    listening = r"Scheduler at: +tcp://\S+\n"
    alone = ("--idle-timeout", f"{ALONE_S} s")
    with started("dask_scheduler", "--host", "127.0.0.1", "--port", "0", *alone, until=listening, env=env) as one:
        (address,) = re.findall(r"Scheduler at: +tcp://(\S+)\n", one.said)
        yield f"dask://{address}"


@contextmanager
def workers(at: str, scratch: Path, *envs: Mapping[str, str]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start a worker of one thread for each environment."""
    with ExitStack() as stack:
        ups = [
            started(
                *("dask_worker", at.replace("dask://", "tcp://"), "--host", "127.0.0.1", "--nthreads", "1"),
                *("--no-nanny", "--local-directory", str(scratch / f"worker-{number}"), "--memory-limit", "0"),
                *("--death-timeout", f"{ALONE_S}"),
                until="Registered to",
                env=env,
            )
            for number, env in enumerate(envs)
        ]
        yield [stack.enter_context(up).process for up in ups]
