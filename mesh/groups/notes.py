"""Sealed notes: something said to one member inside a group, or to a few, so that no other can tell to whom, or what.

A key is drawn for one note and sealed to each device of its readers, among dummies that nobody can tell from them; the
text is padded to one size. No hint stands before a wrap: a hint is made from a KEM key that all members know, and
would say whose it is. So each device tries each wrap, with each of its newest keys. Sealing shows nobody the
recipient's key: DHKEM's and ML-KEM's ciphertexts are anonymous (Maram and Xagawa, "Post-Quantum Anonymity of Kyber",
PKC 2023).

Group, author and the message's uid are bound in, so that nobody can say another's note again as their own.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final

from mesh.crypto.hashes import h
from mesh.crypto.keys import NONCE_BYTES, decrypt, encrypt
from mesh.errors import Fault, LocalError, RemoteError
from mesh.groups.epochs import WRAP_BYTES
from mesh.groups.group import Group, Means
from mesh.ids import DeviceId, MemberPk, Sealer
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.messages import NoteBody
from mesh.wire.padding import pad, unpad

_KEY_BYTES: Final = 32


def shares(group: Group, members: Iterable[MemberPk]) -> list[list[MemberPk]]:
    """Part members who are in so that a note has room for all the devices of each part: in as few notes as may be."""
    parted: list[list[MemberPk]] = []
    room: list[int] = []
    for pk in members:
        count = len(group.view.members[pk].devices)
        place = next((k for k, left in enumerate(room) if left >= count), None)
        if place is None:
            parted.append([pk])
            room.append(limits.NOTE_WRAPS - count)
        else:
            parted[place].append(pk)
            room[place] -= count
    return parted


def seal_note(group: Group, to: Iterable[MemberPk], uid: bytes, plain: bytes, means: Means) -> bytes:
    """Return the body of a note to members who are in, with four devices together at most; LocalError if it is long."""
    if len(plain) >= limits.NOTE_PLAIN_BYTES:
        raise LocalError("a note can hold only so much", do="say less", code="E-TOO-LONG")
    info = _info(group, group.own.dev, uid)
    key, nonce = means.entropy.draw(_KEY_BYTES), means.entropy.draw(NONCE_BYTES)
    devices = [dev for member in to for dev in group.view.members[member].devices]
    assert len(devices) <= limits.NOTE_WRAPS, "more devices than a note has wraps"
    wraps = [means.sealer.seal(group.suite, group.kem_of[dev][1], info, key) for dev in devices]
    for _ in range(limits.NOTE_WRAPS - len(wraps)):
        _, stranger = means.sealer.generate(group.suite)
        wraps.append(means.sealer.seal(group.suite, stranger, info, means.entropy.draw(_KEY_BYTES)))
    wraps.sort()  # ciphertexts are as good as random: sorting shuffles
    return encode(NoteBody(wraps=wraps, sealed=nonce + encrypt(key, nonce, info, pad(plain, limits.NOTE_PLAIN_BYTES))))


def read_note(group: Group, body: bytes) -> NoteBody:
    """Parse a note's body; RemoteError if it has not the one form that a note has in this group."""
    note = decode(NoteBody, body, bytes_max=limits.MESSAGE_BYTES_MAX)
    if any(len(wrap) != WRAP_BYTES[group.suite] for wrap in note.wraps):
        raise RemoteError(Fault.MALFORMED, "a note with wraps of another size")
    return note


def open_note(group: Group, dev: DeviceId, uid: bytes, note: NoteBody, sealer: Sealer) -> bytes | None:
    """Return what a note by the device `dev` says, or None if it is not for us (or is nothing that opens).

    Only our newest keys are tried: one who has not heard of any of them has been away for weeks.
    """
    info = _info(group, dev, uid)
    nonce, sealed = note.sealed[:NONCE_BYTES], note.sealed[NONCE_BYTES:]
    for _, private in group.kem_pairs()[: limits.NOTE_KEYS_MAX]:
        for wrap in note.wraps:
            try:
                key = sealer.open(group.suite, private, info, wrap)
                return unpad(decrypt(key, nonce, info, sealed)) if len(key) == _KEY_BYTES else None
            except RemoteError:
                continue
    return None


def seal_slips(group: Group, slips: Mapping[DeviceId, bytes], uid: bytes, means: Means) -> list[bytes]:
    """Return what each of these devices alone opens, among dummies: always four, of one length.

    They stand inside a note to all of these devices: its readers see each other's slips and open their own. All slips
    must have one length.
    """
    info = _slip_info(group, group.own.dev, uid)
    sealed = [means.sealer.seal(group.suite, group.kem_of[dev][1], info, slip) for dev, slip in slips.items()]
    bytes_each = max(len(slip) for slip in slips.values())
    for _ in range(limits.NOTE_WRAPS - len(sealed)):
        _, stranger = means.sealer.generate(group.suite)
        sealed.append(means.sealer.seal(group.suite, stranger, info, means.entropy.draw(bytes_each)))
    return sorted(sealed)


def open_slip(group: Group, dev: DeviceId, uid: bytes, slips: Iterable[bytes], sealer: Sealer) -> bytes | None:
    """Return what our slip in a note by the device `dev` says, or None if none is for us."""
    info, tried = _slip_info(group, dev, uid), list(slips)
    for _, private in group.kem_pairs()[: limits.NOTE_KEYS_MAX]:
        for slip in tried:
            with suppress(RemoteError):
                return sealer.open(group.suite, private, info, slip)
    return None


def _info(group: Group, dev: DeviceId, uid: bytes) -> bytes:
    """Return what a note's seals are bound to."""
    return h(b"mesh1/note", group.gid, dev, uid)


def _slip_info(group: Group, dev: DeviceId, uid: bytes) -> bytes:
    """Return what the seal of a slip is bound to."""
    return h(b"mesh1/slip", group.gid, dev, uid)
