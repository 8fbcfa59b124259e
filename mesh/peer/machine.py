"""The machine: one person's mesh. `handle(input, now)` returns effects; the same inputs give the same effects.

No clock, no dice of its own, no disk, no network: those stand outside, and two drivers run this one machine: the node
and the simulator. Every effect list begins with at most one `Persist`; whoever runs the machine commits it before
anything leaves.
"""

from contextlib import suppress
from typing import Final, assert_never

from mesh.commands import Command
from mesh.errors import Fault, LocalError, RemoteError
from mesh.events import (
    AddressesChanged,
    Answer,
    Asked,
    Blame,
    Effect,
    Fetched,
    FrameReceived,
    HangUp,
    Input,
    Instant,
    LinkDown,
    LinkKind,
    LinkUp,
    Notice,
    Scanned,
    SendClass,
    Started,
    Timer,
    TimerFired,
)
from mesh.gossip.sessions import Ends
from mesh.gossip.topics import TopicTable
from mesh.groups.receiving import receive_frame
from mesh.ids import Dice, Entropy, GroupId, JoinId, Sealer, TopicId
from mesh.peer import (
    acknowledging,
    admitting,
    attaching,
    catching_up,
    chores,
    door,
    doubting,
    entering,
    fetching,
    handing_on,
    hearing,
    history,
    holdings,
    hosting,
    joining,
    loading,
    noting,
    pairing,
    parting,
    reaching,
    receipts,
    refilling,
    registering,
    retention,
    speaking,
    spreading,
    syncing,
    tending,
    way_back,
    welcoming,
    withdrawing,
)
from mesh.peer.asking import carry_out
from mesh.peer.held import HoldingFor
from mesh.peer.links import Link
from mesh.peer.records import JoinStage
from mesh.peer.routing import Telling, forward, is_looked_for, own_topics
from mesh.peer.state import FilesFor, OpsFor, PlaceFor, Room, State, Step
from mesh.wire import limits
from mesh.wire.frames import Frame, FrameType, parse_frame, topic_of, topics_of, verify_frame
from mesh.wire.keepers import KeepAsk, KeptSaid, RangesType, unpack_keep, unpack_ranges

SYNC_EVERY_MS: Final = 15_000  # compare with every member we are linked to, where there is news; ours
_SYNC_SPREAD_MS: Final = 5_000


