"""Strangers at a node's port: noise and silence leave it serving."""

import os
import random
import socket
from contextlib import ExitStack

from demo.people import Person, port_of
from tests.e2e.conftest import GROUP, Cast


def test_a_megabyte_of_noise_and_a_hundred_silent_strangers(cast: Cast) -> None:
    wren, juniper = cast("wren", "juniper")
    port = port_of(wren.up())
    wren.mesh("group", "create", GROUP)
    code = str(wren.mesh("invite", "new", GROUP)["code"])
    noise = random.Random(os.environ.get("PYTEST_CURRENT_TEST", "")).randbytes(1024 * 1024)
    with ExitStack() as open_sockets:
        for _ in range(100):
            silent = open_sockets.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            silent.setblocking(False)
        with socket.create_connection(("127.0.0.1", port), timeout=10) as loud:
            _send_all_it_takes(loud, noise)
        juniper.up()
        assert juniper.join(code)["join"] is not None
        wren.post(GROUP, "still serving")
        juniper.sees(GROUP, "still serving")
    _still_well(wren)


def _send_all_it_takes(loud: socket.socket, noise: bytes) -> None:
    """Send until the node hangs up, which it may do at any byte."""
    try:
        loud.sendall(noise)
        while loud.recv(65536):
            pass
    except (ConnectionError, TimeoutError):
        return


def _still_well(person: Person) -> None:
    assert person.mesh("status")["running"] is True
    logged = (person.home / "log" / "node.log").read_text(encoding="utf-8")
    assert "bug" not in logged
