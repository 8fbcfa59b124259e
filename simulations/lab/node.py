"""The program of a node in the lab: `mesh` itself, whose calls to others go over the lab's wires.

On one machine everybody is 127.0.0.1, and TCP does not say who calls. So a node is told, for each door that another one
announces, at which port of the shim *it* comes to that other one (`MESH_LAB_FRONTS`). Where the real program opens a
TCP stream to a door, it is opened there; nothing else is changed, and a call to anywhere else goes where it says.

It ends when its stdin does: whoever runs the lab holds the other end, and however they come to an end, no node is left.
"""

import os
import runpy
import threading
from collections.abc import Mapping
from typing import Final

import trio

from simulations.errors import PlanError
from simulations.lab.shim import HERE

FRONTS: Final = "MESH_LAB_FRONTS"
FRONTS_MAX: Final = 1_000


def written(fronts: Mapping[int, int]) -> str:
    """Write which door is reached at which front, as the environment holds it: `5001=6001 5002=6002`."""
    return " ".join(f"{door}={front}" for door, front in fronts.items())


def fronts_from(said: str) -> dict[int, int]:
    """Read what `written` wrote; PlanError for anything else."""
    found: dict[int, int] = {}
    for pair in said.split(" ") if said else []:
        door, equals, front = pair.partition("=")
        if not equals or not (_is_port(door) and _is_port(front)) or int(door) in found or len(found) >= FRONTS_MAX:
            raise PlanError(f"{FRONTS} holds pairs of ports, as 5001=6001, and not {pair[:40]!r}.")
        found[int(door)] = int(front)
    return found


def _is_port(said: str) -> bool:
    return said.isascii() and said.isdecimal() and len(said) <= 5 and 0 < int(said) < 65_536


def lead_calls(fronts: Mapping[int, int]) -> None:
    """Have each TCP stream to a door be opened to this node's own front for it, from now on."""
    anywhere = trio.open_tcp_stream

    async def open_tcp_stream(host: str | bytes, port: int) -> trio.SocketStream:
        return await anywhere(host, fronts.get(port, port) if host == HERE else port)

    trio.open_tcp_stream = open_tcp_stream  # type: ignore[assignment] # the one thing that is changed


def end_with_whoever_began() -> None:
    """End this process at once when stdin ends."""

    def wait() -> None:
        while os.read(0, 1):
            pass
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    lead_calls(fronts_from(os.environ.get(FRONTS, "")))
    end_with_whoever_began()
    runpy.run_module("cli.main", run_name="__main__", alter_sys=True)  # as `python -m cli.main` does
