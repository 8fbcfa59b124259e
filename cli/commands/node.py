"""`up` and `down`: run the node in this terminal or behind it, and stop it."""

import os
import queue
import sys
import threading
import time
from contextlib import suppress
from typing import Annotated, Final

from cyclopts import Parameter

from cli import fields
from cli.commands.home import no_identity
from cli.context import Context
from cli.event_lines import event_line
from cli.options import Flag, Here
from cli.pace import digest_line
from cli.words import tell
from mesh.errors import Exit, StoreError, TransportError
from mesh.node.local.api import reach_node
from mesh.node.local.protocol import JsonObject

STOP_S: Final = 20.0  # our guess: links are told, the store is closed; seconds at the worst
LOOK_S: Final = 0.05
EVENTS_MAX: Final = 1000  # that wait to be shown
CLOSE_S: Final = 1.0


def up(
    *,
    listen: Annotated[list[str] | None, Parameter(negative="", metavar="ADDR")] = None,
    announce: Annotated[list[str] | None, Parameter(negative="", metavar="ADDR")] = None,
    peer: Annotated[list[str] | None, Parameter(negative="", metavar="ADDR")] = None,
    detach: Flag = False,
    keeper: Flag = False,
    context: Here,
) -> None:
    """Run your node until you stop it with Ctrl-C or `mesh down`.

    The first line says that it is ready, and at which addresses others reach it. It listens on all
    interfaces, on a port that was drawn at `mesh init` and is kept.

    Parameters
    ----------
    listen
        Listen at this address instead, like /ip4/127.0.0.1/tcp/4001; may be given several times.
    announce
        Tell others this address instead of those where it listens, as behind a router that forwards a port, like
        /ip4/192.0.2.7/tcp/4001; may be given several times.
    peer
        Try this address of another node too; may be given several times.
    detach
        Run behind the terminal: return once it is ready; the log is in the home, under log/.
    keeper
        Be a keeper too, from now on, as `mesh keeper on` does.
    """
    from mesh.node.local import setup

    running = reach_node(context.home)
    if running is not None:
        running.close()
        raise StoreError(
            "Your node already runs.",
            do="Look with `mesh status`; stop it with `mesh down`.",
            code="E-NODE-RUNNING",
        )
    if not setup.has_identity(context.home):
        raise no_identity(context)

    def order() -> setup.Order:
        return setup.Order(
            home=context.home,
            passphrase=context.passphrase(),
            listen=tuple(listen or ()),
            peers=tuple(peer or ()),
            announce=tuple(announce or ()),
            keeper=keeper,
        )

    if detach:
        from cli.background import start

        show_event(context, context.with_passphrase(lambda: start(order())))
        return
    teller = Teller(context)

    def on_event(event: JsonObject) -> None:
        context.unseen.end()  # the passphrase was right, and the node may run for days
        teller.tell(event)

    try:
        context.with_passphrase(lambda: setup.run_node(order(), on_event))
    finally:
        teller.close()


def show_event(context: Context, event: JsonObject) -> None:
    """Show one event of the node: readiness is the result, all that follows is chatter."""
    if context.out.json or event.get("event") == "ready":
        context.out.result(event, ready_lines(event))
    else:
        context.out.say(digest_line(event) if event.get("event") == "digest" else event_line(event))


class Teller:
    """Show a node's events from a thread of its own.

    Whoever started the node may read its first line and no more. A full pipe must then not hold the node up, and
    a closed one must not end it: events that nobody reads are dropped.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._waiting: queue.Queue[JsonObject | None] = queue.Queue(EVENTS_MAX)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def tell(self, event: JsonObject) -> None:
        """Show an event soon, or never."""
        with suppress(queue.Full):
            self._waiting.put_nowait(event)

    def close(self) -> None:
        """Show what still waits, unless nobody reads: then the process ends here, past a write that never will."""
        with suppress(queue.Full):
            self._waiting.put_nowait(None)
        self._thread.join(CLOSE_S)
        if self._thread.is_alive():
            os._exit(Exit.FAILED if sys.exc_info()[0] else Exit.OK)

    def _run(self) -> None:
        try:
            while (event := self._waiting.get()) is not None:
                show_event(self._context, event)
        except OSError:
            # Nobody listens any more; what Python still holds for stdout goes nowhere, without complaint.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def ready_lines(event: JsonObject) -> list[str]:
    """Say that the node is ready, and where; of what is only announced no more than that others are told it."""
    pid = fields.number(event, "pid")
    told, listening = fields.texts(event, "addresses"), fields.texts(event, "listening")
    ready = tell("Ready, as process {process}.", process=pid) if pid else tell("Ready.")
    if told == listening or not listening:
        return [f"{ready} {tell('Others reach you at:')}", *(f"  {address}" for address in told)]
    heard = [f"{ready} {tell('It listens at:')}", *(f"  {address}" for address in listening)]
    return [*heard, tell("Others are told that they reach you at:"), *(f"  {address}" for address in told)]


def down(*, context: Here) -> None:
    """Stop your node. What was not sent yet waits in the home."""
    from mesh.node.local import setup

    node = reach_node(context.home)
    if node is None:
        context.out.result({"stopped": False}, [tell("No node was running.")])
        return
    try:
        node.call("node.stop", {})
    finally:
        node.close()
    end = time.monotonic() + STOP_S
    while (left := reach_node(context.home)) is not None:
        left.close()
        if time.monotonic() > end:
            raise TransportError(
                "Your node was asked to stop and has not.",
                do="Wait a moment and try again; if it stays so, end its process.",
                code="E-NODE-SILENT",
            )
        time.sleep(LOOK_S)
    setup.wait_until_free(context.home, max(end - time.monotonic(), LOOK_S))
    context.out.result({"stopped": True}, [tell("Your node has stopped.")])
