"""Loading: what a restart brings back is what there was before."""

import pytest

from mesh.commands import ConfirmMember
from mesh.errors import StoreError
from mesh.events import LOADED, TAIL_MESSAGES, Put, Space, Started
from mesh.ids import GroupId
from mesh.peer.loading import load_state
from mesh.peer.records import JoinStage, ProofRecord
from mesh.peer.state import Room
from mesh.store.memory import MemoryStore
from mesh.store.starting import starting_records
from mesh.wire.codec import encode
from mesh.wire.messages import SignedMessage
from simulations.checks import same_view
from simulations.people import Person, circle
from simulations.world import World


def lived(seed: int = 2) -> tuple[World, GroupId, list[Person]]:
    """Give a group in which a little of everything is under way."""
    world = World(seed)
    gid, people = circle(world, "wren", "juniper", "sorrel")
    wren, juniper, sorrel = people
    world.run(10)
    for k in range(5):
        people[k % 3].post(gid, f"post {k}")
        world.run(1)
    code = wren.invite(gid, uses=2)
    world.run(2)
    tansy = Person(world, "tansy")
    join = tansy.look(code, wren)
    tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    tansy.knock(join, gid)
    world.run(5)
    rowan = Person(world, "rowan")
    other = rowan.look(code, wren)
    rowan.until(lambda: rowan.stage(other) is JoinStage.PREVIEW)
    rowan.knock(other, gid)
    world.run(5)
    knock = next(knock for knock, alias in wren.waiting(gid).items() if alias == "rowan")
    wren.decide(gid, knock, admit=False)
    world.ask("wren", ConfirmMember(group=gid, member=juniper.member(gid)))
    world.partition(("wren",), ("juniper", "sorrel"), ("tansy",))
    world.run(2)
    wren.post(gid, "a draft")
    juniper.post(gid, "sent, and not with wren")
    world.run(5)
    dev, signed = juniper.group(gid).own.dev, SignedMessage(tbs=b"what juniper signed twice", sig=bytes(64))
    proof = wren.room(gid).proofs[dev] = ProofRecord(mseq=1, first=None, second=signed, at_ms=1)
    wren.node.store.commit([Put(Space.PROOFS, gid + dev, encode(proof))], durable=True)
    return world, gid, [wren, juniper, sorrel, tansy]


def facts(room: Room) -> dict[str, object]:
    """Say of a group all that a restart must not change."""
    group = room.group
    return {
        "own": group.own,
        "heads": group.log.heads,
        "ops": sorted(op.op_id for op in group.log.ops),
        "epochs": group.epochs,
        "topics": dict(group.topics),
        "epoch": group.epoch,
        "chains": group.chains,
        "kems": group.kems,
        "kem_of": group.kem_of,
        "tracks": {dev: track.to_record() for dev, track in room.tracks.items() if track.top or track.settled.top},
        "drafts": room.drafts,
        "deliveries": room.deliveries,
        "sent": room.sent,
        "invites": room.invites,
        "knocks": room.knocks,
        "declined": room.declined,
        "contacts": room.contacts,
        "verified": room.verified,
        "proofs": room.proofs,
        "last": room.last_ts,
        "silent": room.silent,
    }


def test_a_group_is_as_it_was() -> None:
    world, gid, people = lived()
    for person in people[:3]:
        before = person.room(gid)
        after = load_state(starting_records(person.node.store)).rooms[gid]
        assert same_view(before.group.view, after.group.view)
        told, found = facts(before), facts(after)
        for name in told:
            assert found[name] == told[name], f"{person.name}: {name}"
    wren = people[0]
    assert wren.room(gid).drafts
    assert wren.room(gid).verified
    assert wren.room(gid).proofs
    assert len(wren.room(gid).knocks) == len(wren.room(gid).declined) == 1
    del world


def test_attempts_to_join_are_as_they_were() -> None:
    _, _, people = lived()
    tansy = people[3]
    assert tansy.node.peer is not None
    assert load_state(starting_records(tansy.node.store)).joins == tansy.node.peer.state.joins


def test_the_next_post_stands_after_the_last_one() -> None:
    world, gid, people = lived()
    sorrel = people[2]
    sorrel.off()
    sorrel.on()
    sorrel.post(gid, "after the restart")
    assert sorrel.reads(gid)[-1] == "after the restart"
    del world


def test_only_the_newest_messages_are_loaded() -> None:
    world = World(1)
    wren = Person(world, "wren")
    gid = wren.create()
    for k in range(TAIL_MESSAGES + 20):
        wren.post(gid, f"{k}")
    records = starting_records(wren.node.store)
    assert set(records) == {*LOADED, Space.MESSAGES}
    newest = [key for key, _ in wren.node.store.scan(Space.MESSAGES, gid)][-TAIL_MESSAGES:]
    assert sorted(records[Space.MESSAGES]) == newest


def test_two_groups_do_not_mix() -> None:
    world = World(1)
    wren, juniper = (Person(world, name) for name in ("wren", "juniper"))
    gids = [wren.create(f"group {k}") for k in range(3)]
    juniper.join(gids[1], wren.invite(gids[1]))
    wren.post(gids[1], "here")
    world.run(5)
    state = load_state(starting_records(wren.node.store))
    assert {gid: room.group.founding.name for gid, room in state.rooms.items()} == {
        gid: f"group {k}" for k, gid in enumerate(gids)
    }
    assert [len(state.rooms[gid].group.log) for gid in gids] == [1, len(wren.group(gids[1]).log), 1]
    assert [len(state.rooms[gid].recent) for gid in gids] == [0, 1, 0]


@pytest.mark.parametrize(
    "space", [space for space in LOADED if space not in (Space.CHAINS, Space.KNOCKS, Space.OBJECTIONS)]
)
def test_a_damaged_row_is_said_to_be_damage(space: Space) -> None:
    _, gid, people = lived()
    store = people[3].node.store if space is Space.JOINS else people[0].node.store
    people[0].ask_to_talk(gid, people[1].member(gid))
    key = next(iter(store.load([space])[space]), gid + bytes(16))
    store.commit([Put(space, key, b"\x93\x00")], durable=True)
    with pytest.raises(StoreError):
        load_state(starting_records(store))


def test_nothing_at_all_is_a_fresh_start() -> None:
    assert load_state(starting_records(MemoryStore())).rooms == {}
    assert load_state({}).joins == {}
    assert Started(records={}).addresses == ()
