"""What the model takes: the parameters of our gossip, as `mesh.gossip` has them unless said otherwise, and the weather.

They are imported and not written down again, so that the model changes with the code that it stands for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Final

from mesh.gossip.promises import ASK_NEXT_MS, WAIT_MS
from mesh.gossip.spread import ANNOUNCE_MS, ANNOUNCE_SPREAD_MS, FULL_MESH, LONG_BYTES, D
from mesh.gossip.trees import MISSED_MAX
from mesh.gossip.views import ACTIVE, LINKED_MAX, OWN
from simulations.errors import PlanError
from simulations.weather import CALM

NODES_MAX: Final = 2_000_000  # 1.5 GiB or so; ours
LENGTH_MAX: Final = 512 * 1024  # B, of a frame (docs/protocol.md §8)
LATENCY_MS_MAX: Final = 2_000
RETRANSMITS_MAX: Final = 12  # of one segment; at 30 % loss two in a million are lost more often


def _within(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:  # not a number is not either
        raise PlanError(f"`{name}` goes from {least:g} to {most:g}; {value:g} was given.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Parameters of gossip (`mesh.gossip`); `eager` is D. Times in ms."""

    eager: int = D
    own: int = OWN
    active: int = ACTIVE
    linked_max: int = LINKED_MAX
    full_mesh: int = FULL_MESH
    long_bytes: int = LONG_BYTES
    missed_max: int = MISSED_MAX
    announce_ms: int = ANNOUNCE_MS
    announce_spread_ms: int = ANNOUNCE_SPREAD_MS
    wait_ms: int = WAIT_MS
    ask_next_ms: int = ASK_NEXT_MS
    spare_pushes: int = 1  # whether short frames come from the spare too; or 0

    def __post_init__(self) -> None:
        _within("own", self.own, 1, 60)
        _within("active", self.active, self.own, 60)
        _within("linked_max", self.linked_max, self.active, 60)
        _within("full_mesh", self.full_mesh, 1, self.linked_max)
        _within("eager", self.eager, 1, 60)
        _within("spare_pushes", self.spare_pushes, 0, 1)
        _within("missed_max", self.missed_max, 1, 100)
        _within("announce_ms", self.announce_ms, 1, 10_000)
        _within("announce_spread_ms", self.announce_spread_ms, 1, 10_000)
        _within("wait_ms", self.wait_ms, 1, 10_000)
        _within("ask_next_ms", self.ask_next_ms, 1, 10_000)
        _within("long_bytes", self.long_bytes, 0, LENGTH_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sky:
    """How far nodes are apart, as the crowd has it unless said otherwise. What is lost comes `retransmit_ms` later."""

    latency_ms: int = CALM.latency_ms
    jitter_ms: int = CALM.jitter_ms
    loss: float = 0.0
    retransmit_ms: int = CALM.retransmit_ms
    regions: bool = False  # in the place of `latency_ms`, `simulations.regions`

    def __post_init__(self) -> None:
        _within("latency_ms", self.latency_ms, 1, LATENCY_MS_MAX)
        _within("jitter_ms", self.jitter_ms, 0, LATENCY_MS_MAX)
        _within("retransmit_ms", self.retransmit_ms, 1, LATENCY_MS_MAX)
        _within("loss", self.loss, 0.0, 0.3)


SETTINGS: Final = Settings()


def named(given: Mapping[str, int]) -> Settings:
    """Return our gossip with these parameters changed. PlanError for one that there is not, or out of its range."""
    known = [field.name for field in fields(Settings)]
    for name in given:
        if name not in known:
            raise PlanError(f"There is no parameter `{name[:40]}`. There is: {', '.join(known)}.")
    return replace(SETTINGS, **given)
