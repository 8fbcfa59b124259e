"""A node behind the terminal: the process that `up --detach` starts, and how the two agree that it is ready.

Everything that the child needs, the passphrase too, passes over a pipe, so its command line says nothing. It
answers on another pipe with one line: what `ready` says, or the error that kept it from it. From then on
nobody reads it, and it speaks through its log and the local Api alone.
"""

import json
import os
import select
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from cli import errors, fields
from mesh.errors import Exit, MeshError, TransportError
from mesh.node.local import setup
from mesh.node.local.protocol import JsonObject
from mesh.phrases import phrase, verbatim

READY_S: Final = 60.0  # our guess: unlocking takes 3 s on a small machine, libp2p 1 s, a busy disk the rest


def start(order: setup.Order) -> JsonObject:
    """Start a node that outlives this process; give its `ready` event with its `pid`, or raise its error."""
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "cli.background"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd=order.home,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            child.stdin.write(json.dumps(order.as_json()).encode())
            child.stdin.close()
            ready, _, _ = select.select([child.stdout], [], [], READY_S)
            line = child.stdout.readline() if ready else b""
            answer: JsonObject = json.loads(line) if line else {}
            if answer.get("event") != "ready":
                raise _not_ready(answer, order.home)
        except BaseException:
            child.kill()
            raise
        child.returncode = 0  # it goes on by itself: nobody waits for it here
        return {**answer, "pid": child.pid}


def _not_ready(answer: JsonObject, home: Path) -> MeshError:
    told = fields.record(answer, "error")
    if told:
        return MeshError(
            verbatim(fields.text(told, "what")),
            why=verbatim(fields.text(told, "why")),
            do=verbatim(fields.text(told, "do")),
            code=fields.text(told, "code"),
            exit=Exit(fields.number(answer, "exit") or Exit.FAILED),
        )
    return TransportError(
        "Your node ended, or hung, before it was ready.",
        do=phrase("Run `mesh up` without --detach to see why; its log is in {log}", log=str(home / "log")),
        code="E-NODE-STOPPED",
    )


def main() -> int:
    """Be the child: read the order, run the node, say once how it went."""
    order = setup.Order.from_json(json.loads(sys.stdin.buffer.read()))
    _point_at_nothing(0)
    told = False

    def tell(answer: JsonObject) -> None:
        nonlocal told
        if told:
            return
        told = True
        with suppress(BrokenPipeError):  # whoever started us is gone; the node goes on
            os.write(1, json.dumps(answer).encode() + b"\n")
        _point_at_nothing(1)

    try:
        setup.run_node(order, tell)
    except MeshError as error:
        tell({**errors.as_json(error), "exit": int(error.exit)})
        return int(error.exit)
    return int(Exit.OK)


def _point_at_nothing(descriptor: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, descriptor)
    os.close(nothing)


if __name__ == "__main__":
    # All is closed by now. Python's own tidying takes a tenth of a second, in which `mesh down` would have returned.
    os._exit(main())
