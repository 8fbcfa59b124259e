"""The runner keeps its one promise: what is authored is on the disk, and flushed, before anything leaves."""

from collections.abc import Iterable
from pathlib import Path

import trio

from mesh.commands import AgreeJoin, CreateGroup, NewInvite, Post, StartJoin, Suite
from mesh.errors import Fault, LocalError
from mesh.events import (
    Blame,
    Dial,
    Forget,
    FrameReceived,
    HangUp,
    LinkDown,
    LinkKind,
    LinkUp,
    Notify,
    Send,
    SendClass,
    SendStored,
    Space,
)
from mesh.ids import Address, GroupId, JoinId, LinkId, OpId, PeerId
from mesh.node.chance import HpkeSealer, OsEntropy, os_dice
from mesh.node.runner import BATCH_MAX, NOTICES_MAX, REPAIR_KEYS_WAITING_MAX, Runner
from mesh.peer import Peer
from mesh.peer.records import JoinStage
from mesh.secret import Secret
from mesh.store.sqlite import EncryptedStore, Synchronous
from mesh.wire.codes import InviteCode
from mesh.wire.frames import FrameType

KEY = Secret(b"k" * 32)
WAIT_S = 20.0


class Diary:
    """Commits and sends, in the order in which they happened: the store's end and the network's end."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.other: Runner | None = None  # who receives what is sent here, if anybody
        self.room: trio.Event | None = None  # stored frames wait for it, as for a peer that reads slowly

    def committed(self, mode: Synchronous) -> None:
        self.lines.append(f"commit {mode.name}")

    def send(self, send: Send) -> None:
        self.lines.append(f"send {send.kind.name}" + (" message" if _is_message(send) else ""))
        if self.other is not None:
            received = FrameReceived(link=send.link, kind=send.kind, payload=send.payload)
            self.other.inputs.send_nowait(received)

    async def send_frames(
        self, link: LinkId, frames: Iterable[bytes], send_class: SendClass, kind: LinkKind = LinkKind.FRAME
    ) -> bool:
        del kind
        if self.room is not None:
            await self.room.wait()
        self.lines.extend("send stored" for _ in frames)
        return bool(link) and send_class is not None

    def dial(self, dial: Dial) -> None:
        self.lines.append(f"dial {dial.peer}")

    def forget(self, forget: Forget) -> None:
        self.lines.append(f"forget {forget.peer}")

    def hang_up(self, hang_up: HangUp) -> None:
        self.lines.append(f"hang up {hang_up.link}")

    def blame(self, blame: Blame) -> None:
        self.lines.append(f"blame {blame.fault}")


def _is_message(send: Send) -> bool:
    return send.kind is LinkKind.FRAME and send.payload[0] == FrameType.MESSAGE


def _create() -> CreateGroup:
    return CreateGroup(
        name="Tuesday grief",
        about="",
        topics=(),
        agreement="",
        alias="wren",
        suite=Suite.HYBRID,
        settings=(),
        join_nonce=bytes(32),
        member_seed=Secret(b"m" * 32),
    )


def _link(*, turned: bool = False) -> LinkUp:
    ends = ((PeerId("peer-wren"), b"o" * 32), (PeerId("peer-juniper"), b"p" * 32))
    (own, own_nonce), (peer, peer_nonce) = reversed(ends) if turned else ends
    return LinkUp(link=LinkId(1), peer=peer, own=own, own_nonce=own_nonce, peer_nonce=peer_nonce, outbound=not turned)


async def test_what_is_authored_commits_in_full_before_anything_is_sent(tmp_path: Path) -> None:
    diary = Diary()
    EncryptedStore.create(tmp_path / "store.db", KEY).close()
    store = EncryptedStore.open(tmp_path / "store.db", KEY, on_commit=diary.committed)
    with trio.fail_after(WAIT_S):
        async with trio.open_nursery() as nursery:
            runner = Runner(Peer(dice=os_dice(), entropy=OsEntropy(), sealer=HpkeSealer()), store, store.reader())
            runner.network = diary
            await nursery.start(runner.run, ())
            await runner.inputs.send(_link())
            gid = GroupId(await runner.ask(_create()))
            # Founding is authored: the link hears of the group's topic only after a commit with FULL.
            assert diary.lines.index("commit FULL") < diary.lines.index("send TOPICS")
            diary.lines.clear()
            command = Post(group=gid, text="hello", mode="listening", cw="", topics=(), reply_to=None)
            post = await runner.ask(command)
            assert diary.lines[0] == "commit FULL"
            # The command is answered only when it is committed: another connection reads it already.
            assert runner.reader.get(Space.POSTS, gid + post) is not None
            nursery.cancel_scope.cancel()
    store.close()


async def test_a_message_is_flushed_to_the_disk_before_it_leaves(tmp_path: Path) -> None:
    pipes = [Diary(), Diary()]
    with trio.fail_after(WAIT_S):
        async with trio.open_nursery() as nursery:
            wren, juniper = [await _start(tmp_path / f"{k}.db", pipe, nursery) for k, pipe in enumerate(pipes)]
            pipes[0].other, pipes[1].other = juniper, wren
            await wren.inputs.send(_link())
            await juniper.inputs.send(_link(turned=True))
            gid = await _befriend(wren, juniper)
            await wren.until(lambda: any(s.heard for _, s in wren.peer.state.sessions(gid)), WAIT_S)
            pipes[0].lines.clear()
            command = Post(group=gid, text="hello", mode="listening", cw="", topics=(), reply_to=None)
            post = await wren.ask(command)
            assert await juniper.until(lambda: juniper.reader.get(Space.POSTS, gid + post) is not None, WAIT_S)
            lines = pipes[0].lines
            assert "send FRAME message" in lines
            assert "commit FULL" in lines[: lines.index("send FRAME message")]
            nursery.cancel_scope.cancel()


async def _start(path: Path, pipe: Diary, nursery: trio.Nursery) -> Runner:
    EncryptedStore.create(path, KEY).close()
    store = EncryptedStore.open(path, KEY, on_commit=pipe.committed)
    runner = Runner(Peer(dice=os_dice(), entropy=OsEntropy(), sealer=HpkeSealer()), store, store.reader())
    runner.network = pipe
    await nursery.start(runner.run, ())
    return runner


async def _befriend(wren: Runner, juniper: Runner) -> GroupId:
    """Have wren found a group and juniper join it by code."""
    gid = GroupId(await wren.ask(_create()))
    op_id = OpId(await wren.ask(NewInvite(group=gid, uses=1, hours=1, approvals=None, note="")))
    room = wren.peer.state.rooms[gid]
    code = InviteCode(
        seed=room.invites[op_id].seed,
        gid_prefix=gid[:16],
        expiry_hour=room.group.invites[op_id].body.expiry_hour,
    )
    join = JoinId(await juniper.ask(StartJoin(code=code.pack(), addresses=())))
    joins = juniper.peer.state.joins
    assert await juniper.until(lambda: joins[join].stage is JoinStage.PREVIEW, WAIT_S)
    await juniper.ask(
        AgreeJoin(join=join, alias="juniper", agreement_version=1, join_nonce=b"j" * 32, member_seed=Secret(b"s" * 32))
    )
    assert await juniper.until(lambda: joins[join].stage is JoinStage.JOINED, WAIT_S)
    return gid


async def test_a_command_that_is_refused_changes_nothing(tmp_path: Path) -> None:
    diary = Diary()
    EncryptedStore.create(tmp_path / "store.db", KEY).close()
    store = EncryptedStore.open(tmp_path / "store.db", KEY, on_commit=diary.committed)
    with trio.fail_after(WAIT_S):
        async with trio.open_nursery() as nursery:
            runner = Runner(Peer(dice=os_dice(), entropy=OsEntropy(), sealer=HpkeSealer()), store, store.reader())
            await nursery.start(runner.run, ())
            refused = False
            try:
                await runner.ask(StartJoin(code=bytes([1]) + bytes(37), addresses=(Address("/ip4/1"),)))
            except LocalError as error:
                refused = error.code == "E-CODE-EXPIRED"
            assert refused
            assert diary.lines == []
            nursery.cancel_scope.cancel()
    store.close()


def _answer_to(link: int, keys: int) -> SendStored:
    """A long answer, of frames that are not there."""
    return SendStored(link=LinkId(link), space=Space.FRAMES, keys=(b"k",) * keys, send_class=SendClass.REPAIR)


async def test_who_asks_on_and_on_and_reads_nothing_is_answered_no_more(tmp_path: Path) -> None:
    """Each question is small and names hundreds of frames: what waits for one link has an end."""
    diary = Diary()
    diary.room = trio.Event()
    with trio.fail_after(WAIT_S):
        async with trio.open_nursery() as nursery:
            runner = await _start(tmp_path / "store.db", diary, nursery)
            for _ in range(200):
                runner._to_network(_answer_to(1, 512))
            assert diary.lines.count(f"blame {Fault.OVER_LIMIT}") > 100
            waiting = [
                len(effect.keys)
                for effect in runner._repairs[(LinkId(1), SendClass.REPAIR)]
                if isinstance(effect, SendStored)
            ]
            assert sum(waiting) <= REPAIR_KEYS_WAITING_MAX + 512
            diary.room.set()
            nursery.cancel_scope.cancel()


async def test_an_answer_to_one_who_went_is_not_read_to_its_end(tmp_path: Path) -> None:
    diary = Diary()
    with trio.fail_after(WAIT_S):
        async with trio.open_nursery() as nursery:
            runner = await _start(tmp_path / "store.db", diary, nursery)
            read: list[bytes] = []

            def get(space: Space, key: bytes) -> bytes | None:
                assert space is Space.FRAMES
                read.append(key)
                return None

            runner.reader.get = get  # type: ignore[method-assign] # it counts
            for _ in range(20):
                runner._to_network(_answer_to(0, 512))  # this network says of link 0 that it went
            while runner._repairs:
                await trio.lowlevel.checkpoint()
            assert len(read) <= 16
            nursery.cancel_scope.cancel()


async def test_who_listens_is_not_cut_off_by_a_burst(tmp_path: Path) -> None:
    heard = 0

    async def listen(notices: trio.MemoryReceiveChannel[Notify]) -> None:
        nonlocal heard
        async for _ in notices:
            heard += 1

    with trio.fail_after(WAIT_S):
        async with trio.open_nursery() as nursery:
            wren = await _start(tmp_path / "wren.db", Diary(), nursery)
            slow, _ = wren.listen()  # this one never looks, and holds nobody up for ever
            nursery.start_soon(listen, wren.listen()[0])
            for _ in range(2 * NOTICES_MAX // BATCH_MAX):
                for _ in range(BATCH_MAX // 2):
                    wren.inputs.send_nowait(_link())
                    wren.inputs.send_nowait(LinkDown(link=LinkId(1)))
                await wren.inputs.send(LinkDown(link=LinkId(2)))  # which waits until there is room
                while wren.inputs.statistics().current_buffer_used > BATCH_MAX:
                    await trio.lowlevel.checkpoint()
            await wren.ask(_create())
            while heard < 2 * NOTICES_MAX:
                await trio.lowlevel.checkpoint()
            assert slow.statistics().current_buffer_used == NOTICES_MAX
            assert slow.statistics().open_send_channels == 0
            nursery.cancel_scope.cancel()
