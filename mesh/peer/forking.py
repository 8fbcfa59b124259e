"""Forking: a successor to a group, offered to its members one by one (protocol.md §4, "fork", and §12).

For a group without stewards, and for one whose founder's keys are in wrong hands. Whoever is a member founds the
successor and says so in the old group; each of the others follows by their own choice, or does not. Everybody in the
old group can read the offer, the thief too. So the code alone opens nothing: a knock by it is countersigned with a
member key that the offer names, and what others say at that door is shown and believed by nobody (`joining`).
"""

from dataclasses import dataclass
from typing import Final

from mesh.commands import CreateGroup, DeclineFork, FollowFork, OfferFork, OfferForkAgain, Rank, StartJoin
from mesh.errors import LocalError, RefusedError
from mesh.groups.authoring import author, found, rehearse, rekey
from mesh.groups.group import Group, Means
from mesh.groups.invites import HOUR_MS, invite_keys
from mesh.groups.joining import GID_PREFIX_BYTES
from mesh.ids import Address, GroupId, JoinId, MemberPk, OpId
from mesh.journal import Journal
from mesh.membership.structure import FOUNDING_ONLY, SUCCEEDS, TALK
from mesh.peer.joining import start_join
from mesh.peer.records import OfferRecord
from mesh.peer.speaking import publish
from mesh.peer.state import Room, State, Step
from mesh.phrases import phrase
from mesh.wire import limits
from mesh.wire.codes import InviteCode
from mesh.wire.operations import ZERO32, ForkBody, InviteBody, OpType
from mesh.wire.text import require_text
from mesh.wire.tickets import KEEPER_SETTING

OFFER_HOURS: Final = limits.INVITE_HOURS_MAX
_DECLINED_MAX: Final = 256  # offers of which one does not want to be reminded; ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """A successor that was offered in a group. `by` offered it, whether they may still do so or not.

    Whether the operation counts is not asked: one who holds a founder's stolen key could remove whoever offers.
    """

    op_id: OpId
    by: MemberPk
    body: ForkBody


def forks_of(group: Group) -> list[Fork]:
    """Return what was offered in a group, oldest first; of each device's offers of one successor the newest."""
    graph = group.log.graph
    newest: dict[tuple[bytes, GroupId], Fork] = {}
    for entry in graph.entries(graph.of_type(OpType.FORK, group.log.everything)):
        body = group.log.operation(entry.act.op_id).body
        assert isinstance(body, ForkBody)
        newest[entry.act.dev, body.new_gid] = Fork(op_id=entry.act.op_id, by=entry.author, body=body)
    return list(newest.values())


def fork_named(room: Room, op_id: OpId) -> Fork:
    """Return an offer; LocalError if there is none."""
    found_forks = [fork for fork in forks_of(room.group) if fork.op_id == op_id]
    if not found_forks:
        raise LocalError("there is no such offer", do="`mesh group show` lists them", code="E-NO-OFFER")
    return found_forks[0]


def predecessor(group: Group) -> GroupId | None:
    """Return the group that this one succeeds, as its founding says."""
    said = next((setting.value for setting in group.founding.settings if setting.key == SUCCEEDS), "")
    try:
        return GroupId(bytes.fromhex(said)) if len(said) == 2 * len(ZERO32) else None
    except ValueError:
        return None


def followers(group: Group) -> tuple[frozenset[MemberPk], frozenset[MemberPk]]:
    """Return whom a successor was offered to, and who of them has come, by their keys in the group that it succeeds."""
    invites = [invite for invite in group.invites.values() if invite.body.allow]
    offered = frozenset(pk for invite in invites for pk in invite.body.allow)
    return offered, frozenset(pk for invite in invites for pk in invite.formers)


# ---------------------------------------------------------------- offering


def offer_fork(state: State, room: Room, command: OfferFork, step: Step) -> GroupId:
    """Found a successor and offer it. LocalError or RefusedError: nothing has changed."""
    old = room.group
    _require_offerer(room)
    allow = _allowed(room, command.without)
    if len(state.rooms) >= limits.GROUPS_MAX:
        raise LocalError("this node is in as many groups as it can hold", do="leave one", code="E-TOO-MANY")
    name = require_text("group's name", command.name, limits.GROUP_NAME_BYTES_MAX)
    alias = require_text("alias", command.alias, limits.ALIAS_BYTES_MAX)
    scratch = Journal()
    means = Means(entropy=step.entropy, sealer=step.sealer, journal=scratch, wall_ms=step.now.wall_ms)
    new = found(_like(room, name, alias, command), means)
    seed = step.entropy.draw(16)
    invited = author(new, OpType.INVITE, _invite_for(seed, allow, step), means)
    body = ForkBody(new_gid=new.gid, invite=invited.op.op_id, seed=seed, expiry_hour=_expiry_hour(step), allow=allow)
    offered = author(old, OpType.FORK, body, step.means())
    step.journal.merge(scratch)
    state.rooms[new.gid] = Room(new)
    step.touch(new.gid, list(new.log.ops))
    publish(state, room, offered, step)
    return new.gid


def offer_again(state: State, room: Room, command: OfferForkAgain, step: Step) -> OpId:
    """Offer a successor once more, to those who have not come. LocalError or RefusedError: nothing has changed."""
    _require_offerer(room)
    successor = state.room(command.successor)
    if predecessor(successor.group) != room.group.gid:
        raise LocalError(
            "that group is no successor of this one", do="`mesh group show` says which is", code="E-NO-OFFER"
        )
    came = followers(successor.group)[1]
    allow = [pk for pk in _allowed(room, command.without) if pk not in came]
    if not allow:
        raise LocalError("all whom it could be offered to have come", code="E-NO-OFFER")
    seed = step.entropy.draw(16)
    terms = _invite_for(seed, allow, step)
    body = ForkBody(
        new_gid=successor.group.gid, invite=OpId(ZERO32), seed=seed, expiry_hour=terms.expiry_hour, allow=allow
    )
    rehearse(successor.group, OpType.INVITE, terms, step.means())
    rehearse(room.group, OpType.FORK, body, step.means())
    if room.group.epoch is None:
        publish(state, room, rekey(room.group, step.means()), step)
    invited = author(successor.group, OpType.INVITE, terms, step.means())
    publish(state, successor, invited, step)
    offered = author(room.group, OpType.FORK, _naming(body, invited.op.op_id), step.means())
    publish(state, room, offered, step)
    return offered.op.op_id


