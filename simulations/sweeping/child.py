"""A process that carries out one unit after the other: asked by its standard input, a line of JSON each.

It says first what code it is of. Its memory is held by the system (`RLIMIT_AS`; macOS does not hold to it), its time by
whoever started it (`simulations/sweeping/runners.py`). When the asker is gone, it is gone too, in the middle of a run.
"""

import os
import re
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from threading import Thread
from typing import BinaryIO, Final

import msgspec

from simulations.memo import remember
from simulations.running import run
from simulations.scenarios import names, scenario
from simulations.sweeping.rows import FOUND_MAX, Ended, Failed, Limits, Row, broken
from simulations.sweeping.runners import Asked, Came, Name, own_name
from simulations.sweeping.units import Unit

_MIB: Final = 1024 * 1024


def main() -> None:
    """Say who it is, then answer until the asker is gone."""
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever is printed in a run is no answer
    asked: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_listen, args=(asked,), daemon=True).start()
    remember()
    for name in names():
        scenario(name)  # read now: a sweep may last longer than the files stay as they are
    _say(channel, own_name())
    while True:
        began = time.process_time()
        one = msgspec.json.decode(asked.get(), type=Asked)
        row = carry_out(one.unit, one.limits)
        _say(channel, Came(row=row, cpu_s=round(time.process_time() - began, 3)))


def _say(channel: BinaryIO, value: Name | Came) -> None:
    channel.write(msgspec.json.encode(value) + b"\n")
    channel.flush()


def carry_out(unit: Unit, limits: Limits) -> Row:
    """Run one unit in this process; what goes wrong in it is in its row."""
    try:
        with _within(limits.mib):
            return _run(unit)
    except MemoryError:
        return broken(unit, "memory", f"it took more than {limits.mib} MiB", Ended("memory", limits.mib))
    except Exception as error:  # noqa: BLE001 - a node that breaks down is what a sweep is to find
        said = re.sub(r"0x[0-9a-f]{6,}", "0x…", f"{type(error).__name__}: {error}")  # where it lay in memory
        return broken(unit, "runs", said)


def _run(unit: Unit) -> Row:
    one, given = unit.found(), dict(unit.given)
    result = run(one.plan(unit.seed, given), unit.seed, scenario=one.name, bounds=one.bounds)
    return Row(
        scenario=unit.scenario,
        seed=unit.seed,
        parameters={**given},
        code=result.code,
        passed=result.passed,
        digest=result.digest,
        failed=tuple(Failed(check.name, check.found[:FOUND_MAX]) for check in result.checks if not check.passed),
        figures={**result.figures},
    )


@contextmanager
def _within(mib: int) -> Iterator[None]:
    """Hold the memory of this process to so many MiB."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    hard = before[1]
    most = mib * _MIB if hard == resource.RLIM_INFINITY else min(mib * _MIB, hard)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    try:
        yield
    finally:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, before)


def _listen(asked: SimpleQueue[bytes]) -> None:
    for line in sys.stdin.buffer:
        asked.put(line)
    os._exit(0)


if __name__ == "__main__":
    main()
