"""Listening to the node beside a conversation: its events as they come, and when it stops and starts again.

One thread, with a connection of its own. It says nothing itself: it hands on what it hears.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cli import fields
from mesh.errors import MeshError
from mesh.node.local.api import Api, reach_node
from mesh.node.local.protocol import JsonObject

Heard = Callable[[Api, JsonObject], None]
LOOK_S: Final = 1.0  # how often a node that is down is looked for; ours


class Listener:
    """Hands each event to `heard`, with the Api of the node that told it; `changed` hears when that is up or down."""

    def __init__(self, home: Path, *, heard: Heard, changed: Callable[[bool], None]) -> None:
        self._home, self._heard, self._changed = home, heard, changed
        self._over = threading.Event()
        self._looking = threading.Lock()
        self._thread = threading.Thread(target=self._listen, daemon=True)  # it may wait for an event that never comes

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Hand on nothing more, and look for no node; the thread ends with the next event, or with the process."""
        with self._looking:
            self._over.set()

    def _listen(self) -> None:
        while not self._over.is_set():
            node = self._reach()
            if node is None:
                self._over.wait(LOOK_S)
                continue
            try:
                self._follow(node)
            except (MeshError, OSError):
                pass  # it stopped, or hung up, or its socket is just gone: it is looked for again
            finally:
                node.close()
            if not self._over.is_set():
                self._changed(False)

    def _reach(self) -> Api | None:
        with self._looking:
            try:
                return None if self._over.is_set() else reach_node(self._home)
            except (MeshError, OSError):
                return None  # it is just going, or coming

    def _follow(self, node: Api) -> None:
        for event in node.stream("events", {}):
            if self._over.is_set():
                return
            if fields.text(event, "event") == "following":
                self._changed(True)
            self._heard(node, event)
