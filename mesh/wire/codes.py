"""Invite codes: 38 bytes that a person can send to a person (protocol.md §12).

`version 1 ‖ flags 1 ‖ seed 16 ‖ gid prefix 16 ‖ expiry hour u32be`, as 72 characters of bech32m. After a "#" may follow
addresses where somebody of the group can be found: base64url of a MessagePack array of texts. They are not
authenticated; at worst they lead nowhere. Without them a code finds nobody, unless the node knows a member's address
already: there is no search of the local network.
"""

import base64
import binascii
from dataclasses import dataclass, field
from typing import Annotated, Final

from msgspec import Meta

from mesh.errors import LocalError, RemoteError
from mesh.ids import Address
from mesh.wire import bech32m, limits, shapes
from mesh.wire.codec import Record, decode, encode

HRP: Final = "mesh"
CODE_BYTES: Final = 38
CODE_CHARACTERS: Final = 72
VERSION: Final = 1


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
            raise LocalError(
                "that code is of a newer kind",
                why="this version of the program cannot read it",
                do="update the program, or ask for a code of the older kind",
                code="E-CODE-NEWER",
            )
        return InviteCode(seed=data[2:18], gid_prefix=data[18:34], expiry_hour=int.from_bytes(data[34:38], "big"))


class _Fragment(Record, frozen=True):
    addresses: Annotated[list[shapes.AddressText], Meta(max_length=limits.ADDRESSES_MAX)]


def to_text(code: InviteCode) -> str:
    """Return the 72 characters."""
    return bech32m.encode(HRP, code.pack())


def to_uri(code: InviteCode, addresses: tuple[Address, ...]) -> str:
    """Return the code with its address fragment, if there are addresses."""
    if not addresses:
        return to_text(code)
    fragment = base64.urlsafe_b64encode(encode(_Fragment(addresses=list(addresses)))).rstrip(b"=")
    return f"{to_text(code)}#{fragment.decode()}"


def from_uri(text: str) -> tuple[InviteCode, tuple[Address, ...]]:
    """Read a code, with or without fragment; LocalError that names the slip."""
    bare, _, fragment = "".join(text.split()).partition("#")
    code = InviteCode.unpack(bech32m.decode(HRP, bare, characters=CODE_CHARACTERS))
    if not fragment:
        return code, ()
    try:
        raw = base64.b64decode(fragment + "=" * (-len(fragment) % 4), altchars=b"-_", validate=True)
        record = decode(_Fragment, raw, bytes_max=limits.CODE_FRAGMENT_BYTES_MAX)
    except (binascii.Error, ValueError, RemoteError):
        raise LocalError(
            "the part of that code after “#” is damaged",
            why="it says where somebody of the group can be found",
            do="copy the whole code again; what stands before “#” is enough only if your node is linked with a member",
            code="E-CODE",
        ) from None
    return code, tuple(Address(a) for a in record.addresses)
