"""A home is given another passphrase; and that, or making it, is cut short at every step."""

import resource
import subprocess
import sys
from itertools import groupby
from pathlib import Path

import pytest

from mesh.errors import LockedError, StoreError
from mesh.events import Space
from mesh.identity.keyslot import Role, keyslot_cost
from mesh.identity.passphrase import FLOOR, Cost
from mesh.node.home import Home, HomeMissing, HomeUnwritable, Mended
from tests.node.homes import NEW, OLD, ROOT, WHOLE, Counter, finished, make, names, opens


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return finished(tmp_path / "home")


def test_the_new_passphrase_opens_both_and_the_old_neither(home: Home) -> None:
    before = (home.keyslot.read_bytes(), home.rootslot.read_bytes())
    entropy = Counter(100)
    with home.lock():
        home.change_passphrase(OLD, NEW, entropy=entropy)
    assert opens(home, NEW) == (True, True)
    assert opens(home, OLD) == (False, False)
    assert names(home.folder) == WHOLE
    for slot, earlier in zip((home.keyslot, home.rootslot), before, strict=True):
        assert slot.read_bytes()[18:58] != earlier[18:58]  # fresh salt and nonce
        assert keyslot_cost(slot.read_bytes(), role=Role(earlier[9])) == FLOOR


def test_a_change_can_ask_for_more_work(home: Home) -> None:
    cost = Cost(passes=3, memory_kib=FLOOR.memory_kib)
    home.change_passphrase(OLD, NEW, entropy=Counter(), cost=cost)
    assert keyslot_cost(home.keyslot.read_bytes(), role=Role.STORE) == cost
    assert keyslot_cost(home.rootslot.read_bytes(), role=Role.ROOT) == cost


@pytest.mark.parametrize(("old", "new"), [("x", NEW), (OLD, ""), ("", NEW), (OLD, "x" * 1025)])
def test_a_change_that_cannot_be_made_changes_nothing(home: Home, old: str, new: str) -> None:
    before = (home.keyslot.read_bytes(), home.rootslot.read_bytes())
    with pytest.raises(LockedError):
        home.change_passphrase(old, new, entropy=Counter())
    assert (home.keyslot.read_bytes(), home.rootslot.read_bytes()) == before
    assert names(home.folder) == WHOLE


# A process that dies at the n-th step that changes a name or opens a file of the home to write it: the hook sees
# each of them just before it happens. It goes through all n, each in a copy of its own, and names the copies.
CUT_SHORT = """
import os, shutil, sys
from pathlib import Path
from mesh.events import Put, Space
from mesh.identity.passphrase import FLOOR
from mesh.node.home import Home
from mesh.secret import Secret
what, first = sys.argv[1], Path(sys.argv[2])

class Counter:
    draws = 500
    def draw(self, count):
        self.draws += 1
        return self.draws.to_bytes(count, "big")

def act(home):
    if what == "create":
        home.create(root=Secret(bytes(range(32))), passphrase="wren sings", entropy=Counter(), cost=FLOOR,
                    first=[Put(Space.NODE, b"name", b"wren")])
    elif what == "lock":
        home.lock()
    else:
        home.change_passphrase("wren sings", "juniper grows", entropy=Counter())

steps = 0
while True:
    folder = first.with_name(f"cut{steps}")
    if first.exists():
        shutil.copytree(first, folder)
    child = os.fork()
    if child == 0:
        left = steps
        def hook(event, arguments):
            global left
            if event not in {"open", "os.mkdir", "os.rename", "os.remove"} or str(folder) not in str(arguments[0]):
                return
            if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
                return
            if left == 0:
                os._exit(9)
            left -= 1
        sys.addaudithook(hook)
        act(Home.at(folder))
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code != 9:
        sys.exit(code)
    steps += 1
    print(folder, flush=True)
"""


def cut_short(what: str, first: Path) -> list[Home]:
    """Give a home for each step at which `what` can be cut short."""
    ran = subprocess.run(
        [sys.executable, "-c", CUT_SHORT, what, str(first)], check=True, capture_output=True, text=True
    )
    return [Home.at(Path(line)) for line in ran.stdout.splitlines()]


