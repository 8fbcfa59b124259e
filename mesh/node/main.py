"""A node from start to stop: lock the home, open the store, listen, serve the local Api, until told to stop."""

import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import Final

import trio

from mesh.commands import KnownAddress
from mesh.errors import in_words
from mesh.ids import Address
from mesh.node.home import Home
from mesh.node.live import OpenDesk, open_node, with_ticks
from mesh.node.local.inprocess import LOCK_WAIT_S
from mesh.node.local.methods.stewards import end_terms
from mesh.node.local.methods.telling import Teller
from mesh.node.local.paths import socket_path
from mesh.node.local.server import serve
from mesh.node.local.setup import OnEvent, Order
from mesh.node.logs import Log, open_log
from mesh.node.process import harden, settle
from mesh.store.sqlite import EncryptedStore
from mesh.upkeep import TurnKeeperOn

TERMS_WAIT_S: Final = 600.0  # so long after the start a term that is over ends, once those who go on are there; ours


def run(order: Order, on_event: OnEvent) -> None:
    """Run a node until SIGINT, SIGTERM or `mesh down`. MeshError in words if it cannot start."""
    harden()
    place = Home.at(order.home)
    with place.lock(LOCK_WAIT_S):
        store = place.open_store(order.passphrase)
        try:
            with open_log(place.log) as log:
                _run_in_words(partial(_live, order, place, store, on_event, log))
        finally:
            store.close()


def _run_in_words(live: Callable[[], Awaitable[None]]) -> None:
    """Run the loop; what its tasks come to is raised as the one error in words that it is, if it is one."""
    try:
        trio.run(live)
    except BaseExceptionGroup as group:
        error = in_words(group)
        if error is not None:
            raise error from group
        if group.split(KeyboardInterrupt)[1] is None:  # Ctrl-C, before we listened for it
            raise KeyboardInterrupt from group
        raise


async def _live(order: Order, home: Home, store: EncryptedStore, on_event: OnEvent, log: Log) -> None:
    async with (
        open_node(home, store, listen=order.listen, announce=order.announce) as desk,
        trio.open_nursery() as nursery,
    ):
        path = socket_path(home.folder)
        await nursery.start(lambda task_status: serve(path, desk, on_bug=log.bug, task_status=task_status))
        await nursery.start(_stop_on_signal, desk)  # before anybody is told that we are ready
        for peer in order.peers:
            await desk.ask(KnownAddress(address=Address(peer)))
        if order.keeper:
            await desk.ask(TurnKeeperOn())
        nursery.start_soon(end_terms, desk, order.passphrase, TERMS_WAIT_S)
        network = desk.network
        settle()
        log.ready(len(network.addresses()))
        on_event(
            {
                "event": "ready",
                "addresses": list(network.addresses()),
                "listening": list(network.interfaces()),
                "peer_id": network.peer_id,
                "api": str(path),
                "pid": os.getpid(),
            }
        )
        await _tell_events(desk, on_event)
    log.stopped()


async def _tell_events(desk: OpenDesk, on_event: OnEvent) -> None:
    teller = Teller()
    while True:
        notices, end = desk.listen()
        try:
            async with aclosing(with_ticks(notices)) as happened:
                async for notice in happened:
                    for event in teller.tell(desk, notice):
                        on_event(event)
        finally:
            end()


async def _stop_on_signal(desk: OpenDesk, task_status: trio.TaskStatus = trio.TASK_STATUS_IGNORED) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            desk.end()
