"""A soak: real nodes on loopback talk for minutes while links are cut, delayed and healed, and a node comes and goes.

Run it with `make soak`; ten minutes unless `ARGS="--minutes 3"` says otherwise. Each round tears at the network, heals
it, and once every node has all its links and nobody has spoken for some seconds, asks each that stays up what its
process holds (`node.health`: the collector has run). From the third minute on, or from the first round of a shorter
one, memory may grow by 5 %, and tasks and open files may not. In the end everything that was said and acknowledged is
looked for in every store, once each.

Not part of `make test`: it is a command of its own.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final

from demo.people import Json, Person, finish_init, record, records, text, wait_for
from mesh.errors import MeshError, RemoteError
from mesh.events import Space
from mesh.groups.records import load
from mesh.node.local.api import Api
from mesh.node.local.client import connect
from mesh.peer.records import MessageRecord
from mesh.support.posts import interpret
from mesh.wire.messages import Kind
from simulations.lab.shim import HERE, Hand, shim_beside
from tests.e2e.conftest import GROUP
from tests.e2e.stores import store_of

STEADY: Final = ("wren", "juniper", "sorrel")
COMES_AND_GOES: Final = "tansy"
NAMES: Final = (*STEADY, COMES_AND_GOES)
TORN_S: Final = 25.0  # of each round, in which links break and a node stops and starts
MEET_S: Final = 90.0  # a dialer that failed for a while looks again after 30 s, a quarter more at the most
QUIET_S: Final = 6.0  # receipts, states and other afterthoughts have gone out by then
LOOKS: Final = 4  # a second apart; the fewest tasks count, for some are there for a moment
PAUSE_S: Final = 1.0  # between two posts of one person; four of them say more than most groups ever do
WARM_S: Final = 180.0
GROWTH_MAX: Final = 0.05
KEYS: Final = ("memory_bytes", "tasks", "open_files", "objects")

Held = dict[str, int]
Round = dict[str, Held]  # by node


class Talk:
    """Somebody who says something again and again, while they may; what was acknowledged is remembered."""

    def __init__(self, person: Person, may: threading.Event, over: threading.Event, pause_s: float) -> None:
        self.thread = threading.Thread(target=self._run)
        self._person, self._may, self._over, self._pause_s = person, may, over, pause_s
        self.said: list[str] = []

    def _run(self) -> None:
        count = 0
        while not self._over.is_set():
            with suppress(MeshError, StopAsking), node_of(self._person) as node:
                while not self._over.is_set():
                    if self._may.wait(0.2):
                        words = f"{self._person.name} {count}"
                        count += 1
                        node.call("post", {"group": GROUP, "text": words, "wait_s": 0.0})
                        self.said.append(words)
                        self._over.wait(self._pause_s)
            self._over.wait(0.5)  # their node is down


class StopAsking(Exception):
    """A node does not listen now."""


@contextmanager
def node_of(person: Person) -> Iterator[Api]:
    """Ask a person's node over its socket."""
    node = connect(person.home)
    if node is None:
        raise StopAsking
    with closing(node):
        yield node


