"""Invites: from a code's seed to its keys, and the three papers at the door (protocol.md §12).

From 16 random bytes come the invite key (only the holder of the code can knock), the knock key (every member can read
knocks) and, from that, the preview key (members publish what a holder may see before knocking).
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from mesh.crypto.hashes import h, kdf
from mesh.crypto.keys import decrypt, encrypt, public_key, sign, verify
from mesh.errors import Fault, LocalError, RemoteError
from mesh.groups.group import Group, Invite, Means
from mesh.groups.joining import JOIN_LABEL, check_former, join_statement
from mesh.groups.operations import parse_op
from mesh.groups.rules import check_founding, check_settings
from mesh.identity.keys import verify_device
from mesh.ids import GroupId, InvitePk, OpId, Sealer
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.frames import Frame, FrameType, join_welcome, seal_frame, split_nonce
from mesh.wire.invites import Door, KnockBody, PreviewBody, WelcomeBody
from mesh.wire.operations import AgreementBody, CreateBody, InviteBody, Setting
from mesh.wire.padding import pad, unpad
from mesh.wire.text import check_text
from mesh.wire.tickets import KEEPER_SETTING

HOUR_MS = 3_600_000
WELCOME_ID_BYTES: Final = 16
# Settings that a preview shows first, should it have no room for all.
_SHOWN_FIRST: Final = ("members-invite", "approvals", "history", "keep")
# What a chunk carries of a welcome; the rest is room for its id, for HPKE and for the frame.
_CHUNK_ROOM: Final = limits.WELCOME_CHUNK_BYTES_MAX - 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteKeys:
    """What a code's seed opens; seeds and keys are 32 B."""

    invite_seed: bytes = field(repr=False)
    knock_key: bytes = field(repr=False)

    @property
    def invite_pk(self) -> InvitePk:
        """The key that signs knocks."""
        return InvitePk(public_key(self.invite_seed))


def invite_keys(seed: bytes) -> InviteKeys:
    """Derive an invite's keys from the 16 B seed in its code."""
    return InviteKeys(invite_seed=kdf(seed, b"mesh1/inv", b""), knock_key=kdf(seed, b"mesh1/knock", b""))


def preview_seed(knock_key: bytes) -> bytes:
    """Return the seed (32 B) of the key under which previews are published."""
    return kdf(knock_key, b"mesh1/pvw", b"")


def door_of(invite: Invite, wall_ms: int) -> Door:
    """Say what a member's node tells one who holds the code; of several reasons that which holds whoever closed it.

    Used-up and expired invites are closed too, by a removal or as a chore: their holders are to hear why they are late.
    Of a closed invite only those use it up whom it really let in.
    """
    if len(invite.joiners if invite.open else invite.let_in) >= invite.body.max_uses:
        return Door.USED_UP
    if wall_ms >= invite.body.expiry_hour * HOUR_MS:
        return Door.EXPIRED
    return Door.OPEN if invite.open else Door.REVOKED


# ---------------------------------------------------------------- preview


def seal_preview(group: Group, invite: Invite, door: Door, means: Means) -> bytes:
    """Return the preview frame for an invite of this group.

    Whoever was in knows the knock keys of that time. So a door that is not open shows nothing that came later: no new
    agreement, no settings, not how many are in.
    """
    view = group.view
    is_open = door is Door.OPEN
    agreement = group.log.get(view.agreement)
    invite_op = group.log.get(invite.op_id)
    assert agreement is not None
    assert invite_op is not None
    body = PreviewBody(
        create=group.log.ops[0].signed,
        agreement=agreement.signed if is_open and not isinstance(agreement.body, CreateBody) else None,
        settings=_shown_settings(view.settings) if is_open else [],
        invite=invite_op.signed,
        members=len(view.members) if is_open else 0,
        door=door,
    )
    return _seal(FrameType.PREVIEW, preview_seed(invite.body.knock_key), invite.body.knock_key, encode(body), means)


