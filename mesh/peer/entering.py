"""Entering: this home asks another of the same root for its groups, and adds itself to each (protocol.md §18).

One question after the other: the list, then each group whose log is not here, then that it is done. What is entered is
committed group by group, so that whatever stops this half-way, asking again goes on where it stood: groups in which
this home has a device are passed over. The answering home is our own and is believed; all the same a group is entered
only if its log stands every check and counts us in.
"""

from contextlib import suppress
from typing import Final

from mesh.errors import Fault, LocalError, MeshError, RefusedError, RemoteError
from mesh.events import LinkKind, Notice, SendClass
from mesh.groups.authoring import Authored, add_device, fresh_own_state, keep_kem, new_card
from mesh.groups.group import Group
from mesh.groups.operations import parse_op
from mesh.groups.pairing import PAIR_SUITE, open_answer, pairing_keys, seal_ask
from mesh.groups.receiving import receive_bundle
from mesh.groups.records import EpochRecord
from mesh.ids import GroupId
from mesh.membership.views import Member
from mesh.peer import homes, reaching
from mesh.peer.hearing import learn_keyup
from mesh.peer.history import want_history
from mesh.peer.links import Link
from mesh.peer.paired import Entering, Question
from mesh.peer.records import ContactRecord
from mesh.peer.returning import clear_former, take_over
from mesh.peer.speaking import publish
from mesh.peer.state import Room, State, Step
from mesh.phrases import phrase
from mesh.upkeep import EnterGroup, StartEntering
from mesh.wire import limits
from mesh.wire.codec import decode
from mesh.wire.frames import Frame, topic_of
from mesh.wire.operations import CreateBody, epoch_block
from mesh.wire.pairing import PairAskBody, PairGroupBody, PairListBody, PairStep
from mesh.wire.text import check_text

TIMER: Final = "entering"
AGAIN_MS: Final = 5_000  # an unanswered question is asked again after so long; ours
PATIENCE_MS: Final = 60_000  # and a group that does not come in so long is gone without; ours
_ANSWER_BYTES_MAX: Final = limits.PAIR_CHUNKS_MAX * limits.WELCOME_CHUNK_BYTES_MAX


def start_entering(state: State, command: StartEntering, step: Step) -> None:
    """Look for the home that showed the code, and ask for its groups; an earlier search ends.

    With the code that is under way, it goes on where it stands, and looks at the addresses of both times.
    """
    keys = pairing_keys(command.key)
    under_way = state.entering
    if under_way is not None and under_way.keys == keys and not under_way.over:
        under_way.addresses = tuple(dict.fromkeys([*command.addresses, *under_way.addresses]))[: limits.ADDRESSES_MAX]
        step.dials_changed = True
        return
    if under_way is not None:
        end_entering(state, step)
    private, public = step.sealer.generate(PAIR_SUITE)
    homes.require_own(state, step)
    state.entering = Entering(
        keys=keys,
        kem_private=private,
        kem_public=public,
        addresses=tuple(command.addresses[: limits.ADDRESSES_MAX]),
        until_ms=step.now.mono_ms + limits.PAIRING_MS,
    )
    step.dials_changed = True
    _ask(state, state.entering, PairStep.LIST, b"", step)
    step.topics_changed = True


def end_entering(state: State, step: Step) -> None:
    """Ask no further."""
    entering = state.entering
    if entering is not None:
        state.entering = None
        step.dials_changed = True
        step.set_timer(TIMER, b"", None)
        step.topics_changed = True


# ---------------------------------------------------------------- questions


def _ask(state: State, entering: Entering, kind: PairStep, want: bytes, step: Step) -> None:
    """Ask something new over every link at whose end the other home listens."""
    entering.question = Question(step=kind, want=want, ticket=step.entropy.draw(16), asked_ms=step.now.mono_ms)
    entering.parts = {}
    for link in state.links.values():
        ask_on(state, link, step)
    step.set_timer(TIMER, b"", AGAIN_MS)


def ask_on(state: State, link: Link, step: Step) -> None:
    """Put the question that is open to a link, if the other home may be at its end."""
    entering = state.entering
    if entering is None or entering.over or entering.ready is not None or entering.keys.topic not in link.topics.shared:
        return
    question = entering.question
    assert question is not None, "whoever enters asks something"
    own = homes.own_entry(state)
    assert own is not None, "it was made at the start"
    body = PairAskBody(
        step=question.step,
        ticket=question.ticket,
        want=question.want,
        kem_pk=entering.kem_public,
        own=own,
        others=homes.other_entries(state) if question.step is PairStep.LIST else [],
    )
    step.send(link.link, LinkKind.FRAME, seal_ask(entering.keys, body, step.means()), SendClass.OPERATIONS)


