"""Codes that a person can send, or carry from one screen to another: invites and device codes (protocol.md §12, §18).

An invite is `version 1 ‖ flags 1 ‖ seed 16 ‖ gid prefix 16 ‖ expiry hour u32be`, as 72 characters of bech32m. A device
code is `version 1 ‖ seed 16 ‖ check 4 ‖ expiry minute u32be`, as 54. After a "#" may follow addresses where somebody of
the group, or the other device, can be found: base64url of a MessagePack array of texts. They are not authenticated; at
worst they lead nowhere. Without them a code finds nobody, unless the node knows an address already: there is no search
of the local network.
"""

import base64
import binascii
from dataclasses import dataclass, field
from typing import Annotated, Final

from msgspec import Meta

from mesh.errors import LocalError, RemoteError
from mesh.ids import Address
from mesh.phrases import own, phrase
from mesh.wire import bech32m, limits, shapes
from mesh.wire.codec import Record, decode, encode

HRP: Final = "mesh"
CODE_BYTES: Final = 38
CODE_CHARACTERS: Final = 72
VERSION: Final = 1
DEVICE_HRP: Final = "meshdev"
DEVICE_CODE_BYTES: Final = 25
DEVICE_CODE_CHARACTERS: Final = 54
CHECK_BYTES: Final = 4
_WHERE: Final = {
    HRP: (
        "it says where somebody of the group can be found",
        "copy the whole code again; what stands before “#” is enough only if your node is linked with a member",
    ),
    DEVICE_HRP: ("it says where your other device can be found", "copy the whole code again"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteCode:
    """What a code holds; `expiry_hour` counts hours since 1970 in UTC."""

    seed: bytes = field(repr=False)
    gid_prefix: bytes
    expiry_hour: int

    def pack(self) -> bytes:
        """Return its 38 bytes."""
        return bytes([VERSION, 0]) + self.seed + self.gid_prefix + self.expiry_hour.to_bytes(4, "big")

    @staticmethod
    def unpack(data: bytes) -> "InviteCode":
        """Read 38 bytes; LocalError for a version that is not known."""
        if len(data) != CODE_BYTES or data[0] != VERSION or data[1] != 0:
            raise _newer()
        return InviteCode(seed=data[2:18], gid_prefix=data[18:34], expiry_hour=int.from_bytes(data[34:38], "big"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCode:
    """What a device code holds; `expiry_minute` counts minutes since 1970 in UTC.

    `check` (4 B, see `mesh.groups.pairing`) shows to whoever has the same root that the code is of that root.
    """

    seed: bytes = field(repr=False)
    check: bytes
    expiry_minute: int

    def pack(self) -> bytes:
        """Return its 25 bytes."""
        return bytes([VERSION]) + self.seed + self.check + self.expiry_minute.to_bytes(4, "big")

    @staticmethod
    def unpack(data: bytes) -> "DeviceCode":
        """Read 25 bytes; LocalError for a version that is not known."""
        if len(data) != DEVICE_CODE_BYTES or data[0] != VERSION:
            raise _newer()
        return DeviceCode(seed=data[1:17], check=data[17:21], expiry_minute=int.from_bytes(data[21:25], "big"))


class _Fragment(Record, frozen=True):
    addresses: Annotated[list[shapes.AddressText], Meta(max_length=limits.ADDRESSES_MAX)]


def to_text(code: InviteCode) -> str:
    """Return the 72 characters of an invite."""
    return bech32m.encode(HRP, code.pack())


def to_uri(code: InviteCode, addresses: tuple[Address, ...]) -> str:
    """Return an invite with its address fragment, if there are addresses."""
    return to_text(code) + _fragment(addresses)


def from_uri(text: str) -> tuple[InviteCode, tuple[Address, ...]]:
    """Read an invite, with or without fragment; LocalError that names the slip."""
    bare, _, fragment = _compact(text).partition("#")
    if bare.lower().startswith(DEVICE_HRP + "1"):
        raise _other_kind("a code for a device of the same person, not an invite", "mesh device join")
    code = InviteCode.unpack(bech32m.decode(HRP, bare, characters=CODE_CHARACTERS))
    return code, _addresses(HRP, fragment)


def is_written_plainly(text: str) -> bool:
    """Say whether an invite stands there as a program writes it: without spaces or line ends, which a reader skips."""
    return text == _compact(text)


def device_to_uri(code: DeviceCode, addresses: tuple[Address, ...]) -> str:
    """Return a device code with its address fragment, if there are addresses."""
    return bech32m.encode(DEVICE_HRP, code.pack()) + _fragment(addresses)


def device_from_uri(text: str) -> tuple[DeviceCode, tuple[Address, ...]]:
    """Read a device code, with or without fragment; LocalError that names the slip."""
    bare, _, fragment = _compact(text).partition("#")
    if bare.lower().startswith(HRP + "1"):
        raise _other_kind("an invite into a group, not a code for a device", "mesh join")
    code = DeviceCode.unpack(bech32m.decode(DEVICE_HRP, bare, characters=DEVICE_CODE_CHARACTERS))
    return code, _addresses(DEVICE_HRP, fragment)


def _compact(text: str) -> str:
    return "".join(text.split())


def _fragment(addresses: tuple[Address, ...]) -> str:
    if not addresses:
        return ""
    fragment = base64.urlsafe_b64encode(encode(_Fragment(addresses=list(addresses)))).rstrip(b"=")
    return f"#{fragment.decode()}"


def _addresses(prefix: str, fragment: str) -> tuple[Address, ...]:
    if not fragment:
        return ()
    try:
        raw = base64.b64decode(fragment + "=" * (-len(fragment) % 4), altchars=b"-_", validate=True)
        record = decode(_Fragment, raw, bytes_max=limits.CODE_FRAGMENT_BYTES_MAX)
    except (binascii.Error, ValueError, RemoteError):
        why, do = _WHERE[prefix]
        raise LocalError("the part of that code after “#” is damaged", why=why, do=do, code="E-CODE") from None
    return tuple(Address(a) for a in record.addresses)


def _newer() -> LocalError:
    return LocalError(
        "that code is of a newer kind",
        why="this version of the program cannot read it",
        do="update the program, or ask for a code of the older kind",
        code="E-CODE-NEWER",
    )


def _other_kind(what: str, command: str) -> LocalError:
    return LocalError(
        phrase("that is {what}", what=own(what)), do=phrase("use `{command}` with it", command=command), code="E-CODE"
    )
