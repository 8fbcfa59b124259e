"""The encrypted store beside plain sqlite3, in one sitting: many rows at once, single rows, ranges of rows.

Both hold the same rows in the same shape (bytes to bytes, without row ids) with a write-ahead log and
`synchronous=NORMAL`. Rounds alternate, and ratios are of rates, the median of the rounds.
"""

import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Final

from benchmarks.report import Figure
from mesh.events import Put, Space
from mesh.secret import Secret
from mesh.store.sqlite import EncryptedStore

ROWS: Final = 20_000
BATCH: Final = 500
DEVICES: Final = 20  # that write in turn, as in Space.FRAMES: gid, device, number
VALUE_BYTES: Final = 600  # as a sealed post has
POINTS: Final = 5_000
RANGES: Final = 200
RANGE_ROWS: Final = 100
ROUNDS: Final = 5


def measure_stores() -> list[Figure]:
    """Measure each kind of use in turn."""
    dice = Random(1)
    gid, devices = dice.randbytes(32), [dice.randbytes(16) for _ in range(DEVICES)]
    keys = [gid + devices[k % DEVICES] + (k // DEVICES).to_bytes(8, "big") for k in range(ROWS)]
    rows = [(key, dice.randbytes(VALUE_BYTES)) for key in keys]
    points = [dice.choice(keys) for _ in range(POINTS)]
    starts = [dice.choice(keys) for _ in range(RANGES)]
    ratios: dict[str, list[float]] = {"bulk insert": [], "point": [], "range": []}
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(prefix="mesh-store-") as folder:
            ours, plain = _ours(Path(folder), rows, points, starts), _plain(Path(folder), rows, points, starts)
            for name, values in ratios.items():
                values.append(plain[name] / ours[name])
    bars = {"bulk insert": 0.6, "point": 0.6, "range": 0.4}
    return [
        Figure(name=f"encrypted store, {name}, of sqlite3's rate", unit="×", values=values, bar=bars[name])
        for name, values in ratios.items()
    ]


def _taken(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _ours(folder: Path, rows: list[tuple[bytes, bytes]], points: list[bytes], starts: list[bytes]) -> dict[str, float]:
    with closing(EncryptedStore.create(folder / "ours", Secret(bytes(32)))) as store:

        def insert() -> None:
            for k in range(0, ROWS, BATCH):
                store.commit([Put(Space.FRAMES, key, value) for key, value in rows[k : k + BATCH]], durable=False)

        return {
            "bulk insert": _taken(insert),
            "point": _taken(lambda: [store.get(Space.FRAMES, key) for key in points]),
            "range": _taken(lambda: [store.scan(Space.FRAMES, after=key, limit=RANGE_ROWS) for key in starts]),
        }


def _plain(folder: Path, rows: list[tuple[bytes, bytes]], points: list[bytes], starts: list[bytes]) -> dict[str, float]:
    with closing(sqlite3.connect(folder / "plain")) as plain:
        plain.execute("PRAGMA journal_mode = WAL")
        plain.execute("PRAGMA synchronous = NORMAL")
        plain.execute("CREATE TABLE frames (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")

        def insert() -> None:
            for k in range(0, ROWS, BATCH):
                with plain:
                    plain.executemany("INSERT INTO frames VALUES (?, ?)", rows[k : k + BATCH])

        get, scan = "SELECT value FROM frames WHERE key = ?", "SELECT key, value FROM frames WHERE key > ? LIMIT ?"
        return {
            "bulk insert": _taken(insert),
            "point": _taken(lambda: [plain.execute(get, (key,)).fetchone() for key in points]),
            "range": _taken(lambda: [plain.execute(scan, (key, RANGE_ROWS)).fetchall() for key in starts]),
        }
