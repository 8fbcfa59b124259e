"""Hands: who carries the units of a sweep out: processes of this machine, or the workers of a Dask cluster.

Both are an executor of `concurrent.futures` to which one function is handed, with a text that it answers with a text.
Which of them it is changes nothing of what comes of a run. What a cluster is trusted with: whoever runs its scheduler
can run whatever they like on its workers and on this machine; Dask is made so. It is for machines that are all yours.
"""

import asyncio
import logging
import pkgutil
import re
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import msgspec

from simulations.errors import PlanError
from simulations.sweeping.runners import START_S, Crew, Name, carry, hello, own_name

if TYPE_CHECKING:
    from distributed import Client

CONNECT_S: Final = 10.0  # to a scheduler, and for one worker to be there
LEAVE_S: Final = 2.0  # for taking leave of a scheduler
ALONE_S: Final = 60.0  # for how long a cluster may be without a worker in the midst of a sweep
AHEAD: Final = 2  # units handed to a worker's thread: one that runs, one that is there when it ends
DASK: Final = "dask"


class ClusterError(PlanError):
    """A cluster cannot be used, or cannot be used any more; says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Hands:
    """Who carries units out. `at_once`: how many are handed over; `look` raises when nothing can come any more."""

    pool: Executor
    carry: Callable[[str], str]
    at_once: int
    look: Callable[[], None]


@contextmanager
def here(jobs: int) -> Iterator[Hands]:
    """Have processes of this machine carry units out. Afterwards none is left, whatever it was doing."""
    crew, pool = Crew(), ThreadPoolExecutor(jobs, thread_name_prefix="sweep")
    try:
        yield Hands(pool, crew.carry, jobs, lambda: None)
    finally:
        crew.end()
        pool.shutdown(cancel_futures=True)


# ---------------------------------------------------------------- a cluster


def scheduler(said: str) -> str:
    """Read `dask://HOST:PORT`; return the address as Dask writes it. PlanError for anything else."""
    try:
        parts = urlsplit(said)
        host, port = parts.hostname, parts.port
        plain = f"{DASK}://{parts.netloc}" == said and parts.username is None and not re.search(r"\s", said)
    except ValueError:
        host, port, plain = None, None, False
    if not host or not port or not plain:
        raise PlanError(f"`{said[:80]}` is no cluster, and not `local`. A cluster is written dask://HOST:PORT.")
    return f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}"


@contextmanager
def cluster(said: str, jobs: int | None = None) -> Iterator[Hands]:
    """Have the workers of a Dask cluster carry units out; `jobs`: how many at once, else as many as it has threads.

    ClusterError where there is none, where it has no worker, and where any worker is of another code than ours.
    """
    address = scheduler(said)
    if find_spec("distributed") is None:
        raise ClusterError(
            "A sweep on a cluster needs Dask, which is not installed here.",
            do="Run `make dask` where you ran `make install`, or install distributed beside mesh.",
        )
    with _quiet():
        client = _connected(address)
        try:
            threads = _workers(client, address)
            pool = client.get_executor(pure=False)
            _check(client, threads)
            yield Hands(pool, carry, jobs or AHEAD * sum(threads.values()), _Looking(client).look)
        finally:
            with suppress(Exception):  # one that is gone cannot be taken leave of
                client.close(timeout=LEAVE_S)


def _connected(address: str) -> "Client":
    from distributed import Client  # noqa: PLC0415 - it takes a second or more, and no other sweep needs it

    try:
        # Asked first who is there: Dask's own client waits without end for one who takes a connection and says nothing.
        found = asyncio.run(asyncio.wait_for(_identity(address), CONNECT_S))
        if found != "Scheduler":
            raise PlanError(f"there is a {str(found)[:40]}")
        return Client(address, timeout=CONNECT_S, set_as_default=False)
    except Exception as error:
        raise ClusterError(
            f"No Dask scheduler answers at {address} ({_said(error)}).",
            do="Start one with `dask scheduler`, or look at the address and the port.",
        ) from error


async def _identity(address: str) -> object:
    """Ask a node of Dask what it is."""
    from distributed.core import connect  # noqa: PLC0415 - as above

    comm = await connect(address, timeout=CONNECT_S)
    try:
        await comm.write({"op": "identity", "reply": True})
        said = await comm.read()
        return said.get("type") if isinstance(said, dict) else None
    finally:
        comm.abort()


def _workers(client: "Client", address: str) -> dict[str, int]:
    try:
        client.wait_for_workers(1, timeout=CONNECT_S)
        return dict(client.nthreads(callback_timeout=CONNECT_S))
    except Exception as error:
        raise ClusterError(
            f"The cluster at {address} has no worker: {_said(error)}",
            do=f"Start one on each machine, in the environment of this very code: `dask worker {address}`.",
        ) from error


def _check(client: "Client", threads: dict[str, int]) -> None:
    """Ask every worker what code it has; ClusterError names those of another."""
    ours, others = own_name(), dict[str, str]()
    # First by a function that every Python has: a worker that is handed one of ours, and has none, ends itself.
    for worker, there in _asked(client, threads, pkgutil.get_data, __package__, "runners.py").items():
        if not isinstance(there, bytes):
            others[worker] = f"nothing of it ({there or 'no such module'})"
    for worker, said in _asked(client, threads.keys() - others, hello).items():
        try:
            theirs = msgspec.json.decode(str(said), type=Name)
        except msgspec.DecodeError:
            others[worker] = f"given no name of its code ({said})"
        else:
            if not theirs.same(ours):
                others[worker] = str(theirs)
    if others:
        told = "; ".join(f"{worker} has {other}" for worker, other in sorted(others.items())[:5])
        raise ClusterError(
            f"{len(others)} of {len(threads)} workers have not the code that is here. {told}. Here is {ours}.",
            why="Other code could give other results, and nobody would see it. Nothing was run.",
            do="Install the same version, by the same locks, for the scheduler and each worker, and start them anew.",
        )


def _asked(client: "Client", workers: Iterable[str], ask: Callable[..., object], *args: object) -> dict[str, object]:
    """Ask each worker the same; give what each said, or a sentence about what went wrong."""
    asked: dict[str, Future[object]] = {}
    for worker in workers:
        pool = client.get_executor(pure=False, workers=[worker], allow_other_workers=False)
        asked[worker] = pool.submit(ask, *args)
    wait(asked.values(), timeout=START_S)
    told: dict[str, object] = {}
    for worker, future in asked.items():
        if not future.done():
            future.cancel()
            told[worker] = f"no answer within {START_S:g} s"
        elif future.cancelled():
            told[worker] = "the scheduler let go of the question: it may not have the code"
        else:
            wrong = future.exception()
            told[worker] = future.result() if wrong is None else _said(wrong)
    return told


@dataclass(slots=True)
class _Looking:
    client: "Client"
    alone_since: float | None = None

    def look(self) -> None:
        """Raise ClusterError once the scheduler is gone, or has had no worker for a while."""
        try:
            gone = self.client.status != "running" or not self.client.nthreads(callback_timeout=CONNECT_S)
        except Exception:  # noqa: BLE001 - a scheduler that does not answer is as good as none
            gone = True
        if not gone:
            self.alone_since = None
            return
        now = time.monotonic()
        self.alone_since = now if self.alone_since is None else self.alone_since
        if now - self.alone_since > ALONE_S:
            raise ClusterError(
                "The cluster has been without a worker for a minute. What was done is kept.",
                do="Start its workers again, then the same command: it goes on from there.",
            )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's own logs off the terminal: what matters is said by us."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".replace("\n", " ")[:300]
