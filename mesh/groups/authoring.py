"""What we write: signed operations, epochs for exactly those who are in, and the frames that carry both.

Everything authored here goes through the same door as everybody else's operations (`receiving`): what the rules would
refuse from others is refused to ourselves, before anything is kept.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from msgspec import structs

from mesh.commands import CreateGroup, Rank, Suite
from mesh.crypto.keys import public_key
from mesh.errors import LocalError, RefusedError, RemoteError
from mesh.groups.dormancy import is_dormant
from mesh.groups.envelopes import NewEpoch, seal_envelope, seal_operation
from mesh.groups.epochs import Draft, draft_epoch
from mesh.groups.group import Group, Means
from mesh.groups.operations import Operation, card_device, parse_op, sign_op
from mesh.groups.oplog import OpLog
from mesh.groups.receiving import receive_op, rehearse_op, wrap_gid
from mesh.groups.records import KemRecord, OwnState
from mesh.identity.keys import sign_device
from mesh.ids import DeviceId, DevicePk, GroupId, MemberPk, MsgId, OpId
from mesh.phrases import verbatim
from mesh.secret import Secret
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.operations import (
    ZERO32,
    AdmitBody,
    Body,
    Card,
    CreateBody,
    Cut,
    DeviceAddBody,
    DeviceRemoveBody,
    EpochBlock,
    OpCut,
    OpTbs,
    OpType,
    RekeyBody,
    RemoveBody,
    Setting,
    SignedOp,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authored:
    """An operation of ours, and the frames to publish: (epoch whose topic it goes to, frame).

    The frames of operations that had to come before it, to make an epoch or to join forks, stand first.
    """

    op: Operation
    frames: tuple[tuple[OpId, bytes], ...]
    wraps: tuple[bytes, ...] = ()


def new_card(gid: bytes, member_seed: bytes, dev_seed: bytes, kem_pk: bytes) -> Card:
    """Return a device's card, certified by the member key; `gid` is 32 zero bytes in a create."""
    dev_pk = DevicePk(public_key(dev_seed))
    return Card(
        member_pk=MemberPk(public_key(member_seed, forget=True)),
        dev_pk=dev_pk,
        kem_pk=kem_pk,
        cert=sign_device(Secret(member_seed), GroupId(gid), dev_pk, kem_pk),
    )


def found(command: CreateGroup, means: Means) -> Group:
    """Found a group: its first operation, first epoch, and ourselves as its founder."""
    member_seed = command.member_seed.reveal()
    dev_seed = means.entropy.draw(32)
    kems = [means.sealer.generate(command.suite) for _ in range(2)]
    card = new_card(ZERO32, member_seed, dev_seed, kems[0][1])
    dev = card_device(card)
    draft = draft_epoch(
        gid=ZERO32,
        suite=command.suite,
        recipients={dev: card.kem_pk},
        kem_number=1,
        kem_pk=kems[1][1],
        entropy=means.entropy,
        sealer=means.sealer,
    )
    body = CreateBody(
        suite=command.suite,
        name=command.name,
        about=command.about,
        topics=list(command.topics),
        agreement=command.agreement,
        alias=command.alias,
        card=card,
        settings=[Setting(key=key, value=value) for key, value in command.settings],
        epoch=draft.block,
    )
    tbs = OpTbs(
        version=1,
        gid=GroupId(ZERO32),
        type=OpType.CREATE,
        dev=dev,
        dseq=1,
        dprev=OpId(ZERO32),
        deps=[],
        auth=OpId(ZERO32),
        gen=1,
        body=encode(body),
    )
    try:
        op = parse_op(sign_op(tbs, dev_seed))
    except RemoteError as error:
        raise _unfit(error) from error
    own = fresh_own_state(op.gid, command.suite, command.join_nonce, card, dev_seed)
    group = Group(own)
    for number, (private, public) in enumerate(kems):
        keep_kem(group, number, private, public, means)
    try:
        receive_op(group, op.signed, draft.wraps, means)
    except RemoteError as error:
        raise _unfit(error) from error
    group.set_own(means.journal, dseq=1, dprev=op.op_id, spoke_ms=means.wall_ms, rank_seen=Rank.FOUNDER, kem_number=1)
    return group


