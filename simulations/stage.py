"""The stage: carries a plan out on a world, step by step, and keeps a journal of what came of each.

People do what a plan has them do through the same door as `cli` (`simulations/people.py`). One thing they do by
themselves: who looks for a group knocks as soon as it is found, as a person at the terminal does.
"""

import copy
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from mesh.commands import Post, Rank, Rekey, RevokeInvite
from mesh.errors import LocalError
from mesh.events import Effect, Input, Persist, Put, Space, Started
from mesh.groups.records import load
from mesh.ids import GroupId, JoinId, MemberPk, PostId
from mesh.peer.records import JoinRecord, JoinStage
from mesh.secret import Secret
from mesh.store.memory import MemoryStore
from simulations.checks import Watch
from simulations.conduct import Conduct
from simulations.errors import NotYet
from simulations.leaks import Leaks
from simulations.measures import Measures
from simulations.people import Code, Person
from simulations.plans import Plan, Step
from simulations.rogues import misbehave
from simulations.supporting import SUPPORT
from simulations.world import Crash, Crashed, Node, World

WORDS: Final = "It is quieter here in the evenings, and I do not know yet what to do with that. "  # of a post


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a step: `why` it was passed over, or nothing."""

    step: Step
    why: str = ""


@dataclass(slots=True)
class Stage:
    """A plan on its way. `journal` has a row for each step that was tried, in order."""

    plan: Plan
    world: World
    watch: Watch
    measures: Measures
    leaks: Leaks
    people: dict[str, Person] = field(default_factory=dict)
    groups: dict[str, GroupId] = field(default_factory=dict)
    codes: dict[str, tuple[str, Code]] = field(default_factory=dict)  # label -> group's label, code
    posts: dict[str, tuple[str, str, PostId]] = field(default_factory=dict)  # label -> who, group's label, post
    joins: dict[tuple[str, JoinId], GroupId] = field(default_factory=dict)  # who knocks once it is found
    former: dict[tuple[str, JoinId], Secret] = field(default_factory=dict)  # of who follows: their key in the old group
    disks: dict[str, MemoryStore] = field(default_factory=dict)
    rogues: dict[str, None] = field(default_factory=dict)  # who no longer keeps to the rules
    journal: list[Done] = field(default_factory=list)

    @staticmethod
    def over(plan: Plan, seed: int) -> "Stage":
        """Set the stage: the people of a plan with running nodes, who do not know each other yet."""
        world = World(seed, plan.weather)
        measures = Measures.over(world)
        watch, rogues = Watch.over(world), dict[str, None]()
        stage = Stage(plan, world, watch, measures, rogues=rogues, leaks=Leaks.over(world, watch, rogues))
        Conduct.over(world)
        world.watchers.append(stage._see)
        world.paths.machines = {somebody.name: somebody.machine for somebody in plan.people}
        for somebody in plan.people:
            stage.people[somebody.name] = Person(world, somebody.name, skew_ms=somebody.skew_ms)
        return stage

    def play(self, told: Callable[[Done], None] | None = None) -> None:
        """Carry out every step at its time. AssertionError where something is not so: the watch's."""
        for one in self.plan.steps:
            self.world.run(max(0.0, one.at_s - self.world.now_ms / 1000))
            done = self._try(one)
            self.journal.append(done)
            self.leaks.look()
            if told is not None:
                told(done)

    def _try(self, one: Step) -> Done:
        try:
            self._do(one)
        except NotYet as missing:
            return Done(one, str(missing))
        except Crashed:
            return Done(one, "the machine stopped before it could answer")
        except LocalError as refused:
            return Done(one, refused.what)
        return Done(one)

    def _do(self, one: Step) -> None:
        for table in (GROUPS, WORDS_SAID, SUPPORT, MACHINES, PATHS):
            if one.do in table:
                table[one.do](self, one)
                return
        raise NotYet(f"this stage knows no `{one.do}`")

    # ------------------------------------------------------------ who and what

    def person(self, one: Step, role: str = "who") -> Person:
        """Give who does it; their machine must run."""
        person = self.people[one.text(role)]
        if not person.node.up:
            raise NotYet(f"{person.name} is off")
        return person

    def group(self, one: Step, person: Person, role: str = "group") -> GroupId:
        """Give the group that a step means; the person must be in it."""
        gid = self.groups.get(one.text(role))
        if gid is None:
            raise NotYet(f"there is no {one.text(role)} yet")
        if not is_in(person, gid):
            raise NotYet(f"{person.name} is not in {one.text(role)}")
        return gid

    def post(self, one: Step) -> tuple[str, GroupId, PostId]:
        """Give the post that a step means."""
        if one.text("says") not in self.posts:
            raise NotYet(f"nobody has said {one.text('says')} yet")
        who, group, post = self.posts[one.text("says")]
        return who, self.groups[group], post

    def members(self, gid: GroupId) -> list[Person]:
        """Give those of the plan's people whose running nodes believe them to be in."""
        return [person for person in self.people.values() if is_in(person, gid)]

    # ------------------------------------------------------------ by themselves

    def _see(self, node: Node, event: Input, effects: list[Effect]) -> None:
        """Knock where a group was found; soon, since a node is never asked while it answers."""
        if isinstance(event, Started):
            for who, join in self.joins:
                if who == node.name:
                    self.world.soon(node, self._knocking(self.people[who], join))
        if not effects or not isinstance(effects[0], Persist):
            return
        for write in effects[0].writes:
            if not isinstance(write, Put) or write.space is not Space.JOINS:
                continue
            name = node.name, JoinId(write.key)
            if name in self.joins and load(JoinRecord, write.value).stage is JoinStage.PREVIEW:
                self.world.soon(node, self._knocking(self.people[node.name], name[1]))

    def _knocking(self, person: Person, join: JoinId) -> Callable[[], None]:
        def knock() -> None:
            if person.node.up and person.knows(join) and person.stage(join) is JoinStage.PREVIEW:
                with suppress(LocalError, Crashed):
                    person.knock(join, self.joins[person.name, join], former=self.former.get((person.name, join)))

        return knock

    def looks(self, person: Person, code: Code, group: str, *via: Person) -> None:
        """Have someone look for a group, and knock when it is found."""
        gid = self.groups[group]
        if is_in(person, gid):
            raise NotYet(f"{person.name} is in {group} already")
        join = person.look(code, *via)
        self.joins[person.name, join] = gid
        self.measures.looks(join)


