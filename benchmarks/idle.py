"""What a node costs that nobody talks to: processor, memory, bytes on its links. Two members, linked, for a minute."""

import os
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from benchmarks.fan_processes import reach
from benchmarks.report import Figure
from demo.people import Person, records, wait_for

SETTLE_S: Final = 10.0
WATCH_S: Final = 60.0


def measure_idle(wren: Person) -> list[Figure]:
    """Watch a node that has at least one link."""
    assert wren.pid is not None
    wait_for(lambda: bool(_sent(wren)), "a link", 30)
    time.sleep(SETTLE_S)
    busy, sent = _busy_s(wren.pid), _sent(wren)
    time.sleep(WATCH_S)
    links = len(sent)
    bytes_s = (sum(_sent(wren).values()) - sum(sent.values())) / WATCH_S / links
    return [
        Figure(name="idle: part of a core", unit="%", values=[100 * (_busy_s(wren.pid) - busy) / WATCH_S], bar=0.5),
        Figure(name="idle: memory", unit="MiB", values=[_resident_mib(wren.pid)], bar=150),
        Figure(name="idle: sent on a link", unit="B/s", values=[bytes_s], bar=1000),
    ]


def _sent(person: Person) -> dict[str, int]:
    with closing(reach(person)) as node:
        links = records(node.call("status", {}), "links")
    return {str(link["peer"]): int(str(link["sent_bytes"])) for link in links}


def _busy_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
