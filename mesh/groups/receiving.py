"""What others write: taking operations in, in any order, and the epochs that come with them.

An operation waits, bounded, until all that it builds on is here; then it is checked against exactly that past. One that
fails is taken back out, and with it whatever waits for it can never come in.
"""

from msgspec.structs import replace

from mesh.errors import Fault, RemoteError
from mesh.events import Space
from mesh.groups.envelopes import open_envelope, open_operation
from mesh.groups.epochs import WRAP_BYTES, unwrap
from mesh.groups.group import Group, Means
from mesh.groups.operations import Operation, card_device, parse_op, verify_op
from mesh.groups.ratchet import Chain
from mesh.groups.records import EpochRecord
from mesh.groups.rules import Past, check_create, check_operation
from mesh.groups.schedule import commitment, expand, wraps_hash
from mesh.ids import GroupId, OpId
from mesh.membership.graph import bits
from mesh.membership.structure import check
from mesh.wire.codec import encode
from mesh.wire.frames import HINT_BYTES, Frame, FrameType, split_envelope
from mesh.wire.invites import OpBundle
from mesh.wire.limits import DEVICES_MAX
from mesh.wire.operations import ZERO32, OpType, SignedOp, epoch_block


def receive_frame(group: Group, frame: Frame, epoch: OpId, means: Means) -> list[Operation]:
    """Take in an envelope or operation frame on the topic of `epoch`; return what is now in the log by it.

    RemoteError if it is not an honest one. An envelope that holds no wrap for us is no fault: we were left out.
    """
    if frame.type is FrameType.OPERATION:
        record = group.epochs[epoch]
        if record.is_retired:
            raise RemoteError(Fault.UNASKED, "an operation under an epoch that is retired here")
        return receive_op(group, open_operation(frame, record.op_key), (), means)
    parts = split_envelope(frame.middle)
    secret = unwrap(
        gid=group.gid,
        nonce=parts.nonce,
        wraps=parts.wraps,
        dev=group.own.dev,
        keys=group.kem_pairs(),
        suite=group.suite,
        sealer=means.sealer,
    )
    if secret is None:
        return []
    return receive_op(group, open_envelope(parts, secret, group.gid), parts.wraps, means)


def receive_bundle(group: Group, bundle: OpBundle, means: Means) -> list[Operation]:
    """Take in an operation as members hand it to each other; return what is now in the log by it. RemoteError."""
    return receive_op(group, bundle.op, tuple(bundle.wraps), means)


def receive_op(group: Group, signed: SignedOp, wraps: tuple[bytes, ...], means: Means) -> list[Operation]:
    """Take in a signed operation, or keep it until its deps are here; return all that came in, deps first.

    RemoteError if it is not an honest one, or if `wraps` are not those that it commits to: then nothing has changed.
    """
    op = parse_op(signed)
    if op.gid != group.gid:
        raise RemoteError(Fault.AGAINST_RULES, "an operation of another group")
    _check_wraps(group, op, wraps)
    if op.op_id in group.log:
        _late_wraps(group, op, wraps, means)
        return []
    if group.log.missing(op):
        card = group.log.card(op.tbs.dev)
        if card is not None:
            verify_op(op, card)
        group.pending.add(op, wraps)
        return []
    _let_in(group, op, wraps, means)
    return [op, *_retry_pending(group, means)]


def _check_wraps(group: Group, op: Operation, wraps: tuple[bytes, ...]) -> None:
    """Whoever hands wraps on vouches for them: kept without this check, false ones would be handed on by us."""
    block = epoch_block(op.body)
    if not wraps:
        return
    size = HINT_BYTES + WRAP_BYTES[group.suite]
    if block is None or any(len(wrap) != size for wrap in wraps) or wraps_hash(wraps) != block.wraps_hash:
        raise RemoteError(Fault.AGAINST_RULES, "wraps that are not those of their operation")


def _retry_pending(group: Group, means: Means) -> list[Operation]:
    done: list[Operation] = []
    while ready := group.pending.take_ready(group.log):
        for op, wraps in ready:
            if op.op_id in group.log:
                continue
            try:
                _let_in(group, op, wraps, means)
            except RemoteError:
                continue  # whoever sent it is long gone from this call; it is simply not let in
            done.append(op)
    return done


def rehearse_op(group: Group, signed: SignedOp, means: Means) -> None:
    """Check an operation whose deps are here as `receive_op` would, and leave everything as it was. RemoteError."""
    _push_checked(group, parse_op(signed), means)
    _take_back(group)


