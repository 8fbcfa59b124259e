"""Fan-out: one speaks, how fast do all others have it? Real nodes, links and stores, end-to-end encryption.

`python -m benchmarks.fan NODES MESSAGES RATE` runs all nodes in this one process, as the scripts of the peers do. RATE
below 0 keeps so many posts on their way, above 0 posts so many a second, 0 as fast as it can. A delivery counts when
the receiver has opened and checked the message and its store has committed it. It prints one line of JSON.
"""

import argparse
import json
import math
import resource
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import trio

from benchmarks.percentiles import percentile
from mesh.commands import Post
from mesh.events import Notice, Notify
from mesh.identity.keys import draw_root
from mesh.identity.passphrase import FLOOR
from mesh.ids import GroupId
from mesh.node import clock
from mesh.node.chance import OsEntropy
from mesh.node.home import Home
from mesh.node.keepsakes import draw_keepsakes, keepsakes_write
from mesh.node.live import OpenDesk, open_node, waiting_in
from mesh.node.local import methods
from mesh.node.local.protocol import JsonObject, JsonValue
from mesh.node.process import settle
from mesh.peer.homes import fresh_home, home_write

TEXT: Final = "x" * 244  # and 12 of its own: 256 B
PASSPHRASE: Final = "benchmark"  # noqa: S105 - it guards nothing
SETTLE_S: Final = 4.0  # after the last join, until presence, receipts and key-ups have passed
LINKED_MIN: Final = 7  # members who are linked before it begins; larger groups link with fewer
END_S: Final = 30.0  # what has not come so long after the last post counts as lost
LOST_S: Final = 5.0  # how long a closed loop waits for one post before it goes on
_POST_AT: Final = slice(40, 56)  # where the post's id stands in a message's key


@dataclass(slots=True)
class Tally:
    """What has come, and how long it took."""

    receivers: int
    posted_at: dict[bytes, float] = field(default_factory=dict)  # post id → when it was asked for
    early: list[tuple[bytes, float]] = field(default_factory=list)  # there before the one who posted had its id
    taken_s: list[float] = field(default_factory=list)
    last_at: float = 0.0
    changed: trio.Event = field(default_factory=trio.Event)

    def posted(self, post: bytes, at: float) -> None:
        """Somebody asked for a post to be sent at this time."""
        self.posted_at[post] = at
        early, self.early = self.early, []
        for one, came in early:
            self.came(one, came)

    def came(self, post: bytes, at: float) -> None:
        """A receiver has it."""
        if post not in self.posted_at:
            self.early.append((post, at))
            return
        self.taken_s.append(at - self.posted_at[post])
        self.last_at = max(self.last_at, at)
        changed, self.changed = self.changed, trio.Event()
        changed.set()

    async def until(self, deliveries: int, wait_s: float) -> None:
        """Wait for so many deliveries in all, at most so long."""
        with trio.move_on_after(wait_s):
            while len(self.taken_s) < deliveries:
                await self.changed.wait()


@asynccontextmanager
async def nodes(folder: Path, count: int) -> AsyncIterator[list[OpenDesk]]:
    """Run so many nodes on loopback, each with an identity and an encrypted store of its own."""
    async with AsyncExitStack() as stack:
        desks: list[OpenDesk] = []
        for k in range(count):
            entropy, home = OsEntropy(), Home.at(folder / f"node-{k}")
            kept = draw_keepsakes(fingerprint=f"{k}", name=f"node-{k}", locale="en", entropy=entropy)
            first = [keepsakes_write(kept), home_write(fresh_home(entropy, clock.now().wall_ms))]
            home.create(root=draw_root(entropy), passphrase=PASSPHRASE, entropy=entropy, cost=FLOOR, first=first)
            stack.enter_context(home.lock())
            store = home.open_store(PASSPHRASE)
            stack.callback(store.close)
            desks.append(await stack.enter_async_context(open_node(home, store, listen=["/ip4/127.0.0.1/tcp/0"])))
        yield desks


async def call(desk: OpenDesk, method: str, **params: JsonValue) -> JsonObject:
    """Ask a node as its commands do."""
    return await methods.call(desk, method, {"passphrase": PASSPHRASE, **params})