def _unfit(error: RemoteError) -> LocalError:
    return LocalError(
        "a group cannot be founded like that",
        why=verbatim(error.what),
        do="shorten its texts, or leave out what a group cannot have",
        code="E-TEXT",
    )


def fresh_own_state(gid: GroupId, suite: Suite, join_nonce: bytes, card: Card, dev_seed: bytes) -> OwnState:
    """Return our state in a group that we have just entered with this card."""
    return OwnState(
        gid=gid,
        suite=suite,
        join_nonce=join_nonce,
        member_pk=card.member_pk,
        dev=card_device(card),
        dev_seed=dev_seed,
        kem_number=0,
        dseq=0,
        dprev=OpId(ZERO32),
        mseq=0,
        prev=MsgId(ZERO32),
        spoke_ms=0,
        draft=0,
        left=False,
        wipe=False,
        cut_off=False,
        rank_seen=Rank.NEWCOMER,
        settings=[],
        confirmed=True,
        wants_history=False,
        handed_by=[],
        declined=[],
        granted=b"",
        granted_ms=0,
        erased=[],
    )


def keep_kem(group: Group, number: int, private: bytes, public: bytes, means: Means) -> None:
    """Keep a KEM key of ours; the days of those before it are numbered from now on.

    Of too many the oldest go: each epoch that leaves us out has us make one, and a member can make epochs all day.
    """
    for earlier, before in list(group.kems.items()):
        if earlier < number and not before.replaced_ms:
            group.save_kem(earlier, structs.replace(before, replaced_ms=means.wall_ms), means.journal)
    record = KemRecord(private=private, public=public, made_ms=means.wall_ms, used_ms=0, replaced_ms=0)
    group.save_kem(number, record, means.journal)
    while len(group.kems) > limits.KEMS_MAX:
        group.drop_kem(min(group.kems), means.journal)


def author(group: Group, kind: OpType, body: Body, means: Means, *, member_seed: bytes | None = None) -> Authored:
    """Write an operation that starts no epoch. RefusedError if the group's rules do not allow it.

    It is sealed under the epoch in use. Where there is none, one is made first: under an older one, those whom we know
    to be removed could read it.
    """
    before: tuple[tuple[OpId, bytes], ...] = ()
    if group.epoch is None:
        _require_order(group)
        _rehearse(group, _sign(group, kind, body, member_seed), means)
        before = rekey(group, means).frames
        if group.epoch is None:  # sealed to a key of ours that a restored copy lost; it brought a new key, and so:
            before = (*before, *rekey(group, means).frames)
    epoch = group.epoch
    assert epoch is not None, "a fresh epoch for all who are in is always usable"
    op = _enter(group, _sign(group, kind, body, member_seed), (), means)
    record = group.epochs[epoch]
    pub_pk = public_key(record.pub_seed)
    frame = seal_operation(op.signed, record.op_key, record.pub_seed, pub_pk, means.entropy.draw(24))
    return Authored(op=op, frames=(*before, (epoch, frame)))


def rehearse(group: Group, kind: OpType, body: Body, means: Means) -> None:
    """Say whether `author` would write this now: RefusedError if not. Nothing changes."""
    if group.epoch is None:
        _require_order(group)
    _rehearse(group, _sign(group, kind, body, None), means)


def rekey(group: Group, means: Means) -> Authored:
    """Start a fresh epoch for all who are in. RefusedError if we are not.

    Where forks have left more heads than one operation can name, it takes several, each for those who are in as the
    heads that it names have it; the last one joins them all.
    """
    done = _rekey_once(group, means)
    while len(group.log.heads) > 1:
        try:
            more = _rekey_once(group, means)
        except LocalError:
            break  # what was made so far stands, and must go out
        done = replace(more, frames=(*done.frames, *more.frames))
    return done


def admit(group: Group, body: AdmitBody, means: Means) -> Authored:
    """Let someone in: `body` without its epoch, which is added here."""
    return _author_epoch(
        group, OpType.ADMIT, lambda block: structs.replace(body, epoch=block), means, joining=body.card
    )


