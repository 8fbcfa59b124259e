"""`status`, `id show`, `api`: how things stand, problems first."""

from mesh.commands import Rank
from mesh.events import Instant
from mesh.gossip.delivery import DeliveryState
from mesh.groups.discreet import is_kept
from mesh.node.local.api import METHODS, STREAMS
from mesh.node.local.methods import given
from mesh.node.local.methods.agreements import agreement_problems
from mesh.node.local.methods.chosen import choices_of
from mesh.node.local.methods.circles import circle_reminders
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.introduce import introduce_problems
from mesh.node.local.methods.joins import join_json
from mesh.node.local.methods.listen import listen_problems
from mesh.node.local.methods.log import care_problems
from mesh.node.local.methods.meetings import meeting_reminders
from mesh.node.local.methods.pace import pace_json
from mesh.node.local.methods.proofs import proof_problems
from mesh.node.local.methods.rooms import room_problems
from mesh.node.local.methods.sealed import sealed_problems
from mesh.node.local.methods.serving import steward_problems
from mesh.node.local.methods.share import waiting_questions
from mesh.node.local.methods.shown import (
    alias_of,
    each,
    group_json,
    members_like,
    offer_state,
    other_devices,
    rooms_shown,
    state_of,
    unconfirmed,
)
from mesh.node.local.methods.stewards import is_off_duty
from mesh.node.local.protocol import JsonObject, phrased
from mesh.peer.forking import forks_of
from mesh.peer.joining import preview_of
from mesh.peer.keepers import at_keepers
from mesh.peer.lacking import overdue
from mesh.peer.records import JoinRecord, JoinStage
from mesh.peer.routing import JOINING
from mesh.peer.state import Room, State
from mesh.peer.talking import talk_state
from mesh.phrases import Phrase, own, phrase, plural


async def status(desk: Desk, params: JsonObject) -> JsonObject:
    """Say how things stand; "no" is never said for "unknown"."""
    del params
    waiting = [
        delivery
        for room in desk.state.rooms.values()
        for post, delivery in room.deliveries.items()
        if delivery.state is DeliveryState.QUEUED and room.waits(post)
    ]
    return {
        "running": desk.running,
        "problems": each(_problems(desk, len(waiting))),
        "pace": pace_json(desk),
        "links": each(desk.links()),
        "refused": each(desk.refused()),
        "groups": each(group_json(desk, room) for room in rooms_shown(desk.state)),
        "joins": each(join_json(desk, join) for join in desk.state.joins.values() if _concerns(desk.state, join)),
        "addresses": list(desk.state.addresses) if desk.running else [],
        "outbox": len(waiting),
        "keeper": desk.state.host is not None and desk.state.host.on,
    }


def _concerns(state: State, join: JoinRecord) -> bool:
    """Say whether an attempt to join is under way, or ended without a seat that came in another way since."""
    if join.stage is JoinStage.JOINED or join.stage in JOINING:
        return join.stage in JOINING
    if any(other.code == join.code and other.stage in JOINING for other in state.joins.values()):
        return False
    preview = preview_of(join)
    room = None if preview is None else state.rooms.get(preview.gid)
    return room is None or room.group.me is None


def _problems(desk: Desk, waiting: int) -> list[JsonObject]:
    found: list[JsonObject] = []
    if not desk.running:
        found.append(phrased(what="Your node is not running.", do="Start it with `mesh up`."))
    for room in desk.state.rooms.values():
        problem = _problem_of(desk, room)
        if problem is not None:
            found.append(problem)
        found.extend(_offered(desk, room))
        found.extend(proof_problems(room, desk.now().wall_ms))
        found.extend(meeting_reminders(desk, room))
        found.extend(agreement_problems(desk, room))
        found.extend(steward_problems(desk, room))
        found.extend(circle_reminders(desk, room))
        found.extend(room_problems(desk, room))
        found.extend(sealed_problems(room))
        found.extend(_lacking(room, desk.now()))
        only_one = unconfirmed(room)
        if only_one is not None:
            found.append(_unconfirmed(room, only_one))
        found.extend(_asked_to_talk(desk, room))
        found.extend(_asked_to_share(desk, room))
        found.extend(listen_problems(desk, room))
        found.extend(introduce_problems(desk, room))
        off = is_off_duty(desk, room.group.gid)
        found.extend(care_problems(room, desk.now().wall_ms, on_duty=not off))
        if room.knocks and room.group.rank <= Rank.MODERATOR and not off:  # others can only wait with whoever knocks
            name = room.group.founding.name
            found.append(phrased(what=_at_the_door(room), do=phrase('See `mesh knocks list "{group}"`.', group=name)))
    if waiting and desk.running and not desk.links():
        found.append(
            phrased(
                what="Messages of yours wait, and your node is linked with nobody.",
                do="Leave it running: it tries all addresses that it knows. `mesh up --peer ADDR` adds one.",
            )
        )
    return found