def _let_in(group: Group, op: Operation, wraps: tuple[bytes, ...], means: Means) -> None:
    _push_checked(group, op, means)
    # It is in: nothing that follows may fail, or nodes would differ in what they hold.
    group.note_operation(op)
    for dev in (op.tbs.dev, *(() if op.card is None else (card_device(op.card),))):
        group.date_kem(dev, means)
    means.journal.put(Space.OPS, group.gid + op.op_id, encode(op.signed))
    if wraps:
        means.journal.put(Space.WRAPS, group.gid + op.op_id, pack_wraps(wraps))
    secret = _secret_of(group, op, wraps, means)
    if secret is not None:
        install_epoch(group, op, secret, means)
        _mark_use(group, op, means)


def _push_checked(group: Group, op: Operation, means: Means) -> None:
    """Append an operation to the log if it stands every check; RemoteError, and nothing has changed, if not."""
    log = group.log
    log.push(op)
    try:
        if op.type is OpType.CREATE:
            check_create(op, means.sealer)
            return
        entry = log.graph.at(len(log) - 1)
        check_operation(op, Past(log=log, mask=entry.past, suite=group.suite, sealer=means.sealer))
        check(entry, log.graph, group.views, DEVICES_MAX[group.suite])
    except RemoteError:
        _take_back(group)
        raise


def _take_back(group: Group) -> None:
    group.views.forget(1 << (len(group.log) - 1))
    group.log.pop()


def _secret_of(group: Group, op: Operation, wraps: tuple[bytes, ...], means: Means) -> bytes | None:
    """Return the epoch secret if these wraps hold it for us.

    None also where our wrap holds another secret than the one that the operation commits to: its author deceived us
    and nobody else can see it, so the operation stands, and we are left without this epoch's key. And None where we are
    listed as dormant and were given a wrap all the same: there is no chain for us to speak on.
    """
    block = epoch_block(op.body)
    if block is None or not wraps or group.own.dev not in block.recipients:
        return None
    bound = wrap_gid(op)
    secret = unwrap(
        gid=bound,
        nonce=block.nonce,
        wraps=wraps,
        dev=group.own.dev,
        keys=group.kem_pairs(),
        suite=group.suite,
        sealer=means.sealer,
    )
    if secret is None or commitment(secret, bound) != block.commit:
        return None
    return secret


def _late_wraps(group: Group, op: Operation, wraps: tuple[bytes, ...], means: Means) -> None:
    """An operation that is known already may come again with the wraps that were missing."""
    if group.lacks_epoch(op.op_id):
        secret = _secret_of(group, op, wraps, means)
        if secret is not None:
            means.journal.put(Space.WRAPS, group.gid + op.op_id, pack_wraps(wraps))
            install_epoch(group, op, secret, means)
            _mark_use(group, op, means)


def _mark_use(group: Group, op: Operation, means: Means) -> None:
    """A secret came to us: our KEM key has been used, and is to be replaced (protocol.md §3)."""
    number, newest = max(group.kems.items())
    if op.tbs.dev != group.own.dev and not newest.used_ms:
        group.save_kem(number, replace(newest, used_ms=means.wall_ms), means.journal)


def wrap_gid(op: Operation) -> bytes:
    """Return the group id that an epoch's commitment and wraps are bound to: zeros in a create."""
    return ZERO32 if op.type is OpType.CREATE else op.gid


def install_epoch(group: Group, op: Operation, secret: bytes, means: Means) -> None:
    """Expand an epoch secret into the keys that are kept, and forget it."""
    block = epoch_block(op.body)
    assert block is not None
    keys = expand(secret, GroupId(group.gid), op.op_id, tuple(block.recipients))
    record = EpochRecord(
        op_id=op.op_id,
        op_key=keys.op,
        hdr_key=keys.hdr,
        pub_seed=keys.pub_seed,
        sync_key=keys.sync,
        since_ms=means.wall_ms,
    )
    group.hold_epoch(record)
    group.save_epoch(record, means.journal)
    for dev, key in keys.chains.items():
        group.save_chain(op.op_id, dev, Chain(key=key), means.journal)


def bundles_beyond(group: Group, mask: int) -> list[OpId]:
    """Return the operations that a peer whose past is `mask` lacks, each after what it builds on."""
    return [group.log.ops[k].op_id for k in bits(group.log.everything & ~mask)]


def pack_wraps(wraps: tuple[bytes, ...]) -> bytes:
    """Return wraps (all of one length) as one value for the store."""
    return len(wraps[0]).to_bytes(2, "big") + b"".join(wraps)


def unpack_wraps(value: bytes | None) -> list[bytes]:
    """Read back what `pack_wraps` made; none for None."""
    if value is None:
        return []
    size = int.from_bytes(value[:2], "big")
    return [value[k : k + size] for k in range(2, len(value), size)]
