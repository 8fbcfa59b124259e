"""T: the statement that a joiner signs with three keys, and that every member can check (protocol.md §12).

It names the group, the invite, every key of the joiner and the pledge, so that nobody can enrol another, attach their
own keys to a proof they saw, or claim a pledge that was not made.
"""

from typing import Final

from mesh.crypto.hashes import h
from mesh.crypto.keys import public_key, sign, verify
from mesh.errors import Fault, RemoteError
from mesh.ids import GroupId, MemberPk, OpId
from mesh.wire.operations import AdmitBody, Card, Former, InviteBody

JOIN_LABEL: Final = b"mesh1/join\0"
APPROVAL_LABEL: Final = b"mesh1/appr\0"
FORMER_LABEL: Final = b"mesh1/former\0"
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


def former_statement(gid: GroupId, invite: OpId, statement: bytes) -> bytes:
    """Return what a joiner's member key in another group signs, 32 B: it is they who knock here with these keys."""
    return h(b"mesh1/former", gid, invite, statement)


def sign_former(seed: bytes, gid: GroupId, invite: OpId, statement: bytes) -> Former:
    """Countersign a knock with the member key of another group (32 B seed, which is not kept)."""
    said = FORMER_LABEL + former_statement(gid, invite, statement)
    return Former(member=MemberPk(public_key(seed, forget=True)), sig=sign(seed, said, forget=True))


def check_former(former: Former | None, allow: list[MemberPk], gid: GroupId, invite: OpId, statement: bytes) -> None:
    """Check that a joiner is one whom the invite names, or that it names nobody; RemoteError."""
    if former is None:
        if allow:
            raise RemoteError(Fault.BAD_SIGNATURE, "a joiner who does not show whom the invite names")
        return
    if former.member not in allow:
        raise RemoteError(Fault.AGAINST_RULES, "a joiner whom the invite does not name")
    verify(former.member, FORMER_LABEL + former_statement(gid, invite, statement), former.sig)


def agreement_hash(text: str) -> bytes:
    """Return the 32 B hash that a pledge names."""
    return h(b"mesh1/agreement", text.encode())


def check_admit_signatures(gid: GroupId, body: AdmitBody, terms: InviteBody | None) -> None:
    """Check the joiner's signatures over T, and the one by a former key where the invite asks for it; RemoteError."""
    statement = join_statement(gid, body.invite, body.card, body.join_nonce, body.alias, body.agreement_hash)
    said = JOIN_LABEL + statement
    if terms is None:
        if body.sig_invite:
            raise RemoteError(Fault.MALFORMED, "an invite's signature without an invite")
    else:
        verify(terms.invite_pk, said, body.sig_invite)
    verify(body.card.member_pk, said, body.sig_member)
    verify(body.card.dev_pk, said, body.sig_dev)
    check_former(body.former, [] if terms is None else terms.allow, gid, body.invite, statement)
