"""Fan-out among processes: each node is a `mesh up` of its own, and all is asked over the local Api.

`python -m benchmarks.fan_processes NODES MESSAGES RATE`; RATE as in `benchmarks.fan`. A delivery counts when the
receiver's node tells a listener on its socket of the message, which it does once that is committed. It prints one line
of JSON.
"""

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.fan import END_S, LOST_S, SETTLE_S, TEXT
from benchmarks.percentiles import percentile
from demo.people import Person, finish_init, record, text, wait_for
from mesh.node.local.client import NodeStopped, SocketApi, connect
from mesh.node.local.protocol import JsonObject

GROUP: Final = "bench"
SPEAKERS_MAX: Final = 32  # connections over which posts are asked for at once


class Tally:
    """What has come; several threads note it."""

    def __init__(self, receivers: int) -> None:
        self.receivers = receivers
        self.came: dict[str, list[float]] = {}  # message id → when it was there, for each receiver
        self.asked_at: dict[str, float] = {}
        self._changed = threading.Condition()

    def posted(self, message: str, at: float) -> None:
        """A node was asked at this time for what then got this id."""
        self.asked_at[message] = at

    def note(self, message: str) -> None:
        """A receiver has it."""
        with self._changed:
            self.came.setdefault(message, []).append(time.monotonic())
            self._changed.notify_all()

    def until(self, messages: list[str], wait_s: float) -> None:
        """Wait until every receiver has these, at most so long."""
        with self._changed:
            self._changed.wait_for(
                lambda: all(len(self.came.get(message, ())) >= self.receivers for message in messages), wait_s
            )

    def taken_ms(self) -> list[float]:
        """Return how long each delivery took."""
        return [1000 * (at - asked) for message, asked in self.asked_at.items() for at in self.came.get(message, ())]


def reach(person: Person) -> SocketApi:
    """Connect to somebody's node."""
    os.environ["XDG_RUNTIME_DIR"] = person.environment()["XDG_RUNTIME_DIR"]
    node = connect(person.home)
    assert node is not None
    return node


def listen(person: Person, tally: Tally) -> None:
    """Note each message that a node tells of, until it stops."""
    with closing(reach(person)) as node, suppress(NodeStopped):
        for event in node.stream("events", {}):
            if event["event"] == "message":
                tally.note(text(record(event, "message"), "id"))


def speak(person: Person, tally: Tally, messages: int, rate: float) -> float:
    """Post so many messages; return when the first was asked for."""
    began = time.monotonic()
    nodes = threading.local()

    def post(k: int) -> None:
        if not hasattr(nodes, "own"):
            nodes.own = reach(person)
        at = time.monotonic()
        told = nodes.own.call("post", {"group": GROUP, "text": f"{k:012}{TEXT}", "wait_s": 0.0})
        message = text(record(told, "message"), "id")
        tally.posted(message, at)
        if rate < 0:
            tally.until([message], LOST_S)

    with ThreadPoolExecutor(max_workers=int(-rate) if rate < 0 else SPEAKERS_MAX) as speakers:
        asked = []
        for k in range(messages):
            if rate > 0:
                time.sleep(max(0.0, began + k / rate - time.monotonic()))
            asked.append(speakers.submit(post, k))
        for one in asked:
            one.result()
    return began


def _knows_all(person: Person, count: int) -> bool:
    return person.group(GROUP)["members"] == count


def measure(folder: Path, count: int, messages: int, rate: float) -> JsonObject:
    """Run it once; return the figures."""
    people = [Person(f"node{k}", folder) for k in range(count)]
    with ExitStack() as stack:
        for process in [person.begin_init() for person in people]:
            finish_init(process)
        for person in people:
            stack.callback(person.kill)
            person.up()
        people[0].mesh("group", "create", GROUP)
        for person in people[1:]:
            person.join(text(people[0].mesh("invite", "new", GROUP), "code"))
        for person in people:
            wait_for(partial(_knows_all, person, count), "everybody to know everybody", 60)
        time.sleep(SETTLE_S)
        tally = Tally(count - 1)
        for person in people[1:]:
            threading.Thread(target=listen, args=(person, tally), daemon=True).start()
        time.sleep(1.0)  # until they listen
        began = speak(people[0], tally, messages, rate)
        tally.until(list(tally.asked_at), END_S)
        taken, last = tally.taken_ms(), max(max(times) for times in tally.came.values())
    return {
        "nodes": count,
        "messages": messages,
        "rate": rate,
        "mode": f"{count} processes; hybrid suite, synchronous=FULL for what is posted, NORMAL for what comes",
        "delivered": len(taken),
        "expected": messages * tally.receivers,
        "per_s": round(len(taken) / (last - began), 1),
        "p50_ms": round(percentile(taken, 0.5), 2),
        "p99_ms": round(percentile(taken, 0.99), 2),
    }


def main() -> int:
    """Measure once, and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("nodes", type=int)
    parser.add_argument("messages", type=int)
    parser.add_argument("rate", type=float)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mesh-fan-") as folder:
        print(json.dumps(measure(Path(folder), asked.nodes, asked.messages, asked.rate)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
