"""A home is made, opened and locked, by its owner and by others, in good places and bad."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mesh.errors import Exit, LockedError
from mesh.events import Put, Space
from mesh.identity.keys import draw_root
from mesh.identity.keyslot import KeyslotDamaged
from mesh.identity.passphrase import FLOOR, PassphraseUnfit
from mesh.node.home import Home, HomeBusy, HomeExists, HomeMissing, HomeOpen, HomeUnwritable, Mended
from mesh.secret import Secret
from mesh.store.faults import StoreDamaged, StoreMissing
from mesh.store.sqlite import Synchronous
from tests.node.homes import NEW, OLD, ROOT, WHOLE, Counter, finished, make, names


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return finished(tmp_path / "home")


# ------------------------------------------------------------------------------------------ making one


def test_a_home_is_made_and_opened(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "deep" / "home")
    assert not home.exists()
    root = draw_root(Counter())
    home.create(root=root, passphrase=OLD, entropy=Counter(), cost=FLOOR)
    assert home.exists()
    assert names(home.folder) == WHOLE
    assert home.open_root(OLD) == root
    store = home.open_store(OLD)
    assert store.load(Space) == {space: {} for space in Space}
    store.close()


def test_the_two_slots_share_nothing_but_the_passphrase(home: Home) -> None:
    keyslot, rootslot = home.keyslot.read_bytes(), home.rootslot.read_bytes()
    assert keyslot[18:34] != rootslot[18:34]  # salt
    assert keyslot[34:58] != rootslot[34:58]  # nonce
    for path in home.folder.glob("*"):
        if path.is_file():
            assert ROOT.reveal() not in path.read_bytes()
            assert OLD.encode() not in path.read_bytes()


@pytest.mark.parametrize("mask", [0, 0o022, 0o777])
def test_folder_and_files_are_the_owners_alone_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        home = make(tmp_path / "home")
        with home.lock():
            home.change_passphrase(OLD, NEW, entropy=Counter())
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [home.folder, *home.folder.iterdir()]}
    assert modes == {
        "home": 0o700,
        "log": 0o700,
        "store.db": 0o600,
        "keyslot": 0o600,
        "rootslot": 0o600,
        "lock": 0o600,
    }


def test_no_folder_named_means_the_platforms_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = Home.at(None).folder
    assert folder.name == "support-mesh"
    assert folder.is_relative_to(tmp_path)


def test_a_home_named_from_here_stays_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Home.at(Path("home")).folder == tmp_path / "home"


def test_an_identity_is_never_made_over_another(home: Home) -> None:
    before = {path: path.read_bytes() for path in home.folder.iterdir() if path.is_file()}
    with pytest.raises(HomeExists) as caught:
        home.create(root=Secret(bytes(32)), passphrase=NEW, entropy=Counter(), cost=FLOOR)
    assert (caught.value.code, caught.value.exit) == ("E-HOME-EXISTS", Exit.USAGE)
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("left", [["keyslot"], ["rootslot"], ["store.db"], ["rootslot", "store.db"]])
def test_what_is_left_of_an_identity_is_not_overwritten_either(home: Home, left: list[str]) -> None:
    for name in {"keyslot", "rootslot", "store.db"} - set(left):
        (home.folder / name).unlink()
    assert home.exists()
    with pytest.raises(HomeExists):
        home.create(root=ROOT, passphrase=NEW, entropy=Counter(), cost=FLOOR)


def test_a_folder_with_nothing_of_others_in_it_is_closed_and_used(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "config.toml").touch()
    make(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_open_folder_with_other_things_in_it_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").touch()
    tmp_path.chmod(0o755)
    with pytest.raises(HomeOpen) as caught:
        make(tmp_path)
    assert caught.value.code == "E-HOME-OPEN"
    assert "chmod 700" in caught.value.do
    assert names(tmp_path) == {"letters.txt"}
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    tmp_path.chmod(0o700)
    assert make(tmp_path).exists()


def test_a_bad_passphrase_makes_nothing(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    for bad in ("", "x" * 1025):
        with pytest.raises(PassphraseUnfit):
            home.create(root=ROOT, passphrase=bad, entropy=Counter(), cost=FLOOR)
    assert not home.exists()
    make(home.folder)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Run without the rights of root, where tests run as root."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_folder_that_cannot_be_written_is_told() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        with as_nobody(), pytest.raises(HomeUnwritable) as caught:
            make(Path(folder) / "home")
        Path(folder).chmod(0o700)
    assert (caught.value.code, caught.value.exit) == ("E-HOME-WRITE", Exit.FAILED)
    assert folder in caught.value.what
    assert "--home" in caught.value.do


def test_a_home_that_cannot_be_looked_into_is_told(home: Home) -> None:
    home.folder.chmod(0)
    for ask in (home.exists, home.lock, lambda: home.open_root(OLD)):
        with as_nobody(), pytest.raises(HomeUnwritable):
            ask()
    home.folder.chmod(0o700)


def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(HomeUnwritable, match="a file stands where a folder should be"):
        make(file)
    with pytest.raises(HomeUnwritable):
        make(file / "home")
    assert not Home.at(file).exists()


# ----------------------------------------------------------------------------------------- opening one


def test_a_wrong_passphrase_opens_neither(home: Home) -> None:
    for attempt in (lambda: home.open_store("x"), lambda: home.open_root("x")):
        with pytest.raises(LockedError) as caught:
            attempt()
        assert (caught.value.code, caught.value.exit) == ("E-PASSPHRASE", Exit.LOCKED)


def test_where_there_is_no_identity_it_is_said(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    for attempt in (
        home.lock,
        lambda: home.open_store(OLD),
        lambda: home.open_root(OLD),
        lambda: home.change_passphrase(OLD, NEW, entropy=Counter()),
    ):
        with pytest.raises(HomeMissing) as caught:
            attempt()
        assert caught.value.code == "E-HOME-MISSING"
    assert not home.folder.exists()
    home.folder.mkdir()
    with pytest.raises(HomeMissing):
        home.lock()
    assert names(home.folder) == set()


def test_a_damaged_or_missing_slot_is_told(home: Home) -> None:
    home.keyslot.write_bytes(home.keyslot.read_bytes()[:-1])
    with pytest.raises(KeyslotDamaged):
        home.open_store(OLD)
    assert home.open_root(OLD) == ROOT  # one slot does not need the other
    home.rootslot.unlink()
    with pytest.raises(KeyslotDamaged, match="is not there"):
        home.open_root(OLD)


def test_a_huge_slot_is_not_read_whole(home: Home) -> None:
    with home.keyslot.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(KeyslotDamaged):
        home.open_store(OLD)


def test_slots_that_changed_places_are_told(home: Home) -> None:
    keyslot, rootslot = home.keyslot.read_bytes(), home.rootslot.read_bytes()
    home.keyslot.write_bytes(rootslot)
    home.rootslot.write_bytes(keyslot)
    for attempt in (lambda: home.open_store(OLD), lambda: home.open_root(OLD)):
        with pytest.raises(KeyslotDamaged, match="another key"):
            attempt()


def test_a_missing_store_and_anothers_store_are_told(home: Home, tmp_path: Path) -> None:
    other = Home.at(tmp_path / "other")
    entropy = Counter(1000)
    other.create(root=ROOT, passphrase=OLD, entropy=entropy, cost=FLOOR)
    shutil.copy(other.store, home.store)
    with pytest.raises(StoreDamaged):
        home.open_store(OLD)
    home.store.unlink()
    with pytest.raises(StoreMissing):
        home.open_store(OLD)


def test_the_store_tells_its_commits_to_who_asks(home: Home) -> None:
    seen: list[Synchronous] = []
    store = home.open_store(OLD, on_commit=seen.append)
    store.commit([Put(Space.OPS, b"a", b"1")], durable=True)
    store.close()
    assert seen == [Synchronous.FULL]


# --------------------------------------------------------------------------------- one process at a time

HOLDER = """
import sys
from pathlib import Path
from mesh.node.home import Home
with Home.at(Path(sys.argv[1])).lock():
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(home: Home) -> Iterator["subprocess.Popen[str]"]:
    """Run another process that holds the home until its stdin ends."""
    command = [sys.executable, "-c", HOLDER, str(home.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process


def test_a_second_process_is_told_who_has_the_home(home: Home) -> None:
    with holder(home) as process:
        for wait_s in (0.0, 0.12):
            with pytest.raises(HomeBusy) as caught:
                home.lock(wait_s)
            assert caught.value.code == "E-HOME-BUSY"
            assert f"(process {process.pid})" in caught.value.what
            assert "mesh down" in caught.value.do


def test_the_home_is_free_when_the_other_ends(home: Home) -> None:
    with holder(home) as process:
        assert process.stdin
        process.stdin.close()
        with home.lock(30.0) as lock:
            assert lock.mended is Mended.NOTHING


def test_the_home_is_free_when_the_other_is_killed(home: Home) -> None:
    with holder(home) as process:
        process.send_signal(signal.SIGKILL)
        home.lock(30.0).release()


def test_even_this_process_holds_it_once(home: Home) -> None:
    lock = home.lock()
    with pytest.raises(HomeBusy, match=f"process {os.getpid()}"):
        home.lock()
    lock.release()
    lock.release()
    with home.lock():
        pass
    home.lock().release()


def test_nobody_makes_an_identity_in_a_home_that_is_being_made(tmp_path: Path) -> None:
    home = make(tmp_path / "home")
    with home.lock():
        for path in (home.keyslot, home.rootslot, home.store):
            path.unlink()
        with pytest.raises(HomeBusy):
            make(home.folder)


def test_a_lock_file_with_rubbish_in_it_does_no_harm(home: Home) -> None:
    with home.lock():
        home.lockfile.write_bytes(b"\xff\xfe not a number" * 100)
        with pytest.raises(HomeBusy, match="Another mesh is using"):
            home.lock()
    home.lock().release()
    assert home.lockfile.read_text() == f"{os.getpid()}\n"
