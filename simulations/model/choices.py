"""Which parameters to choose: one changed at a time, in groups of 500, with nothing wrong and with much wrong.

Much is 5 % of segments lost and a fifth of the nodes dead after their author's first post. What a choice costs is what
is sent for each delivery, ids included; what it brings is how late the last in a hundred is.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from simulations.crowd import LONG_BYTES, SHORT_BYTES, Scene
from simulations.model.scenes import measure
from simulations.model.settings import SETTINGS, Settings

NEAR: Final = 1.25  # times the soonest: nobody notices a quarter of some 100 ms; ours
WORTH: Final = 0.98  # of the bytes: for less than that no parameter is changed; ours

AS_IT_IS: Final = "as it is"
VARIANTS: Final[dict[str, Settings]] = {
    AS_IT_IS: SETTINGS,
    **{f"D {count}": replace(SETTINGS, eager=count) for count in (3, 4, 6, 8)},
    **{f"{count} links": replace(SETTINGS, active=count) for count in (6, 10)},
    "ids after 50–125 ms": replace(SETTINGS, announce_ms=50, announce_spread_ms=75),
    "ids after 1,000–1,500 ms": replace(SETTINGS, announce_ms=1_000, announce_spread_ms=500),
    "asked again after 300 ms": replace(SETTINGS, ask_next_ms=300, wait_ms=300),
    "no copy from the spare": replace(SETTINGS, spare_pushes=0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What comes of one choice, for frames of one length; bytes for each delivery, p99 in ms."""

    name: str
    frame_bytes: int
    copies: float
    bytes: float
    p99_ms: int
    bytes_in_trouble: float
    p99_in_trouble_ms: int
    delivered_in_trouble: float


def choices(seed: int = 1, nodes: int = 500, runs: int = 4) -> Iterator[Choice]:
    """Try each choice, on short frames and on long ones."""
    for frame_bytes in (SHORT_BYTES, LONG_BYTES):
        calm = Scene(nodes=nodes, authors=5, frame_bytes=frame_bytes)
        trouble = replace(calm, loss=0.05, dead=0.2)
        for name, settings in VARIANTS.items():
            well, ill = (measure(scene, range(seed, seed + runs), settings) for scene in (calm, trouble))
            yield Choice(
                name=name,
                frame_bytes=frame_bytes,
                copies=well.copies,
                bytes=well.copies * frame_bytes + well.said_bytes,
                p99_ms=well.p99_ms,
                bytes_in_trouble=ill.copies * frame_bytes + ill.said_bytes,
                p99_in_trouble_ms=ill.p99_ms,
                delivered_in_trouble=ill.delivered,
            )


def best(tried: list[Choice], frame_bytes: int) -> Choice:
    """Return the cheapest of those nearly as soon as the soonest, well and in trouble; ours where little is gained."""
    some = [one for one in tried if one.frame_bytes == frame_bytes]
    soon, soon_in_trouble = min(one.p99_ms for one in some), min(one.p99_in_trouble_ms for one in some)
    near = [one for one in some if one.p99_ms <= NEAR * soon and one.p99_in_trouble_ms <= NEAR * soon_in_trouble]
    cheapest = min(near or some, key=_bytes)
    present = next((one for one in near if one.name == AS_IT_IS), None)
    if present is not None and _bytes(cheapest) >= WORTH * _bytes(present):
        return present
    return cheapest


def _bytes(one: Choice) -> float:
    return one.bytes + one.bytes_in_trouble
