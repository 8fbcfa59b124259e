"""What each command is handed: the home, how to speak, and the ways to the node and to the passphrase."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from cli.ask import PassphraseNeeded, ask_passphrase
from cli.output import Output
from cli.unseen import Unseen
from cli.words import tell
from mesh.errors import LockedError, MeshError
from mesh.node.local.api import Api, open_api, reach_node
from mesh.node.local.protocol import JsonObject
from mesh.phrases import phrase

T = TypeVar("T")
TYPED_MAX: Final = 3  # how often a passphrase may be typed before a command ends; ours
PASSPHRASE_BYTES_MAX = 4096  # more than any passphrase may have; what a stray file may hold


@dataclass(slots=True, kw_only=True)
class Context:
    """One run of the command. The passphrase is asked for when something needs it, and again only if it was wrong."""

    home: Path
    out: Output
    yes: bool = False
    passphrase_fd: int | None = None
    conversing: bool = False  # within `mesh chat`
    node_up: bool = False  # known once `api` was entered
    unseen: Unseen = field(default_factory=Unseen)
    _passphrase: str | None = field(default=None, repr=False)

    @contextmanager
    def api(self) -> Iterator[Api]:
        """Reach the node, or open the home here."""
        node = reach_node(self.home)
        self.node_up = node is not None
        api = node or self.with_passphrase(lambda: open_api(self.home, self.passphrase))
        try:
            yield api
        finally:
            api.close()

    def call(self, method: str, params: JsonObject | None = None) -> JsonObject:
        """Ask one thing."""
        with self.api() as api:
            return api.call(method, params or {})

    def say_unheard(self) -> None:
        """Say that what was changed with the node down is known here alone."""
        if not self.node_up:
            self.out.say(tell("Your node is not running, so nobody else has heard of it yet: `mesh up` tells them."))

    def signed(self, api: Api, method: str, asked: JsonObject) -> JsonObject:
        """Ask for something that is signed with a key which only the passphrase opens."""
        return self.with_passphrase(lambda: api.call(method, {**asked, "passphrase": self.passphrase()}))

    def passphrase(self) -> str:
        """Give the passphrase: from --passphrase-fd, MESH_PASSPHRASE_FILE or the person, in this order."""
        if self._passphrase is None:
            given = self.given_passphrase()
            self._passphrase = ask_passphrase() if given is None else given
        return self._passphrase

    def forget_passphrase(self) -> None:
        """Let go of a passphrase that was typed; one that came by a descriptor cannot be read a second time."""
        if not self.can_unlock_unasked():
            self._passphrase = None

    def with_passphrase(self, act: Callable[[], T]) -> T:
        """Do what needs the passphrase. One that was typed, and is wrong, may be typed again; too soon, it is not seen.

        What goes on for long after the check ends `unseen` by itself.
        """
        if self.can_unlock_unasked():
            return act()
        with self.unseen:
            return self._tried(act)

    def _tried(self, act: Callable[[], T]) -> T:
        for _ in range(TYPED_MAX - 1):
            try:
                return act()
            except MeshError as error:
                if error.code != LockedError.code or self._passphrase is None:
                    raise
                self._passphrase = None
                self.out.insist(tell("That is not the passphrase. Once more, please."))
        return act()

    def given_passphrase(self) -> str | None:
        """Give the passphrase that came by a descriptor or a file; None if it has to be asked for."""
        if self.passphrase_fd is not None:
            return read_line_of(self.passphrase_fd)
        if path := os.environ.get("MESH_PASSPHRASE_FILE"):
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                raise PassphraseNeeded(
                    phrase(
                        "The file that MESH_PASSPHRASE_FILE names cannot be read: {reason}.",
                        reason=error.strerror or "",
                    ),
                    do="Name a file that holds the passphrase in its first line.",
                ) from None
            try:
                return read_line_of(descriptor)
            finally:
                os.close(descriptor)
        return None

    def can_unlock_silently(self) -> bool:
        """Say whether the passphrase is at hand without asking."""
        return self._passphrase is not None or self.can_unlock_unasked()

    def can_unlock_unasked(self) -> bool:
        """Say whether the passphrase comes by a descriptor or a file, so that nobody types it."""
        return self.passphrase_fd is not None or bool(os.environ.get("MESH_PASSPHRASE_FILE"))


def read_line_of(descriptor: int) -> str:
    """Read one line, byte by byte: what follows it may be the text of a message."""
    held = bytearray()
    try:
        while len(held) <= PASSPHRASE_BYTES_MAX and (byte := os.read(descriptor, 1)) not in {b"", b"\n"}:
            held += byte
        line = held.decode()
    except (OSError, UnicodeDecodeError):
        line = ""
    if not line or len(held) > PASSPHRASE_BYTES_MAX:
        raise PassphraseNeeded(
            "The passphrase could not be read from where it was said to be.",
            why="Its first line is empty, too long or not text, or the descriptor is not open.",
            do="Give --passphrase-fd a descriptor that is open for reading, or check the file.",
        )
    return line.removesuffix("\r")
