"""Pairing: two homes of one root find each other by a code, and one brings the other into its groups (protocol.md §18).

The code holds a seed that is worth nothing without the root: the pairing's key is derived from both, so whoever can
make or open one frame of it has the 24 words. Answers are sealed to a fresh KEM key besides, so that one who records
them and learns the root and the code later still reads none.
"""

from dataclasses import dataclass, field
from typing import Final

from mesh.crypto.hashes import h, kdf
from mesh.crypto.keys import decrypt, encrypt, public_key
from mesh.errors import Fault, LocalError, RemoteError
from mesh.groups.group import Means
from mesh.ids import Sealer, TopicId
from mesh.secret import Secret
from mesh.wire import limits
from mesh.wire.codec import Record, decode, encode
from mesh.wire.codes import CHECK_BYTES
from mesh.wire.frames import Frame, FrameType, join_welcome, seal_frame, split_nonce, split_welcome, topic_of
from mesh.wire.padding import pad, unpad
from mesh.wire.pairing import PairAskBody
from mesh.wire.text import check_text

PAIR_SUITE: Final = 2  # how answers are sealed, whatever the groups use
_CHUNK_ROOM: Final = limits.WELCOME_CHUNK_BYTES_MAX - 2048  # the rest is room for seals and for the frame


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingKeys:
    """What a pairing's key opens; each 32 B."""

    pub_seed: bytes = field(repr=False)
    ask_key: bytes = field(repr=False)
    give_key: bytes = field(repr=False)

    @property
    def topic(self) -> TopicId:
        """Where both homes meet."""
        return topic_of(public_key(self.pub_seed))


def pairing_keys(key: Secret) -> PairingKeys:
    """Derive what a pairing needs from its 32 B key (see `mesh.identity.keys.pairing_key`)."""
    held = key.reveal()
    return PairingKeys(
        pub_seed=kdf(held, b"mesh1/pairpub", b""),
        ask_key=kdf(held, b"mesh1/pairask", b""),
        give_key=kdf(held, b"mesh1/pairgive", b""),
    )


def pairing_check(key: Secret) -> bytes:
    """Return the 4 B in a code by which a home of the same root knows it as its own; to others they say nothing."""
    return kdf(key.reveal(), b"mesh1/pairsum", b"")[:CHECK_BYTES]


# ---------------------------------------------------------------- questions


def seal_ask(keys: PairingKeys, body: PairAskBody, means: Means) -> bytes:
    """Return the frame of a question."""
    nonce = means.entropy.draw(24)
    sealed = encrypt(keys.ask_key, nonce, _outer(FrameType.PAIR_ASK, keys), pad(encode(body)))
    return seal_frame(FrameType.PAIR_ASK, keys.pub_seed, nonce + sealed)


def open_ask(frame: Frame, keys: PairingKeys) -> PairAskBody:
    """Open a question; RemoteError if it is not by a home of our root that has the code."""
    nonce, sealed = split_nonce(frame.middle)
    plain = unpad(decrypt(keys.ask_key, nonce, _outer(FrameType.PAIR_ASK, keys), sealed))
    body = decode(PairAskBody, plain, bytes_max=limits.WELCOME_CHUNK_BYTES_MAX)
    for entry in (body.own, *body.others):
        check_text(entry.name, limits.DEVICE_NAME_BYTES_MAX)
    return body


# ---------------------------------------------------------------- answers


def seal_answer(keys: PairingKeys, body: Record, ask: PairAskBody, means: Means) -> list[bytes]:
    """Return the frames of an answer, in parts. LocalError if there is too much to say."""
    raw = encode(body)
    parts = [raw[k : k + _CHUNK_ROOM] for k in range(0, len(raw), _CHUNK_ROOM)]
    if len(parts) > limits.PAIR_CHUNKS_MAX:
        raise LocalError("this group's log is too long to be handed over", code="E-GROUP-FULL")
    frames = []
    for index, part in enumerate(parts):
        info = _info(ask.ticket, index, len(parts))
        sealed = means.sealer.seal(PAIR_SUITE, ask.kem_pk, info, part)
        nonce = means.entropy.draw(24)
        outer = _outer(FrameType.PAIR_ANSWER, keys) + join_welcome(index, len(parts), b"")
        chunk = nonce + encrypt(keys.give_key, nonce, outer, sealed)
        frames.append(seal_frame(FrameType.PAIR_ANSWER, keys.pub_seed, join_welcome(index, len(parts), chunk)))
    return frames


def open_answer(
    frame: Frame, keys: PairingKeys, *, ticket: bytes, kem_private: bytes, sealer: Sealer
) -> tuple[int, int, bytes] | None:
    """Open one part of an answer; return (index, total, part), or None if it answers another question than `ticket`.

    RemoteError if it is not by a home of our root.
    """
    index, total, chunk = split_welcome(frame.middle)
    nonce, sealed = split_nonce(chunk)
    outer = _outer(FrameType.PAIR_ANSWER, keys) + join_welcome(index, total, b"")
    inner = decrypt(keys.give_key, nonce, outer, sealed)
    try:
        part = sealer.open(PAIR_SUITE, kem_private, _info(ticket, index, total), inner)
    except RemoteError:
        return None
    if not part or (index < total - 1 and len(part) != _CHUNK_ROOM):
        raise RemoteError(Fault.MALFORMED, "a part of an answer has the wrong length")
    return index, total, part


def _outer(kind: FrameType, keys: PairingKeys) -> bytes:
    return bytes([kind]) + public_key(keys.pub_seed)


def _info(ticket: bytes, index: int, total: int) -> bytes:
    return h(b"mesh1/pairinfo", ticket, index.to_bytes(2, "big"), total.to_bytes(2, "big"))
