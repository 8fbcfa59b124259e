"""Those who stand at the door: a code in hand, keys of one attempt to come in, and what they say."""

from dataclasses import dataclass

from mesh.commands import Rank, Suite
from mesh.crypto.hashes import h
from mesh.groups.authoring import (
    new_card,
)
from mesh.groups.invites import invite_keys, sign_knock
from mesh.groups.joining import agreement_hash, join_statement, sign_former
from mesh.groups.operations import card_device
from mesh.ids import DeviceId, GroupId, MemberPk, OpId, Sealer
from mesh.wire.invites import KnockBody
from mesh.wire.operations import (
    ZERO32,
    AdmitBody,
    Card,
    ForkBody,
    InviteBody,
)
from simulations.chance import SeededEntropy, SeededSealer

WALL_MS = 1_800_000_000_000
HOUR = WALL_MS // 3_600_000
AGREEMENT = "What is said here stays here."


@dataclass(frozen=True, kw_only=True)
class Code:
    """An invite as its holder has it."""

    op_id: OpId
    seed: bytes
    body: InviteBody


@dataclass(frozen=True, kw_only=True)
class Joiner:
    """Someone at the door: the keys of one attempt to come in."""

    name: str
    member_seed: bytes
    dev_seed: bytes
    join_nonce: bytes
    kem: tuple[bytes, bytes]
    card: Card
    entropy: SeededEntropy
    sealer: Sealer

    @property
    def dev(self) -> DeviceId:
        return card_device(self.card)

    def asks(
        self,
        gid: GroupId,
        code: Code | None,
        *,
        rank: Rank,
        agreement: str = AGREEMENT,
        former_seed: bytes | None = None,
    ) -> AdmitBody:
        """Sign T, as a knock would, with the key of another group too if it is given; fill in what an admitter adds."""
        invite = OpId(ZERO32) if code is None else code.op_id
        pledge = agreement_hash(agreement)
        statement = join_statement(gid, invite, self.card, self.join_nonce, self.name, pledge)
        invite_seed = bytes(32) if code is None else invite_keys(code.seed).invite_seed
        sig_invite, sig_member, sig_dev = sign_knock(statement, invite_seed, self.member_seed, self.dev_seed)
        return AdmitBody(
            invite=invite,
            rank=rank,
            alias=self.name,
            card=self.card,
            join_nonce=self.join_nonce,
            agreement_hash=pledge,
            sig_invite=b"" if code is None else sig_invite,
            sig_member=sig_member,
            sig_dev=sig_dev,
            former=None if former_seed is None else sign_former(former_seed, gid, invite, statement),
            approvals=[],
            epoch=None,
        )

    def knocks(
        self,
        gid: GroupId,
        code: Code,
        *,
        addresses: list[str],
        agreement: str = AGREEMENT,
        former_seed: bytes | None = None,
    ) -> KnockBody:
        """What someone with a code says at the door."""
        asked = self.asks(gid, code, rank=Rank.MEMBER, agreement=agreement, former_seed=former_seed)
        return KnockBody(
            invite=code.op_id,
            card=self.card,
            join_nonce=self.join_nonce,
            alias=self.name,
            agreement_hash=asked.agreement_hash,
            addresses=addresses,
            reply_seed=h(b"mesh1/testreply", self.name.encode()),
            sig_invite=asked.sig_invite,
            sig_member=asked.sig_member,
            sig_dev=asked.sig_dev,
            former=asked.former,
        )


def joiner(
    name: str, gid: GroupId, suite: Suite, sealer: Sealer | None = None, *, member_seed: bytes | None = None
) -> Joiner:
    """Draw the keys with which someone knocks at a group; with a member key that was used before, if it is given."""
    entropy = SeededEntropy(1, f"joiner {name}")
    own_sealer = sealer or SeededSealer(SeededEntropy(1, f"seals of {name}"))
    drawn, dev_seed, nonce = entropy.draw(32), entropy.draw(32), entropy.draw(32)
    member_seed = member_seed or drawn
    kem = own_sealer.generate(suite)
    return Joiner(
        name=name,
        member_seed=member_seed,
        dev_seed=dev_seed,
        join_nonce=nonce,
        kem=kem,
        card=new_card(gid, member_seed, dev_seed, kem[1]),
        entropy=entropy,
        sealer=own_sealer,
    )


def fork_body(gid: GroupId, allow: list[MemberPk] | None = None) -> ForkBody:
    """The body of an offer of some successor."""
    return ForkBody(new_gid=gid, invite=OpId(bytes(32)), seed=bytes(16), expiry_hour=HOUR + 72, allow=allow or [])


def invite_body(
    seed: bytes,
    *,
    uses: int = 1,
    approvals: int = 0,
    role: Rank = Rank.MEMBER,
    hours: int = 72,
    allow: list[MemberPk] | None = None,
) -> InviteBody:
    """The body of an invite with this seed in its code."""
    keys = invite_keys(seed)
    return InviteBody(
        invite_pk=keys.invite_pk,
        knock_key=keys.knock_key,
        role=role,
        max_uses=uses,
        expiry_hour=HOUR + hours,
        approvals=approvals,
        allow=allow or [],
    )