class Soak:
    """The people, their wires, and what was measured."""

    def __init__(self, people: Mapping[str, Person], hand: Hand, dice: random.Random, pause_s: float) -> None:
        self.people, self.hand, self.dice = people, hand, dice
        self.running: dict[str, str] = {}  # name → PeerId
        self.may_talk, self.over = threading.Event(), threading.Event()
        self.talks = [Talk(people[name], self.may_talk, self.over, pause_s) for name in NAMES]
        self.rounds: list[tuple[float, Round]] = []
        self.torn = 0

    def up(self, name: str) -> None:
        """Start a node, with its fronts to all others that were ever up."""
        words = ["--announce", f"/ip4/{HERE}/tcp/{self.hand.do(self.hand.shim.door, name)}"]
        for other, peer_id in self.running.items():
            if other != name:
                words += ["--peer", f"/ip4/{HERE}/tcp/{self.hand.do(self.hand.shim.front, name, other)}/p2p/{peer_id}"]
        ready = self.people[name].up(*words)
        self.running[name] = text(ready, "peer_id")
        listening = ready["listening"]
        assert isinstance(listening, list)
        self.hand.do(self.hand.shim.lives_at, name, int(str(listening[0]).split("/")[4]))

    def gather(self) -> None:
        """Bring the group together."""
        for name in NAMES:
            self.up(name)
        wren = self.people["wren"]
        wren.mesh("group", "create", GROUP)
        for name in NAMES[1:]:
            self.people[name].join(text(wren.mesh("invite", "new", GROUP), "code"))
        self.meet()

    def meet(self) -> None:
        """Heal everything, and wait until each node is linked with each."""
        self.hand.do(self.hand.shim.heal_all)
        wait_for(lambda: all(links(p) == len(NAMES) - 1 for p in self.people.values()), "all to be linked", MEET_S)

    def tear(self, seconds: float) -> None:
        """Cut, delay, drop and restart for a while; people talk meanwhile."""
        end = time.monotonic() + seconds
        restart_at = time.monotonic() + seconds / 3  # once a round
        shim = self.hand.shim
        self.may_talk.set()
        while time.monotonic() < end:
            one, other = self.dice.sample(NAMES, 2)
            match self.dice.randrange(4):
                case 0:
                    self.hand.do(shim.delay, one, other, self.dice.random())
                case 1:
                    self.hand.do(shim.drop, one, other)
                case _:
                    self.hand.do(shim.cut, one, other)
            self.torn += 1
            self.over.wait(2.0)
            self.hand.do(shim.heal, one, other)
            if time.monotonic() > restart_at:
                restart_at = float("inf")
                self.people[COMES_AND_GOES].down()
                self.over.wait(2.0)
                self.up(COMES_AND_GOES)
        self.may_talk.clear()

    def measure(self, began: float) -> None:
        """Ask those who stay up what they hold, at rest and at full links."""
        self.over.wait(QUIET_S)
        held: Round = {}
        for name in STEADY:
            looks = []
            for _ in range(LOOKS):
                looks.append(health(self.people[name]))
                self.over.wait(1.0)
            held[name] = {key: min(look[key] for look in looks) for key in KEYS}
        self.rounds.append((time.monotonic() - began, held))
        said = sum(len(talk.said) for talk in self.talks)
        print(f"{self.rounds[-1][0]:5.0f} s, {said} said, {self.torn} times torn: {told(held)}", flush=True)

    def run(self, minutes: float) -> None:
        """Talk and tear, round after round."""
        self.gather()
        for talk in self.talks:
            talk.thread.start()
        began = time.monotonic()
        try:
            while time.monotonic() - began < minutes * 60:
                self.tear(TORN_S)
                self.meet()
                self.measure(began)
        finally:
            self.over.set()
            for talk in self.talks:
                talk.thread.join(30)

    # ------------------------------------------------------------ the verdict

    def complaints(self) -> list[str]:
        """Say what has grown, and what did not come, or came twice."""
        return [*self._grown(), *self._lost()]

    def _grown(self) -> Iterator[str]:
        counted = [held for at, held in self.rounds if at >= WARM_S] or [held for _, held in self.rounds]
        for name in STEADY:
            first, last = counted[0][name], counted[-1][name]
            grown = last["memory_bytes"] / first["memory_bytes"] - 1
            if grown > GROWTH_MAX:
                yield f"{name}'s memory has grown by {grown:.1%}"
            for key in ("tasks", "open_files"):
                if last[key] != first[key]:
                    yield f"{name} had {first[key]} {key}, and has {last[key]}"

    def _lost(self) -> Iterator[str]:
        said = [words for talk in self.talks for words in talk.said]
        wait_for(lambda: all(self._waiting(p) == 0 for p in self.people.values()), "everything to be out", MEET_S)
        for person in self.people.values():
            wait_for(partial(misses_nothing, person), f"{person.name} to miss nothing", MEET_S)
            person.down()
            shown = in_store(person)
            lost = [words for words in said if words not in shown]
            twice = [words for words, count in shown.items() if count > 1]
            print(f"{person.name} has {sum(words in shown for words in said)} of {len(said)}", flush=True)
            if lost or twice:
                yield f"{person.name} lacks {len(lost)} of {len(said)}, and has {len(twice)} twice"

    @staticmethod
    def _waiting(person: Person) -> int:
        outbox = person.mesh("status")["outbox"]
        assert isinstance(outbox, int)
        return outbox


def links(person: Person) -> int:
    """How many links somebody's node has."""
    return len(records(person.mesh("status"), "links"))


def misses_nothing(person: Person) -> bool:
    """Say whether somebody's node knows of no gap."""
    return records(person.mesh("read", GROUP), "gaps") == []


def health(person: Person) -> Held:
    """What somebody's node holds."""
    with node_of(person) as node:
        found: Mapping[str, Json] = record(node.call("node.health", {}), "health")
    assert found["links"] == len(NAMES) - 1, "measured at equal links"
    return {key: value for key in KEYS if isinstance(value := found[key], int)}


def told(held: Round) -> str:
    """Say a round in one line."""
    return "; ".join(
        f"{name} {some['memory_bytes'] / 2**20:.1f} MiB, {some['tasks']} tasks, {some['open_files']} files, "
        f"{some['objects']} objects"
        for name, some in held.items()
    )


def in_store(person: Person) -> dict[str, int]:
    """Count each text in the store of somebody whose node is down."""
    found: dict[str, int] = {}
    with store_of(person) as store:
        for _, value in store.scan(Space.MESSAGES):
            message = load(MessageRecord, value)
            if message.kind == Kind.POST:
                with suppress(RemoteError):
                    words = interpret(message.body).text
                    found[words] = found.get(words, 0) + 1
    return found


def with_people(act: Callable[[Mapping[str, Person]], int]) -> int:
    """Make people with identities in a folder that is gone afterwards, with their processes."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        os.environ["XDG_RUNTIME_DIR"] = str(Path(folder) / "run")
        people = {name: Person(name, Path(folder)) for name in NAMES}
        try:
            for process in [person.begin_init() for person in people.values()]:
                finish_init(process)
            return act(people)
        finally:
            for person in people.values():
                person.kill()


def main() -> int:
    """Soak, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pause", type=float, default=PAUSE_S, help="seconds between two posts of one person")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the nodes end with us, however we are ended

    def act(people: Mapping[str, Person]) -> int:
        with shim_beside() as hand:
            soak = Soak(people, hand, random.Random(asked.seed), asked.pause)
            soak.run(asked.minutes)
            complaints = soak.complaints()
        print(*(complaints or ["Nothing has grown, nothing was lost, nothing came twice."]), sep="\n")
        return 1 if complaints else 0

    return with_people(act)


if __name__ == "__main__":
    sys.exit(main())
