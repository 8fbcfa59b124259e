"""What is said: sealing a message under the epoch, and opening what others sealed (protocol.md §7).

Outside, a frame shows the epoch's publish key and nothing of its author. Inside the header, a device id and its
place in that device's chain; inside the body, the signed message. Opening derives on copies: until every check has
passed nothing moves, so that a forged frame costs its sender and nobody else.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from mesh.crypto.hashes import h
from mesh.crypto.keys import NONCE_BYTES, decrypt, encrypt, public_key, sign, verify
from mesh.errors import Fault, LocalError, RemoteError
from mesh.groups.group import Group, Means
from mesh.groups.ratchet import Chain
from mesh.ids import DeviceId, MemberPk, MsgId, OpId
from mesh.phrases import phrase
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.frames import HEADER_BYTES, Frame, FrameType, seal_frame
from mesh.wire.messages import KeyupBody, Kind, MessageTbs, SignedMessage
from mesh.wire.operations import DeviceRemoveBody, RemoveBody
from mesh.wire.padding import pad, unpad

MESSAGE_LABEL = b"mesh1/msg\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What is to be sealed: a kind and its encoded body, and how it hangs together with what came before."""

    uid: bytes
    kind: int
    parents: tuple[MsgId, ...]
    ts_ms: int
    flags: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedMessage:
    """A message of ours, ready to go."""

    epoch: OpId
    mseq: int
    msg_id: MsgId
    heads: tuple[OpId, ...]
    signed: SignedMessage
    frame: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedMessage:
    """A message that passed every check but is not taken in yet: `take_in` moves the ratchet."""

    epoch: OpId
    signed: SignedMessage
    tbs: MessageTbs
    msg_id: MsgId
    member: MemberPk
    chain: Chain = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A signed message that passed every check but those of its seal."""

    tbs: MessageTbs
    msg_id: MsgId
    member: MemberPk


@dataclass(frozen=True, slots=True, kw_only=True)
class TooEarly:
    """The message of this device builds on operations that are not here yet; `heads` names what its author has."""

    dev: DeviceId
    heads: tuple[OpId, ...]


def seal_message(group: Group, epoch: OpId, wording: Wording, means: Means) -> SealedMessage:
    """Seal under `epoch`, move our ratchet, and count up `mseq`. LocalError if it is longer than a message may be.

    The chain must have room (see `chain_is_full`).
    """
    record = group.epochs[epoch]
    chain = group.chains[epoch, group.own.dev]
    assert chain.i < limits.CHAIN_LENGTH_MAX, "re-key before a chain is full"
    key, chain_after = chain.take(chain.i)
    me = group.me
    heads = group.log.heads_over([epoch] if me is None else [epoch, me.grant], limits.HEADS_MAX)
    tbs = MessageTbs(
        version=1,
        gid=group.gid,
        epoch=epoch,
        dev=group.own.dev,
        i=chain.i,
        mseq=group.own.mseq + 1,
        uid=wording.uid,
        kind=wording.kind,
        prev=group.own.prev,
        parents=list(wording.parents),
        heads=heads,
        ts_ms=wording.ts_ms,
        flags=wording.flags,
        body=wording.body,
    )
    raw = encode(tbs)
    msg_id = message_id(raw)
    message = SignedMessage(tbs=raw, sig=sign(group.own.dev_seed, MESSAGE_LABEL + raw))
    signed = encode(message)
    if len(signed) > limits.MESSAGE_BYTES_MAX:
        raise LocalError(
            phrase(
                "the message is {size} bytes long when sealed; {most} is the limit",
                size=len(signed),
                most=limits.MESSAGE_BYTES_MAX,
            ),
            do="send it in parts",
            code="E-TOO-LONG",
        )
    nonce = means.entropy.draw(NONCE_BYTES)
    outer = bytes([FrameType.MESSAGE]) + public_key(record.pub_seed)
    header = encrypt(record.hdr_key, nonce, outer, group.own.dev + chain.i.to_bytes(4, "big"))
    body = encrypt(key, nonce, outer + header, pad(signed))
    group.save_chain(epoch, group.own.dev, _counting(chain_after, wording.kind), means.journal)
    group.set_own(means.journal, mseq=tbs.mseq, prev=msg_id, spoke_ms=means.wall_ms)
    frame = seal_frame(FrameType.MESSAGE, record.pub_seed, nonce + header + body)
    return SealedMessage(epoch=epoch, mseq=tbs.mseq, msg_id=msg_id, heads=tuple(heads), signed=message, frame=frame)


def message_id(tbs: bytes) -> MsgId:
    """Return H("mesh1/msgid", tbs), 32 B."""
    return MsgId(h(b"mesh1/msgid", tbs))


def chain_is_full(group: Group, epoch: OpId) -> bool:
    """Say whether our chain in this epoch, or the epoch itself, has carried all that it may."""
    chain = group.chains[epoch, group.own.dev]
    return chain.i >= limits.CHAIN_LENGTH_MAX or group.counted(epoch) >= limits.EPOCH_MESSAGES_MAX


def open_message(group: Group, frame: Frame, epoch: OpId) -> OpenedMessage | TooEarly:
    """Open a message frame on the topic of `epoch`, whose outer signature has been checked.

    RemoteError(UNASKED) for one that was opened before or lies past its device's removal; other RemoteErrors for
    what no honest member sends. Nothing changes in the group.
    """
    record = group.epochs[epoch]
    if record.is_retired:
        raise RemoteError(Fault.UNASKED, "a message under an epoch that is retired here")
    if len(frame.middle) < NONCE_BYTES + HEADER_BYTES:
        raise RemoteError(Fault.MALFORMED, "a message is too short")
    nonce = frame.middle[:NONCE_BYTES]
    header = frame.middle[NONCE_BYTES : NONCE_BYTES + HEADER_BYTES]
    outer = bytes([FrameType.MESSAGE]) + frame.pk
    plain = decrypt(record.hdr_key, nonce, outer, header)
    dev, i = DeviceId(plain[:16]), int.from_bytes(plain[16:], "big")
    chain = group.chains.get((epoch, dev))
    if chain is None:
        raise RemoteError(Fault.AGAINST_RULES, "a message by a device that is not in its epoch")
    key, chain_after = chain.take(i)
    padded = decrypt(key, nonce, outer + header, frame.middle[NONCE_BYTES + HEADER_BYTES :])
    signed = decode(SignedMessage, unpad(padded), bytes_max=limits.MESSAGE_BYTES_MAX)
    original = _check_signed(group, signed, sealed_as=(epoch, dev, i), last=cut_of)
    if isinstance(original, TooEarly):
        return original
    return OpenedMessage(
        epoch=epoch,
        signed=signed,
        tbs=original.tbs,
        msg_id=original.msg_id,
        member=original.member,
        chain=chain_after,
    )


def check_original(group: Group, signed: SignedMessage) -> Original | TooEarly:
    """Check a message that a member hands on without its seal, as one is checked that comes under it.

    RemoteError(UNASKED) for one past its device's removal; other RemoteErrors for what no honest member hands on.
    """
    return _check_signed(group, signed, sealed_as=None, last=cut_of)


def check_words(group: Group, signed: SignedMessage) -> Original | TooEarly:
    """Check that a member signed a message, whether or not a removal of theirs still counts it. RemoteError.

    What lies past the cut of a device that was *taken out* is nobody's word: its key may be in other hands.
    """
    return _check_signed(group, signed, sealed_as=None, last=_cut_of_device)


def _check_signed(
    group: Group,
    signed: SignedMessage,
    *,
    sealed_as: tuple[OpId, DeviceId, int] | None,
    last: Callable[[Group, DeviceId], int],
) -> Original | TooEarly:
    """`sealed_as`: the epoch, device and place that it was opened with, where it was sealed. `last`: which mseq counts
    as a device's last.
    """
    tbs = decode(MessageTbs, signed.tbs, bytes_max=limits.MESSAGE_BYTES_MAX)
    card = group.log.card(tbs.dev if sealed_as is None else sealed_as[1])
    mask = group.log.closure(tbs.heads)
    if card is None:
        if mask is None and tbs.gid == group.gid:
            return TooEarly(dev=tbs.dev, heads=tuple(tbs.heads))  # what brought it in may be among what is not here yet
        raise RemoteError(Fault.AGAINST_RULES, "a message by a device that nobody brought in")
    verify(card.dev_pk, MESSAGE_LABEL + signed.tbs, signed.sig)
    if tbs.gid != group.gid or (sealed_as is not None and (tbs.epoch, tbs.dev, tbs.i) != sealed_as):
        raise RemoteError(Fault.AGAINST_RULES, "a message that was moved from where it was sealed")
    if tbs.heads != sorted(set(tbs.heads)):
        raise RemoteError(Fault.MALFORMED, "heads are not sorted and distinct")
    if mask is None:
        return TooEarly(dev=tbs.dev, heads=tuple(tbs.heads))
    if sealed_as is None and tbs.dev not in group.recipients(tbs.epoch):
        raise RemoteError(Fault.AGAINST_RULES, "a message under an epoch that its author was not in")
    if not group.log.bit(tbs.epoch) & mask:
        raise RemoteError(Fault.AGAINST_RULES, "a message under an epoch that its author had not seen")
    if tbs.dev not in group.view_of(mask).devices:
        raise RemoteError(Fault.AGAINST_RULES, "a message by a device that was not in, as its author saw it")
    if tbs.mseq > last(group, tbs.dev):
        raise RemoteError(Fault.UNASKED, "a message sent after its author's removal")
    return Original(tbs=tbs, msg_id=message_id(signed.tbs), member=card.member_pk)


def read_keyup(group: Group, signed: SignedMessage) -> tuple[DeviceId, KeyupBody]:
    """Return whose key-up this signed message is, and what it says. RemoteError if it is not its author's own."""
    tbs = decode(MessageTbs, signed.tbs, bytes_max=limits.MESSAGE_BYTES_MAX)
    card = group.log.card(tbs.dev)
    if tbs.gid != group.gid or tbs.kind != Kind.KEYUP or card is None:
        raise RemoteError(Fault.AGAINST_RULES, "something else than a key-up in this group")
    verify(card.dev_pk, MESSAGE_LABEL + signed.tbs, signed.sig)
    return tbs.dev, decode(KeyupBody, tbs.body, bytes_max=limits.MESSAGE_BYTES_MAX)


