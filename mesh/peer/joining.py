"""Joining, from outside: look for the group behind a code, see its agreement, knock, and come in (protocol.md §12).

looking → preview → knocking → joined | refused | expired. Every stage is in the store, so that knocking goes on for
ever, across restarts of both sides, until somebody answers or the code runs out.
"""

from msgspec.structs import replace

from mesh.commands import AgreeJoin, StartJoin, Suite
from mesh.crypto.keys import public_key
from mesh.errors import Fault, LocalError, RefusedError, RemoteError
from mesh.events import Notice, Space
from mesh.gossip.frontier import Frontier
from mesh.groups.authoring import fresh_own_state, keep_kem, new_card
from mesh.groups.group import Group, Means
from mesh.groups.invites import (
    HOUR_MS,
    Preview,
    invite_keys,
    knock_statement,
    open_preview,
    open_welcome_chunk,
    parse_welcome,
    seal_knock,
    sign_knock,
)
from mesh.groups.joining import GID_PREFIX_BYTES, agreement_hash, join_statement
from mesh.groups.receiving import receive_bundle
from mesh.ids import GroupId, JoinId
from mesh.journal import Journal
from mesh.peer.hearing import dial, learn_contact
from mesh.peer.records import ContactRecord, JoinRecord, JoinStage, KnockKeys
from mesh.peer.routing import JOINING, hand_to, join_topics, preview_topic
from mesh.peer.state import Link, Room, State, Step
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.codes import InviteCode
from mesh.wire.frames import DAY_MS, Frame, parse_frame, split_welcome, topic_of
from mesh.wire.invites import Door, KnockBody, WelcomeBody
from mesh.wire.operations import AdmitBody
from mesh.wire.text import require_text


def start_join(state: State, command: StartJoin, step: Step) -> JoinId:
    """Begin to look for the group behind a code. RefusedError if it has run out or leads where we are already."""
    code = InviteCode.unpack(command.code)
    if step.now.wall_ms >= code.expiry_hour * HOUR_MS:
        raise expired()
    for join in state.joins.values():
        if join.code == command.code and join.stage in JOINING:
            dial(command.addresses, step)
            return JoinId(join.join)
    for room in state.rooms.values():
        if room.group.gid[:GID_PREFIX_BYTES] == code.gid_prefix and room.group.me is not None:
            raise RefusedError(
                f"you are in “{room.group.founding.name}” already",
                do="give the code to the person it was meant for",
                code="E-ALREADY-IN",
            )
    if sum(join.stage in JOINING for join in state.joins.values()) >= limits.JOINS_MAX:
        raise LocalError("too many attempts to join at once", do="stop one with `mesh joins drop`", code="E-TOO-MANY")
    record = JoinRecord(
        join=step.entropy.draw(16),
        code=command.code,
        addresses=list(command.addresses[: limits.ADDRESSES_MAX]),
        stage=JoinStage.LOOKING,
        started_ms=step.now.wall_ms,
        preview=b"",
        door=Door.OPEN,
        keys=None,
    )
    _save(state, record, step)
    dial(command.addresses, step)
    return JoinId(record.join)


def expired() -> RefusedError:
    """Return the error for a code whose time is over."""
    return RefusedError(
        "that code has run out",
        why="invites are good for a limited time, so that a lost one does no harm",
        do="ask for a new code",
        code="E-CODE-EXPIRED",
    )


def _save(state: State, record: JoinRecord, step: Step) -> None:
    before = state.joins.get(JoinId(record.join))
    state.joins[JoinId(record.join)] = record
    step.journal.put(Space.JOINS, record.join, encode(record))
    step.journal.make_durable()
    step.topics_changed = True
    if before is None or before.stage is not record.stage:
        step.notify(Notice.JOIN, None, record.join)


def preview_of(join: JoinRecord) -> Preview | None:
    """Return what the preview showed, or None if there was none yet."""
    if not join.preview:
        return None
    code = InviteCode.unpack(join.code)
    return open_preview(parse_frame(join.preview), invite_keys(code.seed), code.gid_prefix)


def hear_preview(state: State, frame: Frame, raw: bytes, step: Step) -> None:
    """A member shows what stands behind a code; RemoteError if it is not what the code names."""
    for join in list(state.joins.values()):
        code = InviteCode.unpack(join.code)
        keys = invite_keys(code.seed)
        if join.stage not in JOINING or preview_topic(keys.knock_key) != topic_of(frame.pk):
            continue
        preview = open_preview(frame, keys, code.gid_prefix)
        if join.stage is JoinStage.KNOCKING:
            continue
        if preview.door is Door.OPEN:
            _save(state, replace(join, stage=JoinStage.PREVIEW, preview=raw), step)
        else:
            stage = JoinStage.EXPIRED if preview.door is Door.EXPIRED else JoinStage.REFUSED
            _save(state, replace(join, stage=stage, preview=raw, door=preview.door), step)


def agree(state: State, command: AgreeJoin, step: Step) -> None:
    """Accept the agreement as shown, and knock. LocalError if there is nothing to agree to, or it has changed."""
    join = state.joins.get(command.join)
    preview = None if join is None else preview_of(join)
    if join is None or preview is None or join.stage not in (JoinStage.PREVIEW, JoinStage.KNOCKING):
        raise LocalError(
            "nothing is known of that group yet",
            why="the agreement has to be seen before it is accepted",
            do="wait until a member is reachable",
            code="E-NO-PREVIEW",
        )
    if join.stage is JoinStage.KNOCKING:
        return
    if command.agreement_version != preview.agreement_version:
        raise LocalError("the agreement has changed since it was shown", do="read it again", code="E-AGREEMENT")
    alias = require_text("alias", command.alias, limits.ALIAS_BYTES_MAX)
    keys = _prepare_knock(join, preview, alias, command, state, step)
    _save(state, replace(join, stage=JoinStage.KNOCKING, keys=keys), step)
    for link in state.links.values():
        knock_on(state, link, step)


