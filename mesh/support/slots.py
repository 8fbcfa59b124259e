"""Slots: what a member puts up stands in one of a few numbered slots of their device, as its statements' subject.

So no device can put up more than it has slots, and what is put in a slot anew takes the words that stood there out of
every store. People know what stands there by an id that is made of its author and of all its words: nobody can put
something under another's id, and what others said of it was said of these very words.
"""

from collections.abc import Iterable
from typing import Final

from mesh.crypto.hashes import h
from mesh.errors import Fault, RemoteError
from mesh.ids import DeviceId, MemberPk
from mesh.support.statements import Said
from mesh.wire.codec import Record, encode

SLOT_BYTES: Final = 17
ID_BYTES: Final = 16


def slot(dev: DeviceId, number: int) -> bytes:
    """Return the subject of what stands in a device's slot of this number (0–255): number 1 B, device 16 B."""
    return bytes([number]) + dev


def is_own_slot(said: Said) -> bool:
    """Say whether a statement is about a slot of the very device that made it."""
    return said.subject[1:] == said.dev


def first_free(dev: DeviceId, taken: Iterable[bytes], count: int) -> bytes | None:
    """Return the first of a device's slots that is not taken; None if all are."""
    held = set(taken)
    return next((slot(dev, number) for number in range(count) if slot(dev, number) not in held), None)


def thing_id(form: int, member: MemberPk, value: Record) -> bytes:
    """Return by which id people know what a member put up, 16 B."""
    return h(b"mesh1/thing", form.to_bytes(2, "big"), member, encode(value))[:ID_BYTES]


def check_slot(subject: bytes, count: int) -> None:
    """RemoteError unless this is one of so many slots of a device."""
    if len(subject) != SLOT_BYTES or subject[0] >= count:
        raise RemoteError(Fault.MALFORMED, "a statement about no slot")


def check_thing(subject: bytes, value: Record) -> None:
    """RemoteError unless a statement is about something that was put up."""
    del value
    if len(subject) != ID_BYTES:
        raise RemoteError(Fault.MALFORMED, "a statement about nothing that was put up")
