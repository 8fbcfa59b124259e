"""A store's files, looked at from behind."""

from pathlib import Path

import apsw

from mesh.events import Space
from mesh.secret import Secret
from mesh.store.sqlite import EncryptedStore

KEY = Secret(bytes(range(32)))
CANARY = b"canary-7f3a-in-the-mine"


def raw(path: Path, key: Secret = KEY) -> apsw.Connection:
    """Open a store behind our back, as one who has its key could."""
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA cipher = 'chacha20'")
    connection.execute(f'PRAGMA key = "raw:{key.reveal().hex()}"')
    return connection


def log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def contents(path: Path) -> dict[Space, dict[bytes, bytes]]:
    """Open a store and read all of it."""
    store = EncryptedStore.open(path, KEY)
    try:
        return store.load(Space)
    finally:
        store.close()


def flip(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 0x01]))