def is_in(person: Person, gid: GroupId) -> bool:
    """Say whether someone's node runs and believes them to be in."""
    peer = person.node.peer
    if peer is None or gid not in peer.state.rooms:
        return False
    group = peer.state.rooms[gid].group
    return group.me is not None and not group.own.left


# ---------------------------------------------------------------- deeds: groups


def _found(stage: Stage, one: Step) -> None:
    settings = one.args.get("settings", ())
    pairs = tuple(tuple(pair.split("=", 1)) for pair in settings) if isinstance(settings, tuple) else ()
    gid = stage.person(one).create(one.text("group"), settings=tuple((pair[0], pair[-1]) for pair in pairs))
    stage.groups[one.text("group")] = gid


def _enter(stage: Stage, one: Step) -> None:
    by = stage.person(one, "by")
    code = by.invite(stage.group(one, by))
    stage.looks(stage.person(one), code, one.text("group"))


def _invite(stage: Stage, one: Step) -> None:
    person = stage.person(one)
    uses, hours, approvals = one.number("uses", 1), one.number("hours", 72), one.number("approvals", 0)
    code = person.invite(stage.group(one, person), uses=uses, hours=hours, approvals=approvals)
    stage.codes[one.text("code")] = one.text("group"), code


def _code(stage: Stage, one: Step) -> tuple[str, Code]:
    if one.text("code") not in stage.codes:
        raise NotYet(f"there is no code {one.text('code')} yet")
    return stage.codes[one.text("code")]


def _join(stage: Stage, one: Step) -> None:
    group, code = _code(stage, one)
    via = [stage.people[one.text("via")]] if one.text("via") else []
    stage.looks(stage.person(one), code, group, *via)