def _offered(desk: Desk, room: Room) -> list[JsonObject]:
    """Say what successors were offered, each member's to follow or not."""
    name = room.group.founding.name
    return [
        phrased(
            what=phrase(
                "{name} has founded a successor to “{group}”, {id}, and offers it to you.",
                name=alias_of(room, fork.by),
                group=name,
                id=fork.body.new_gid.hex()[:8],
            ),
            do=phrase(
                '`mesh group fork "{group}" --follow {id}` shows it and asks you; '
                "--decline in its place ends this reminder.",
                group=name,
                id=fork.op_id.hex()[:8],
            ),
        )
        for fork in forks_of(room.group)
        if offer_state(desk, room, fork) == "open"
    ]


def _lacking(room: Room, now: Instant) -> list[JsonObject]:
    """Say whose node has changes of the group that have not come here, though they were asked for again and again."""
    if room.group.me is None or room.group.own.left:
        return []
    name, devices = room.group.founding.name, room.group.view.devices
    return [
        phrased(
            what=phrase(
                "{name}'s node names changes of “{group}” that have not come here yet.",
                name=alias_of(room, pk),
                group=name,
            ),
            do=phrase(
                "Your node goes on asking. Until they come, the two of you may see different members: compare with "
                '`mesh verify "{group}"`. If it stays so, somebody keeps them back, or they do not exist.',
                group=name,
            ),
        )
        for pk in dict.fromkeys(devices[dev] for dev in overdue(room, now))
    ]


def _unconfirmed(room: Room, what: Phrase) -> JsonObject:
    name = room.group.founding.name
    return phrased(
        what=phrase("In “{group}” {what}.", group=name, what=what),
        do=phrase(
            "What you post waits until another member's node is reachable. "
            'If you trust that word: `mesh group confirm "{group}"`.',
            group=name,
        ),
    )


def _asked_to_talk(desk: Desk, room: Room) -> list[JsonObject]:
    """Say who asks to talk as two; what was answered on another device of ours is not told to this one."""
    name, blocked = room.group.founding.name, choices_of(desk.store, room.group.gid).blocked
    return [
        phrased(
            what=phrase(
                "{name} of “{group}” asks to talk with you as two.", name=alias_of(room, talk.member), group=name
            ),
            do=_how_to_answer(room, talk.member.hex()[:8]),
        )
        for gid, talk in room.talks.items()
        if talk.member not in blocked and talk_state(desk.state, gid, talk, desk.now().wall_ms) == "offered"
    ]


def _how_to_answer(room: Room, short: str) -> Phrase:
    """Say how one who asks to talk as two is answered."""
    name = room.group.founding.name
    if other_devices(room):
        return phrase(
            '`mesh talk "{group}" {id} --accept`, or --decline: they are not told of that. '
            "If you have answered on another device of yours, --decline ends this reminder here.",
            group=name,
            id=short,
        )
    return phrase('`mesh talk "{group}" {id} --accept`, or --decline: they are not told of that.', group=name, id=short)


def _asked_to_share(desk: Desk, room: Room) -> list[JsonObject]:
    """Say that somebody asks whether words of ours may leave the group."""
    name, asked = room.group.founding.name, waiting_questions(desk, room)
    askers = list(dict.fromkeys(question.asker for question in asked))
    if not asked:
        return []
    what = plural(
        "{name} of “{group}” asks whether your words may leave the group.",
        "{count} members of “{group}” ask whether your words may leave the group.",
        count=len(askers),
        name=alias_of(room, askers[0]),
        group=name,
    )
    do = "`mesh share list` shows which. `mesh share grant` says yes; `mesh share refuse` says no, and nobody is told."
    return [phrased(what=what, do=do)]