def test_a_change_cut_short_anywhere_is_undone_or_finished(home: Home) -> None:
    found = []
    for cut in cut_short("change", home.folder):
        with cut.lock() as lock:
            found.append(lock.mended)
        holds, not_any_more = (NEW, OLD) if lock.mended is Mended.FINISHED else (OLD, NEW)
        assert opens(cut, holds) == (True, True)
        assert opens(cut, not_any_more) == (False, False)
        assert names(cut.folder) == WHOLE
        with cut.lock() as again:
            assert again.mended is Mended.NOTHING
    assert [mended for mended, _ in groupby(found)] == [Mended.NOTHING, Mended.UNDONE, Mended.FINISHED]
    assert found.count(Mended.UNDONE) >= 2


def test_a_creation_cut_short_anywhere_leaves_no_identity_and_can_be_made_again(tmp_path: Path) -> None:
    homes = cut_short("create", tmp_path / "none")
    assert len(homes) >= 6
    for cut in homes:
        assert not cut.exists()
        with pytest.raises(HomeMissing):
            cut.lock()
        make(cut.folder, NEW)
        assert cut.open_root(NEW) == ROOT
        cut.open_store(NEW).close()
        assert names(cut.folder) == WHOLE


@pytest.mark.parametrize("torn", [b"", b"MESHSLOT\1"])
@pytest.mark.parametrize("files", [["keyslot.new"], ["keyslot.new", "rootslot.new"]])
def test_torn_new_slots_of_a_power_cut_are_cleared_away(home: Home, files: list[str], torn: bytes) -> None:
    for name in files:
        (home.folder / name).write_bytes(torn)
    with home.lock() as lock:
        assert lock.mended is Mended.UNDONE
    assert opens(home, OLD) == (True, True)


def test_undoing_a_change_can_be_cut_short_too(home: Home) -> None:
    for name in ("keyslot.new", "rootslot.new"):
        (home.folder / name).write_bytes(b"torn")
    homes = cut_short("lock", home.folder)
    assert len(homes) >= 3
    for cut in homes:
        with cut.lock() as lock:
            assert lock.mended is Mended.UNDONE
        assert opens(cut, OLD) == (True, True)


def test_a_change_that_the_disk_cut_short_is_finished_before_the_next(home: Home) -> None:
    rootslot = home.rootslot.read_bytes()
    home.change_passphrase(OLD, NEW, entropy=Counter())
    home.rootslot.rename(home.folder / "rootslot.new")
    home.rootslot.write_bytes(rootslot)
    assert opens(home, NEW) == (True, False)
    home.change_passphrase(NEW, "sorrel climbs", entropy=Counter())
    assert opens(home, "sorrel climbs") == (True, True)
    assert names(home.folder) == WHOLE


def test_a_change_that_the_disk_refuses_leaves_the_old_passphrase(home: Home) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(HomeUnwritable) as caught:
            home.change_passphrase(OLD, NEW, entropy=Counter())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.code == "E-HOME-WRITE"
    assert opens(home, OLD) == (True, True)
    assert names(home.folder) <= WHOLE


def test_a_home_that_cannot_be_mended_is_told_and_let_go(home: Home) -> None:
    (home.folder / "keyslot.new").mkdir()
    with pytest.raises(HomeUnwritable):
        home.lock()
    (home.folder / "keyslot.new").rmdir()
    home.lock().release()


def test_a_torn_beginning_of_a_creation_is_no_identity(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    home.folder.mkdir(mode=0o700)
    for name in ("keyslot.init", "store.db", "store.db-wal", "rootslot"):
        (home.folder / name).write_bytes(b"torn")
    assert not home.exists()
    make(home.folder)
    assert opens_empty(home)


def opens_empty(home: Home) -> bool:
    store = home.open_store(OLD)
    try:
        return store.load(Space) == {space: {} for space in Space}
    finally:
        store.close()


def test_a_store_that_cannot_be_made_leaves_nothing_behind(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    home.folder.mkdir(mode=0o700)
    home.log.touch()  # in the way of the folder of logs, after store and rootslot were written
    with pytest.raises(StoreError):
        make(home.folder)
    assert names(home.folder) == {"lock", "log"}
    assert not home.exists()