def ask_again(state: State, step: Step) -> None:
    """The timer has run out: ask again, go on without a group that does not come, or give up."""
    entering = state.entering
    if entering is None or entering.question is None:
        return
    if step.now.mono_ms >= entering.until_ms:
        end_entering(state, step)
        return
    step.set_timer(TIMER, b"", AGAIN_MS)
    if entering.over or entering.ready is not None:
        return
    late = step.now.mono_ms - entering.question.asked_ms >= PATIENCE_MS
    if late and entering.question.step is PairStep.GROUP:
        gid = entering.todo.pop(0)
        entering.refused[gid] = phrase(
            "your other device did not hand it over: too long a log, or it is not in there any more"
        )
        _go_on(state, entering, step)
        return
    for link in state.links.values():
        ask_on(state, link, step)


def _go_on(state: State, entering: Entering, step: Step) -> None:
    """Ask for the next group; where there is none, say that this is all."""
    entering.ready = None
    if entering.todo:
        _ask(state, entering, PairStep.GROUP, entering.todo[0], step)
        return
    _ask(state, entering, PairStep.DONE, b"", step)
    entering.over = True
    step.notify(Notice.DEVICE)


# ---------------------------------------------------------------- answers


def hear_answer(state: State, frame: Frame, step: Step) -> None:
    """A part of an answer comes. RemoteError if it is not by a home of our root that has the code."""
    entering = state.entering
    if entering is None or entering.question is None or topic_of(frame.pk) != entering.keys.topic:
        return
    found = open_answer(
        frame,
        entering.keys,
        ticket=entering.question.ticket,
        kem_private=entering.kem_private,
        sealer=step.sealer,
    )
    if found is None or entering.ready is not None or entering.over:
        return
    index, total, part = found
    if entering.parts and entering.total != total:
        raise RemoteError(Fault.MALFORMED, "an answer whose parts do not fit together")
    entering.parts[index], entering.total = part, total
    if len(entering.parts) < total:
        return
    raw = b"".join(entering.parts[k] for k in range(total))
    entering.parts = {}
    match entering.question.step:
        case PairStep.LIST:
            _hear_list(state, entering, decode(PairListBody, raw, bytes_max=_ANSWER_BYTES_MAX), step)
        case PairStep.GROUP:
            body = decode(PairGroupBody, raw, bytes_max=_ANSWER_BYTES_MAX)
            if body.gid != entering.question.want:
                raise RemoteError(Fault.AGAINST_RULES, "an answer with another group than was asked for")
            entering.ready = body
            step.notify(Notice.DEVICE)
        case PairStep.DONE:
            pass  # nothing is answered to it


def _hear_list(state: State, entering: Entering, body: PairListBody, step: Step) -> None:
    for text in (body.own.name, *(entry.name for entry in body.others), *([body.name] if body.name else [])):
        check_text(text, limits.DEVICE_NAME_BYTES_MAX)
    homes.learn_homes(state, [body.own, *body.others], step)
    entering.other = body.own
    homes.name_own(state, _own_name(state, body), step)
    entering.nonces = {group.gid: group.join_nonce for group in body.groups}
    entering.here = [gid for gid in entering.nonces if _stands(state.rooms.get(gid))]
    entering.todo = [gid for gid in entering.nonces if gid not in entering.here]
    entering.listed = True
    step.notify(Notice.DEVICE)
    _go_on(state, entering, step)


def _own_name(state: State, body: PairListBody) -> str:
    """Return what this home is called: as the other one says, else as it was, unless that name is taken."""
    own = homes.own_entry(state)
    assert own is not None, "it was made at the start"
    taken = any(entry.name == own.name for entry in homes.other_entries(state))
    return body.name or (homes.free_name(state) if taken else own.name)


def _stands(room: Room | None) -> bool:
    return room is not None and room.group.me is not None and not room.group.own.left and not room.seems_out


# ---------------------------------------------------------------- entering


