"""Messages sealed by hand, with a part of them wrong: every member holds the keys for that. And signatures."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha512

from nacl.bindings import (
    crypto_core_ed25519_scalar_add,
    crypto_core_ed25519_scalar_mul,
    crypto_core_ed25519_scalar_reduce,
    crypto_scalarmult_ed25519_base_noclamp,
)

from mesh.crypto.keys import encrypt, public_key, sign
from mesh.groups.messaging import (
    MESSAGE_LABEL,
    OpenedMessage,
)
from mesh.groups.records import EpochRecord
from mesh.ids import DeviceId
from mesh.wire.codec import encode
from mesh.wire.frames import FrameType, seal_frame
from mesh.wire.messages import MessageTbs, SignedMessage
from mesh.wire.padding import pad
from tests.groups.joiners import WALL_MS
from tests.groups.people import Person, founds


def circle(*names: str) -> list[Person]:
    """Alice, who founded the group, and these; all have heard all."""
    alice = founds("Alice")
    people = [alice, *(alice.admits(name) for name in names)]
    for person in people:
        person.hears(alice)
    return people


@dataclass(frozen=True, kw_only=True)
class Inside:
    """A message taken apart by one who holds the epoch's keys."""

    record: EpochRecord
    dev: DeviceId
    i: int
    tbs: MessageTbs


def epoch_in_use(person: Person) -> EpochRecord:
    """The keys of the epoch that a person would send under."""
    assert person.group.epoch is not None
    return person.group.epochs[person.group.epoch]


def inside(person: Person, raw: bytes) -> Inside:
    """Take a message apart."""
    opened = person.looks_at(raw)
    assert isinstance(opened, OpenedMessage)
    record = person.group.epochs[opened.epoch]
    return Inside(record=record, dev=opened.tbs.dev, i=opened.tbs.i, tbs=opened.tbs)


def sealed_by_hand(
    mallory: Person,
    tbs: MessageTbs,
    *,
    header: tuple[DeviceId, int] | None = None,
    seed: bytes | None = None,
    record: EpochRecord | None = None,
    label: bytes = MESSAGE_LABEL,
    plain: Callable[[bytes], bytes] = pad,
) -> bytes:
    """Seal as `seal_message` does, with a part of it wrong: every member holds the keys for that."""
    under = record or epoch_in_use(mallory)
    raw = encode(tbs)
    dev, i = header or (tbs.dev, tbs.i)
    signed = encode(SignedMessage(tbs=raw, sig=sign(seed or mallory.dev_seed, label + raw)))
    chain = mallory.group.chains[under.op_id, dev]
    key, _ = chain.take(i)
    outer = b"\1" + public_key(under.pub_seed)
    nonce = bytes(24)
    sealed_header = encrypt(under.hdr_key, nonce, outer, dev + i.to_bytes(4, "big"))
    body = encrypt(key, nonce, outer + sealed_header, plain(signed))
    return seal_frame(FrameType.MESSAGE, under.pub_seed, nonce + sealed_header + body)


def honest_tbs(person: Person, **changes: object) -> MessageTbs:
    """What this person would sign next, with fields changed."""
    record = epoch_in_use(person)
    fields: dict[str, object] = {
        "version": 1,
        "gid": person.group.gid,
        "epoch": record.op_id,
        "dev": person.dev,
        "i": person.group.chains[record.op_id, person.dev].i,
        "mseq": person.group.own.mseq + 1,
        "uid": bytes(16),
        "kind": 1,
        "prev": person.group.own.prev,
        "parents": [],
        "heads": person.group.log.heads,
        "ts_ms": WALL_MS,
        "flags": 0,
        "body": b"hello",
    }
    return MessageTbs(**{**fields, **changes})  # type: ignore[arg-type]  # the decoder says whether they fit


def signed_anew(seed: bytes, text: bytes) -> bytes:
    """Return an Ed25519 signature (64 B) that verifies and is not the one that the standard prescribes.

    Its nonce is drawn from something else than the seed and the text, which a verifier cannot know.
    """
    digest = sha512(seed).digest()
    secret = bytes([digest[0] & 248, *digest[1:31], digest[31] & 63 | 64])
    nonce = crypto_core_ed25519_scalar_reduce(sha512(b"another nonce" + text).digest())
    point = crypto_scalarmult_ed25519_base_noclamp(nonce)
    challenge = crypto_core_ed25519_scalar_reduce(sha512(point + public_key(seed) + text).digest())
    return point + crypto_core_ed25519_scalar_add(nonce, crypto_core_ed25519_scalar_mul(challenge, secret))