class Peer:
    """One person's mesh. Give it `Started` first."""

    def __init__(self, *, dice: Dice, entropy: Entropy, sealer: Sealer) -> None:
        self._dice, self._entropy, self._sealer = dice, entropy, sealer
        self.state = State()
        self._topics: dict[TopicId, Telling] = {}  # what we listen on now, and which links hear of it

    def handle(self, event: Input, now: Instant) -> list[Effect]:
        """Take one input in; return what is to be done about it, the one Persist first."""
        step = Step(now=now, dice=self._dice, entropy=self._entropy, sealer=self._sealer)
        match event:
            case Asked():
                return self._asked(event.token, event.command, step)
            case Started():
                self._started(event, step)
            case AddressesChanged():
                self._addresses_changed(event, step)
            case LinkUp():
                self._link_up(event, step)
            case LinkDown():
                self._link_down(event, step)
            case FrameReceived():
                self._received(event, step)
            case TimerFired():
                self._timer(event.timer, step)
            case Fetched():
                self._fetched(event, step)
            case Scanned():
                self._scanned(event, step)
            case _:
                assert_never(event)
        self._settle(step)
        return step.finish()

    # ------------------------------------------------------------ inputs

    def _asked(self, token: int, command: Command, step: Step) -> list[Effect]:
        try:
            subject = carry_out(self.state, command, step)
        except LocalError as error:
            assert step.journal.persist() is None, "a command that is refused has changed something"
            return [Answer(token=token, error=error)]
        step.effects.append(Answer(token=token, subject=subject))
        self._settle(step)
        return step.finish()

    def _started(self, event: Started, step: Step) -> None:
        self.state = loading.load_state(event.records)
        self.state.addresses = event.addresses
        step.dials_changed = True
        for room in self.state.rooms.values():
            reaching.dial_keepers(room, step)
            step.views[room.group.gid] = None
            chores.plan(self.state, room, step)
            retention.sweep(self.state, room, step)
            for post in room.withdrawn:
                withdrawing.find_place(self.state, room, post, step)
            attaching.sweep(room, step)
        joining.give_up_expired(self.state, step)
        for join in self.state.joins.values():
            if join.stage is JoinStage.KNOCKING:
                joining.plan_knock(self.state, JoinId(join.join), step)
        step.topics_changed = True
        self._again(step)

    def _again(self, step: Step) -> None:
        step.set_timer("sync", b"", SYNC_EVERY_MS + step.dice.randrange(_SYNC_SPREAD_MS))

    def _addresses_changed(self, event: AddressesChanged, step: Step) -> None:
        self.state.addresses = event.addresses
        for room in self.state.rooms.values():
            step.set_timer("presence", room.group.gid, syncing.PRESENCE_WAIT_MS)

    def _link_up(self, event: LinkUp, step: Step) -> None:
        if event.own_nonce == event.peer_nonce:  # it could echo all that we say, and seem to know what we know
            step.effects.extend((Blame(link=event.link, fault=Fault.AGAINST_RULES), HangUp(link=event.link)))
            return
        ends = Ends(
            speaker_nonce=event.own_nonce,
            hearer_nonce=event.peer_nonce,
            speaker=event.own,
            hearer=event.peer,
        )
        link = Link(
            link=event.link,
            peer=event.peer,
            ends=ends,
            topics=TopicTable(event.own_nonce, event.peer_nonce),
        )
        self.state.links[event.link] = link
        self.state.spread.link_up(event.link)
        step.keepers_due = True
        self._announce(link, step)
        step.notify(Notice.LINK, None, event.peer.encode())

    def _link_down(self, event: LinkDown, step: Step) -> None:
        link = self.state.links.pop(event.link, None)
        if link is not None:
            catching_up.forget_asking(self.state, step, link=event.link)
            history.give_up_asking(self.state, step, link=event.link)
            fetching.stop_asking(self.state, step, link=event.link)
            spreading.lose_link(self.state, link, step)
            step.notify(Notice.LINK, None, link.peer.encode())

    def _received(self, event: FrameReceived, step: Step) -> None:
        link = self.state.links.get(event.link)
        if link is None:
            return
        try:
            kind = LinkKind(event.kind)
        except ValueError:
            return  # a kind of a later version
        try:
            self._dispatch(link, kind, event.payload, step)
        except RemoteError as error:
            step.effects.append(Blame(link=link.link, fault=error.fault))

    def _dispatch(self, link: Link, kind: LinkKind, payload: bytes, step: Step) -> None:
        match kind:
            case LinkKind.TOPICS:
                self._tell_topics(link, link.topics.hear(payload), step)
            case LinkKind.FRAME:
                self._frame(link, payload, step)
            case LinkKind.STORED:
                receipts.heard_stored(self.state, link, payload, step)
                refilling.hear_stored(self.state, link, payload, step)
            case LinkKind.PROOF:
                syncing.hear_proof(self.state, link, payload, step)
            case LinkKind.SEALED:
                syncing.hear_sealed(self.state, link, payload, step)
            case LinkKind.IHAVE | LinkKind.WANT | LinkKind.PRUNE | LinkKind.GRAFT:
                spreading.hear(self.state, link, kind, payload, step)
            case LinkKind.KEEP:
                self._keep(link, unpack_keep(payload), step)
            case LinkKind.RANGES:
                self._ranges(link, payload, step)
            case LinkKind.CHUNK:
                fetching.hear_chunk(self.state, link, payload, step)
            case LinkKind.HELLO:
                raise RemoteError(Fault.UNASKED, "a second hello")
            case _:
                assert_never(kind)

    def _keep(self, link: Link, record: KeepAsk | KeptSaid, step: Step) -> None:
        if isinstance(record, KeepAsk):
            hosting.hear_ask(self.state, link, record, step)
        else:
            registering.hear_said(self.state, link, record, step)

    def _ranges(self, link: Link, payload: bytes, step: Step) -> None:
        """A comparison of what lies under a topic; on one that is not shared any more it is passed over."""
        tag, kind, body = unpack_ranges(payload)
        topic = link.topics.topic_of_peer_tag(tag)
        if kind in (RangesType.ANSWER, RangesType.GIVEN):
            refilling.hear_ranges(self.state, link, topic, kind, body, step)
        elif topic is not None and topic in link.topics.shared:
            hosting.answer_ranges(self.state, link, topic, kind, body, step)

    def _frame(self, link: Link, raw: bytes, step: Step) -> None:
        frame = parse_frame(raw)
        spreading.note_came(self.state, link, frame.id)
        known = frame.id in self.state.seen and not is_looked_for(self.state, frame)
        stored = self.state.seen.is_stored(frame.id)
        if known:
            self.state.seen.note(frame.id, link.link)
            kept = hosting.holds(self.state, frame, step.now.wall_ms)
            if stored or kept:
                link.pushed.pop(frame.id, None)
                step.stored.setdefault(link.link, []).append(frame.id)
            if stored or (frame.type is not FrameType.MESSAGE and not self._is_kept_anew(link, frame, step)):
                spreading.note_again(self.state, link, frame.id, step)
                if link.keepers:
                    holdings.note_in_all(self.state, frame, step)
                return  # a message that could not be taken in when it came first may be now
        if not self._is_ours(frame, step):
            return
        if frame.type is FrameType.RETURN and not way_back.may_bring(link, step):
            return
        verify_frame(frame, self._publish_seed(frame))
        self.state.seen.note(frame.id, link.link)
        hosting.take_in(self.state, link, frame, step)
        if known and frame.type is not FrameType.MESSAGE:
            return
        try:
            self._act_on(link, frame, raw, step)
        except RemoteError:
            if not link.keepers and frame.type is not FrameType.PREVIEW:
                raise
            # A keeper, and whoever hands a preview on, cannot look inside: it is not held against them.
        holdings.note_in_all(self.state, frame, step)

    def _is_kept_anew(self, link: Link, frame: Frame, step: Step) -> bool:
        """Say whether a frame that we have seen is to be kept for others, and is not, or not for all of them."""
        return hosting.would_keep(self.state, link, frame, step.now.wall_ms)

    def _act_on(self, link: Link, frame: Frame, raw: bytes, step: Step) -> None:
        match frame.type:
            case FrameType.MESSAGE | FrameType.ENVELOPE | FrameType.OPERATION:
                self._group_frame(link, frame, step)
            case FrameType.KNOCK:
                door.hear_knock(self.state, frame, raw, link.link, step)
            case FrameType.PREVIEW:
                joining.hear_preview(self.state, frame, raw, step)
            case FrameType.WELCOME:
                welcoming.pass_answer_on(self.state, link.link, frame, step)
                with suppress(RemoteError):  # whoever hands an answer on cannot open it: what is in it is not theirs
                    joining.hear_welcome(self.state, frame, step)
            case FrameType.PAIR_ASK:
                pairing.hear_ask(self.state, link, frame, step)
            case FrameType.PAIR_ANSWER:
                entering.hear_answer(self.state, frame, step)
            case FrameType.RETURN:
                way_back.hear_frame(self.state, link, frame, step)
            case _:
                assert_never(frame.type)

    def _is_ours(self, frame: Frame, step: Step) -> bool:
        """Say whether the frame's topic is one of ours; a frame that races our change of topics is no fault.

        Older epochs count, though we do not listen for them any more: a member that has their messages may be asked.
        """
        topics = topics_of(frame, step.now.wall_ms)
        return any(topic in self._topics for topic in topics) or any(
            topic in room.group.topics for room in self.state.rooms.values() for topic in topics
        )

    def _publish_seed(self, frame: Frame) -> bytes | None:
        """Return the seed of the key that signs a frame, if it is the publish key of an epoch that we hold."""
        topic = topic_of(frame.pk)
        for room in self.state.rooms.values():
            epoch = room.group.topics.get(topic)
            if epoch is not None:
                return room.group.epochs[epoch].pub_seed
        return None

    def _group_frame(self, link: Link, frame: Frame, step: Step) -> None:
        topic = topic_of(frame.pk)
        for room in self.state.rooms.values():
            epoch = room.group.topics.get(topic)
            if epoch is None or room.group.own.left:
                continue
            if frame.type is FrameType.MESSAGE:
                if hearing.hear_message(self.state, room, epoch, frame, link.link, step):
                    step.stored.setdefault(link.link, []).append(frame.id)
                return
            try:
                epochs = len(room.group.epochs)
                ops = receive_frame(room.group, frame, epoch, step.means())
            except RemoteError:
                return  # whoever handed it on may not have been able to open it: no fault of theirs, and it ends here
            step.touch(room.group.gid, ops, also=len(room.group.epochs) > epochs)
            if ops:
                holdings.note_frame(room, frame, step, taken=True)
            else:
                step.wanted_ops[link.link, room.group.gid] = None
            if frame.type is FrameType.ENVELOPE and not ops and doubting.is_unopened(room, frame, step):
                doubting.note_unopened(room, epoch, step)
                return  # not passed on: whoever it is for passes it on
            forward(self.state, room, epoch, frame, ops[0].tbs.dev if ops else None, step, source=link.link)

    def _timer(self, timer: Timer, step: Step) -> None:
        match timer.name:
            case "sync":
                self._sync(step)
            case "history":
                history.give_up_asking(self.state, step, ticket=int.from_bytes(timer.subject, "big"))
            case "asked":
                catching_up.forget_asking(self.state, step, ticket=int.from_bytes(timer.subject, "big"))
            case fetching.TIMER:
                fetching.stop_asking(self.state, step, ticket=int.from_bytes(timer.subject, "big"))
            case attaching.TIMER:
                attaching.give_up(self.state, timer.subject, step)
            case entering.TIMER:
                entering.ask_again(self.state, step)
            case pairing.TIMER:
                pairing.close_pairing(self.state, step)
            case spreading.TIMER:
                spreading.flush(self.state, step)
            case acknowledging.TIMER:
                acknowledging.say_stored(self.state, timer.subject, step)
            case "knock":
                joining.knock_again(self.state, JoinId(timer.subject), step)
            case _:
                room = self.state.rooms.get(GroupId(timer.subject[:32]))
                if room is not None:
                    self._room_timer(timer, room, step)

    def _room_timer(self, timer: Timer, room: Room, step: Step) -> None:
        match timer.name:
            case "receipt":
                receipts.say_receipt(self.state, room, step)
            case "presence":
                speaking.say_presence(self.state, room, step)
            case "tell":
                syncing.tell_round(self.state, room, step)
            case "doubt":
                doubting.look_into(self.state, room, step)
            case "stranded":
                way_back.tend(self.state, room, step)
            case "gap":
                room.gap_due = False
                catching_up.ask_messages(self.state, room, step)
            case "chore":
                chores.do_chore(self.state, room, step)
            case parting.TIMER:
                parting.finish(self.state, room, step)
            case reaching.TIMER:
                step.views[room.group.gid] = None
            case "approved":
                door.open_if_approved(self.state, room, timer.subject[32:], step)
            case door.KEPT_TIMER:
                door.answer_kept(self.state, room, timer.subject[32:], step)
            case "admit":
                admitting.admit_in_turn(self.state, room, timer.subject[32:], step)
            case name:
                raise AssertionError(f"a timer that nobody set: {name}")

    def _sync(self, step: Step) -> None:
        """Look after what no event would bring up: news that links lack, errands that could not be done before."""
        hosting.sweep(self.state, step)
        tending.tend_groups(self.state, step)
        joining.give_up_expired(self.state, step)
        step.topics_changed = True  # a new day has new doors
        self._again(step)

    def _fetched(self, event: Fetched, step: Step) -> None:
        wanted = self.state.fetching.pop(event.ticket, None)
        if isinstance(wanted, OpsFor):
            syncing.give_fetched_ops(self.state, wanted, event.values, step)
        elif isinstance(wanted, PlaceFor):
            withdrawing.take_place(self.state, wanted, event.values[0], step)
        elif isinstance(wanted, HoldingFor):
            holdings.read_messages(self.state, wanted, event.values, step)
        elif isinstance(wanted, FilesFor):
            fetching.hear_read(self.state, wanted, event.values[0], step)
        elif wanted is not None:
            welcoming.give_welcome(self.state, wanted, event.values, step)

    def _scanned(self, event: Scanned, step: Step) -> None:
        wanted, sweep = self.state.scanning.pop(event.ticket, None), self.state.sweeping.pop(event.ticket, None)
        if isinstance(wanted, HoldingFor):
            if holdings.read_operations(self.state, wanted, event.rows, step):
                refilling.holding_read(self.state, self.state.rooms[wanted.gid], wanted.topic, step)
        elif wanted is not None:
            handing_on.go_on(self.state, wanted, event.rows, step)
        if sweep is not None:
            retention.swept(self.state, sweep, event.rows, step)

    # ------------------------------------------------------------ after each input

    def _settle(self, step: Step) -> None:
        """Let everything follow that the input set off, and say what was stored."""
        while step.touched:
            gid = next(iter(step.touched))
            ops = step.touched.pop(gid)
            if gid in self.state.rooms:
                chores.after_operations(self.state, self.state.rooms[gid], ops, step)
        noting.hear_notes(self.state, step)
        parting.hear_ends(self.state, step)
        if step.topics_changed:
            self._topics = own_topics(self.state, step.now.wall_ms)
            for link in list(self.state.links.values()):
                self._announce(link, step)
        if step.topics_changed or step.keepers_due:
            registering.tend(self.state, step)
        for link_id, gid in step.wanted_ops:
            asked, room = self.state.links.get(link_id), self.state.rooms.get(gid)
            if asked is not None and room is not None:
                syncing.want_ops(asked, room, step)
        if step.knocks:
            for link in self.state.links.values():
                joining.knock_on(self.state, link, step)
        reaching.tend(self.state, step)
        spreading.plan_flush(self.state, step)
        acknowledging.acknowledge(self.state, step)

    def _announce(self, link: Link, step: Step) -> None:
        told = [topic for topic, how in self._topics.items() if how.told_to(link)][: limits.TOPICS_PER_LINK_MAX]
        answered = [topic for topic, how in self._topics.items() if how.answers]
        self._tell_topics(link, link.topics.announce(told, answered[: limits.TOPICS_PER_LINK_MAX - len(told)]), step)

    def _tell_topics(self, link: Link, news: tuple[bytes | None, list[TopicId]], step: Step) -> None:
        payload, shared = news
        if payload is not None:
            step.send(link.link, LinkKind.TOPICS, payload, SendClass.CONTROL)
        self._newly_shared(link, shared, step)

    def _newly_shared(self, link: Link, topics: list[TopicId], step: Step) -> None:
        if not topics:
            return
        for room in self.state.rooms.values():
            if any(topic in room.group.topics for topic in topics):
                syncing.open_session(link, room, step)
        hosting.give_doors(self.state, link, topics, step)
        refilling.compare_shared(self.state, link, topics, step)
        door.show_previews(self.state, link, topics, step)
        welcoming.answer_again(self.state, link, topics, step)
        joining.knock_on(self.state, link, step)
        if self.state.entering is not None and self.state.entering.keys.topic in topics:
            entering.ask_on(self.state, link, step)