def enter_group(state: State, command: EnterGroup, step: Step) -> None:
    """Add this device to the group whose log has come. What hinders it is noted, and the next group asked for.

    LocalError if no log of that group is here.
    """
    entering = state.entering
    if entering is None or entering.ready is None or entering.ready.gid != command.group:
        raise LocalError("that group has not come from your other device", do="run `mesh device join` again")
    gid = entering.todo.pop(0)
    apart = Step(now=step.now, dice=step.dice, entropy=step.entropy, sealer=step.sealer)
    try:
        room, authored = _enter(state, entering, entering.ready, command.member_seed.reveal(), apart)
    except _AlreadyIn:
        entering.here.append(gid)
    except MeshError as error:
        what, why = error.phrases.what, error.phrases.why
        entering.refused[gid] = phrase("{what}: {why}", what=what, why=why) if error.why else what
    else:
        _move_in(state, entering.ready, room, authored, apart, step)
        entering.entered.append(gid)
    _go_on(state, entering, step)


class _AlreadyIn(LocalError):
    """This home has a device in that group that counts."""


def _enter(
    state: State, entering: Entering, body: PairGroupBody, member_seed: bytes, apart: Step
) -> tuple[Room, Authored]:
    """Build the group from what came, and write the operation that brings us in; nothing of the state has changed."""
    create = parse_op(body.ops[0].op)
    if not isinstance(create.body, CreateBody) or create.gid != body.gid:
        raise RemoteError(Fault.AGAINST_RULES, "the log of another group")
    if body.gid not in state.rooms and len(state.rooms) >= limits.GROUPS_MAX:
        raise LocalError("this node is in as many groups as it can hold", code="E-TOO-MANY")
    means = apart.means()
    dev_seed = apart.entropy.draw(32)
    private, public = apart.sealer.generate(create.body.suite)
    card = new_card(body.gid, member_seed, dev_seed, public)
    own = fresh_own_state(body.gid, create.body.suite, entering.nonces[body.gid], card, dev_seed)
    group = Group(own)
    keep_kem(group, 0, private, public, means)
    for bundle in body.ops:
        receive_bundle(group, bundle, means)
    _require_room(state, group)
    room = Room(group)
    for entry in body.epochs:
        op = group.log.get(entry.op_id)
        if op is not None and epoch_block(op.body) is not None:
            record = EpochRecord(
                op_id=entry.op_id,
                op_key=b"",
                hdr_key=b"",
                pub_seed=entry.pub_seed,
                sync_key=entry.sync_key,
                since_ms=entry.since_ms,
            )
            group.hold_epoch(record)
            group.save_epoch(record, apart.journal)
    for told in body.frontier:
        if group.log.card(told.dev) is not None:
            room.track(told.dev).claimed = told.contiguous
            room.save_track(told.dev, apart.journal)
    for signed in body.keyups:
        with suppress(RemoteError):
            learn_keyup(room, signed, apart)
    authored = add_device(group, card, member_seed, means)
    settings = [list(pair) for pair in body.settings]
    group.set_own(apart.journal, rank_seen=group.rank, settings=settings, confirmed=body.confirmed)
    return room, authored


def _require_room(state: State, group: Group) -> Member:
    """Return ourselves as the log has us. RefusedError if we are out, or have as many devices as a member may."""
    former = state.rooms.get(group.gid)
    if former is not None and not former.group.own.left and former.group.own.dev in group.view.devices:
        raise _AlreadyIn("this device is in that group already")
    member = group.view.members.get(group.own.member_pk)
    if member is None:
        raise RefusedError("you are not in that group any more", code="E-NOT-MEMBER")
    if len(member.devices) >= limits.DEVICES_PER_MEMBER_MAX:
        raise RefusedError(
            phrase("you have {count} devices in that group already", count=len(member.devices)),
            why="that is as many as a member may have",
            do="remove one with `mesh device remove`",
            code="E-DEVICES",
        )
    return member


def _move_in(state: State, body: PairGroupBody, room: Room, authored: Authored, apart: Step, step: Step) -> None:
    """Make the group ours, in one commit with the operation that brings us in, and tell whoever is there."""
    gid = GroupId(body.gid)
    former = state.rooms.get(gid)
    if former is not None:
        clear_former(state, gid, step)
    step.journal.merge(apart.journal)
    state.rooms[gid] = room
    if former is not None:
        take_over(former, room, step)
    for contact in body.contacts:
        if room.group.log.card(contact.dev) is not None:
            known = ContactRecord(addresses=contact.addresses, in_invites=False, mseq=0)
            reaching.learn_contact(room, contact.dev, known, step)
    want_history(room, step)
    publish(state, room, authored, step)
    step.notify(Notice.JOINED, gid, room.group.own.member_pk)
