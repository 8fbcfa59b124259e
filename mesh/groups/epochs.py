"""Epochs: a fresh secret for exactly the devices that are in, and the choice between concurrent ones (protocol.md §5).

One random secret is sealed to every current device's newest KEM key; the block in the signed operation commits to the
secret, to the list of devices and to the wraps, so that an author can neither leave somebody out in silence nor give
two members different secrets. Dummies that are real seals to a throwaway key hide the number of devices.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from mesh.commands import Suite
from mesh.errors import LocalError, RemoteError
from mesh.groups.oplog import OpLog
from mesh.groups.schedule import commitment, wrap_hint, wrap_info, wraps_hash
from mesh.ids import DeviceId, Entropy, OpId, Sealer
from mesh.membership.views import View
from mesh.phrases import phrase
from mesh.wire import limits
from mesh.wire.frames import HINT_BYTES
from mesh.wire.operations import EpochBlock, epoch_block

KEM_BYTES: Final = {Suite.CLASSIC: 32, Suite.HYBRID: 1216}
WRAP_BYTES: Final = {Suite.CLASSIC: 80, Suite.HYBRID: 1168}
SECRET_BYTES: Final = 32
_TRIES_MAX: Final = 8  # wraps that we try to open; a hint that is not meant for us meets one of ours once in 2³² times


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A new epoch before its operation is signed: the secret, the block, and what travels beside it."""

    secret: bytes = field(repr=False)
    block: EpochBlock
    wraps: tuple[bytes, ...]


def padded_count(count: int, suite: Suite) -> int:
    """Return how many wraps are sent for `count` devices: 8, 16, 32, then multiples of 32, never over the limit."""
    for step in (8, 16, 32):
        if count <= step:
            return step
    return min(-(-count // 32) * 32, limits.DEVICES_MAX[suite])


def draft_epoch(
    *,
    gid: bytes,
    suite: Suite,
    recipients: Mapping[DeviceId, bytes],
    kem_number: int,
    kem_pk: bytes,
    entropy: Entropy,
    sealer: Sealer,
    dormant: Iterable[DeviceId] = (),
) -> Draft:
    """Draw a secret and seal it to `recipients` (device id → KEM public key, ourselves included).

    `kem_number` and `kem_pk` are the author's fresh key. For each of `dormant` there is a dummy: those who are out see
    no difference. LocalError if there are more devices than the suite carries.
    """
    asleep = sorted(dormant)
    count = len(recipients) + len(asleep)
    if len(recipients) > limits.DEVICES_MAX[suite]:
        raise LocalError(
            phrase(
                "this group would have {count} devices; its suite carries {most}",
                count=len(recipients),
                most=limits.DEVICES_MAX[suite],
            ),
            do="found a further group, or remove devices that are no longer used",
            code="E-GROUP-FULL",
        )
    secret, nonce = entropy.draw(SECRET_BYTES), entropy.draw(32)
    wraps = [
        wrap_hint(pk, nonce) + sealer.seal(suite, pk, wrap_info(gid, nonce, dev), secret)
        for dev, pk in sorted(recipients.items())
    ]
    _, stranger = sealer.generate(suite)
    for _ in range(padded_count(count, suite) - len(wraps)):
        info = wrap_info(gid, nonce, DeviceId(entropy.draw(16)))
        wraps.append(entropy.draw(4) + sealer.seal(suite, stranger, info, entropy.draw(SECRET_BYTES)))
    wraps.sort()  # hints are as good as random: sorting by them shuffles
    block = EpochBlock(
        commit=commitment(secret, gid),
        nonce=nonce,
        recipients=sorted(recipients),
        dormant=asleep,
        wraps_hash=wraps_hash(tuple(wraps)),
        kem_number=kem_number,
        kem_pk=kem_pk,
    )
    return Draft(secret=secret, block=block, wraps=tuple(wraps))


def unwrap(
    *,
    gid: bytes,
    nonce: bytes,
    wraps: Sequence[bytes],
    dev: DeviceId,
    keys: Sequence[tuple[bytes, bytes]],
    suite: Suite,
    sealer: Sealer,
) -> bytes | None:
    """Find our wrap and return the secret (32 B), or None if none of these wraps is for us.

    `keys` are our KEM keys as (public, private). The secret is not yet checked against the commitment.
    """
    info = wrap_info(gid, nonce, dev)
    ours = {wrap_hint(public, nonce): private for public, private in reversed(keys)}  # the newest key wins
    hinted = [wrap for wrap in wraps if wrap[:HINT_BYTES] in ours]
    for wrap in hinted[:_TRIES_MAX]:
        try:
            secret = sealer.open(suite, ours[wrap[:HINT_BYTES]], info, wrap[HINT_BYTES:])
        except RemoteError:
            continue
        if len(secret) == SECRET_BYTES:
            return secret
    return None


def choose_epoch(log: OpLog, view: View, held: Iterable[OpId], stranded: Collection[OpId] = frozenset()) -> OpId | None:
    """Return the epoch to send under, among those held, or None if one must be made first.

    Only epochs that count and that no other such epoch held here follows: one from before two removals that crossed
    each other names nobody who is out, and yet its keys are those that every later re-key was to replace. Usable: each
    recipient is still in. Preferred: complete (nobody in is left out, and nobody listed says that they are:
    `stranded`), then the highest gen, then the lowest id.
    """
    current = frozenset(view.devices)
    counting = [e for op_id in held if (e := log.graph.entry(op_id)) is not None and e.bit & view.valid]
    followed = 0
    for entry in counting:
        followed |= entry.past
    usable = [
        (not is_complete(log, view, act.op_id, stranded), -act.gen, act.op_id)
        for act in (entry.act for entry in counting if not followed & entry.bit)
        if act.recipients is not None and current.issuperset(act.recipients)
    ]
    return min(usable)[2] if usable else None


def is_complete(log: OpLog, view: View, op_id: OpId, stranded: Collection[OpId] = frozenset()) -> bool:
    """Say whether an epoch leaves out nobody who is in; of `stranded`, one who is in says so."""
    block = epoch_block(log.operation(op_id).body)
    listed = () if block is None else (*block.recipients, *block.dormant)
    return op_id not in stranded and frozenset(view.devices) == frozenset(listed)