async def group_of(desks: list[OpenDesk]) -> GroupId:
    """Let the first found a group and everybody else join it; return when all are linked and have told their state."""
    first = desks[0]
    await call(first, "group.create", name="bench", alias="node-0")
    (gid,) = first.state.rooms
    for k, desk in enumerate(desks[1:], start=1):
        code = (await call(first, "invite.new", group="bench"))["code"]
        join = _id((await call(desk, "join.start", code=code))["join"])
        shown = (await call(desk, "join.wait", join=join, until="preview", wait_s=20.0))["join"]
        await call(desk, "join.agree", join=join, alias=f"node-{k}", agreement_version=_version(shown))
        await call(desk, "join.wait", join=join, until="joined", wait_s=20.0)
    for desk in desks:
        if not await desk.until(partial(_knows, desk, gid, len(desks)), 30.0):
            raise SystemExit("the nodes did not find each other")
    await trio.sleep(SETTLE_S)
    return gid


def _id(join: JsonValue) -> str:
    assert isinstance(join, dict)
    return str(join["id"])


def _version(join: JsonValue) -> JsonValue:
    assert isinstance(join, dict)
    agreement = join["agreement"]
    assert isinstance(agreement, dict)
    return agreement["version"]


def _knows(desk: OpenDesk, gid: GroupId, count: int) -> bool:
    room = desk.state.rooms.get(gid)
    return (
        room is not None
        and len(room.group.view.devices) == count
        and len(desk.state.present(room)) >= min(count - 1, LINKED_MIN)
    )


async def listen(notices: trio.MemoryReceiveChannel[Notify], tally: Tally) -> None:
    """Note each message that a node has committed."""
    async for first in notices:
        for notice in (first, *waiting_in(notices)):
            if notice.notice is Notice.MESSAGE:
                tally.came(notice.subject[_POST_AT], trio.current_time())


async def speak(desk: OpenDesk, gid: GroupId, tally: Tally, messages: int, rate: float) -> float:
    """Post so many messages; return when the first was asked for."""
    began = trio.current_time()
    waiting = trio.Semaphore(int(-rate)) if rate < 0 else None

    async def post(k: int) -> None:
        at = trio.current_time()
        command = Post(group=gid, text=f"{k:012}{TEXT}", mode="listening", cw="", topics=(), reply_to=None)
        tally.posted(await desk.ask(command), at)
        if waiting is not None:
            await tally.until((k + 1) * tally.receivers, LOST_S)
            waiting.release()

    async with trio.open_nursery() as nursery:
        for k in range(messages):
            if waiting is not None:
                await waiting.acquire()
            elif rate > 0:
                await trio.sleep_until(began + k / rate)
            nursery.start_soon(post, k)
    return began


async def measure(folder: Path, count: int, messages: int, rate: float) -> JsonObject:
    """Run it once; return the figures."""
    async with nodes(folder, count) as desks:
        gid = await group_of(desks)
        settle()  # as a node does when it is ready
        tally = Tally(receivers=count - 1)
        async with trio.open_nursery() as nursery:
            for desk in desks[1:]:
                nursery.start_soon(listen, desk.listen()[0], tally)
            began = await speak(desks[0], gid, tally, messages, rate)
            await tally.until(messages * tally.receivers, END_S)
            nursery.cancel_scope.cancel()
        skipped = sum(int(str(link["skipped"])) for desk in desks for link in desk.links())
        taken_ms = [1000 * taken for taken in tally.taken_s]
        return {
            "nodes": count,
            "messages": messages,
            "rate": rate,
            "mode": "one process; hybrid suite, synchronous=FULL for what is posted, NORMAL for what comes",
            "delivered": len(taken_ms),
            "expected": messages * tally.receivers,
            "per_s": round(len(taken_ms) / (tally.last_at - began), 1) if taken_ms else 0.0,
            "p50_ms": round(percentile(taken_ms, 0.5), 2),
            "p99_ms": round(percentile(taken_ms, 0.99), 2),
            "skipped_pushes": skipped,
            "peak_mib": math.ceil(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        }


def main() -> int:
    """Measure once, and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("nodes", type=int)
    parser.add_argument("messages", type=int)
    parser.add_argument("rate", type=float)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mesh-fan-") as folder:
        print(json.dumps(trio.run(measure, Path(folder), asked.nodes, asked.messages, asked.rate)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
