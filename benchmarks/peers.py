"""Other people's meshes, to be measured beside ours: run as processes of their own, never a part of this program.

`scripts` is a folder with one `fan_….py` for each, which takes NODES MESSAGES RATE and prints deliveries a second and
latencies; `installed` one with an environment for each. They differ in what they promise, and the table says so.
"""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

RUN_S_MAX: Final = 120
LINE: Final = re.compile(
    r"delivered (?P<got>\d+)/(?P<of>\d+) (?P<rate>[\d,.]+) deliveries/s.*?p50=(?P<p50>[\d.]+) ?ms.*?p99=(?P<p99>[\d.]+)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """So many messages: as many on their way as `rate` says below 0, so many a second above, 0 all at once."""

    messages: int
    rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run's figures."""

    per_s: float
    p50_ms: float
    p99_ms: float
    delivered: float  # part of what was to be delivered
    peak_mib: float | None = None  # of memory, where it is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A mesh to be measured beside ours; `loads` by the names of the rows."""

    name: str
    promises: str
    program: str
    script: str
    loads: dict[str, Load]


FAST: Final = {
    "closed loop": Load(messages=1500, rate=-32),
    "50 a second": Load(messages=400, rate=50),
    "burst of 2,000": Load(messages=2000, rate=0),
}
PEERS: Final = (
    Peer(
        name="py-libp2p gossipsub",
        promises="signed, links encrypted; its authors are seen by all",
        program="pylibp2p/bin/python",
        script="fan_pylibp2p.py",
        loads={"closed loop": Load(messages=150, rate=-4), "50 a second": Load(messages=100, rate=5)},
    ),
    Peer(
        name="js-libp2p gossipsub",
        promises="signed, links encrypted",
        program="node",
        script="jslibp2p/fan_js.mjs",
        loads=FAST,
    ),
    Peer(name="pyipv8", promises="signed, not encrypted", program="ipv8/bin/python", script="fan_ipv8.py", loads=FAST),
    Peer(
        name="iroh-gossip",
        promises="links encrypted; written in Rust",
        program="iroh/bin/python",
        script="fan_iroh.py",
        loads=FAST,
    ),
    Peer(
        name="LXMF",
        promises="encrypted to each receiver",
        program="rns/bin/python",
        script="fan_lxmf.py",
        loads={"closed loop": Load(messages=60, rate=-2), "50 a second": Load(messages=30, rate=2)},
    ),
    Peer(
        name="trio floor",
        promises="one shared key; links not encrypted, nothing stored",
        program="floor/bin/python",
        script="fan_triofloor.py",
        loads=FAST,
    ),
)


def run_peer(peer: Peer, load: Load, nodes: int, scripts: Path, installed: Path) -> Run | None:
    """Run a peer once on loopback; None if it is not installed or says nothing that can be read."""
    program = peer.program if "/" not in peer.program else str(installed / peer.program)
    script = scripts / peer.script
    if peer.script.endswith(".mjs"):  # it finds its libraries beside itself
        script = installed / peer.script
    try:
        ran = subprocess.run(
            [program, str(script), str(nodes), str(load.messages), f"{load.rate:g}"],
            capture_output=True,
            text=True,
            timeout=RUN_S_MAX,
            check=False,
            cwd=installed,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    return read_line(ran.stdout)


def read_line(said: str) -> Run | None:
    """Read what a script printed last."""
    found = list(LINE.finditer(said))
    if not found:
        return None
    last = found[-1]
    return Run(
        per_s=float(last["rate"].replace(",", "")),
        p50_ms=float(last["p50"]),
        p99_ms=float(last["p99"]),
        delivered=int(last["got"]) / max(1, int(last["of"])),
    )