def _prepare_knock(
    join: JoinRecord, preview: Preview, alias: str, command: AgreeJoin, state: State, step: Step
) -> KnockKeys:
    code = InviteCode.unpack(join.code)
    invite_seed = invite_keys(code.seed).invite_seed
    member_seed = command.member_seed.reveal()
    dev_seed = step.entropy.draw(32)
    kem_private, kem_public = step.sealer.generate(preview.create.suite)
    card = new_card(preview.gid, member_seed, dev_seed, kem_public)
    pledge = agreement_hash(preview.agreement)
    statement = join_statement(preview.gid, preview.invite, card, command.join_nonce, alias, pledge)
    sig_invite, sig_member, sig_dev = sign_knock(statement, invite_seed, member_seed, dev_seed)
    knock = KnockBody(
        invite=preview.invite,
        card=card,
        join_nonce=command.join_nonce,
        alias=alias,
        agreement_hash=pledge,
        addresses=list(state.addresses[: limits.ADDRESSES_MAX]),
        reply_seed=step.entropy.draw(32),
        sig_invite=sig_invite,
        sig_member=sig_member,
        sig_dev=sig_dev,
    )
    return KnockKeys(dev_seed=dev_seed, kem_private=kem_private, knock=encode(knock))


def knock_on(state: State, link: Link, step: Step) -> None:
    """Knock over a link whose other end listens at one of our doors; once a link."""
    today = step.now.wall_ms // DAY_MS
    for join in state.joins.values():
        if join.stage is not JoinStage.KNOCKING or join.keys is None:
            continue
        if any(topic in link.topics.shared for topic in join_topics(join, today)[1:4]):
            knock = decode(KnockBody, join.keys.knock, bytes_max=limits.KNOCK_PADDED_BYTES)
            here = replace(knock, addresses=list(state.addresses[: limits.ADDRESSES_MAX]))
            keys = invite_keys(InviteCode.unpack(join.code).seed)
            hand_to(link, b"knock" + join.join, seal_knock(keys, here, step.means()), step)


def hear_welcome(state: State, frame: Frame, step: Step) -> None:
    """A member answers our knock, in chunks; RemoteError if it is not an honest answer."""
    for join in list(state.joins.values()):
        preview = preview_of(join)
        if join.keys is None or preview is None or join.stage is not JoinStage.KNOCKING:
            continue
        knock = decode(KnockBody, join.keys.knock, bytes_max=limits.KNOCK_PADDED_BYTES)
        if public_key(knock.reply_seed) != frame.pk:
            continue
        index, total, sealed = split_welcome(frame.middle)
        chunk = open_welcome_chunk(
            index,
            total,
            sealed,
            kem_private=join.keys.kem_private,
            suite=preview.create.suite,
            statement=knock_statement(knock, preview.gid),
            sealer=step.sealer,
        )
        chunks = state.welcomes.setdefault(JoinId(join.join), {})
        if chunks and next(iter(chunks)) >> 16 != total:
            chunks.clear()
        chunks[total << 16 | index] = chunk
        if len(chunks) == total:
            del state.welcomes[JoinId(join.join)]
            body = parse_welcome(b"".join(part for _, part in sorted(chunks.items())))
            _answered(state, join, preview, knock, body, step)


def _answered(
    state: State, join: JoinRecord, preview: Preview, knock: KnockBody, body: WelcomeBody, step: Step
) -> None:
    if body.door is not Door.OPEN:
        stage = JoinStage.EXPIRED if body.door is Door.EXPIRED else JoinStage.REFUSED
        _save(state, replace(join, stage=stage, door=body.door, keys=None), step)
        return
    assert join.keys is not None
    group = enter(preview.gid, preview.create.suite, knock, join.keys, body, step)
    room = Room(group)
    for entry in body.frontier:
        if group.log.card(entry.dev) is not None:
            room.track(entry.dev).settled = Frontier(entry.contiguous)
            room.save_track(entry.dev, step.journal)
    state.rooms[group.gid] = room
    for contact in body.contacts:
        if group.log.card(contact.dev) is not None:
            known = ContactRecord(addresses=contact.addresses, in_invites=False, ts_ms=0)
            learn_contact(room, contact.dev, known, step)
    _save(state, replace(join, stage=JoinStage.JOINED, keys=None), step)
    step.touch(group.gid, list(group.log.ops[-1:]))
    step.notify(Notice.JOINED, group.gid, group.own.member_pk)


def enter(gid: GroupId, suite: Suite, knock: KnockBody, keys: KnockKeys, body: WelcomeBody, step: Step) -> Group:
    """Build the group from a welcome; RemoteError if it is not the group, or not ourselves, that it lets in.

    Nothing is written unless all of it holds.
    """
    scratch = Journal()
    means = Means(entropy=step.entropy, sealer=step.sealer, journal=scratch, wall_ms=step.now.wall_ms)
    own = fresh_own_state(gid, suite, knock.join_nonce, knock.card, keys.dev_seed)
    group = Group(own)
    keep_kem(group, 0, keys.kem_private, knock.card.kem_pk, means)
    for bundle in body.ops:
        receive_bundle(group, bundle, means)
    admits = [op.body for op in group.log.ops if isinstance(op.body, AdmitBody) and op.body.card == knock.card]
    if not admits or admits[0].invite != knock.invite or group.me is None or not group.epochs:
        raise RemoteError(Fault.AGAINST_RULES, "a welcome that does not let us in")
    group.set_own(scratch, rank_seen=group.rank)
    step.journal.merge(scratch)
    return group