def remove(group: Group, target: MemberPk, cuts: list[Cut], reason: str, means: Means) -> Authored:
    """Remove a member: an epoch without their devices, which they can still see was made, and not open."""
    return _author_epoch(
        group,
        OpType.REMOVE,
        lambda block: RemoveBody(target=target, cuts=cuts, reason=reason, epoch=block),
        means,
        leaving=target,
    )


def add_device(group: Group, card: Card, member_seed: bytes, means: Means) -> Authored:
    """Bring this device in, by the member key: with an epoch for all devices, ours included.

    `group` is as `fresh_own_state` has it for `card`: its log is that of another device of ours. RefusedError.
    """
    return _author_epoch(
        group,
        OpType.DEVICE_ADD,
        lambda block: DeviceAddBody(card=card, epoch=block),
        means,
        joining=card,
        member_seed=member_seed,
    )


def remove_device(group: Group, dev: DeviceId, message_cut: Cut, member_seed: bytes, means: Means) -> Authored:
    """Take a device of ours out, by the member key: what it wrote so far holds, as far as it is here. RefusedError."""
    return _author_epoch(
        group,
        OpType.DEVICE_REMOVE,
        lambda block: DeviceRemoveBody(
            member=group.own.member_pk, dev=dev, op_cut=_last_op(group, dev), message_cut=message_cut, epoch=block
        ),
        means,
        without=dev,
        member_seed=member_seed,
    )


def _last_op(group: Group, dev: DeviceId) -> OpCut:
    """Return a device's last operation that we would build on and that counts; (0, zeros) if there is none."""
    past = group.log.closure(_deps(group))
    assert past is not None
    own = group.log.within(group.log.graph.written_by(dev, past & group.view.valid))
    last = max(own, key=lambda op: (op.tbs.dseq, op.op_id), default=None)
    return OpCut(dseq=0, op_id=OpId(ZERO32)) if last is None else OpCut(dseq=last.tbs.dseq, op_id=last.op_id)


def _rekey_once(group: Group, means: Means) -> Authored:
    return _author_epoch(group, OpType.REKEY, lambda block: RekeyBody(epoch=block), means)


def _author_epoch(
    group: Group,
    kind: OpType,
    body_with: Callable[[EpochBlock], Body],
    means: Means,
    *,
    joining: Card | None = None,
    leaving: MemberPk | None = None,
    without: DeviceId | None = None,
    member_seed: bytes | None = None,
) -> Authored:
    """Write an operation that starts an epoch for those who are in as the heads that it names have it."""
    parents = _parent_epochs(group)
    past = group.log.closure(_deps(group))
    assert past is not None
    devices = group.view_of(past).devices
    staying = [dev for dev, pk in devices.items() if pk != leaving and dev != without]
    dormant = [dev for dev in staying if is_dormant(group, dev, means.wall_ms)]
    if leaving is not None or without is not None:
        dormant += _too_many(group, [dev for dev in staying if dev not in dormant])
    recipients = {dev: group.kem_of[dev][1] for dev in staying if dev not in dormant}
    if joining is not None:
        recipients[card_device(joining)] = joining.kem_pk
    shown = group.kem_of.get(group.own.dev)  # none yet where we write ourselves in
    number = 1 + max(group.own.kem_number, 0 if shown is None else shown[0])
    private, public = means.sealer.generate(group.suite)
    draft = draft_epoch(
        gid=group.gid,
        suite=group.suite,
        recipients=recipients,
        kem_number=number,
        kem_pk=public,
        entropy=means.entropy,
        sealer=means.sealer,
        dormant=dormant,
    )
    op = _enter(group, _sign(group, kind, body_with(draft.block), member_seed), draft.wraps, means)
    keep_kem(group, number, private, public, means)
    group.set_own(means.journal, kem_number=number)
    return Authored(op=op, frames=_envelopes(group, op, draft, parents), wraps=draft.wraps)