def _revoke(stage: Stage, one: Step) -> None:
    group, code = _code(stage, one)
    person = stage.person(one)
    stage.world.ask(person.name, RevokeInvite(group=stage.groups[group], invite=code.invite))


def _admit(stage: Stage, one: Step) -> None:
    person = stage.person(one)
    gid = stage.group(one, person)
    for knock in person.waiting(gid):
        person.decide(gid, knock, admit=True)


def _remove(stage: Stage, one: Step) -> None:
    person = stage.person(one)
    gid = stage.group(one, person)
    person.remove(gid, _key(stage, one, gid))


def _key(stage: Stage, one: Step, gid: GroupId) -> MemberPk:
    person, name = stage.person(one), one.text("member")
    for member in person.group(gid).view.members.values():
        if member.alias == name:
            return member.pk
    raise NotYet(f"{person.name} knows no {name} in the group")


def _rank(stage: Stage, one: Step) -> None:
    person = stage.person(one)
    gid = stage.group(one, person)
    from_plan = {"steward": Rank.STEWARD, "moderator": Rank.MODERATOR, "member": Rank.MEMBER}
    _key(stage, one, gid)
    person.rank(gid, stage.people[one.text("member")], from_plan[one.text("rank")])


def _leave(stage: Stage, one: Step) -> None:
    person = stage.person(one)
    person.leave(stage.group(one, person), wipe=bool(one.args.get("wipe", False)))


def _rekey(stage: Stage, one: Step) -> None:
    person = stage.person(one)
    stage.world.ask(person.name, Rekey(group=stage.group(one, person)))


def _fork(stage: Stage, one: Step) -> None:
    person = stage.person(one)
    gid = stage.group(one, person)
    without = one.args.get("without", ())
    names = without if isinstance(without, tuple) else ()
    keys = tuple(m.pk for m in person.group(gid).view.members.values() if m.alias in names)
    stage.groups[one.text("new")] = person.fork(gid, without=keys)


def _follow(stage: Stage, one: Step) -> None:
    person = stage.person(one)
    gid = stage.group(one, person)
    new = stage.groups.get(one.text("new"))
    fork = next((f for f in person.offers(gid) if f.body.new_gid == new), None)
    if new is None or fork is None:
        raise NotYet(f"{person.name} sees no {one.text('new')}")
    join = person.look_where(gid, fork)
    stage.joins[person.name, join], stage.former[person.name, join] = new, person.key_seed(gid)


# ---------------------------------------------------------------- deeds: words


def _post(stage: Stage, one: Step) -> None:
    person = stage.person(one)
    gid = stage.group(one, person)
    label = one.text("says") or f"{person.name}-{len(stage.posts) + 1}"
    text, warns, may_leave = said(one, label), one.text("warns"), bool(one.args.get("may_leave", False))
    if warns:
        stage.leaks.warned(f"{label}, behind a warning")
    command = Post(
        group=gid,
        text=text,
        mode="listening",
        cw=warns,
        topics=(),
        reply_to=None,
        expires_s=one.number("expires_s") or None,
        may_leave=may_leave,
    )
    post = PostId(stage.world.ask(person.name, command))
    stage.posts[label] = person.name, one.text("group"), post
    if may_leave:
        stage.leaks.consented(post, everyone=True)


def said(one: Step, label: str) -> str:
    """Give the words of a post."""
    chars = one.number("chars", 80)
    text = f"{label}. {WORDS * (chars // len(WORDS) + 1)}"[: max(chars, len(label))]
    return f"{label}, behind a warning. {text}" if one.text("warns") else text


def _withdraw(stage: Stage, one: Step) -> None:
    who, gid, post = stage.post(one)
    person = stage.person(one)
    if who != person.name:
        raise NotYet(f"{one.text('says')} is {who}'s to take back")
    person.withdraw(gid, post)


def _flag(stage: Stage, one: Step) -> None:
    _, gid, post = stage.post(one)
    stage.person(one).flag(gid, post)


