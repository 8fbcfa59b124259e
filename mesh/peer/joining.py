"""Joining, from outside: look for the group behind a code, see its agreement, knock, and come in (protocol.md §12).

looking → preview → knocking → joined | refused | expired. Every stage is in the store, so that knocking goes on for
ever, across restarts of both sides, until somebody answers or the code runs out.
"""

from contextlib import suppress
from typing import Final

from msgspec.structs import replace

from mesh.commands import AgreeJoin, StartJoin, Suite
from mesh.crypto.keys import public_key
from mesh.errors import Fault, LocalError, RefusedError, RemoteError
from mesh.events import Notice, Space
from mesh.groups.authoring import fresh_own_state, keep_kem, new_card
from mesh.groups.group import Group, Means
from mesh.groups.invites import (
    HOUR_MS,
    Preview,
    as_founded,
    invite_keys,
    knock_statement,
    open_preview,
    open_welcome_chunk,
    parse_welcome,
    seal_knock,
    sign_knock,
    welcome_of,
)
from mesh.groups.joining import GID_PREFIX_BYTES, agreement_hash, join_statement, sign_former
from mesh.groups.operations import Operation, card_device
from mesh.groups.receiving import receive_bundle
from mesh.ids import DeviceId, GroupId, JoinId
from mesh.journal import Journal
from mesh.peer import confirming, reaching
from mesh.peer.hearing import learn_keyup
from mesh.peer.history import want_if_due
from mesh.peer.links import Link
from mesh.peer.records import ContactRecord, JoinRecord, JoinStage, KnockKeys, OfferRecord
from mesh.peer.returning import clear_former, take_over
from mesh.peer.routing import DOOR_DAYS, DOOR_TOPICS, JOINING, hand_to, join_topics, preview_topic
from mesh.peer.state import Room, State, Step
from mesh.phrases import phrase
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.codes import InviteCode
from mesh.wire.frames import DAY_MS, Frame, parse_frame, split_welcome, topic_of
from mesh.wire.invites import Door, KnockBody, WelcomeBody
from mesh.wire.operations import AdmitBody, epoch_block
from mesh.wire.text import require_text

_HAND_ON: Final = "give the code to the person it was meant for"
_READ_ON: Final = "read on there: `mesh group list` shows it"
KNOCK_MS: Final = 15_000  # a knock is repeated after so long, then after twice that, and so on; ours
KNOCK_MS_MAX: Final = 600_000
SAME_FRAME_MS: Final = 5_000  # a knock is sealed anew after so long; ours
_WELCOMES_MAX: Final = 4  # of several chunks, half received, each 16 MiB at most; ours


def start_join(state: State, command: StartJoin, step: Step, offer: OfferRecord | None = None) -> JoinId:
    """Begin to look for the group behind a code. RefusedError if it has run out, or we are in there already."""
    code = InviteCode.unpack(command.code)
    if step.now.wall_ms >= code.expiry_hour * HOUR_MS:
        raise expired(offered=offer is not None)
    for join in state.joins.values():
        if join.code == command.code and join.offer == offer and join.stage in JOINING:
            addresses = list(dict.fromkeys([*command.addresses, *join.addresses]))[: limits.ADDRESSES_MAX]
            _save(state, replace(join, addresses=addresses), step)
            step.dials_changed = True
            return JoinId(join.join)
    _refuse_if_in(state, code.gid_prefix, _READ_ON if offer is not None else _HAND_ON)
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
        offer=offer,
    )
    _save(state, record, step)
    step.dials_changed = True
    return JoinId(record.join)


def _refuse_if_in(state: State, prefix: bytes, do: str) -> None:
    """RefusedError, with what to do instead, if we are in the group whose id begins so, as far as we know.

    One who was removed is not told so. Where there are signs of it, another code may bring them back.
    """
    room = _where_in(state, prefix)
    if room is not None:
        raise RefusedError(
            phrase("you are in “{group}” already", group=room.group.founding.name),
            do=do,
            code="E-ALREADY-IN",
        )


def _where_in(state: State, prefix: bytes) -> Room | None:
    for room in state.rooms.values():
        named = room.group.gid[:GID_PREFIX_BYTES] == prefix[:GID_PREFIX_BYTES]
        if named and room.group.me is not None and not room.seems_out:
            return room
    return None


def drop_needless(state: State, room: Room, step: Step) -> None:
    """We turn out to be in after all: stop knocking, or we would become a second member."""
    for join_id, _ in _joins_of(state, room):
        drop_join(state, join_id, step)


