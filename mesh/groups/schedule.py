"""The key schedule: from one epoch secret to every key of an epoch (protocol.md §6).

The secret ES is 32 random bytes that are not chained to any parent epoch. It is bound to the group and to the
operation that carries it, expanded once, and then deleted together with EK.
"""

from dataclasses import dataclass, field

from mesh.crypto.hashes import h, kdf
from mesh.ids import DeviceId, GroupId, OpId


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochKeys:
    """What an epoch secret expands into; each 32 B. `chains` holds CK₀ of each recipient device."""

    op: bytes = field(repr=False)
    hdr: bytes = field(repr=False)
    pub_seed: bytes = field(repr=False)
    sync: bytes = field(repr=False)
    chains: dict[DeviceId, bytes] = field(repr=False)


def envelope_key(es: bytes, gid: bytes) -> bytes:
    """Return the key under which the operation that starts the epoch is sealed in its envelope."""
    return kdf(es, b"mesh1/env", gid)


def commitment(es: bytes, gid: bytes) -> bytes:
    """Return the public commitment to the secret, so that one author cannot give out two."""
    return kdf(es, b"mesh1/commit", gid)


def expand(es: bytes, gid: GroupId, op_id: OpId, recipients: tuple[DeviceId, ...]) -> EpochKeys:
    """Expand the secret of the epoch that operation `op_id` starts in group `gid`."""
    ek = kdf(es, b"mesh1/epoch", gid + op_id)
    return EpochKeys(
        op=kdf(ek, b"mesh1/op", b""),
        hdr=kdf(ek, b"mesh1/hdr", b""),
        pub_seed=kdf(ek, b"mesh1/pub", b""),
        sync=kdf(ek, b"mesh1/sync", b""),
        chains={dev: kdf(ek, b"mesh1/chain", dev) for dev in recipients},
    )


def message_key(chain_key: bytes, i: int) -> bytes:
    """Return MK_i from CK_i."""
    return kdf(chain_key, b"mesh1/mk", i.to_bytes(4, "big"))


def next_chain_key(chain_key: bytes) -> bytes:
    """Return CK_{i+1} from CK_i; the old one is forgotten."""
    return kdf(chain_key, b"mesh1/ck", b"")


def wrap_info(gid: bytes, nonce: bytes, dev: DeviceId) -> bytes:
    """Return the HPKE info that binds a wrap to group, epoch nonce and receiving device."""
    return h(b"mesh1/wrap", gid, nonce, dev)


def wrap_hint(kem_pk: bytes, nonce: bytes) -> bytes:
    """Return the 4 B by which a device finds its own wrap without trying each."""
    return h(b"mesh1/hint", kem_pk, nonce)[:4]


def wraps_hash(wraps: tuple[bytes, ...]) -> bytes:
    """Return the commitment to all wraps as sent, dummies included."""
    return h(b"mesh1/wraps", *wraps)