def _shown_settings(settings: Mapping[str, str]) -> list[Setting]:
    """Return what fits in of the settings, those first that say what a joiner should know; no keeper's ticket."""
    told = [key for key in settings if not key.startswith(KEEPER_SETTING)]
    keys = sorted(told, key=lambda key: (key not in _SHOWN_FIRST, key))
    return [Setting(key=key, value=settings[key]) for key in keys[: limits.SETTINGS_MAX]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What the holder of a code sees: checked as far as a code can check it."""

    gid: GroupId
    create: CreateBody
    agreement_version: int
    agreement: str
    settings: dict[str, str]
    invite: OpId
    invite_body: InviteBody
    members: int
    door: Door


def as_founded(preview: Preview) -> Preview:
    """Return what of a preview the group's id holds fast; the rest could be anybody's who has the code."""
    return dataclasses.replace(
        preview,
        agreement_version=1,
        agreement=preview.create.agreement,
        settings={setting.key: setting.value for setting in preview.create.settings},
        members=0,
    )


def open_preview(frame: Frame, keys: InviteKeys, gid_prefix: bytes) -> Preview:
    """Open a preview; RemoteError if it is not of the group and invite that the code names."""
    body = decode(PreviewBody, _open(frame, keys.knock_key), bytes_max=2 * limits.OPERATION_BYTES_MAX)
    create, invite = parse_op(body.create), parse_op(body.invite)
    if not isinstance(create.body, CreateBody) or create.gid[: len(gid_prefix)] != gid_prefix:
        raise RemoteError(Fault.AGAINST_RULES, "a preview of another group")
    if not isinstance(invite.body, InviteBody) or invite.gid != create.gid:
        raise RemoteError(Fault.AGAINST_RULES, "a preview without its invite")
    if invite.body.invite_pk != keys.invite_pk or invite.body.knock_key != keys.knock_key:
        raise RemoteError(Fault.AGAINST_RULES, "a preview of another invite")
    check_founding(create.body)
    check_settings(body.settings)
    version, text = 1, create.body.agreement
    if body.agreement is not None:
        newer = parse_op(body.agreement)
        if not isinstance(newer.body, AgreementBody) or newer.gid != create.gid:
            raise RemoteError(Fault.AGAINST_RULES, "a preview with another group's agreement")
        version, text = newer.body.version, newer.body.text
    check_text(text, limits.AGREEMENT_BYTES_MAX, lines=True)
    return Preview(
        gid=create.gid,
        create=create.body,
        agreement_version=version,
        agreement=text,
        settings={setting.key: setting.value for setting in body.settings},
        invite=invite.op_id,
        invite_body=invite.body,
        members=body.members,
        door=body.door,
    )


# ---------------------------------------------------------------- knock


def seal_knock(keys: InviteKeys, body: KnockBody, means: Means) -> bytes:
    """Return the knock frame; always of one size. Addresses that do not fit in are left out, the last ones first."""
    addresses = list(body.addresses)
    while addresses and len(encode(replace(body, addresses=addresses))) >= limits.KNOCK_PADDED_BYTES:
        addresses.pop()
    plain = pad(encode(replace(body, addresses=addresses)), limits.KNOCK_PADDED_BYTES)
    nonce = means.entropy.draw(24)
    sealed = encrypt(keys.knock_key, nonce, bytes([FrameType.KNOCK]) + keys.invite_pk, plain)
    return seal_frame(FrameType.KNOCK, keys.invite_seed, nonce + sealed)


def open_knock(frame: Frame, invite: Invite, gid: GroupId) -> KnockBody:
    """Open a knock and check its signatures; RemoteError if it is not the joiner's own."""
    plain = unpad(_open(frame, invite.body.knock_key))
    body = decode(KnockBody, plain, bytes_max=limits.KNOCK_PADDED_BYTES)
    if body.invite != invite.op_id:
        raise RemoteError(Fault.AGAINST_RULES, "a knock that names another invite")
    check_text(body.alias, limits.ALIAS_BYTES_MAX)
    statement = knock_statement(body, gid)
    said = JOIN_LABEL + statement
    verify(invite.body.invite_pk, said, body.sig_invite)
    verify(body.card.member_pk, said, body.sig_member)
    verify(body.card.dev_pk, said, body.sig_dev)
    check_former(body.former, invite.body.allow, gid, body.invite, statement)
    verify_device(body.card.member_pk, gid, body.card.dev_pk, body.card.kem_pk, body.card.cert)
    return body


def knock_statement(body: KnockBody, gid: GroupId) -> bytes:
    """Return T of a knock, 32 B."""
    return join_statement(gid, body.invite, body.card, body.join_nonce, body.alias, body.agreement_hash)


def sign_knock(statement: bytes, invite_seed: bytes, member_seed: bytes, dev_seed: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the signatures over T by invite, member and device key."""
    said = JOIN_LABEL + statement
    return sign(invite_seed, said), sign(member_seed, said, forget=True), sign(dev_seed, said)


# ---------------------------------------------------------------- welcome


def seal_welcome(
    body: WelcomeBody, *, reply_seed: bytes, kem_pk: bytes, suite: int, statement: bytes, sealer: Sealer
) -> list[bytes]:
    """Return the welcome frames: chunks sealed to the joiner's KEM key, signed with the reply key. LocalError if there
    is too much to say.

    Under the seal each chunk begins with the welcome's id: two members may answer one knock at once, and a joiner must
    not put a chunk of the one behind a chunk of the other.
    """
    raw = encode(body)
    mark = _welcome_id(raw)
    chunks = [mark + raw[k : k + _CHUNK_ROOM] for k in range(0, len(raw), _CHUNK_ROOM)]
    if len(chunks) > limits.WELCOME_CHUNKS_MAX:
        raise LocalError("this group's log is too long for a welcome", do="found a new group", code="E-GROUP-FULL")
    return [
        seal_frame(
            FrameType.WELCOME,
            reply_seed,
            join_welcome(
                index,
                len(chunks),
                sealer.seal(suite, kem_pk, _welcome_info(statement, index, len(chunks)), chunk),
            ),
        )
        for index, chunk in enumerate(chunks)
    ]


def open_welcome_chunk(
    index: int, total: int, sealed: bytes, *, kem_private: bytes, suite: int, statement: bytes, sealer: Sealer
) -> bytes:
    """Open one chunk of a welcome: its id (16 B, see `welcome_of`), then its part. RemoteError if it is not for us."""
    chunk = sealer.open(suite, kem_private, _welcome_info(statement, index, total), sealed)
    full = index < total - 1
    if len(chunk) <= WELCOME_ID_BYTES or (full and len(chunk) != WELCOME_ID_BYTES + _CHUNK_ROOM):
        raise RemoteError(Fault.MALFORMED, "a welcome's chunk has the wrong length")
    return chunk


def welcome_of(chunk: bytes) -> bytes:
    """Return the id, 16 B, of the welcome that an opened chunk belongs to."""
    return chunk[:WELCOME_ID_BYTES]


def parse_welcome(chunks: bytes) -> WelcomeBody:
    """Parse the chunks, opened and put one behind the other; RemoteError if they are not of one welcome."""
    size = WELCOME_ID_BYTES + _CHUNK_ROOM
    parts = [chunks[k : k + size] for k in range(0, len(chunks), size)]
    raw = b"".join(part[WELCOME_ID_BYTES:] for part in parts)
    if not parts or any(welcome_of(part) != _welcome_id(raw) for part in parts):
        raise RemoteError(Fault.MALFORMED, "a welcome that was put together from several")
    return decode(WelcomeBody, raw, bytes_max=limits.WELCOME_CHUNKS_MAX * limits.WELCOME_CHUNK_BYTES_MAX)


def _welcome_id(raw: bytes) -> bytes:
    return h(b"mesh1/welcomeid", raw)[:WELCOME_ID_BYTES]


def _welcome_info(statement: bytes, index: int, total: int) -> bytes:
    return h(b"mesh1/welcome", statement, index.to_bytes(2, "big"), total.to_bytes(2, "big"))


def _seal(kind: FrameType, seed: bytes, key: bytes, plain: bytes, means: Means) -> bytes:
    nonce = means.entropy.draw(24)
    return seal_frame(kind, seed, nonce + encrypt(key, nonce, bytes([kind]) + public_key(seed), plain))


def _open(frame: Frame, key: bytes) -> bytes:
    nonce, sealed = split_nonce(frame.middle)
    return decrypt(key, nonce, bytes([frame.type]) + frame.pk, sealed)
