"""`status`, `id show`, `api`: how things stand, problems first."""

from mesh.commands import Rank
from mesh.events import Instant
from mesh.gossip.delivery import DeliveryState
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
from mesh.node.local.protocol import JsonObject
from mesh.peer.forking import forks_of
from mesh.peer.joining import preview_of
from mesh.peer.keepers import at_keepers
from mesh.peer.lacking import overdue
from mesh.peer.records import JoinRecord, JoinStage
from mesh.peer.routing import JOINING
from mesh.peer.state import Room, State
from mesh.peer.talking import talk_state


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
        found.append({"what": "Your node is not running.", "do": "Start it with `mesh up`."})
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
            found.append({"what": _at_the_door(room), "do": f'See `mesh knocks list "{name}"`.'})
    if waiting and desk.running and not desk.links():
        found.append(
            {
                "what": "Messages of yours wait, and your node is linked with nobody.",
                "do": "Leave it running: it tries all addresses that it knows. `mesh up --peer ADDR` adds one.",
            }
        )
    return found


def _offered(desk: Desk, room: Room) -> list[JsonObject]:
    """Say what successors were offered, each member's to follow or not."""
    name = room.group.founding.name
    return [
        {
            "what": f"{alias_of(room, fork.by)} has founded a successor to “{name}”, "
            f"{fork.body.new_gid.hex()[:8]}, and offers it to you.",
            "do": f'`mesh group fork "{name}" --follow {fork.op_id.hex()[:8]}` shows it and asks you; '
            "--decline in its place ends this reminder.",
        }
        for fork in forks_of(room.group)
        if offer_state(desk, room, fork) == "open"
    ]


def _lacking(room: Room, now: Instant) -> list[JsonObject]:
    """Say whose node has changes of the group that have not come here, though they were asked for again and again."""
    if room.group.me is None or room.group.own.left:
        return []
    name, devices = room.group.founding.name, room.group.view.devices
    return [
        {
            "what": f"{alias_of(room, pk)}'s node names changes of “{name}” that have not come here yet.",
            "do": "Your node goes on asking. Until they come, the two of you may see different members: compare with "
            f'`mesh verify "{name}"`. If it stays so, somebody keeps them back, or they do not exist.',
        }
        for pk in dict.fromkeys(devices[dev] for dev in overdue(room, now))
    ]


def _unconfirmed(room: Room, what: str) -> JsonObject:
    name = room.group.founding.name
    return {
        "what": f"In “{name}” {what}.",
        "do": "What you post waits until another member's node is reachable. "
        f'If you trust that word: `mesh group confirm "{name}"`.',
    }


def _asked_to_talk(desk: Desk, room: Room) -> list[JsonObject]:
    """Say who asks to talk as two; what was answered on another device of ours is not told to this one."""
    name, blocked = room.group.founding.name, choices_of(desk.store, room.group.gid).blocked
    ends = " If you have answered on another device of yours, --decline ends this reminder here."
    return [
        {
            "what": f"{alias_of(room, talk.member)} of “{name}” asks to talk with you as two.",
            "do": f'`mesh talk "{name}" {talk.member.hex()[:8]} --accept`, or --decline: they are not told of that.'
            + (ends if other_devices(room) else ""),
        }
        for gid, talk in room.talks.items()
        if talk.member not in blocked and talk_state(desk.state, gid, talk, desk.now().wall_ms) == "offered"
    ]


def _asked_to_share(desk: Desk, room: Room) -> list[JsonObject]:
    """Say that somebody asks whether words of ours may leave the group."""
    name, asked = room.group.founding.name, waiting_questions(desk, room)
    askers = list(dict.fromkeys(question.asker for question in asked))
    if not asked:
        return []
    one = f"{alias_of(room, askers[0])} of “{name}” asks whether your words may leave the group."
    more = f"{len(askers)} members of “{name}” ask whether your words may leave the group."
    do = "`mesh share list` shows which. `mesh share grant` says yes; `mesh share refuse` says no, and nobody is told."
    return [{"what": one if len(askers) == 1 else more, "do": do}]


def _at_the_door(room: Room) -> str:
    """Say that somebody waits, and if they go by the name of one who is in."""
    what = f"Somebody waits at the door of “{room.group.founding.name}”."
    taken = {alias_of(room, pk) for knock in room.knocks.values() for pk in members_like(room, knock.alias)}
    return " ".join([what, *(f"Somebody called {alias} is in already." for alias in sorted(taken))])


def _problem_of(desk: Desk, room: Room) -> JsonObject | None:
    name = room.group.founding.name
    match state_of(room):
        case "removed":
            return {
                "what": f"You are not in “{name}” any more.",
                "do": "What you read there stays. To come back you need a new invite.",
            }
        case "cut-off":
            return {
                "what": f"“{name}” goes on without this device: it was given no new key, or members' nodes pass it by.",
                "do": f"You may have been removed. Ask a member in another way; {_back(room)}.",
            }
        case "told-out":
            return {
                "what": f"Others say that you are not in “{name}” any more.",
                "do": f"What you read there stays. Ask a member in another way; {_back(room)}.",
            }
        case "keyless":
            return {
                "what": f"“{name}” has a new key that was not given to this device.",
                "do": "Leave your node running: members' nodes give it one. What you post waits.",
            }
        case "member" if room.group.others and desk.running and not _others_here(desk, room):
            return {
                "what": f"No member of “{name}” is reachable now.",
                "do": "A keeper of the group is: what you post is left there. Your node goes on trying."
                if at_keepers(desk.state, room)
                else "Your node goes on trying. What you post waits.",
            }
        case _:
            return None


def _back(room: Room) -> str:
    """Say what brings one back. This device cannot know whether the person was removed, or it alone, by another one."""
    back = "a new invite brings you back"
    if room.group.me is None or len(room.group.me.devices) < 2:
        return back
    return (
        f"{back}. Or this device was taken out with `mesh device remove` on another of yours: "
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
