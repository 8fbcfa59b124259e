"""A sweep on a Dask cluster: the very files of one machine; workers of other code, and what is no cluster, are refused.

The cluster is real: a scheduler and workers in processes of their own, on 127.0.0.1.
"""

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from simulations.errors import PlanError
from simulations.sweeping import hands as handing
from simulations.sweeping import sweep as sweeping
from simulations.sweeping.hands import ClusterError, cluster, here, scheduler
from simulations.sweeping.rows import read_row
from simulations.sweeping.sweep import Progress, sweep
from simulations.sweeping.units import Unit, units_of
from tests.simulations import dasks

OWN = """
people = 3
[weather]
loss = 0.1
[bounds]
joins_ended = { least = 9 }
[[step]]
do = "gather"
group = "g"
[[step]]
at_s = 20
every_s = 1
until_s = 24
do = "post"
who = "any"
group = "g"
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a cluster with two workers, whose hashes are not alike."""
    seeds = ({"PYTHONHASHSEED": "0"}, {"PYTHONHASHSEED": "4242"})
    with dasks.scheduler() as at, dasks.workers(at, tmp_path_factory.mktemp("workers"), *seeds):
        yield at


def units(folder: Path, seeds: int = 2) -> list[Unit]:
    """Give two scenarios that pass and one of a file, which does not."""
    (folder / "own.toml").write_text(OWN, encoding="utf-8")
    return units_of(["restored-apart", "crash-at-every-commit", str(folder / "own.toml")], range(seeds), {})


def kept(out: Path) -> dict[str, bytes]:
    """Read every file in a folder."""
    return {path.name: path.read_bytes() for path in out.iterdir()}


def test_a_cluster_gives_the_files_of_one_machine_byte_for_byte(address: str, tmp_path: Path) -> None:
    asked = units(tmp_path)
    with here(1) as ready:
        alone = sweep(asked, tmp_path / "here", ready)
    with cluster(address) as ready:
        assert ready.at_once == 4
        together = sweep(asked, tmp_path / "there", ready)
    assert kept(tmp_path / "here") == kept(tmp_path / "there")
    assert len(kept(tmp_path / "there")) == len(asked) == 6
    assert alone.rows == together.rows
    assert [row.passed for row in together.rows] == [True, True, False] * 2
    assert len({row.digest for row in together.rows}) == 6


def test_one_draw_that_is_not_the_seeds_is_found_out_by_comparing(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(dasks.ASTRAY, encoding="utf-8")
    asked = units(tmp_path)
    with here(1) as ready:
        sweep(asked, tmp_path / "here", ready)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(tmp_path))
        with here(1) as ready:
            sweep(asked, tmp_path / "astray", ready)
    plain, astray = kept(tmp_path / "here"), kept(tmp_path / "astray")
    assert plain.keys() == astray.keys(), "the code is the same: nothing but the outcome tells"
    assert [name for name in plain if plain[name] == astray[name]] == []


def test_workers_of_other_code_and_of_none_are_refused_by_name(address: str, tmp_path: Path) -> None:
    other, empty = tmp_path / "other", tmp_path / "empty"
    for room in ("mesh", "simulations"):
        shutil.copytree(dasks.ROOT / room, other / room, ignore=shutil.ignore_patterns("__pycache__"))
    with (other / "mesh" / "ids.py").open("a") as file:
        file.write("# one line more\n")
    (empty / "simulations").mkdir(parents=True)
    (empty / "simulations" / "__init__.py").touch()
    with (
        dasks.workers(address, tmp_path, {"PYTHONPATH": str(other)}, {"PYTHONPATH": str(empty)}),
        pytest.raises(ClusterError) as refused,
        cluster(address) as ready,
    ):
        sweep(units(tmp_path), tmp_path / "out", ready)
    assert "2 of 4 workers have not the code that is here" in refused.value.what
    assert refused.value.what.count("tcp://127.0.0.1:") == 2
    assert "has nothing of it (no such module)" in refused.value.what
    assert not (tmp_path / "out").exists(), "nothing was run"


def test_a_cluster_that_loses_its_workers_is_told_and_what_was_done_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handing, "ALONE_S", 0.5)
    monkeypatch.setattr(sweeping, "LOOK_S", 0.3)
    asked = units(tmp_path, seeds=20)
    with dasks.scheduler() as at, dasks.workers(at, tmp_path, {}) as (worker,):

        def lose(_: Progress) -> None:
            worker.kill()

        with pytest.raises(ClusterError, match="What was done is kept"), cluster(at) as ready:
            sweep(asked, tmp_path / "out", ready, told=lose)
    done = [read_row(path) for path in (tmp_path / "out").iterdir()]
    assert 1 <= len(done) < len(asked)
    assert None not in done


def test_a_cluster_without_workers_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handing, "CONNECT_S", 2.0)
    with dasks.scheduler() as at, pytest.raises(ClusterError, match="has no worker"), cluster(at):
        raise AssertionError("there is nobody")


@contextmanager
def answering(said: bytes) -> Iterator[str]:
    """Listen on 127.0.0.1, and say this to whoever comes; nothing, if it is empty."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as stop:
        held: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    one, _ = server.accept()
                except OSError:
                    return
                held.append(one)
                if said:
                    one.sendall(said)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"dask://127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(20)
            for one in [*held, stop]:
                one.close()


@pytest.mark.parametrize(
    "said",
    [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x01" + b"\0" * 7 + b"\xff" * 8, b"\xff" * 64],
    ids=["silent", "http", "one huge frame", "noise"],
)
def test_what_is_no_dask_scheduler_is_told(monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    monkeypatch.setattr(handing, "CONNECT_S", 2.0)
    with answering(said) as at, pytest.raises(ClusterError, match="No Dask scheduler answers"), cluster(at):
        raise AssertionError("there is nobody")


def test_without_dask_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError) as missing, cluster("dask://127.0.0.1:8786"):
        raise AssertionError("there is nobody")
    assert "make dask" in str(missing.value.do)


def test_a_sweep_of_one_machine_does_without_dask(tmp_path: Path) -> None:
    code = (
        "import sys; import simulations.sweeping.sweep, simulations.sweeping.child\n"
        "print([name for name in ('distributed', 'dask', 'tornado') if name in sys.modules])"
    )
    env = {**os.environ, "PYTHONPATH": str(dasks.ROOT)}
    ran = subprocess.run([sys.executable, "-P", "-c", code], env=env, check=True, capture_output=True, text=True)
    assert ran.stdout == "[]\n"


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("dask://10.0.0.7:8786", "tcp://10.0.0.7:8786"),
        ("dask://scheduler.local:1", "tcp://scheduler.local:1"),
        ("dask://[::1]:8786", "tcp://[::1]:8786"),
    ],
)
def test_a_cluster_is_named_by_host_and_port(said: str, address: str) -> None:
    assert scheduler(said) == address


@pytest.mark.parametrize(
    "said",
    [
        *("", "dask", "dask://", "dask://host", "dask://:8786", "dask://host:0", "dask://host:65536", "dask://host:-1"),
        *("tcp://host:8786", "dask://host:8786/path", "dask://host:8786?x", "dask://host:8786#x", "dask://a@host:8786"),
        *("dask://[::1:8786", "dask://ho st:8786", "dask://host:87\n86", "loc al", "dask://host:8786/", "x" * 500),
    ],
)
def test_what_names_no_cluster_is_refused(said: str) -> None:
    with pytest.raises(PlanError, match="is no cluster"):
        scheduler(said)
