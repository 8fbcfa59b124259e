"""Alice, Bob and Carol without a network: groups that hand operations and frames to each other in memory.

A person here is one group, the key material of one device, and a small store that the journal writes into, so that a
test can also ask what would be there after a restart. Everything is drawn from seeds named after the person.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from msgspec.structs import replace

from mesh.commands import CreateGroup, Rank, Suite
from mesh.errors import Fault, RemoteError
from mesh.events import Delete, Put, Space
from mesh.groups.authoring import (
    Authored,
    admit,
    author,
    found,
    fresh_own_state,
    keep_kem,
    rekey,
    remove,
)
from mesh.groups.epochs import Draft, draft_epoch
from mesh.groups.group import Group, Means
from mesh.groups.messaging import OpenedMessage, TooEarly, Wording, open_message, seal_message, take_in
from mesh.groups.operations import Operation, parse_op, sign_op
from mesh.groups.receiving import receive_bundle, receive_frame, rehearse_op, unpack_wraps
from mesh.ids import DeviceId, MemberPk, MsgId, OpId, Sealer
from mesh.journal import Journal
from mesh.membership.views import View
from mesh.secret import Secret
from mesh.wire.codec import encode
from mesh.wire.frames import FrameType, parse_frame, topic_of, verify_frame
from mesh.wire.invites import OpBundle
from mesh.wire.operations import (
    ZERO32,
    AgreementBody,
    Body,
    CreateBody,
    Cut,
    LeaveBody,
    OpTbs,
    OpType,
    RankBody,
    Setting,
    SettingsBody,
    SignedOp,
    UninviteBody,
)
from simulations.chance import SeededEntropy, SeededSealer
from tests.groups.joiners import AGREEMENT, WALL_MS, Code, Joiner, invite_body, joiner

TABLES = (Space.OPS, Space.EPOCHS, Space.CHAINS, Space.KEMS)


@dataclass(kw_only=True)
class Person:
    """One member with one device, and what their store would hold."""

    name: str
    member_seed: bytes
    entropy: SeededEntropy
    sealer: Sealer
    group: Group
    rows: dict[Space, dict[bytes, bytes]] = field(default_factory=dict)
    wall_ms: int = WALL_MS

    # ------------------------------------------------------------ standing

    @property
    def pk(self) -> MemberPk:
        return self.group.own.member_pk

    @property
    def dev(self) -> DeviceId:
        return self.group.own.dev

    @property
    def dev_seed(self) -> bytes:
        return self.group.own.dev_seed

    @property
    def view(self) -> View:
        return self.group.view

    @property
    def names(self) -> set[str]:
        """Who is in, by alias."""
        return {member.alias for member in self.view.members.values()}

    def rank_of(self, other: "Person | Joiner") -> Rank | None:
        """The rank of someone as this person sees it; None for one who is not in."""
        pk = other.pk if isinstance(other, Person) else other.card.member_pk
        member = self.view.members.get(pk)
        return None if member is None else member.rank

    # ------------------------------------------------------------ steps

    @contextmanager
    def step(self) -> Iterator[Means]:
        """One step of the machine; what it journals is committed unless it fails."""
        journal = Journal()
        yield Means(entropy=self.entropy, sealer=self.sealer, journal=journal, wall_ms=self.wall_ms)
        commit(journal, self.rows)

    def does(self, kind: OpType, body: Body, *, by_member_key: bool = False) -> Operation:
        """Write an operation without an epoch."""
        with self.step() as means:
            return author(self.group, kind, body, means, member_seed=self.member_seed if by_member_key else None).op

    def rekeys(self) -> Operation:
        """Start an epoch for all who are in."""
        return self.publishes(lambda means: rekey(self.group, means)).op

    def removes(self, other: "Person | Joiner", *, cut: int = 0, reason: str = "") -> Operation:
        """Remove someone, all of whose messages up to `cut` were seen."""
        pk, dev = (other.pk, other.dev) if isinstance(other, Person) else (other.card.member_pk, other.dev)
        cuts = [Cut(dev=dev, mseq=cut, msg_id=MsgId(bytes([cut % 256]) * 32))]
        return self.publishes(lambda means: remove(self.group, pk, cuts, reason, means)).op

    def publishes(self, write: Callable[[Means], Authored]) -> Authored:
        """Write an operation that starts an epoch, and return it with its frames."""
        with self.step() as means:
            return write(means)

    def promotes(self, other: "Person", rank: Rank) -> Operation:
        return self.does(OpType.PROMOTE, RankBody(target=other.pk, rank=rank))

    def demotes(self, other: "Person", rank: Rank) -> Operation:
        mine = other.pk == self.pk
        return self.does(OpType.DEMOTE, RankBody(target=other.pk, rank=rank), by_member_key=mine)

    def leaves(self) -> Operation:
        return self.does(OpType.LEAVE, LeaveBody(erase=False), by_member_key=True)

    def sets(self, **settings: str) -> Operation:
        """Change settings; `_` in a name stands for a dash."""
        pairs = [Setting(key=key.replace("_", "-"), value=value) for key, value in settings.items()]
        return self.does(OpType.SETTINGS, SettingsBody(settings=pairs))

    def agrees_on(self, text: str, version: int = 2) -> Operation:
        return self.does(OpType.AGREEMENT, AgreementBody(version=version, text=text))

    # ------------------------------------------------------------ the door

    def invites(
        self, *, uses: int = 1, approvals: int = 0, role: Rank = Rank.MEMBER, allow: list[MemberPk] | None = None
    ) -> Code:
        """Open an invite and return the code; with `allow`, for these members of another group."""
        seed = self.entropy.draw(16)
        body = invite_body(seed, uses=len(allow) if allow else uses, approvals=approvals, role=role, allow=allow)
        return Code(op_id=self.does(OpType.INVITE, body).op_id, seed=seed, body=body)

    def uninvites(self, code: Code) -> Operation:
        return self.does(OpType.UNINVITE, UninviteBody(invite=code.op_id))

    def lets_in(self, someone: Joiner, code: Code | None, rank: Rank = Rank.NEWCOMER) -> Operation:
        """Admit someone, under an invite or without."""
        asked = someone.asks(self.group.gid, code, rank=rank)
        return self.publishes(lambda means: admit(self.group, asked, means)).op

    def admits(self, name: str, rank: Rank = Rank.MEMBER) -> "Person":
        """Invite someone, let them in, and hand them the log."""
        someone = joiner(name, self.group.gid, self.group.suite, self.sealer_for_others())
        self.lets_in(someone, self.invites(), rank)
        return arrive(someone, self)

    def sealer_for_others(self) -> Sealer | None:
        """The sealer that a newcomer uses: a seeded one of their own, or the real one that all share."""
        return None if isinstance(self.sealer, SeededSealer) else self.sealer

    # ------------------------------------------------------------ passing on

    def bundle(self, op_id: OpId) -> OpBundle:
        """An operation as this person hands it to others."""
        op = self.group.log.get(op_id)
        assert op is not None
        wraps = self.rows.get(Space.WRAPS, {}).get(self.group.gid + op_id)
        return OpBundle(op=op.signed, wraps=unpack_wraps(wraps))

    @property
    def bundles(self) -> list[OpBundle]:
        """All operations, each after what it builds on."""
        return [self.bundle(op.op_id) for op in self.group.log.ops]

    def takes(self, bundle: OpBundle) -> list[Operation]:
        """Take in one operation from somebody."""
        with self.step() as means:
            return receive_bundle(self.group, bundle, means)

    def will_not_take(self, bundle: OpBundle) -> Fault:
        """The fault with which something is refused that was handed over; AssertionError if it is taken."""
        return refusal(lambda: self.takes(bundle))

    def hears(self, *others: "Person") -> None:
        """Take in all that these others have and this person lacks."""
        for other in others:
            for op in list(other.group.log.ops):
                if op.op_id not in self.group.log:
                    self.takes(other.bundle(op.op_id))

    def opens(self, raw: bytes) -> list[Operation]:
        """Take in an envelope or operation frame from the topic of an epoch that is held here."""
        frame = parse_frame(raw)
        verify_frame(frame)
        with self.step() as means:
            return receive_frame(self.group, frame, self.epoch_of(raw), means)

    def epoch_of(self, raw: bytes) -> OpId:
        """The epoch on whose topic a frame travels; KeyError if its keys are not here."""
        return self.group.topics[topic_of(parse_frame(raw).pk)]

    # ------------------------------------------------------------ talking

    def says(self, text: str, *, kind: int = 1, epoch: OpId | None = None) -> bytes:
        """Seal a message under the epoch in use, and return its frame."""
        wording = Wording(
            uid=self.entropy.draw(16), kind=kind, parents=(), ts_ms=self.wall_ms, flags=0, body=text.encode()
        )
        under = epoch or self.group.epoch
        assert under is not None
        with self.step() as means:
            return seal_message(self.group, under, wording, means).frame

    def looks_at(self, raw: bytes) -> OpenedMessage | TooEarly:
        """Open a message without taking it in."""
        frame = parse_frame(raw)
        assert frame.type is FrameType.MESSAGE
        verify_frame(frame)
        return open_message(self.group, frame, self.epoch_of(raw))

    def cannot_read(self, raw: bytes) -> Fault:
        """The fault with which a message is refused; AssertionError if it opens."""
        return refusal(lambda: self.looks_at(raw))

    def reads(self, raw: bytes) -> str:
        """Open a message and take it in."""
        opened = self.looks_at(raw)
        assert isinstance(opened, OpenedMessage)
        with self.step() as means:
            take_in(self.group, opened, means)
        return opened.tbs.body.decode()

    # ------------------------------------------------------------ restarts and copies

    def restarted(self) -> "Person":
        """The same person after a restart: what the store holds, and nothing else."""
        rows = {space: dict(sorted(self.rows.get(space, {}).items())) for space in TABLES}
        return Person(
            name=self.name,
            member_seed=self.member_seed,
            entropy=SeededEntropy(2, f"{self.name} again"),
            sealer=self.sealer,
            group=Group.restore(self.group.own, rows),
            rows={space: dict(table) for space, table in self.rows.items()},
            wall_ms=self.wall_ms,
        )

    # ------------------------------------------------------------ forging

    def draft(self, *, without: "tuple[Person | Joiner, ...]" = (), plus: "tuple[Person | Joiner, ...]" = ()) -> Draft:
        """An epoch for all who are in but these, and for those; its KEM key is kept nowhere."""
        gone = {other.dev for other in without}
        recipients = {dev: self.group.kem_of[dev][1] for dev in self.view.devices if dev not in gone}
        for other in plus:
            recipients[other.dev] = other.card.kem_pk if isinstance(other, Joiner) else other.group.kem_of[other.dev][1]
        return draft_epoch(
            gid=self.group.gid,
            suite=self.group.suite,
            recipients=recipients,
            kem_number=self.group.own.kem_number + 1,
            kem_pk=self.sealer.generate(self.group.suite)[1],
            entropy=self.entropy,
            sealer=self.sealer,
        )

    def refuses(self, signed: SignedOp) -> Fault:
        """The fault with which an operation is refused; AssertionError if it is not."""
        return refusal(lambda: self.would_take(signed))

    def would_take(self, signed: SignedOp) -> None:
        """Check an operation without taking it in; RemoteError if it is refused."""
        before = standing(self)
        means = Means(entropy=self.entropy, sealer=self.sealer, journal=Journal(), wall_ms=self.wall_ms)
        try:
            rehearse_op(self.group, signed, means)
        finally:
            assert standing(self) == before
            assert means.journal.persist() is None

    def tbs(self, kind: OpType, body: Body, **changes: object) -> OpTbs:
        """The signed part of an operation as this person would write it now, with fields changed."""
        log = self.group.log
        deps = log.heads
        known = self.view.members.get(self.pk)
        own = [op for op in log.ops if op.tbs.dev == self.dev]
        last = max(own, key=lambda op: op.tbs.dseq, default=None)
        tbs = OpTbs(
            version=1,
            gid=self.group.gid,
            type=kind,
            dev=self.dev,
            dseq=1 if last is None else last.tbs.dseq + 1,
            dprev=OpId(ZERO32) if last is None else last.op_id,
            deps=deps,
            auth=OpId(ZERO32) if known is None else known.grant,
            gen=1 + max((gen(log.get(dep)) for dep in deps), default=0),
            body=encode(body),
        )
        changed = replace(tbs, **changes)
        if "deps" in changes and "gen" not in changes:
            changed = replace(changed, gen=1 + max((gen(log.get(dep)) for dep in changed.deps), default=0))
        return changed

    def forges(self, kind: OpType, body: Body, *, key: bytes | None = None, **changes: object) -> SignedOp:
        """Sign an operation that an honest client would not write, without keeping it."""
        return sign_op(self.tbs(kind, body, **changes), self.dev_seed if key is None else key)


def gen(op: Operation | None) -> int:
    """The generation of an operation that must be there."""
    assert op is not None
    return op.tbs.gen


def commit(journal: Journal, rows: dict[Space, dict[bytes, bytes]]) -> None:
    """Write what a step journalled into a small store."""
    for _, write in journal.writes():
        match write:
            case Put():
                rows.setdefault(write.space, {})[write.key] = write.value
            case Delete():
                rows.get(write.space, {}).pop(write.key, None)
            case _:
                raise AssertionError("groups delete no prefixes")


def founds(
    name: str,
    *,
    suite: Suite = Suite.CLASSIC,
    sealer: Sealer | None = None,
    settings: tuple[tuple[str, str], ...] = (),
    agreement: str = AGREEMENT,
) -> Person:
    """Somebody founds a group."""
    entropy = SeededEntropy(1, name)
    own_sealer = sealer or SeededSealer(SeededEntropy(1, f"seals of {name}"))
    member_seed = entropy.draw(32)
    command = CreateGroup(
        name="Tuesday circle",
        about="We meet on Tuesdays.",
        topics=("sleep",),
        agreement=agreement,
        alias=name,
        suite=suite,
        settings=settings,
        join_nonce=entropy.draw(32),
        member_seed=Secret(member_seed),
    )
    journal = Journal()
    group = found(command, Means(entropy=entropy, sealer=own_sealer, journal=journal, wall_ms=WALL_MS))
    person = Person(name=name, member_seed=member_seed, entropy=entropy, sealer=own_sealer, group=group)
    commit(journal, person.rows)
    return person


def arrive(someone: Joiner, *hosts: Person) -> Person:
    """Someone who was admitted takes the log from these members, as a welcome brings it."""
    host = hosts[0]
    own = fresh_own_state(host.group.gid, host.group.suite, someone.join_nonce, someone.card, someone.dev_seed)
    person = Person(
        name=someone.name,
        member_seed=someone.member_seed,
        entropy=someone.entropy,
        sealer=someone.sealer,
        group=Group(own),
    )
    with person.step() as means:
        keep_kem(person.group, 0, someone.kem[0], someone.kem[1], means)
    person.hears(*hosts)
    return person


def onlooker(host: Person) -> Person:
    """One whose device nobody admitted, and who is handed operations all the same."""
    return arrive(joiner("onlooker", host.group.gid, host.group.suite), host)


def empty_onlooker(host: Person) -> Person:
    """The same before anything was handed over."""
    stranger = joiner("onlooker", host.group.gid, host.group.suite)
    own = fresh_own_state(host.group.gid, host.group.suite, stranger.join_nonce, stranger.card, stranger.dev_seed)
    return Person(
        name="onlooker",
        member_seed=stranger.member_seed,
        entropy=stranger.entropy,
        sealer=stranger.sealer,
        group=Group(own),
    )


def refusal(write: Callable[[], object]) -> Fault:
    """The fault with which something was refused; AssertionError if it was not."""
    try:
        write()
    except RemoteError as error:
        return error.fault
    raise AssertionError("it was not refused")


def standing(person: Person) -> tuple[object, ...]:
    """All that a person holds of the group's order, in a form that does not depend on the order of arrival."""
    view, log = person.view, person.group.log
    return (
        view.members,
        view.devices,
        view.departed,
        view.invites,
        view.settings,
        view.agreement,
        frozenset(op.op_id for op in log.ops),
        frozenset(op.op_id for op in log.within(view.valid)),
    )


def op_of(signed: SignedOp) -> Operation:
    """Take an operation apart."""
    return parse_op(signed)


def founding_of(person: Person) -> CreateBody:
    """The body of the group's first operation."""
    return person.group.founding
