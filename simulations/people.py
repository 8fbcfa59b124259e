"""People in the world: someone with a name who creates, invites, joins, posts and reads, by the door that cli uses.

A person asks their node for things and reads what its store holds; nothing here looks into the machine. Keys come from
the world's seed and the person's name, fresh for every group they enter.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mesh.commands import (
    AcceptTalk,
    AgreeJoin,
    CreateGroup,
    DecideKnock,
    FollowFork,
    LeaveGroup,
    MakeStatement,
    NewInvite,
    OfferFork,
    OfferTalk,
    Post,
    Rank,
    RemoveMember,
    SetAgreement,
    SetRank,
    StartJoin,
    Suite,
    Withdraw,
)
from mesh.events import Space
from mesh.gossip.delivery import Delivery, DeliveryRecord
from mesh.groups.group import Group
from mesh.groups.joining import agreement_hash
from mesh.groups.records import load
from mesh.ids import Address, DeviceId, GroupId, JoinId, MemberPk, OpId, PostId
from mesh.peer.agreeing import agreed
from mesh.peer.forking import Fork, forks_of
from mesh.peer.paired import Entering
from mesh.peer.records import JoinRecord, JoinStage, KnockRecord, MessageRecord
from mesh.peer.state import Room
from mesh.peer.statements import counting, is_hushed, quiets_of
from mesh.peer.talking import talk_state
from mesh.secret import Secret
from mesh.support import flags, pins
from mesh.support.ladder import Quiet, quiet_id
from mesh.support.posts import interpret
from mesh.support.statements import Said
from mesh.upkeep import (
    AddKeeper,
    EndEntering,
    EnterGroup,
    IssueTicket,
    OpenPairing,
    RemoveDevice,
    StartEntering,
    TurnKeeperOn,
)
from mesh.wire.codec import encode
from mesh.wire.codes import InviteCode
from mesh.wire.messages import Kind
from mesh.wire.statements import FlagValue, Form, LiftValue, PinValue, PledgeValue, QuietValue, SaidSoFar
from simulations.chance import SeededEntropy
from simulations.world import Node, World

JOIN_S_MAX: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """An invite as it is handed from person to person: 38 B and the addresses beside them."""

    code: bytes
    addresses: tuple[Address, ...]
    invite: OpId


class Person:
    """Someone with a node of their own."""

    def __init__(self, world: World, name: str, *, skew_ms: int = 0) -> None:
        self.world, self.name = world, name
        self._secrets = SeededEntropy(world.seed, f"person/{name}")
        self.member_seeds: dict[GroupId, Secret] = {}
        world.add(name, skew_ms=skew_ms)

    # ------------------------------------------------------------ their node

    @property
    def node(self) -> Node:
        """The node as the world has it."""
        return self.world.nodes[self.name]

    def room(self, gid: GroupId) -> Room:
        """Return the group as the running node holds it."""
        assert self.node.peer is not None, f"{self.name} is off"
        return self.node.peer.state.rooms[gid]

    def group(self, gid: GroupId) -> Group:
        """Return who belongs, as the running node has it."""
        return self.room(gid).group

    def off(self, *, power_cut: bool = False) -> None:
        """Switch the node off."""
        self.world.stop(self.name, power_cut=power_cut)

    def on(self) -> None:
        """Switch the node on."""
        self.world.start(self.name)

    # ------------------------------------------------------------ groups

    def create(
        self,
        name: str = "Tuesday grief",
        *,
        agreement: str = "Be kind.",
        suite: Suite = Suite.HYBRID,
        settings: tuple[tuple[str, str], ...] = (),
    ) -> GroupId:
        """Found a group."""
        nonce, seed = self._secrets.draw(32), Secret(self._secrets.draw(32))
        command = CreateGroup(
            name=name,
            about="",
            topics=(),
            agreement=agreement,
            alias=self.name,
            suite=suite,
            settings=settings,
            join_nonce=nonce,
            member_seed=seed,
        )
        gid = GroupId(self.world.ask(self.name, command))
        self.member_seeds[gid] = seed
        return gid

    def invite(self, gid: GroupId, *, uses: int = 1, hours: int = 72, approvals: int | None = None) -> Code:
        """Make an invite code."""
        command = NewInvite(group=gid, uses=uses, hours=hours, approvals=approvals, note="")
        invite = OpId(self.world.ask(self.name, command))
        room = self.room(gid)
        record = room.invites[invite]
        expiry_hour = room.group.invites[invite].body.expiry_hour
        code = InviteCode(seed=record.seed, gid_prefix=gid[:16], expiry_hour=expiry_hour).pack()
        return Code(code=code, addresses=tuple(Address(a) for a in record.addresses), invite=invite)

    def look(self, code: Code, *via: "Person") -> JoinId:
        """Begin to look for the group behind a code, at its addresses or at those of others."""
        addresses = tuple(person.node.address for person in via) or code.addresses
        return JoinId(self.world.ask(self.name, StartJoin(code=code.code, addresses=addresses)))

    def stage(self, join: JoinId) -> JoinStage:
        """Say how far an attempt to join has come."""
        return self.join_record(join).stage

    def knows(self, join: JoinId) -> bool:
        """Say whether there is such an attempt: forgetting a group forgets how one came in."""
        return self.node.store.get(Space.JOINS, join) is not None

    def join_record(self, join: JoinId) -> JoinRecord:
        """Return an attempt to join as it is stored."""
        value = self.node.store.get(Space.JOINS, join)
        assert value is not None, "there is no such attempt"
        return load(JoinRecord, value)

    def knock(
        self, join: JoinId, gid: GroupId, *, alias: str | None = None, version: int = 1, former: Secret | None = None
    ) -> None:
        """Accept what the preview showed, and knock; `former`: a member key's seed that the offer of it names."""
        nonce, seed = self._secrets.draw(32), Secret(self._secrets.draw(32))
        command = AgreeJoin(
            join=join,
            alias=alias or self.name,
            agreement_version=version,
            join_nonce=nonce,
            member_seed=seed,
            former_seed=former,
        )
        self.world.ask(self.name, command)
        self.member_seeds[gid] = seed

    def join(self, gid: GroupId, code: Code, *via: "Person") -> JoinId:
        """Join by a code, from looking to being in; AssertionError if it takes longer than a minute."""
        join = self.look(code, *via)
        assert self.until(lambda: self.stage(join) is JoinStage.PREVIEW), f"{self.name} sees no preview"
        self.knock(join, gid)
        assert self.until(lambda: self.stage(join) is JoinStage.JOINED), f"{self.name} is not let in"
        return join

    def key_seed(self, gid: GroupId) -> Secret:
        """Return the seed of this person's member key in a group."""
        return self.member_seeds[gid]

    def fork(self, gid: GroupId, *, without: tuple[MemberPk, ...] = (), name: str = "Tuesday grief (new)") -> GroupId:
        """Found a successor, and offer it to all but these."""
        nonce, seed = self._secrets.draw(32), Secret(self._secrets.draw(32))
        command = OfferFork(group=gid, name=name, alias=self.name, without=without, join_nonce=nonce, member_seed=seed)
        new = GroupId(self.world.ask(self.name, command))
        self.member_seeds[new] = seed
        return new

    def offers(self, gid: GroupId) -> list[Fork]:
        """Return the successors that were offered in a group."""
        return forks_of(self.group(gid))

    def look_where(self, gid: GroupId, fork: Fork) -> JoinId:
        """Begin to look for a successor."""
        return JoinId(self.world.ask(self.name, FollowFork(group=gid, fork=fork.op_id)))

    def follow(self, gid: GroupId, new: GroupId, seconds: float = JOIN_S_MAX) -> JoinId:
        """Follow into a successor, from the offer to being in; AssertionError if it takes longer."""
        assert self.until(lambda: any(f.body.new_gid == new for f in self.offers(gid))), f"{self.name} sees no offer"
        fork = next(f for f in self.offers(gid) if f.body.new_gid == new and self.member(gid) in f.body.allow)
        join = self.look_where(gid, fork)
        assert self.until(lambda: self.stage(join) is JoinStage.PREVIEW, seconds), f"{self.name} sees no preview"
        self.knock(join, new, former=self.key_seed(gid))
        assert self.until(lambda: self.stage(join) is JoinStage.JOINED, seconds), f"{self.name} is not let in"
        return join

    def ask_to_talk(self, gid: GroupId, member: MemberPk, *, alias: str = "amber-otter") -> GroupId:
        """Ask a member to talk as two."""
        nonce, seed = self._secrets.draw(32), Secret(self._secrets.draw(32))
        command = OfferTalk(group=gid, member=member, name="talk", alias=alias, join_nonce=nonce, member_seed=seed)
        new = GroupId(self.world.ask(self.name, command))
        self.member_seeds.setdefault(new, seed)
        return new

    def talk(self, gid: GroupId, new: GroupId) -> str:
        """Say how a conversation of two stands."""
        assert self.node.peer is not None, f"{self.name} is off"
        room = self.room(gid)
        wall_ms = self.world.instant(self.node).wall_ms
        return talk_state(self.node.peer.state, new, room.talks[new], wall_ms) if new in room.talks else "none"

    def accept(self, gid: GroupId, new: GroupId, *, alias: str = "violet-heron") -> JoinId:
        """Accept an offer to talk."""
        nonce, seed = self._secrets.draw(32), Secret(self._secrets.draw(32))
        command = AcceptTalk(
            group=gid,
            talk=new,
            alias=alias,
            join_nonce=nonce,
            member_seed=seed,
            former_seed=self.member_seeds[gid],
        )
        join = JoinId(self.world.ask(self.name, command))
        self.member_seeds[new] = seed
        return join

    def until(self, condition: Callable[[], bool], seconds: float = JOIN_S_MAX) -> bool:
        """Let time pass until something holds."""
        return self.world.run_until(condition, seconds)

    def waiting(self, gid: GroupId) -> dict[bytes, str]:
        """Return who waits at the door: knock id → alias."""
        rows = self.node.store.scan(Space.KNOCKS, gid)
        return {key[32:]: load(KnockRecord, value).alias for key, value in rows}

    def decide(self, gid: GroupId, knock: bytes, *, admit: bool) -> None:
        """Let someone in who waits, or decline."""
        self.world.ask(self.name, DecideKnock(group=gid, knock=knock, admit=admit))

    def member(self, gid: GroupId) -> MemberPk:
        """Return by which key the group knows this person."""
        return self.group(gid).own.member_pk

    def key_of(self, gid: GroupId, alias: str) -> MemberPk:
        """Return by which key the group knows somebody, as this person's node has it."""
        return next(member.pk for member in self.group(gid).view.members.values() if member.alias == alias)

    def members(self, gid: GroupId) -> list[str]:
        """Return the aliases of all who are in, as this person's node has it."""
        return sorted(member.alias for member in self.group(gid).view.members.values())

    def rank(self, gid: GroupId, other: "Person", rank: Rank) -> None:
        """Promote or demote someone."""
        self.world.ask(self.name, SetRank(group=gid, member=other.member(gid), rank=rank))

    def remove(self, gid: GroupId, member: MemberPk) -> None:
        """Remove someone."""
        self.world.ask(self.name, RemoveMember(group=gid, member=member, reason=""))

    def leave(self, gid: GroupId, *, wipe: bool = False, now: bool = False) -> None:
        """Leave a group."""
        self.world.ask(self.name, LeaveGroup(group=gid, member_seed=self.member_seeds[gid], wipe=wipe, now=now))

    # ------------------------------------------------------------ keepers

    def keep(self, *, quota: int | None = None, days: int | None = None) -> None:
        """Make the node a keeper."""
        self.world.ask(self.name, TurnKeeperOn(quota=quota, days=days))

    def ticket(self, *, quota: int | None = None) -> str:
        """Make a ticket of this keeper, which is called like its operator."""
        command = IssueTicket(quota=quota, note=self.name, addresses=(self.node.address,))
        return self.world.ask(self.name, command).decode()

    def use_keeper(self, gid: GroupId, ticket: str) -> None:
        """Have the group use a keeper."""
        self.world.ask(self.name, AddKeeper(group=gid, ticket=ticket))

    def kept(self) -> int:
        """Return how many frames this keeper keeps."""
        return self.node.store.count(Space.KEPT)

    # ------------------------------------------------------------ several devices

    def show_code(self, *, name: str = "") -> Secret:
        """Show a device code; return the key that root and code give, which only homes of this person can have."""
        key = Secret(self._secrets.draw(32))
        self.world.ask(self.name, OpenPairing(key=key, name=name, own_name=""))
        return key

    def look_for(self, first: "Person", key: Secret) -> Entering:
        """Begin to enter the groups of another home of one's own; return how far that has come, as it goes on."""
        self.member_seeds = first.member_seeds
        self.world.ask(self.name, StartEntering(key=key, addresses=(first.node.address,)))
        assert self.node.peer is not None
        entering = self.node.peer.state.entering
        assert entering is not None
        return entering

    def enter_next(self, entering: Entering, seconds: float = JOIN_S_MAX) -> bool:
        """Wait for the next group and enter it; return whether there was one."""
        self.until(lambda: entering.over or entering.ready is not None, seconds)
        if entering.ready is None:
            return False
        gid = GroupId(entering.ready.gid)
        self.world.ask(self.name, EnterGroup(group=gid, member_seed=self.member_seeds[gid]))
        return True

    def enter_groups_of(self, first: "Person", *, name: str = "") -> Entering:
        """Become a further device of another home's person in all its groups."""
        entering = self.look_for(first, first.show_code(name=name))
        while self.enter_next(entering):
            pass
        assert entering.over, f"{self.name} and {first.name} do not find each other"
        self.world.ask(self.name, EndEntering())
        return entering

    def device(self, gid: GroupId) -> DeviceId:
        """Return which device of the group this person's node is."""
        return self.group(gid).own.dev

    def remove_device(self, gid: GroupId, device: DeviceId) -> None:
        """Take another device of one's own out of a group."""
        command = RemoveDevice(group=gid, device=device, member_seed=self.member_seeds[gid])
        self.world.ask(self.name, command)

    # ------------------------------------------------------------ talk

    def post(self, gid: GroupId, text: str, *, no_history: bool = False, expires_s: int | None = None) -> PostId:
        """Say something."""
        command = Post(
            group=gid,
            text=text,
            mode="listening",
            cw="",
            topics=(),
            reply_to=None,
            no_history=no_history,
            expires_s=expires_s,
        )
        return PostId(self.world.ask(self.name, command))

    def withdraw(self, gid: GroupId, post: PostId) -> None:
        """Take an own post back, as the local Api does: what stands in the store says by what."""
        place = self.node.store.get(Space.POSTS, gid + post)
        assert place is not None, "it is not here"
        value = self.node.store.get(Space.MESSAGES, place)
        assert value is not None, "it is not here"
        record = load(MessageRecord, value)
        origin = record.origin
        command = Withdraw(
            group=gid,
            post=post,
            place=place,
            dev=record.dev,
            mseq=record.mseq,
            uid=b"" if origin is None else origin.uid,
            ts_ms=record.ts_ms,
            epoch=OpId(b"") if origin is None else origin.epoch,
            flags=record.flags,
            gone_ms=record.gone_ms,
        )
        self.world.ask(self.name, command)

    def flag(self, gid: GroupId, post: PostId, *, holds: bool = True) -> None:
        """Ask that a post be folded, or no longer."""
        value = encode(FlagValue(holds=holds))
        command = MakeStatement(group=gid, form=Form.FLAG, subject=post, value=value, takes_back=not holds)
        self.world.ask(self.name, command)

    def flagged(self, gid: GroupId) -> dict[bytes, list[str]]:
        """Return whose flags count, by alias, on each post that has any."""
        names = {pk: member.alias for pk, member in self.group(gid).view.members.items()}
        return {post: sorted(names[pk] for pk in by) for post, by in flags.fold(self.stated(gid, Form.FLAG)).items()}

    def pin(self, gid: GroupId, post: PostId, *, holds: bool = True) -> None:
        """Put a post first, or take that back."""
        value = encode(PinValue(holds=holds))
        command = MakeStatement(group=gid, form=Form.PIN, subject=post, value=value, takes_back=not holds)
        self.world.ask(self.name, command)

    def pinned(self, gid: GroupId) -> list[bytes]:
        """Return the posts that stand first, the newest pin first."""
        return [word.subject for word in pins.fold(self.stated(gid, Form.PIN))]

    def edit_agreement(self, gid: GroupId, text: str) -> None:
        """Publish a new version of the agreement."""
        self.world.ask(self.name, SetAgreement(group=gid, text=text))

    def says_yes(self, gid: GroupId) -> None:
        """Say yes to the agreement as it stands here."""
        key = agreement_hash(self.group(gid).agreement[1])
        self.world.ask(self.name, MakeStatement(group=gid, form=Form.PLEDGE, subject=key, value=encode(PledgeValue())))

    def agreed(self, gid: GroupId) -> list[str]:
        """Return who has said yes to the agreement that holds, by alias."""
        members = self.group(gid).view.members
        return sorted(members[pk].alias for pk in agreed(self.room(gid), self.world.instant(self.node).wall_ms))

    def asks_to_be_quiet(self, gid: GroupId, alias: str, for_s: int) -> None:
        """Ask a member to be quiet, with cuts as this person's node has them."""
        target = self.key_of(gid, alias)
        devices = self.group(gid).view.members[target].devices
        tops = [SaidSoFar(dev=dev, mseq=self.room(gid).track(dev).top) for dev in devices]
        value = QuietValue(made_ms=self.world.instant(self.node).wall_ms, member=target, for_s=for_s, cuts=tops)
        subject = quiet_id(self.member(gid), value)
        self.world.ask(self.name, MakeStatement(group=gid, form=Form.QUIET, subject=subject, value=encode(value)))

    def ends_quiet(self, gid: GroupId, quiet: bytes) -> None:
        """End a quiet."""
        self.world.ask(self.name, MakeStatement(group=gid, form=Form.LIFT, subject=quiet, value=encode(LiftValue())))

    def quiets(self, gid: GroupId) -> list[Quiet]:
        """Return who is or was asked to be quiet, as this person's node has it."""
        return quiets_of(self.room(gid), self.world.instant(self.node).wall_ms)

    def hushed(self, gid: GroupId) -> set[bytes]:
        """Return the posts of others and of their own that this person's node closes for that."""
        wall_ms, quiets = self.world.instant(self.node).wall_ms, self.quiets(gid)
        return {row.msg_id for row in self.messages(gid) if is_hushed(quiets, row, wall_ms)}

    def stated(self, gid: GroupId, form: Form) -> list[Said]:
        """Return the statements of a form that count for this person now."""
        return counting(self.room(gid), form, self.world.instant(self.node).wall_ms)

    def taken_back(self, gid: GroupId) -> list[PostId]:
        """Return the posts that stand as taken back in what this person reads."""
        return [row.post for row in self.messages(gid) if row.kind == Kind.WITHDRAWAL]

    def messages(self, gid: GroupId) -> list[MessageRecord]:
        """Return what this person can read, in the order of reading."""
        return [load(MessageRecord, value) for _, value in self.node.store.scan(Space.MESSAGES, gid)]

    def reads(self, gid: GroupId) -> list[str]:
        """Return the texts of all posts that this person can read, in order."""
        posts = [message for message in self.messages(gid) if message.kind == Kind.POST and message.body]
        return [interpret(message.body).text for message in posts]

    def delivery(self, gid: GroupId, post: PostId) -> Delivery:
        """Return how far an own post has come, as it is stored."""
        value = self.node.store.get(Space.DELIVERY, gid + post)
        assert value is not None, "that is no own post"
        return Delivery.from_record(load(DeliveryRecord, value))

    def told(self, gid: GroupId, post: PostId) -> tuple[str, int, int]:
        """Return (state, reached, of) of an own post."""
        delivery = self.delivery(gid, post)
        return delivery.state.value, len(delivery.reached), len(delivery.of)


def gather(world: World, *names: str) -> list[Person]:
    """Return people with running nodes, who do not know each other yet."""
    return [Person(world, name) for name in names]


def circle(
    world: World, *names: str, suite: Suite = Suite.HYBRID, settings: tuple[tuple[str, str], ...] = ()
) -> tuple[GroupId, list[Person]]:
    """Return a group, and its members: the first founded it, the others came in by code, and all are linked."""
    people = gather(world, *names)
    founder, *others = people
    gid = founder.create(suite=suite, settings=settings)
    for person in others:
        person.join(gid, founder.invite(gid))
    settled = world.run_until(
        lambda: (
            all(len(p.group(gid).view.members) == len(people) and p.group(gid).epoch_is_complete for p in people)
            and all(len(p.node.links) == len(people) - 1 for p in people)
        ),
        60,
    )
    assert settled, "the group does not come together"
    return gid, people
