"""T: the statement that a joiner signs with three keys, and that every member can check (protocol.md §12).

It names the group, the invite, every key of the joiner and the pledge, so that nobody can enrol another, attach their
own keys to a proof they saw, or claim a pledge that was not made.
"""

from typing import Final

from mesh.crypto.hashes import h
from mesh.crypto.keys import verify
from mesh.errors import Fault, RemoteError
from mesh.ids import GroupId, OpId
from mesh.wire.operations import AdmitBody, Card

JOIN_LABEL: Final = b"mesh1/join\0"
APPROVAL_LABEL: Final = b"mesh1/appr\0"
GID_PREFIX_BYTES: Final = 16


def join_statement(
    gid: GroupId, invite: OpId, card: Card, join_nonce: bytes, alias: str, agreement_hash: bytes
) -> bytes:
    """Return T, 32 B. `invite` is 32 zero bytes where there is none."""
    return h(
        b"mesh1/join",
        gid[:GID_PREFIX_BYTES],
        invite,
        card.member_pk,
        card.dev_pk,
        card.kem_pk,
        join_nonce,
        alias.encode(),
        agreement_hash,
    )


def approval_statement(gid: GroupId, invite: OpId, statement: bytes) -> bytes:
    """Return what an approver's device signs, 32 B."""
    return h(b"mesh1/appr", gid, invite, statement)


def agreement_hash(text: str) -> bytes:
    """Return the 32 B hash that a pledge names."""
    return h(b"mesh1/agreement", text.encode())


def check_admit_signatures(gid: GroupId, body: AdmitBody, invite_pk: bytes | None) -> None:
    """Check the joiner's three signatures over T; RemoteError(BAD_SIGNATURE)."""
    statement = JOIN_LABEL + join_statement(
        gid, body.invite, body.card, body.join_nonce, body.alias, body.agreement_hash
    )
    if invite_pk is None:
        if body.sig_invite:
            raise RemoteError(Fault.MALFORMED, "an invite's signature without an invite")
    else:
        verify(invite_pk, statement, body.sig_invite)
    verify(body.card.member_pk, statement, body.sig_member)
    verify(body.card.dev_pk, statement, body.sig_dev)
