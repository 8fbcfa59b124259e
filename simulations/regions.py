"""Where machines stand: how far regions are apart, how fast lines are, and who can be reached from where.

Figures come from others' measurements and are named with their source; which of them fit a support group's members is
our assumption, and a scenario says what it takes.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# How many nodes stand where, and one-way links in ms: libp2p/test-plans, gossipsub-interop (from measurements of the
# Ethereum network). Where no figure is given, the sum over the regions between; same region: 20 ms, ours.
WEIGHTS: Final = {
    "europe": 5599,
    "america-east": 2894,
    "america-west": 1240,
    "asia-east": 1059,
    "australia": 290,
    "asia-west": 161,
    "africa-south": 47,
    "america-south": 36,
}
_ONE_WAY_MS: Final = {
    ("europe", "america-east"): 70,
    ("europe", "asia-east"): 125,
    ("europe", "australia"): 165,
    ("america-east", "america-west"): 60,
    ("australia", "africa-south"): 220,
    # Half of the round trips between data centres of one provider (older figures, by blog): São Paulo–Singapore 328 ms,
    # Virginia–Tokyo 145 ms; for the rest the sum of what lies between, which is ours.
    ("america-east", "asia-east"): 73,
    ("america-south", "asia-east"): 164,
    ("america-west", "europe"): 130,
    ("america-west", "asia-east"): 65,
    ("america-east", "australia"): 120,
    ("america-west", "australia"): 90,
    ("america-south", "america-east"): 60,
    ("america-south", "america-west"): 90,
    ("america-south", "europe"): 100,
    ("america-south", "australia"): 160,
    ("america-south", "africa-south"): 170,
    ("america-south", "asia-west"): 150,
    ("asia-west", "europe"): 60,
    ("asia-west", "asia-east"): 90,
    ("asia-west", "america-east"): 120,
    ("asia-west", "america-west"): 150,
    ("asia-west", "australia"): 130,
    ("asia-west", "africa-south"): 100,
    ("africa-south", "europe"): 80,
    ("africa-south", "america-east"): 120,
    ("africa-south", "america-west"): 160,
    ("africa-south", "asia-east"): 160,
    ("asia-east", "australia"): 60,
}
WITHIN_MS: Final = 20


def one_way_ms(one: str, other: str) -> int:
    """Give how long a frame is under way between two regions."""
    if one == other:
        return WITHIN_MS
    found = _ONE_WAY_MS.get((one, other))
    return found if found is not None else _ONE_WAY_MS[other, one]


class Nat(StrEnum):
    """What stands between a machine and the network: whom it lets in (RFC 4787's terms in brackets)."""

    NONE = "none"  # anybody may dial it
    FULL_CONE = "full-cone"  # endpoint-independent mapping and filtering
    PORT_RESTRICTED = "port-restricted"  # endpoint-independent mapping, address- and port-dependent filtering
    SYMMETRIC = "symmetric"  # address- and port-dependent mapping
    CARRIER = "carrier"  # a symmetric one at the provider, behind one's own


@dataclass(frozen=True, slots=True)
class Machine:
    """What is known of one machine beside its weather. `kbit_s`: 0 for a line that is never full."""

    region: str = ""
    kbit_s: int = 0
    nat: Nat = Nat.NONE
    relays: bool = False


PLAIN: Final = Machine()


class Reach(StrEnum):
    """How one machine comes to another."""

    DIRECT = "direct"
    PUNCHED = "punched"  # both dial at once, told by a relay (DCUtR)
    RELAYED = "relayed"
    NOT = "not"


_PUNCHED: Final = frozenset({Nat.FULL_CONE, Nat.PORT_RESTRICTED})


def reach(one: Machine, other: Machine, *, relay: bool) -> Reach:
    """Say how `one` comes to `other`, dialling; in theory, which a router may not know.

    A hole is punched where both mappings stay the same for every peer, or where one side is open to all that come.
    """
    if other.nat is Nat.NONE:
        return Reach.DIRECT
    if not relay:
        return Reach.DIRECT if one.nat is Nat.NONE and other.nat is Nat.FULL_CONE else Reach.NOT
    if one.nat is Nat.NONE or (one.nat in _PUNCHED and other.nat in _PUNCHED):
        return Reach.PUNCHED  # to one without a router, the other side dials back
    if Nat.FULL_CONE in {one.nat, other.nat}:
        return Reach.PUNCHED
    return Reach.RELAYED
