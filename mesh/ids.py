"""Names for the things the mesh talks about, and the three kinds of chance that are handed in from outside.

An id is a `NewType` over bytes of one fixed length. The length is checked once, where the bytes are
decoded (`mesh.wire`); after that the type is trusted. Nothing here computes anything.
"""

from typing import NewType, Protocol

GroupId = NewType("GroupId", bytes)  # 32 B: op_id of the group's `create`
OpId = NewType("OpId", bytes)  # 32 B: H("mesh1/opid", tbs)
MsgId = NewType("MsgId", bytes)  # 32 B: H("mesh1/msgid", tbs)
PostId = NewType("PostId", bytes)  # 16 B: what a person sees; known before the message is sealed
MemberPk = NewType("MemberPk", bytes)  # 32 B: Ed25519, one per person and group
DevicePk = NewType("DevicePk", bytes)  # 32 B: Ed25519, one per device and group
DeviceId = NewType("DeviceId", bytes)  # 16 B: H("mesh1/dev", member_pk, dev_pk)[:16]
EpochPk = NewType("EpochPk", bytes)  # 32 B: Ed25519 key that all members of an epoch share to publish with
InvitePk = NewType("InvitePk", bytes)  # 32 B: Ed25519, from the code's seed
TopicId = NewType("TopicId", bytes)  # 32 B: what relays and keepers see instead of a group
FrameId = NewType("FrameId", bytes)  # 32 B: H("mesh1/frame", core)
JoinId = NewType("JoinId", bytes)  # 16 B: one attempt to join, local
HomeId = NewType("HomeId", bytes)  # 16 B: one home of a person, known to their homes alone
AccountId = NewType("AccountId", bytes)  # 16 B: whose topics a keeper keeps; drawn by its operator
LinkId = NewType("LinkId", int)  # one live link, local to a process
PeerId = NewType("PeerId", str)  # the transport's name for a node (libp2p, base58)
Address = NewType("Address", str)  # a multiaddr that ends in /p2p/<PeerId>


class Dice(Protocol):
    """Chance that need not be secret: choice of peers, jitter. Seeded in the simulator."""

    def random(self) -> float:
        """Return a float in [0, 1)."""

    def randrange(self, stop: int, /) -> int:
        """Return an int in [0, stop)."""


class Entropy(Protocol):
    """Chance that must be secret: keys and nonces. The operating system's in a node, seeded in the simulator."""

    def draw(self, count: int) -> bytes:
        """Return `count` fresh bytes."""


class Sealer(Protocol):
    """Sealing to a device's KEM key: HPKE base mode (RFC 9180) in a node, a seeded twin in the simulator.

    It is handed in because library HPKE draws its own randomness. `suite` is 1 (X25519) or 2 (ML-KEM-768 with
    X25519). Base mode authenticates nobody, and associated data is bound through `info`.
    """

    def generate(self, suite: int) -> tuple[bytes, bytes]:
        """Return a fresh (private key, public key): 32 and 32 B in suite 1, 96 and 1,216 B in suite 2."""

    def check(self, suite: int, public_key: bytes) -> bool:
        """Say whether one can really seal to `public_key`, by a trial encapsulation."""

    def seal(self, suite: int, public_key: bytes, info: bytes, plaintext: bytes) -> bytes:
        """Seal `plaintext`; the result is 48 B (suite 1) or 1,136 B (suite 2) longer. LocalError on a bad key."""

    def open(self, suite: int, private_key: bytes, info: bytes, sealed: bytes) -> bytes:
        """Open what `seal` made; RemoteError if it is not for this key and `info`."""