def take_in(group: Group, opened: OpenedMessage, means: Means) -> None:
    """Keep what `open_message` found: the ratchet moves, and the message's key is gone."""
    group.save_chain(opened.epoch, opened.tbs.dev, _counting(opened.chain, opened.tbs.kind), means.journal)


def _counting(chain: Chain, kind: int) -> Chain:
    """Count a message; receipts answer messages, and counted, they would make epochs wear out by being read."""
    return chain if kind == Kind.RECEIPT else chain.with_one_more()


def cut_of(group: Group, dev: DeviceId) -> int:
    """Return the last mseq that counts of a device: no limit while it is in, the cut of what took it after.

    Of several removals of its member the most senior holds, and of equal ones the greatest cut; and no later message
    counts than the cut of each act that took the device itself (protocol.md §4).
    """
    card = group.log.card(dev)
    if dev in group.view.devices or card is None:
        return limits.MSEQ_MAX
    standing = group.views.standing(group.log.everything)
    removed: list[tuple[int, int]] = []
    for entry in standing.removals.get(card.member_pk, ()):
        body = group.log.operation(entry.act.op_id).body
        if isinstance(body, RemoveBody):
            seen = max((cut.mseq for cut in body.cuts if cut.dev == dev), default=0)
            removed.append((entry.level, -seen))
    cuts = [-min(removed)[1]] if removed and card.member_pk not in group.view.members else []
    return min([*cuts, _cut_of_device(group, dev)])


def _cut_of_device(group: Group, dev: DeviceId) -> int:
    """Return the last mseq that counts of a device by the acts that took the device itself; no limit without one."""
    card = group.log.card(dev)
    if dev in group.view.devices or card is None:
        return limits.MSEQ_MAX
    standing = group.views.standing(group.log.everything)
    cuts: list[int] = []
    for entry in standing.taking(dev, standing.live_grants(card.member_pk)):
        body = group.log.operation(entry.act.op_id).body
        if isinstance(body, DeviceRemoveBody) and body.op_cut is not None:
            cuts.append(0 if body.message_cut is None else body.message_cut.mseq)
    return min(cuts, default=limits.MSEQ_MAX)
