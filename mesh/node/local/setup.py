"""What a command does to a home besides asking its Api: make the identity, run the node.

A thin door to `mesh.node.home` and `mesh.node.main`, which load keys, trio and libp2p and are therefore
imported only when they are called for.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from mesh.node.local.protocol import JsonObject, JsonValue

OnEvent = Callable[[JsonObject], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewIdentity:
    """What `init` shows, once: the identity's fingerprint and its 24 recovery words; none where they were given."""

    fingerprint: str
    words: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How to run a node: whose home, with which passphrase, listening where, with which peers to try.

    `announce` holds what others are told of where they reach it; nothing: where it listens. `keeper`: be one from now
    on.
    """

    home: Path
    passphrase: str = field(repr=False)
    listen: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    announce: tuple[str, ...] = ()
    keeper: bool = False

    def as_json(self) -> JsonObject:
        """Write the order for the process that will carry it out; it holds the passphrase."""
        return {
            "home": str(self.home),
            "passphrase": self.passphrase,
            "listen": list(self.listen),
            "peers": list(self.peers),
            "announce": list(self.announce),
            "keeper": self.keeper,
        }

    @staticmethod
    def from_json(value: JsonObject) -> "Order":
        """Read what `as_json` wrote."""
        return Order(
            home=Path(str(value["home"])),
            passphrase=str(value["passphrase"]),
            listen=_texts(value["listen"]),
            peers=_texts(value["peers"]),
            announce=_texts(value["announce"]),
            keeper=value["keeper"] is True,
        )


def has_identity(home: Path) -> bool:
    """Say whether an identity lies in `home`."""
    from mesh.node.home import Home

    return Home.at(home).exists()


def check_words(words: str) -> None:
    """Check 24 recovery words; WordsWrong."""
    from mesh.identity.words import root_of

    root_of(words)


def create_identity(home: Path, passphrase: str, *, name: str, locale: str, words: str | None = None) -> NewIdentity:
    """Make a home for a new identity, or for the one of these 24 words, with its store and the node's keepsakes.

    WordsWrong, and the errors of `Home.create`.
    """
    from mesh.identity.keys import draw_root, identity_fingerprint
    from mesh.identity.passphrase import calibrate
    from mesh.identity.words import root_of, words_of
    from mesh.node import clock
    from mesh.node.chance import OsEntropy
    from mesh.node.home import Home
    from mesh.node.keepsakes import draw_keepsakes, keepsakes_write
    from mesh.peer.homes import fresh_home, home_write

    entropy, place = OsEntropy(), Home.at(home)
    root = draw_root(entropy) if words is None else root_of(words)
    made = NewIdentity(fingerprint=identity_fingerprint(root), words=words_of(root) if words is None else ())
    kept = draw_keepsakes(fingerprint=made.fingerprint, name=name, locale=locale, entropy=entropy)
    own = fresh_home(entropy, clock.now().wall_ms)
    cost = calibrate(time.perf_counter)
    first = [keepsakes_write(kept), home_write(own)]
    place.create(root=root, passphrase=passphrase, entropy=entropy, cost=cost, first=first)
    return made


def recovery_words(home: Path, passphrase: str) -> tuple[str, ...]:
    """Give the 24 words; LockedError if the passphrase is wrong. It only reads, so the node may run."""
    from mesh.identity.words import words_of
    from mesh.node.home import Home, HomeBusy

    place = Home.at(home)
    with ExitStack() as held:
        with suppress(HomeBusy):  # then whoever holds it has mended what a crash left of a change
            held.enter_context(place.lock())
        return words_of(place.open_root(passphrase))


def change_passphrase(home: Path, old: str, new: str) -> None:
    """Lock the home with a new passphrase; LockedError if the old one is wrong, HomeBusy while a node runs."""
    from mesh.node.chance import OsEntropy
    from mesh.node.home import Home

    place = Home.at(home)
    with place.lock():
        place.change_passphrase(old, new, entropy=OsEntropy())


def run_node(order: Order, on_event: OnEvent) -> None:
    """Run the node until it is stopped. `on_event` hears `ready` first, then what happens, ids only."""
    from mesh.node.main import run

    run(order, on_event)


def wait_until_free(home: Path, wait_s: float) -> None:
    """Wait until no process uses `home`; HomeBusy if one still does after `wait_s`."""
    from mesh.node.home import Home, HomeMissing

    with suppress(HomeMissing):
        Home.at(home).lock(wait_s).release()


def _texts(value: JsonValue) -> tuple[str, ...]:
    return tuple(str(entry) for entry in value) if isinstance(value, list) else ()