def _at_the_door(room: Room) -> Phrase:
    """Say that somebody waits, and if they go by the name of one who is in."""
    name = room.group.founding.name
    taken = {alias_of(room, pk) for knock in room.knocks.values() for pk in members_like(room, knock.alias)}
    if not taken:
        return phrase("Somebody waits at the door of “{group}”.", group=name)
    return phrase(
        "Somebody waits at the door of “{group}”. A member called {names} is in already.",
        group=name,
        names=", ".join(sorted(taken)),
    )


def _problem_of(desk: Desk, room: Room) -> JsonObject | None:
    name = room.group.founding.name
    match state_of(room):
        case "removed":
            return phrased(
                what=phrase("You are not in “{group}” any more.", group=name),
                do="What you read there stays. To come back you need a new invite.",
            )
        case "cut-off":
            return phrased(
                what=phrase(
                    "“{group}” goes on without this device: it was given no new key, or members' nodes pass it by.",
                    group=name,
                ),
                do=phrase("You may have been removed. Ask a member in another way; {back}.", back=own(_back(room))),
            )
        case "told-out":
            return phrased(
                what=phrase("Others say that you are not in “{group}” any more.", group=name),
                do=phrase("What you read there stays. Ask a member in another way; {back}.", back=own(_back(room))),
            )
        case "keyless":
            return phrased(
                what=phrase("“{group}” has a new key that was not given to this device.", group=name),
                do="Leave your node running: members' nodes give it one. What you post waits.",
            )
        case "member" if is_kept(room.group):
            return _uncarried(room) if desk.running and room.group.others and not at_keepers(desk.state, room) else None
        case "member" if room.group.others and desk.running and not _others_here(desk, room):
            return phrased(
                what=phrase("No member of “{group}” is reachable now.", group=name),
                do="A keeper of the group is: what you post is left there. Your node goes on trying."
                if at_keepers(desk.state, room)
                else "Your node goes on trying. What you post waits.",
            )
        case _:
            return None


def _uncarried(room: Room) -> JsonObject:
    """Say of a talk that keepers alone carry, for the two are not to link, that none of them is there."""
    return phrased(
        what=phrase("No keeper that carries “{talk}” is reachable now.", talk=room.group.founding.name),
        do="Your node goes on trying. What you post waits.",
    )


def _back(room: Room) -> str:
    """Say what brings one back. This device cannot know whether the person was removed, or it alone, by another one."""
    if room.group.me is None or len(room.group.me.devices) < 2:
        return "a new invite brings you back"
    return (
        "a new invite brings you back. Or this device was taken out with `mesh device remove` on another of yours: "
        "then `mesh device add` there brings it back"
    )


def _others_here(desk: Desk, room: Room) -> bool:
    """Say whether a node of another member is there; one's own other device is not meant."""
    devices = room.group.view.devices
    there = {devices[s.device] for _, s in desk.state.present(room) if s.device is not None}
    return bool(there - {room.group.own.member_pk})


async def identity(desk: Desk, params: JsonObject) -> JsonObject:
    """Show the identity."""
    del params
    return {"identity": {"fingerprint": desk.keepsakes.fingerprint, "name": desk.keepsakes.name}}


async def change_passphrase(desk: Desk, params: JsonObject) -> JsonObject:
    """Lock the home with a new passphrase; the store stays open meanwhile."""
    await desk.change_passphrase(given.text(params, "passphrase"), given.text(params, "new_passphrase"))
    return {"changed": True}


async def methods(desk: Desk, params: JsonObject) -> JsonObject:
    """List the methods of the local Api."""
    del desk, params
    return {
        "methods": each(
            {"name": name, "params": list(fields), "stream": name in STREAMS}
            for name, fields in sorted(METHODS.items())
        )
    }


async def health(desk: Desk, params: JsonObject) -> JsonObject:
    """Say what the node's process holds: for soaks, which compare it at equal links."""
    del params
    return {"health": desk.health()}


async def stop(desk: Desk, params: JsonObject) -> JsonObject:
    """Stop the node, once this is answered."""
    del params
    desk.stop()
    return {"stopping": desk.running}