def _naming(body: ForkBody, invite: OpId) -> ForkBody:
    return ForkBody(new_gid=body.new_gid, invite=invite, seed=body.seed, expiry_hour=body.expiry_hour, allow=body.allow)


def _require_offerer(room: Room) -> None:
    group = room.group
    if group.me is None or group.own.left:
        raise RefusedError(
            phrase("you are not in “{group}” any more", group=group.founding.name),
            why="what you offer would reach nobody in it",
            do="found a group, and give its codes to those whom you want in it",
            code="E-NOT-MEMBER",
        )
    if group.rank > Rank.MEMBER:
        raise RefusedError(
            "a newcomer cannot fork a group",
            why="the group's rules leave that to members",
            do="ask a member to do it, or a moderator to make you one",
        )
    graph = group.log.graph
    made = graph.of_type(OpType.FORK, graph.written_by(group.own.dev, group.log.everything))
    if made.bit_count() >= limits.FORKS_PER_DEVICE_MAX:
        raise RefusedError(
            phrase("this device has offered successors to “{group}” as often as one can", group=group.founding.name),
            why=phrase(
                "that is {most} times, offers of the same one with --again among them", most=limits.FORKS_PER_DEVICE_MAX
            ),
            do="ask another member to make the offer; who is in the successor can give codes with `mesh invite new`",
            code="E-TOO-MANY",
        )
    if group.view.settings.get(TALK) == "on":
        raise RefusedError("a conversation of two has no successor", do="ask for a new one with `mesh talk`")


def _allowed(room: Room, without: tuple[MemberPk, ...]) -> list[MemberPk]:
    """Return whom a successor is offered to, sorted; LocalError if that is nobody."""
    allow = sorted(set(room.group.others) - set(without))
    if not allow:
        raise LocalError(
            "there is nobody to offer it to", do="found a group with `mesh group create`", code="E-NO-OFFER"
        )
    return allow


def _like(room: Room, name: str, alias: str, command: OfferFork) -> CreateGroup:
    """Return how to found a group that takes over what this one is about, and what holds in it."""
    old = room.group
    kept = sorted(old.view.settings.items())
    settings = [(k, v) for k, v in kept if k not in FOUNDING_ONLY and not k.startswith(KEEPER_SETTING)]
    return CreateGroup(
        name=name,
        about=old.founding.about,
        topics=tuple(old.founding.topics),
        agreement=old.agreement[1],
        alias=alias,
        suite=old.suite,
        settings=((SUCCEEDS, old.gid.hex()), *settings[: limits.SETTINGS_MAX - 1]),
        join_nonce=command.join_nonce,
        member_seed=command.member_seed,
    )


def _invite_for(seed: bytes, allow: list[MemberPk], step: Step) -> InviteBody:
    keys = invite_keys(seed)
    return InviteBody(
        invite_pk=keys.invite_pk,
        knock_key=keys.knock_key,
        role=Rank.MEMBER,
        max_uses=len(allow),
        expiry_hour=_expiry_hour(step),
        approvals=0,
        allow=allow,
    )


def _expiry_hour(step: Step) -> int:
    return -(-step.now.wall_ms // HOUR_MS) + OFFER_HOURS


# ---------------------------------------------------------------- following


def follow_fork(state: State, room: Room, command: FollowFork, step: Step) -> JoinId:
    """Begin to look for a successor. LocalError or RefusedError where that is not for us, or its time is over."""
    fork = fork_named(room, command.fork)
    if room.group.own.member_pk not in fork.body.allow:
        raise RefusedError(
            "that offer is not for you",
            why="whoever made it named others",
            do="ask somebody in the new group for a code",
            code="E-NOT-OFFERED",
        )
    code = InviteCode(
        seed=fork.body.seed, gid_prefix=fork.body.new_gid[:GID_PREFIX_BYTES], expiry_hour=fork.body.expiry_hour
    )
    offer = OfferRecord(parent=room.group.gid, gid=fork.body.new_gid, invite=fork.body.invite, discreet=False)
    return start_join(state, StartJoin(code=code.pack(), addresses=_addresses(room, fork)), step, offer)


def _addresses(room: Room, fork: Fork) -> tuple[Address, ...]:
    """Return where those are found who may be at the new door, its maker first: also should we leave the old group."""
    owners = room.group.view.devices
    known = sorted(room.contacts.items(), key=lambda item: (owners.get(item[0]) != fork.by, item[0]))
    there = {fork.by, *fork.body.allow}
    lists = [contact.addresses for dev, contact in known if owners.get(dev) in there]
    firsts = [Address(addresses[0]) for addresses in lists if addresses]
    return tuple(dict.fromkeys(firsts))[: limits.ADDRESSES_MAX]


def decline_fork(room: Room, command: DeclineFork, step: Step) -> None:
    """Be reminded of an offer no more. It can be followed all the same, until its time is over."""
    fork = fork_named(room, command.fork)
    declined = room.group.own.declined
    if fork.op_id not in declined:
        room.group.set_own(step.journal, declined=[*declined, fork.op_id][-_DECLINED_MAX:])