def stop_needless(state: State, room: Room, step: Step) -> None:
    """We seem to be in: look no further, and end an attempt that was answered all the same.

    One that knocked stands: whoever counts us in may not have heard yet. It does not knock meanwhile (`knock_on`).
    """
    for join_id, join in _joins_of(state, room):
        if join.stage is not JoinStage.KNOCKING:
            drop_join(state, join_id, step)
        elif room.group.log.card(_device_of(join)) is not None:
            _refuse_second(state, join, step)


def is_answer(state: State, op: Operation) -> bool:
    """Say whether an operation starts an epoch for one of our own knocks."""
    block = epoch_block(op.body)
    listed = () if block is None else block.recipients
    return any(join.stage is JoinStage.KNOCKING and _device_of(join) in listed for join in state.joins.values())


def _device_of(join: JoinRecord) -> DeviceId:
    """Return the device that knocks."""
    assert join.keys is not None, "whoever knocks keeps the keys"
    return card_device(decode(KnockBody, join.keys.knock, bytes_max=limits.KNOCK_PADDED_BYTES).card)


def _joins_of(state: State, room: Room) -> list[tuple[JoinId, JoinRecord]]:
    return [
        (join_id, join)
        for join_id, join in state.joins.items()
        if join.stage in JOINING and InviteCode.unpack(join.code).gid_prefix == room.group.gid[:GID_PREFIX_BYTES]
    ]


def _refuse_second(state: State, join: JoinRecord, step: Step) -> None:
    """End an attempt that would make us a second member: refused, at an open door."""
    _save(state, replace(join, stage=JoinStage.REFUSED, door=Door.OPEN, keys=None), step)


