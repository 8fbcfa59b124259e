"""The lab's stage: carries a plan out on real processes, step by step, and keeps a journal of what came of each.

The steps are those of `simulations/plans.py`, and what a person does goes through the local Api of their own node. Who
looks for a group knocks as soon as it is found, as in the world. What a machine needs before its owner can act at all
(to start, to derive a key from a passphrase) is no part of a plan: while that goes on, the plan's clock stands still.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import trio

from mesh.errors import MeshError
from mesh.ids import Address
from mesh.node.local.protocol import JsonObject
from mesh.wire.codes import from_uri, to_uri
from simulations.errors import NotYet, PlanError
from simulations.lab.asking import NodeGone, records, text, told
from simulations.lab.residents import Resident
from simulations.lab.shim import Shim
from simulations.plans import Plan, Step
from simulations.regions import Nat
from simulations.stage import Done, said
from simulations.weather import Paths

PEOPLE_MAX: Final = 30
SECONDS_MAX: Final = 3_600  # of real time
HELD_S_MAX: Final = 30.0  # how long the plan's clock waits for somebody to have found what they look for
LOOK_S: Final = 20.0
AGREEMENT: Final = "Be kind."  # as the people of the world say


@dataclass(frozen=True, slots=True)
class Said:
    """A post: whose, in which group, its id, and when it was said, in s."""

    who: str
    group: str
    post: str
    at_s: float


@dataclass(slots=True)
class Clock:
    """The plan's clock: real time, less what it stood still for one or several at once."""

    began_s: float = field(default_factory=trio.current_time)
    _held_s: float = 0.0
    _holders: int = 0
    _since_s: float = 0.0

    async def until(self, at_s: float) -> None:
        """Wait until it is so late in the plan."""
        await trio.sleep_until(self.began_s + self._held_s + at_s)

    @asynccontextmanager
    async def held(self) -> AsyncGenerator[None, None]:
        """Let it stand still."""
        self._holders += 1
        if self._holders == 1:
            self._since_s = trio.current_time()
        try:
            yield
        finally:
            self._holders -= 1
            if self._holders == 0:
                self._held_s += trio.current_time() - self._since_s