# ---------------------------------------------------------------- deeds: machines and keepers


def _keep(stage: Stage, one: Step) -> None:
    stage.person(one).keep(quota=one.number("quota") or None, days=one.number("days") or None)


def _use(stage: Stage, one: Step) -> None:
    person = stage.person(one)
    person.use_keeper(stage.group(one, person), stage.person(one, "keeper").ticket())


def _off(stage: Stage, one: Step) -> None:
    stage.person(one).off()


def _power_cut(stage: Stage, one: Step) -> None:
    stage.person(one).off(power_cut=True)


def _on(stage: Stage, one: Step) -> None:
    person = stage.people[one.text("who")]
    if person.node.up:
        raise NotYet(f"{person.name} is on")
    person.on()


def _crash(stage: Stage, one: Step) -> None:
    node = stage.person(one).node
    node.crash = Crash(one.text("how") or "after")
    if sends := one.number("sends"):
        node.crash_at_send = node.sends + sends
    else:
        node.crash_at_commit = node.commits + (one.number("commits") or 1)


def _save(stage: Stage, one: Step) -> None:
    stage.disks[one.text("who")] = copy.deepcopy(stage.people[one.text("who")].node.store)


def _restore(stage: Stage, one: Step) -> None:
    person = stage.people[one.text("who")]
    if person.name not in stage.disks:
        raise NotYet(f"{person.name} has saved nothing")
    if person.node.up:
        person.off()
    stage.watch.forgets(person.name)
    person.node.store = copy.deepcopy(stage.disks[person.name])
    person.on()


def _lose(stage: Stage, one: Step) -> None:
    person = stage.people[one.text("who")]
    if person.node.up:
        person.off()
    stage.watch.forgets(person.name)
    person.node.store = MemoryStore()
    person.node.lost += 1
    person.on()


def _clock(stage: Stage, one: Step) -> None:
    ahead = one.args["ahead_s"]
    assert isinstance(ahead, int | float)
    stage.people[one.text("who")].node.skew_ms = round(ahead * 1000)


# ---------------------------------------------------------------- deeds: paths


def _partition(stage: Stage, one: Step) -> None:
    sides = one.args["sides"]
    assert isinstance(sides, tuple)
    stage.world.partition(*(tuple(side.split()) for side in sides))


def _weather(stage: Stage, one: Step) -> None:
    changed: dict[str, int | float] = {}
    for name in ("latency_ms", "jitter_ms", "loss"):
        value = one.args.get(name)
        if isinstance(value, int | float):
            changed[name] = value
    paths = stage.world.paths
    paths.weather = replace(paths.weather, **changed)  # type: ignore[arg-type]  # checked with the plan


def _misbehave(stage: Stage, one: Step) -> None:
    person = stage.person(one)
    stage.group(one, person)
    stage.rogues[person.name] = None
    misbehave(stage.world, person, one.text("how"), one.number("times", 1))


Deed = Callable[[Stage, Step], None]
GROUPS: Final[dict[str, Deed]] = {
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
    "fork": _fork,
    "follow": _follow,
}
WORDS_SAID: Final[dict[str, Deed]] = {"post": _post, "withdraw": _withdraw, "flag": _flag, "misbehave": _misbehave}
MACHINES: Final[dict[str, Deed]] = {
    "keep": _keep,
    "use": _use,
    "off": _off,
    "power-cut": _power_cut,
    "on": _on,
    "crash": _crash,
    "save": _save,
    "restore": _restore,
    "lose": _lose,
    "clock": _clock,
    "mark": lambda stage, _: stage.measures.mark(),
}
PATHS: Final[dict[str, Deed]] = {
    "cut": lambda stage, one: stage.world.cut(one.text("one"), one.text("other")),
    "clog": lambda stage, one: stage.world.clog(one.text("one"), one.text("other")),
    "flap": lambda stage, one: stage.world.flap(one.text("one"), one.text("other")),
    "heal": lambda stage, _: stage.world.heal(),
    "partition": _partition,
    "weather": _weather,
}