def _too_many(group: Group, awake: list[DeviceId]) -> list[DeviceId]:
    """Return the newest devices where more are in than an epoch carries: they get no key of one that removes somebody.

    Several that were let in at once can be too many together, and then nobody can re-key; whoever let them in must
    still be removed, and they one by one.
    """
    oldest_first = sorted(awake, key=lambda dev: 0 if dev == group.own.dev else _came(group, dev))
    return oldest_first[limits.DEVICES_MAX[group.suite] :]


def _came(group: Group, dev: DeviceId) -> int:
    """Return the mask of the first operation here that brought a device in."""
    brought = group.log.graph.brought(dev, group.log.everything)
    return brought & -brought


def _require_order(group: Group) -> None:
    """RefusedError where an epoch must be made first and cannot be in the same breath: nothing may have changed."""
    if not group.epochs:
        raise RefusedError("no key of this group is here", do="wait until a member is reachable")
    if len(group.log.heads) > limits.DEPS_MAX:
        raise RefusedError(
            "this group is being put in order",
            why="so many changed it at once that they have to be brought together first",
            do="try again in a minute",
        )


def _deps(group: Group) -> list[OpId]:
    """Return the heads that an operation of ours names: all, or those that hold our last operation and our grant."""
    me = group.view.members.get(group.own.member_pk)
    own = [group.own.dprev] if group.own.dseq else []
    return group.log.heads_over(own if me is None else [*own, me.grant])


def _sign(group: Group, kind: OpType, body: Body, member_seed: bytes | None) -> SignedOp:
    me = group.view.members.get(group.own.member_pk) if kind is OpType.DEVICE_ADD else group.me
    if me is None or group.own.left:
        raise RefusedError(
            "you are not a member of this group any more",
            why="only members can change it",
            do="ask someone in the group for a new invite",
            code="E-NOT-MEMBER",
        )
    deps = _deps(group)
    tbs = OpTbs(
        version=1,
        gid=group.gid,
        type=kind,
        dev=group.own.dev,
        dseq=group.own.dseq + 1,
        dprev=group.own.dprev,
        deps=deps,
        auth=me.grant,
        gen=1 + max(_gen(group.log, dep) for dep in deps),
        body=encode(body),
    )
    return sign_op(tbs, member_seed, forget=True) if member_seed else sign_op(tbs, group.own.dev_seed)


def _gen(log: OpLog, op_id: OpId) -> int:
    op = log.get(op_id)
    assert op is not None
    return op.tbs.gen


def _enter(group: Group, signed: SignedOp, wraps: tuple[bytes, ...], means: Means) -> Operation:
    try:
        receive_op(group, signed, wraps, means)
    except RemoteError as error:
        raise _refused() from error
    op = parse_op(signed)
    group.set_own(means.journal, dseq=op.tbs.dseq, dprev=op.op_id, spoke_ms=means.wall_ms)
    return op


def _rehearse(group: Group, signed: SignedOp, means: Means) -> None:
    """RefusedError if the group's rules would not let an operation of ours in; it is not let in."""
    try:
        rehearse_op(group, signed, means)
    except RemoteError as error:
        raise _refused() from error


def _refused() -> RefusedError:
    return RefusedError(
        "the group's rules do not allow that",
        why="every member's node would refuse it: your rank does not reach so far, or the group has changed meanwhile",
        do="ask a member with a higher rank; `mesh group members` shows who has which",
    )


def _parent_epochs(group: Group) -> list[OpId]:
    """Return the newest epochs held that no other epoch held here follows; the envelope goes to the topic of each."""
    held = [record.op_id for record in group.newest_epochs()]
    followed = 0
    for epoch in held:
        followed |= group.log.past(epoch)
    return [epoch for epoch in held if not followed & group.log.bit(epoch)]


def _envelopes(group: Group, op: Operation, draft: Draft, parents: list[OpId]) -> tuple[tuple[OpId, bytes], ...]:
    new = NewEpoch(op=op.signed, secret=draft.secret, nonce=draft.block.nonce, wraps=draft.wraps)
    return tuple((parent, seal_envelope(new, wrap_gid(op), group.epochs[parent].pub_seed)) for parent in parents)
