"""Members who misbehave: a changed program, as a gate between an honest core and the network, or without some rules.

The core of such a node is the real one, so that it is let in and kept; what leaves it goes through a gate, which holds
back, alters, repeats or adds. Of one that is *heedless* the rules are taken out by which a node holds back what its
own person says. What none can do is what no program can: sign with keys that it does not have.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from mesh.events import LinkKind, SendClass
from mesh.peer import asking, speaking, stating
from mesh.wire.frames import FrameType
from simulations.errors import PlanError
from simulations.people import Person
from simulations.weather import Parcel
from simulations.world import World

KEPT_MAX: Final = 256  # frames that a replayer remembers
GARBAGE_BYTES: Final = 700
HEEDLESS: Final = "heedless"


Gate = Callable[[Parcel], Iterator[Parcel]]


def _is_message(parcel: Parcel) -> bool:
    return parcel.kind is LinkKind.FRAME and parcel.payload[:1] == bytes([FrameType.MESSAGE])


def withholder(_world: World, _name: str, _times: int) -> Gate:
    """Takes messages in, says that it stored them, and sends none: neither others' nor its own."""

    def passes(parcel: Parcel) -> Iterator[Parcel]:
        if not _is_message(parcel):
            yield parcel

    return passes


def forger(world: World, name: str, _times: int) -> Gate:
    """Alters a bit of each message that it hands on."""
    dice = world.paths.dice(f"forger/{name}")

    def passes(parcel: Parcel) -> Iterator[Parcel]:
        if not _is_message(parcel):
            yield parcel
            return
        altered = bytearray(parcel.payload)
        altered[dice.randrange(1, len(altered))] ^= 1
        yield Parcel(parcel.kind, bytes(altered), parcel.send_class)

    return passes


def replayer(world: World, name: str, times: int) -> Gate:
    """Sends what it has sent before again, `times` for each message."""
    dice = world.paths.dice(f"replayer/{name}")
    kept: list[bytes] = []

    def passes(parcel: Parcel) -> Iterator[Parcel]:
        yield parcel
        if not _is_message(parcel):
            return
        for _ in range(times if kept else 0):
            yield Parcel(parcel.kind, dice.choice(kept), parcel.send_class)
        if len(kept) < KEPT_MAX:
            kept.append(parcel.payload)

    return passes


def flooder(world: World, name: str, times: int) -> Gate:
    """Adds `times` frames of garbage to each frame that it sends."""
    dice = world.paths.dice(f"flooder/{name}")

    def passes(parcel: Parcel) -> Iterator[Parcel]:
        yield parcel
        for _ in range(times):
            garbage = bytes([FrameType.MESSAGE]) + dice.randbytes(GARBAGE_BYTES - 1)
            yield Parcel(LinkKind.FRAME, garbage, SendClass.MESSAGES)

    return passes


def liar(world: World, name: str, times: int) -> Gate:
    """Says that it stored what it did not: with each answer it names frames that nobody sent."""
    dice = world.paths.dice(f"liar/{name}")

    def passes(parcel: Parcel) -> Iterator[Parcel]:
        yield parcel
        if parcel.kind is LinkKind.STORED:
            yield Parcel(LinkKind.STORED, dice.randbytes(32) * times, parcel.send_class)

    return passes


GATES: Final[dict[str, Callable[[World, str, int], Gate]]] = {
    "withholder": withholder,
    "forger": forger,
    "replayer": replayer,
    "flooder": flooder,
    "liar": liar,
}


RULES: Final = (
    (asking, "require_not_quiet"),
    (stating, "require_not_quiet"),
    (speaking, "waits_for_quiet"),
    (speaking, "waits_for_end"),
)


@contextmanager
def heedless() -> Iterator[None]:
    """Leave out the rules by which one who is asked to be quiet, or to wait for a circle's end, says nothing."""
    kept = [getattr(module, name) for module, name in RULES]
    for module, name in RULES:
        setattr(module, name, lambda *_: False)
    try:
        yield
    finally:
        for (module, name), rule in zip(RULES, kept, strict=True):
            setattr(module, name, rule)


def misbehave(world: World, person: Person, how: str, times: int) -> None:
    """Have somebody's program misbehave from now on."""
    if how == HEEDLESS:
        world.programs[person.name] = heedless
        return
    if how not in GATES:
        raise PlanError(f"`misbehave` knows no `{how}`. There is: {', '.join(sorted((*GATES, HEEDLESS)))}.")
    world.gates[person.name] = GATES[how](world, person.name, times)