def expired(*, offered: bool) -> RefusedError:
    """Return the error for a code, or an offer, whose time is over."""
    return RefusedError(
        "that offer has run out" if offered else "that code has run out",
        why="both are good for a limited time, so that a lost one does no harm",
        do="ask whoever made it to offer it again" if offered else "ask for a new code",
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
    if record.stage not in JOINING:
        _stop(state, record, step)


def _stop(state: State, join: JoinRecord, step: Step) -> None:
    join_id = JoinId(join.join)
    state.knocked.pop(join_id, None)
    state.knock_frames.pop(join_id, None)
    state.resting.pop(join_id, None)
    for key in [key for key in state.welcomes if key[0] == join_id]:
        del state.welcomes[key]
    step.set_timer("knock", join_id, None)
    step.dials_changed = True


def drop_join(state: State, join_id: JoinId, step: Step) -> None:
    """Stop trying to join, or forget an attempt that is over. LocalError if there is none."""
    join = state.joins.get(join_id)
    if join is None:
        raise LocalError("there is no such attempt to join", code="E-NO-JOIN")
    del state.joins[join_id]
    step.journal.delete(Space.JOINS, join_id)
    step.topics_changed = True
    _stop(state, join, step)


def preview_of(join: JoinRecord) -> Preview | None:
    """Return what the preview showed, or None if there was none yet."""
    return _read_preview(join, parse_frame(join.preview)) if join.preview else None


def _read_preview(join: JoinRecord, frame: Frame) -> Preview:
    """Open a preview; RemoteError if it is not what the code, and the offer of it, name.

    All who could read an offer can publish under its preview key. Of theirs nothing is shown but what the group's id
    holds fast: its founding, and the agreement in it, which one may pledge to for as long as the group lasts.
    """
    code = InviteCode.unpack(join.code)
    preview = open_preview(frame, invite_keys(code.seed), code.gid_prefix)
    if join.offer is None:
        return preview
    if (preview.gid, preview.invite) != (join.offer.gid, join.offer.invite):
        raise RemoteError(Fault.AGAINST_RULES, "a preview of something else than what was offered")
    return as_founded(preview)


def hear_preview(state: State, frame: Frame, raw: bytes, step: Step) -> None:
    """A member shows what stands behind a code; RemoteError if it is not what the code names."""
    for join in list(state.joins.values()):
        code = InviteCode.unpack(join.code)
        keys = invite_keys(code.seed)
        if join.stage not in JOINING or preview_topic(keys.knock_key) != topic_of(frame.pk):
            continue
        preview = _read_preview(join, frame)
        if join.stage is JoinStage.KNOCKING or _differs_unseen(preview_of(join), preview):
            continue
        if preview.door is Door.OPEN:
            _save(state, replace(join, stage=JoinStage.PREVIEW, preview=raw, door=Door.OPEN), step)
        elif join.offer is not None:
            _note_word(state, join, preview.door, step)
        else:
            stage = JoinStage.EXPIRED if preview.door is Door.EXPIRED else JoinStage.REFUSED
            _save(state, replace(join, stage=stage, preview=raw, door=preview.door), step)


def _note_word(state: State, join: JoinRecord, door: Door, step: Step) -> None:
    """Note what somebody says at a door that was offered, and go on: whoever could read the offer can say it."""
    if join.door is not door:
        _save(state, replace(join, door=door), step)


def _differs_unseen(shown: Preview | None, found: Preview) -> bool:
    """Say whether another text bears the version that was shown: a person who agrees by it means what they have read.

    Two members may publish at once, and the holder of a leaked code can show what they like.
    """
    if shown is None or found.door is not Door.OPEN:
        return False
    return shown.agreement_version == found.agreement_version and shown.agreement != found.agreement


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
    if join.stage is not JoinStage.KNOCKING:
        begin_knock(state, join, preview, command, step)


def begin_knock(state: State, join: JoinRecord, preview: Preview, command: AgreeJoin, step: Step) -> None:
    """Accept what a preview shows, and knock. LocalError where that cannot be: nothing has changed."""
    _refuse_if_in(state, preview.gid, _READ_ON if join.offer is not None else _HAND_ON)
    if command.agreement_version != preview.agreement_version:
        raise LocalError("the agreement has changed since it was shown", do="read it again", code="E-AGREEMENT")
    for other in state.joins.values():
        known = preview_of(other) if other.stage is JoinStage.KNOCKING else None
        if known is not None and known.gid == preview.gid:
            raise LocalError(
                "you are knocking at that group already, with another code",
                why="two answers would make you two members",
                do="wait for the answer, or stop that attempt with `mesh joins drop`",
                code="E-TOO-MANY",
            )
    alias = require_text("alias", command.alias, limits.ALIAS_BYTES_MAX)
    _require_offered(join, preview, command)
    keys = _prepare_knock(join, preview, alias, command, state, step)
    _save(state, replace(join, stage=JoinStage.KNOCKING, keys=keys), step)
    plan_knock(state, JoinId(join.join), step)
    step.knocks = True


def _require_offered(join: JoinRecord, preview: Preview, command: AgreeJoin) -> None:
    """RefusedError if the code is for members of another group, and we do not come from there."""
    allow = preview.invite_body.allow
    if not allow:
        return
    seed = command.former_seed
    if join.offer is None or seed is None or public_key(seed.reveal(), forget=True) not in allow:
        raise RefusedError(
            "that code is for certain members of another group",
            why="whoever comes in by it has to show that they are one of them",
            do="ask in the new group for a code of the ordinary kind",
            code="E-NOT-OFFERED",
        )


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
    former = None
    if preview.invite_body.allow and command.former_seed is not None:
        former = sign_former(command.former_seed.reveal(), preview.gid, preview.invite, statement)
    knock = KnockBody(
        invite=preview.invite,
        card=card,
        join_nonce=command.join_nonce,
        alias=alias,
        agreement_hash=pledge,
        addresses=reaching.knock_addresses(state, join),
        reply_seed=step.entropy.draw(32),
        sig_invite=sig_invite,
        sig_member=sig_member,
        sig_dev=sig_dev,
        former=former,
    )
    return KnockKeys(dev_seed=dev_seed, kem_private=kem_private, knock=encode(knock))


def plan_knock(state: State, join_id: JoinId, step: Step) -> None:
    """Have the knock repeated after a while: an answer may be lost with whoever gave it."""
    tries = state.knocked.get(join_id, 0)
    state.knocked[join_id] = tries + 1
    wait = min(KNOCK_MS_MAX, KNOCK_MS << min(tries, 16))
    step.set_timer("knock", join_id, wait + step.dice.randrange(wait // 4))


def knock_again(state: State, join_id: JoinId, step: Step) -> None:
    """Knock over every link, also where that was done before."""
    join = state.joins.get(join_id)
    if join is not None and join.stage is JoinStage.KNOCKING:
        for link in state.links.values():
            if join_id not in link.rested:
                link.given.pop(b"knock" + join_id, None)
        step.knocks = True
        plan_knock(state, join_id, step)


def give_up_expired(state: State, step: Step) -> None:
    """End those attempts whose code ran out so long ago that no door answers any more."""
    for join in list(state.joins.values()):
        end_ms = InviteCode.unpack(join.code).expiry_hour * HOUR_MS + DOOR_DAYS * DAY_MS
        if join.stage in JOINING and step.now.wall_ms >= end_ms:
            _save(state, replace(join, stage=JoinStage.EXPIRED, door=Door.EXPIRED, keys=None), step)


def knock_on(state: State, link: Link, step: Step) -> None:
    """Knock over a link whose other end listens at one of our doors; once a link.

    Who listens for the preview is at the door too, whatever day our clock believes it to be.
    """
    today = step.now.wall_ms // DAY_MS
    for join in state.joins.values():
        if join.stage is not JoinStage.KNOCKING or join.keys is None:
            continue
        if _where_in(state, InviteCode.unpack(join.code).gid_prefix) is not None:
            continue
        if any(topic in link.topics.shared for topic in join_topics(join, today)[:DOOR_TOPICS]):
            hand_to(link, b"knock" + join.join, _knock_frame(state, join, join.keys, step), step)


def _knock_frame(state: State, join: JoinRecord, kept: KnockKeys, step: Step) -> bytes:
    """Return our knock: the same frame over all links of one moment, so that members see it once."""
    join_id = JoinId(join.join)
    frame, at_ms = state.knock_frames.get(join_id, (b"", 0))
    if not frame or step.now.mono_ms - at_ms >= SAME_FRAME_MS:
        knock = decode(KnockBody, kept.knock, bytes_max=limits.KNOCK_PADDED_BYTES)
        here = replace(knock, addresses=reaching.knock_addresses(state, join))
        frame = seal_knock(invite_keys(InviteCode.unpack(join.code).seed), here, step.means())
        state.knock_frames[join_id] = (frame, step.now.mono_ms)
    return frame


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
        raw = _assemble(state, JoinId(join.join), index, total, chunk)
        if raw is not None:
            _answered(state, join, preview, knock, parse_welcome(raw), step)
        return


def _assemble(state: State, join_id: JoinId, index: int, total: int, chunk: bytes) -> bytes | None:
    """Put the chunks of one welcome together, in whatever order they come; return the whole once it is here."""
    key = join_id, welcome_of(chunk)
    chunks = state.welcomes.setdefault(key, {})
    chunks[index] = chunk
    while len(state.welcomes) > _WELCOMES_MAX:
        state.welcomes.popitem(last=False)
    if len(chunks) < total:
        return None
    state.welcomes.pop(key, None)
    return b"".join(part for _, part in sorted(chunks.items()))


def _answered(
    state: State, join: JoinRecord, preview: Preview, knock: KnockBody, body: WelcomeBody, step: Step
) -> None:
    if body.door is not Door.OPEN and join.offer is not None:
        _note_word(state, join, body.door, step)
        return
    if body.door is not Door.OPEN:
        stage = JoinStage.EXPIRED if body.door is Door.EXPIRED else JoinStage.REFUSED
        _save(state, replace(join, stage=stage, door=body.door, keys=None), step)
        return
    assert join.keys is not None
    group, entered = enter(preview.gid, preview.create.suite, knock, join.keys, body, step)
    former = state.rooms.get(group.gid)
    if former is not None and _stands(former.group, group):
        _refuse_second(state, join, step)
        return
    if former is not None:
        clear_former(state, group.gid, step)
    step.journal.merge(entered)
    room = Room(group)
    for entry in body.frontier:
        if group.log.card(entry.dev) is not None and entry.dev != group.own.dev:
            room.track(entry.dev).claimed = entry.contiguous
            room.save_track(entry.dev, step.journal)
    for signed in body.keyups:
        with suppress(RemoteError):  # a false one is left out; the rest of the welcome stands on its own checks
            learn_keyup(room, signed, step)
    state.rooms[group.gid] = room
    if former is not None:
        take_over(former, room, step)
    confirming.begin(room, step)
    want_if_due(room, step)
    for contact in body.contacts:
        if group.log.card(contact.dev) is not None:
            known = ContactRecord(addresses=contact.addresses, in_invites=False, mseq=0)
            reaching.learn_contact(room, contact.dev, known, step)
    _save(state, replace(join, stage=JoinStage.JOINED, keys=None), step)
    step.touch(group.gid, list(group.log.ops[-1:]))
    step.notify(Notice.JOINED, group.gid, group.own.member_pk)


def _stands(former: Group, group: Group) -> bool:
    """Say whether our membership stands for whoever let us in: they have not heard of our leave or removal, or none is.

    What it may do, and what its device keeps, would be lost by entering a second time.
    """
    return former.me is not None and not former.own.left and former.own.member_pk in group.view.members


def enter(
    gid: GroupId, suite: Suite, knock: KnockBody, keys: KnockKeys, body: WelcomeBody, step: Step
) -> tuple[Group, Journal]:
    """Build the group from a welcome, and return what is to be written.

    RemoteError if it is not the group, or not ourselves, that it lets in.
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
    return group, scratch
