"""A thief who has a copy of somebody's store and all that was ever on the wire, and tries every key on everything.

Nothing that the machine checks stops a thief: only the keys do. Kept apart are what the ratchets open, and what a KEM
key opens anew from recorded wraps.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mesh.crypto.keys import decrypt, public_key
from mesh.errors import RemoteError
from mesh.events import Space
from mesh.groups.epochs import unwrap
from mesh.groups.operations import Operation
from mesh.groups.ratchet import Chain
from mesh.groups.receiving import wrap_gid
from mesh.groups.records import ChainRecord, EpochRecord, KemRecord, OwnState, load
from mesh.groups.schedule import expand
from mesh.ids import DeviceId, FrameId, GroupId, OpId
from mesh.store.memory import MemoryStore
from mesh.wire.frames import HEADER_BYTES, Frame
from mesh.wire.operations import EpochBlock
from simulations.chance import SeededEntropy, SeededSealer


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An epoch as it went by: its operation, its block, and the wraps beside it."""

    op: Operation
    block: EpochBlock
    wraps: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class _Keys:
    """What opens the messages of one epoch, from some place in each chain on."""

    hdr: bytes
    chains: Mapping[DeviceId, Chain]


class Thief:
    """Holds a copy of one store."""

    def __init__(self, store: MemoryStore, gid: GroupId) -> None:
        rows = {space: dict(store.scan(space, gid)) for space in (Space.EPOCHS, Space.CHAINS, Space.KEMS)}
        self.gid = gid
        self.own = load(OwnState, dict(store.scan(Space.GROUPS, gid))[gid])
        self._kems = {int.from_bytes(key[32:], "big"): load(KemRecord, row) for key, row in rows[Space.KEMS].items()}
        chains: dict[OpId, dict[DeviceId, Chain]] = {}
        for key, row in rows[Space.CHAINS].items():
            chain = Chain.from_record(load(ChainRecord, row))
            chains.setdefault(OpId(key[32:64]), {})[DeviceId(key[64:])] = chain
        self._held: dict[bytes, _Keys] = {}
        for row in rows[Space.EPOCHS].values():
            record = load(EpochRecord, row)
            if record.hdr_key:
                keys = _Keys(record.hdr_key, chains.get(record.op_id, {}))
                self._held[public_key(record.pub_seed)] = keys
        self.epochs = frozenset(chains)  # those of which there is a ratchet
        self.numbers = frozenset(self._kems)  # of the KEM keys that are there

    def opens_with_ratchets(self, frames: Iterable[Frame]) -> set[FrameId]:
        """Say which message frames the ratchets that are in the copy open."""
        return {frame.id for frame in frames if _opens(self._held.get(frame.pk), frame)}

    def opens_with_wraps(self, frames: Iterable[Frame], epochs: Iterable[Recorded]) -> set[FrameId]:
        """Say which message frames open with the secrets that recorded wraps give to the KEM keys in the copy."""
        pairs = [(kem.public, kem.private) for kem in self._kems.values()]
        sealer = SeededSealer(SeededEntropy(1, "thief"))
        keys: dict[bytes, _Keys] = {}
        for recorded in epochs:
            secret = unwrap(
                gid=wrap_gid(recorded.op),
                nonce=recorded.block.nonce,
                wraps=recorded.wraps,
                dev=self.own.dev,
                keys=pairs,
                suite=self.own.suite,
                sealer=sealer,
            )
            if secret is not None:
                made = expand(secret, self.gid, recorded.op.op_id, tuple(recorded.block.recipients))
                chains = {dev: Chain(key=key) for dev, key in made.chains.items()}
                keys[public_key(made.pub_seed)] = _Keys(made.hdr, chains)
        return {frame.id for frame in frames if _opens(keys.get(frame.pk), frame)}


def _opens(keys: _Keys | None, frame: Frame) -> bool:
    if keys is None:
        return False
    nonce, header = frame.middle[:24], frame.middle[24 : 24 + HEADER_BYTES]
    outer = bytes([frame.type]) + frame.pk
    try:
        plain = decrypt(keys.hdr, nonce, outer, header)
        key, _ = keys.chains[DeviceId(plain[:16])].take(int.from_bytes(plain[16:], "big"))
        decrypt(key, nonce, outer + header, frame.middle[24 + HEADER_BYTES :])
    except (RemoteError, KeyError):
        return False
    return True
