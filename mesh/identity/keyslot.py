"""A keyslot: 32 secret bytes behind a passphrase, in 154 bytes of file.

Argon2id makes a key of the passphrase. From that follow, by KDF and bound to the header, a sealing key and
a commitment. The commitment is stored in the open: only the right passphrase derives it, so a wrong one is
told as wrong, and no sealed text can be made that opens under two passphrases (Albertini et al., "How to
Abuse and Fix Authenticated Encryption Without Key Commitment", USENIX Security 2022). The checksum at the
end has no key: it tells damage from a wrong passphrase before any work is done. It stops no forger; one who
edits the file and mends the checksum gets "wrong passphrase" or "damaged", never other bytes.

    offset  bytes  what
         0      8  magic, b"MESHSLOT"
         8      1  version, 1
         9      1  role: 1 the store's key, 2 the root seed
        10      4  Argon2id passes t, u32be, 2–16
        14      4  Argon2id memory in KiB, u32be, 65,536–1,048,576
        18     16  salt
        34     24  nonce
        58     32  commitment = KDF(A, "mesh1/slotcommit", bytes 0–57)
        90     48  XChaCha20-Poly1305(key, nonce, aad = bytes 0–89, the 32 B secret)
       138     16  checksum = H("mesh1/slotsum", bytes 0–137)[:16]

where A = Argon2id(passphrase, salt, t, memory), 32 B, and key = KDF(A, "mesh1/slotkey", bytes 0–57).

Every later version keeps magic and version in their places and ends in the same checksum, so that a newer
slot is told from a damaged one. Source: protocol.md §13; the layout is ours.
"""

import hmac
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from mesh.crypto.hashes import h, kdf
from mesh.crypto.keys import NONCE_BYTES, decrypt, encrypt
from mesh.errors import LockedError, RemoteError, StoreError
from mesh.identity.passphrase import SALT_BYTES, Cost, derive
from mesh.phrases import Words, own, phrase
from mesh.secret import Secret

KEYSLOT_BYTES: Final = 154
SECRET_BYTES: Final = 32
MAGIC: Final = b"MESHSLOT"
VERSION: Final = 1
_HEADER: Final = 58
_SEALED: Final = 90
_SUM: Final = 16


class Role(IntEnum):
    """What a slot holds; sealed in, so that one slot cannot stand in for the other."""

    STORE = 1
    ROOT = 2


class KeyslotDamaged(StoreError):
    """A locked key is damaged; bring its file back from a copy, or the identity from its recovery words."""

    code = "E-KEYSLOT-DAMAGED"


class KeyslotNewer(StoreError):
    """This home was made by a newer version of the program; install that version or a later one."""

    code = "E-KEYSLOT-NEWER"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slot:
    header: bytes
    cost: Cost
    salt: bytes
    nonce: bytes
    commitment: bytes
    ciphertext: bytes


def seal_keyslot(secret: Secret, passphrase: str, *, role: Role, cost: Cost, salt: bytes, nonce: bytes) -> bytes:
    """Lock 32 B behind a passphrase; returns the 154 B of a keyslot.

    `salt` (16 B) and `nonce` (24 B) must be fresh from Entropy for each slot. PassphraseUnfit if the
    passphrase is empty or too long; MemoryShort if the memory that `cost` asks for is not free. Takes as
    long as `cost` says.
    """
    assert len(secret) == SECRET_BYTES
    assert len(salt) == SALT_BYTES
    assert len(nonce) == NONCE_BYTES
    passes, memory = cost.passes.to_bytes(4, "big"), cost.memory_kib.to_bytes(4, "big")
    header = MAGIC + bytes([VERSION, role]) + passes + memory + salt + nonce
    key, commitment = _keys(derive(passphrase, salt, cost), header)
    opening = header + commitment
    body = opening + encrypt(key, nonce, opening, secret.reveal())
    return body + _checksum(body)


def open_keyslot(data: bytes, passphrase: str, *, role: Role) -> Secret:
    """Return the 32 B that `seal_keyslot` locked.

    LockedError (E-PASSPHRASE, exit 3) if the passphrase is not the one; KeyslotDamaged if the file is not
    whole, holds another role's secret or asks for work outside the bounds, told before any of it is done;
    KeyslotNewer if a later version wrote it; MemoryShort as in `seal_keyslot`.
    """
    slot = _parse(data, role)
    key, commitment = _keys(derive(passphrase, slot.salt, slot.cost), slot.header)
    if not hmac.compare_digest(commitment, slot.commitment):
        raise LockedError(
            "The passphrase is wrong.",
            do="Mind capital letters and the keyboard's layout. If it changed lately, try the other one too.",
        )
    try:
        return Secret(decrypt(key, slot.nonce, slot.header + slot.commitment, slot.ciphertext))
    except RemoteError:
        raise keyslot_damaged("what it seals has been altered") from None


def keyslot_cost(data: bytes, *, role: Role) -> Cost:
    """Return what opening a slot costs, without opening it; KeyslotDamaged or KeyslotNewer as when opened."""
    return _parse(data, role).cost


def _parse(data: bytes, role: Role) -> _Slot:
    """Judge everything that can be judged without a passphrase."""
    body, checksum = data[:-_SUM], data[-_SUM:]
    if not body.startswith(MAGIC) or len(body) == len(MAGIC):
        raise keyslot_damaged("it does not begin as a keyslot does")
    if not hmac.compare_digest(_checksum(body), checksum):
        raise keyslot_damaged("its checksum does not fit")
    if body[len(MAGIC)] > VERSION:
        raise KeyslotNewer(
            "This home was made by a newer version of the program.",
            why=phrase(
                "Its keyslot has version {theirs}; this program knows version {ours}.",
                theirs=body[len(MAGIC)],
                ours=VERSION,
            ),
            do="Install that version or a later one.",
        )
    if body[len(MAGIC)] != VERSION or len(data) != KEYSLOT_BYTES:
        raise keyslot_damaged("its form is not one that was ever written")
    if body[9] != role:
        raise keyslot_damaged("it holds another key than the one looked for")
    cost = Cost(passes=int.from_bytes(body[10:14], "big"), memory_kib=int.from_bytes(body[14:18], "big"))
    if not cost.allowed:
        raise keyslot_damaged(
            phrase(
                "it asks for {passes} passes over {mebibytes} MiB, out of bounds",
                passes=cost.passes,
                mebibytes=cost.memory_kib // 1024,
            )
        )
    return _Slot(
        header=body[:_HEADER],
        cost=cost,
        salt=body[18:34],
        nonce=body[34:_HEADER],
        commitment=body[_HEADER:_SEALED],
        ciphertext=body[_SEALED:],
    )


def _keys(derived: Secret, header: bytes) -> tuple[bytes, bytes]:
    """Return the sealing key and the commitment, 32 B each."""
    key = derived.reveal()
    return kdf(key, b"mesh1/slotkey", header), kdf(key, b"mesh1/slotcommit", header)


def _checksum(body: bytes) -> bytes:
    return h(b"mesh1/slotsum", body)[:_SUM]


def keyslot_damaged(how: Words) -> KeyslotDamaged:
    """Say that a slot's file cannot be what this program wrote: `how` follows a colon."""
    return KeyslotDamaged(
        phrase("A file with a locked key is damaged: {how}.", how=own(how)),
        why="Without it the passphrase opens nothing.",
        do="Bring the file back from a copy of the home, or the identity from its 24 recovery words.",
    )