@dataclass(slots=True)
class LabStage:
    """A plan on its way. `shown`: who -> post's id -> when their node first showed it, in s."""

    plan: Plan
    sky: Paths
    shim: Shim
    nursery: trio.Nursery
    people: dict[str, Resident]
    groups: dict[str, str] = field(default_factory=dict)  # label -> id
    codes: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # label -> group's label, code, invite's id
    posts: dict[str, Said] = field(default_factory=dict)
    joins: dict[tuple[str, str], str] = field(default_factory=dict)  # who and join's id -> how it stands
    shown: dict[str, dict[str, float]] = field(default_factory=dict)
    ends: set[str] = field(default_factory=set)  # posts that nobody need have: they run out, or were taken back
    journal: list[Done] = field(default_factory=list)
    clock: Clock = field(default_factory=Clock)

    @staticmethod
    def over(plan: Plan, seed: int, nursery: trio.Nursery, folder: Path) -> "LabStage":
        """Set the stage: the people of a plan, without identities yet. PlanError for what no lab can carry out."""
        require_able(plan)
        sky = Paths(seed, plan.weather)
        sky.machines = {somebody.name: somebody.machine for somebody in plan.people}
        shim, names = Shim(nursery, sky), tuple(somebody.name for somebody in plan.people)
        people = {name: Resident(name, folder, shim, names) for name in names}
        return LabStage(plan, sky, shim, nursery, people)

    async def open(self) -> None:
        """Make everybody's identity, and start their nodes; then the plan's clock begins."""
        async with trio.open_nursery() as nursery:
            for person in self.people.values():
                nursery.start_soon(person.make)
        await self.start(*self.people.values())
        self.clock = Clock()

    async def play(self, on_step: Callable[[Done], None] | None = None) -> None:
        """Carry out every step at its time."""
        waiting = list(self.plan.steps)
        while waiting:
            one = waiting.pop(0)
            await self.clock.until(one.at_s)
            at_once = [one]
            while one.do == "on" and waiting and (waiting[0].do, waiting[0].at_s) == (one.do, one.at_s):
                at_once.append(waiting.pop(0))
            for done in [await self._try(one)] if len(at_once) == 1 else await self._switch_on(at_once):
                self.journal.append(done)
                if on_step is not None:
                    on_step(done)

    async def _try(self, one: Step) -> Done:
        try:
            await DEEDS[one.do](self, one)
        except NotYet as missing:
            return Done(one, str(missing))
        except NodeGone:
            raise  # none of ours ends by itself: that is no step passed over
        except MeshError as refused:
            return Done(one, refused.what)
        return Done(one)

    async def _switch_on(self, steps: list[Step]) -> list[Done]:
        """Start several nodes at once, as they are in the world."""
        done: list[Done] = []

        async def switch(one: Step) -> None:
            done.append(await self._try(one))

        async with self.clock.held(), trio.open_nursery() as nursery:
            for one in steps:
                nursery.start_soon(switch, one)
        return done

    # ------------------------------------------------------------ who and what

    def person(self, one: Step, role: str = "who") -> Resident:
        """Give who does it; their node must run."""
        person = self.people[one.text(role)]
        if not person.up:
            raise NotYet(f"{person.name} is off")
        return person

    def group(self, one: Step) -> str:
        """Give the id of the group that a step means."""
        if one.text("group") not in self.groups:
            raise NotYet(f"there is no {one.text('group')} yet")
        return self.groups[one.text("group")]

    def post(self, one: Step) -> Said:
        """Give the post that a step means."""
        if one.text("says") not in self.posts:
            raise NotYet(f"nobody has said {one.text('says')} yet")
        return self.posts[one.text("says")]

    # ------------------------------------------------------------ nodes

    async def start(self, *people: Resident) -> None:
        """Start nodes, hear what they tell, and go on with what their owners had begun."""
        async with trio.open_nursery() as nursery:
            for person in people:
                nursery.start_soon(self._start, person)

    async def _start(self, person: Resident) -> None:
        await person.start()
        await self.nursery.start(self._hear, person)
        for (who, join), state in list(self.joins.items()):
            if who == person.name and state in ("looking", "preview"):
                self.nursery.start_soon(self._come_in, person, join, trio.Event())

    async def _hear(self, person: Resident, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        shown = self.shown.setdefault(person.name, {})
        async for event in told(person.socket):
            message = event.get("message")
            if event["event"] == "following":
                task_status.started()
            elif event["event"] == "message" and isinstance(message, dict):
                shown.setdefault(str(message["id"]), trio.current_time())

    async def looks(self, person: Resident, code: str) -> None:
        """Have somebody look for a group, and knock when it is found; wait for that a while, by no clock."""
        join = text(await person.ask("join.start", code=code), "join", "id")
        self.joins[person.name, join] = "looking"
        knocks = trio.Event()
        self.nursery.start_soon(self._come_in, person, join, knocks)
        async with self.clock.held():
            with trio.move_on_after(HELD_S_MAX):
                await knocks.wait()

    async def _come_in(self, person: Resident, join: str, knocks: trio.Event) -> None:
        """Take an attempt to join as far as it goes, until its owner's node ends."""
        with suppress(MeshError):
            if await self._waits(person, join, "preview", ("looking",)) == "preview":
                found = (await person.ask("join.wait", join=join, until="preview", wait_s=0))["join"]
                assert isinstance(found, dict)
                agreement = found["agreement"]
                assert isinstance(agreement, dict)
                await person.ask(
                    "join.agree",
                    join=join,
                    alias=person.name,
                    agreement_version=agreement["version"],
                    passphrase=person.passphrase,
                )
            knocks.set()
            await self._waits(person, join, "joined", ("knocking", "awaiting-approval"))
        knocks.set()

    async def _waits(self, person: Resident, join: str, until: str, while_in: tuple[str, ...]) -> str:
        state = while_in[0]
        while state in while_in:
            answer = await person.ask("join.wait", LOOK_S, join=join, until=until, wait_s=LOOK_S)
            state = self.joins[person.name, join] = text(answer, "join", "state")
        return state

    async def counted(self) -> dict[str, Counter[str]]:
        """Say what each has given to links so far, by kind."""
        return {name: await person.counted() for name, person in self.people.items()}

    async def end(self) -> None:
        """End every process that was started."""
        for person in self.people.values():
            await person.end()


def require_able(plan: Plan) -> None:
    """Refuse a plan with anything that real processes on one machine cannot do; PlanError names all of it."""
    lacking = [f"`{do}`" for do in sorted({one.do for one in plan.steps} - DEEDS.keys())]
    lacking += ["`found` with settings"] if any(one.args.get("settings") for one in plan.steps) else []
    lacking += ["clocks that are wrong"] if any(somebody.skew_ms for somebody in plan.people) else []
    behind = [p.machine for p in plan.people if p.machine.nat is not Nat.NONE or p.machine.relays]
    lacking += ["routers and relays"] if behind else []
    lacking += ["`duplicates`"] if plan.weather.duplicates else []
    lacking += ["`reorder`"] if plan.weather.reorder else []
    if lacking:
        raise PlanError(f"Real processes on one machine cannot do this: {', '.join(lacking)}.")
    if len(plan.people) > PEOPLE_MAX:
        raise PlanError(f"A lab has at most {PEOPLE_MAX} nodes, not {len(plan.people)}.")
    last_s = max((one.at_s for one in plan.steps), default=0.0)
    if last_s + plan.settle_s > SECONDS_MAX:
        raise PlanError(f"A lab runs in real time, {SECONDS_MAX} s at most; this plan goes on for {last_s:g} s.")


# ---------------------------------------------------------------- deeds


async def _found(stage: LabStage, one: Step) -> None:
    person = stage.person(one)
    async with stage.clock.held():
        answer = await person.ask(
            "group.create",
            name=one.text("group"),
            about="",
            topics=[],
            agreement=AGREEMENT,
            alias=person.name,
            history="none",
            suite="pq",
            passphrase=person.passphrase,
        )
    stage.groups[one.text("group")] = text(answer, "group", "id")


async def _new_code(
    stage: LabStage, one: Step, by: Resident, uses: int, hours: int, approvals: int | None
) -> JsonObject:
    return await by.ask(
        "invite.new", group=stage.group(one), uses=uses, expires_s=hours * 3600, approvals=approvals, note=""
    )


async def _enter(stage: LabStage, one: Step) -> None:
    person = stage.person(one)
    made = await _new_code(stage, one, stage.person(one, "by"), 1, 72, None)
    await stage.looks(person, text(made, "code"))


async def _invite(stage: LabStage, one: Step) -> None:
    uses, hours, approvals = one.number("uses", 1), one.number("hours", 72), one.number("approvals", 0)
    made = await _new_code(stage, one, stage.person(one), uses, hours, approvals)
    stage.codes[one.text("code")] = one.text("group"), text(made, "code"), text(made, "invite", "id")


def _code(stage: LabStage, one: Step) -> tuple[str, str, str]:
    if one.text("code") not in stage.codes:
        raise NotYet(f"there is no code {one.text('code')} yet")
    return stage.codes[one.text("code")]


async def _join(stage: LabStage, one: Step) -> None:
    _, code, _ = _code(stage, one)
    if via := one.text("via"):
        code = to_uri(from_uri(code)[0], (Address(stage.people[via].address),))
    await stage.looks(stage.person(one), code)


async def _revoke(stage: LabStage, one: Step) -> None:
    group, _, invite = _code(stage, one)
    await stage.person(one).ask("invite.revoke", group=stage.groups[group], invite=invite)


async def _admit(stage: LabStage, one: Step) -> None:
    person, gid = stage.person(one), stage.group(one)
    for knock in records(await person.ask("knocks.list", group=gid), "knocks"):
        await person.ask("knocks.admit", group=gid, knock=knock["id"])


async def _remove(stage: LabStage, one: Step) -> None:
    await stage.person(one).ask("group.remove", group=stage.group(one), member=one.text("member"), reason="")


async def _rank(stage: LabStage, one: Step) -> None:
    person = stage.person(one)
    await person.ask("group.rank", group=stage.group(one), member=one.text("member"), rank=one.text("rank"))


async def _leave(stage: LabStage, one: Step) -> None:
    person, wipe = stage.person(one), bool(one.args.get("wipe", False))
    async with stage.clock.held():
        await person.ask("group.leave", group=stage.group(one), wipe=wipe, passphrase=person.passphrase)


async def _rekey(stage: LabStage, one: Step) -> None:
    await stage.person(one).ask("group.rekey", group=stage.group(one))


async def _post(stage: LabStage, one: Step) -> None:
    person = stage.person(one)
    label = one.text("says") or f"{person.name}-{len(stage.posts) + 1}"
    answer = await person.ask(
        "post",
        group=stage.group(one),
        text=said(one, label),
        mode="listening",
        cw=one.text("warns"),
        topics=[],
        may_leave=bool(one.args.get("may_leave", False)),
        expires_s=one.number("expires_s") or None,
        wait_s=0,
    )
    post, at_s = text(answer, "message", "id"), trio.current_time()
    stage.posts[label] = Said(person.name, one.text("group"), post, at_s)
    stage.shown.setdefault(person.name, {}).setdefault(post, at_s)
    if one.number("expires_s"):
        stage.ends.add(post)


async def _withdraw(stage: LabStage, one: Step) -> None:
    post = stage.post(one).post
    await stage.person(one).ask("message.withdraw", message=post, wait_s=0)
    stage.ends.add(post)


async def _flag(stage: LabStage, one: Step) -> None:
    await stage.person(one).ask("flag", message=stage.post(one).post, withdraw=False, wait_s=0)


async def _keep(stage: LabStage, one: Step) -> None:
    await stage.person(one).ask("keeper.on", quota=one.number("quota") or None, days=one.number("days") or None)


async def _use(stage: LabStage, one: Step) -> None:
    keeper, person = stage.person(one, "keeper"), stage.person(one)
    ticket = text(await keeper.ask("keeper.ticket", note=keeper.name), "ticket")
    await person.ask("keeper.add", group=stage.group(one), ticket=ticket)


async def _off(stage: LabStage, one: Step) -> None:
    await stage.person(one).stop()


async def _on(stage: LabStage, one: Step) -> None:
    person = stage.people[one.text("who")]
    if person.up:
        raise NotYet(f"{person.name} is on")
    async with stage.clock.held():
        await stage.start(person)


async def _lose(stage: LabStage, one: Step) -> None:
    person = stage.people[one.text("who")]
    async with stage.clock.held():
        if person.up:
            await person.stop()
        person.lose()
        await person.make()
        await stage.start(person)


async def _partition(stage: LabStage, one: Step) -> None:
    sides = one.args["sides"]
    assert isinstance(sides, tuple)
    for k, side in enumerate(sides):
        for other in sides[k + 1 :]:
            stage.shim.part(side.split(), other.split())


async def _weather(stage: LabStage, one: Step) -> None:
    for name in ("latency_ms", "jitter_ms", "loss"):
        value = one.args.get(name)
        if isinstance(value, int | float):
            stage.sky.weather = replace(stage.sky.weather, **{name: value})  # type: ignore[arg-type] # as the plan says


async def _wire(stage: LabStage, one: Step) -> None:
    shim = stage.shim
    befalls = {"cut": shim.cut, "clog": shim.drop, "flap": shim.flap}[one.do]
    befalls(one.text("one"), one.text("other"))


async def _heal(stage: LabStage, one: Step) -> None:
    del one
    stage.shim.heal_all()


Deed = Callable[[LabStage, Step], Awaitable[None]]
DEEDS: Final[dict[str, Deed]] = {
    "found": _found,
    "enter": _enter,
    "invite": _invite,
    "join": _join,
    "revoke": _revoke,
    "admit": _admit,
    "remove": _remove,
    "rank": _rank,
    "leave": _leave,
    "rekey": _rekey,
    "post": _post,
    "withdraw": _withdraw,
    "flag": _flag,
    "keep": _keep,
    "use": _use,
    "off": _off,
    "on": _on,
    "lose": _lose,
    "cut": _wire,
    "clog": _wire,
    "flap": _wire,
    "heal": _heal,
    "partition": _partition,
    "weather": _weather,
}
