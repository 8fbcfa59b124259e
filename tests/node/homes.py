"""Homes to test with: made once, then copied, because each derivation takes a tenth of a second."""

import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from mesh.errors import LockedError
from mesh.events import Put, Space
from mesh.identity.passphrase import FLOOR
from mesh.node.home import Home
from mesh.secret import Secret

OLD, NEW = "wren sings", "juniper grows"
ROOT = Secret(bytes(range(32)))
WHOLE = {"store.db", "keyslot", "rootslot", "lock", "log"}  # what lies in a home when nobody is in it


class Counter:
    """Entropy whose every draw differs, the same in each run."""

    def __init__(self, draws: int = 0) -> None:
        self.draws = draws

    def draw(self, count: int) -> bytes:
        self.draws += 1
        return self.draws.to_bytes(count, "big")


def make(folder: Path, passphrase: str = OLD) -> Home:
    home = Home.at(folder)
    home.create(root=ROOT, passphrase=passphrase, entropy=Counter(), cost=FLOOR)
    return home


@cache
def _finished() -> dict[str, bytes]:
    """Make one home with a row in its store, and keep its files."""
    with tempfile.TemporaryDirectory() as folder:
        home = make(Path(folder) / "home")
        store = home.open_store(OLD)
        store.commit([Put(Space.NODE, b"name", b"wren")], durable=True)
        store.close()
        return {path.name: path.read_bytes() for path in home.folder.iterdir() if path.is_file()}


def finished(folder: Path) -> Home:
    """Put a copy of a home, locked with OLD, at `folder`."""
    (folder / "log").mkdir(mode=0o700, parents=True)
    folder.chmod(0o700)
    for name, data in _finished().items():
        (folder / name).write_bytes(data)
    return Home.at(folder)


def opens(home: Home, passphrase: str) -> tuple[bool, bool]:
    """Say whether a passphrase opens the store, and the root; each with what belongs in it."""
    opened = [False, False]
    with suppress(LockedError):
        store = home.open_store(passphrase)
        assert store.get(Space.NODE, b"name") == b"wren"
        store.close()
        opened[0] = True
    with suppress(LockedError):
        assert home.open_root(passphrase) == ROOT
        opened[1] = True
    return opened[0], opened[1]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}
