"""Sync sessions between members: who is at the other end, and a seal for what only members may say (protocol.md §10).

Each direction stands on its own. The speaker picks a topic that both share, and with that epoch's sync key and both
nonces and PeerIds derives the seal for all that it says; opening it proves the sync key. Inside the first seal
stands the speaker's device id and signature over the same nonces, PeerIds and gid. An ex-member knows old sync keys
but cannot be a *current* device, so it is served nothing but ciphertext that it could have recorded.
"""

from dataclasses import dataclass, field

from mesh.crypto.hashes import h, kdf
from mesh.crypto.keys import NONCE_BYTES, decrypt, encrypt
from mesh.errors import Fault, RemoteError
from mesh.gossip.topics import TAG_BYTES
from mesh.ids import GroupId, PeerId
from mesh.wire.codec import decode, encode
from mesh.wire.limits import SESSION_BYTES_MAX
from mesh.wire.sessions import SESSION_BODIES, SessionBody, SessionType

PROOF_LABEL = b"mesh1/session\0"
_TYPES = {body: kind for kind, body in SESSION_BODIES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """The two ends of one link, speaker first; nonces are 32 B."""

    speaker_nonce: bytes
    hearer_nonce: bytes
    speaker: PeerId
    hearer: PeerId

    def binding(self) -> bytes:
        """Return 32 B that stand for this link in this direction."""
        return h(b"mesh1/link", self.speaker_nonce, self.hearer_nonce, self.speaker.encode(), self.hearer.encode())

    def turned(self) -> "Ends":
        """Return the other direction."""
        return Ends(
            speaker_nonce=self.hearer_nonce,
            hearer_nonce=self.speaker_nonce,
            speaker=self.hearer,
            hearer=self.speaker,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfSession:
    """One direction of a session: the tag that names it on the link (8 B) and its key (32 B)."""

    tag: bytes
    key: bytes = field(repr=False)

    def seal(self, nonce: bytes, plaintext: bytes) -> bytes:
        """Return `tag 8 ‖ nonce 24 ‖ AEAD`."""
        return self.tag + nonce + encrypt(self.key, nonce, self.tag, plaintext)

    def open(self, payload: bytes) -> bytes:
        """Open what the speaker sealed; RemoteError(UNREADABLE)."""
        nonce = payload[TAG_BYTES : TAG_BYTES + NONCE_BYTES]
        return decrypt(self.key, nonce, self.tag, payload[TAG_BYTES + NONCE_BYTES :])


def half_session(tag: bytes, sync_key: bytes, ends: Ends) -> HalfSession:
    """Derive the seal of one direction from the epoch's sync key (32 B)."""
    return HalfSession(tag=tag, key=kdf(sync_key, b"mesh1/sess", ends.binding()))


def proof_statement(gid: GroupId, ends: Ends) -> bytes:
    """Return what the speaker's device signs."""
    return PROOF_LABEL + h(b"mesh1/proof", gid, ends.binding())


def tag_of(payload: bytes) -> bytes:
    """Return the tag of a PROOF or SEALED payload; RemoteError if it is too short to be one."""
    if len(payload) < TAG_BYTES + NONCE_BYTES + 16:
        raise RemoteError(Fault.MALFORMED, "a session frame is too short")
    return payload[:TAG_BYTES]


def pack(body: SessionBody) -> bytes:
    """Return `type 1 ‖ record`."""
    return bytes([_TYPES[type(body)]]) + encode(body)


def unpack(plaintext: bytes) -> SessionBody:
    """Parse what `pack` made; RemoteError."""
    if not plaintext:
        raise RemoteError(Fault.MALFORMED, "an empty session message")
    try:
        kind = SessionType(plaintext[0])
    except ValueError:
        raise RemoteError(Fault.MALFORMED, "a session message of unknown type") from None
    return decode(SESSION_BODIES[kind], plaintext[1:], bytes_max=SESSION_BYTES_MAX)
