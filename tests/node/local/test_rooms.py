"""The stewards' room over simulated nodes: who serves is asked in under seal, and it is said where the two differ."""

import pytest

from mesh.commands import Rank, SayNote
from mesh.errors import LocalError, RefusedError
from mesh.events import Space
from mesh.ids import GroupId
from mesh.node.local.protocol import JsonObject
from mesh.support.tags import read_note_value
from mesh.wire.codec import encode
from mesh.wire.codes import InviteCode, to_uri
from mesh.wire.notes import NoteTag, RoomNote
from simulations.checks import blamed
from simulations.world import World
from tests.node.local.test_messages import GROUP, call
from tests.node.local.test_methods import WorldDesk, named, part
from tests.node.local.test_stewards import four, problems

ROOM = f"Stewards: {GROUP}"


def open_(desk: WorldDesk) -> JsonObject:
    return call(desk, "stewards.open", group=GROUP, passphrase="p")


def room(desk: WorldDesk) -> JsonObject:
    return call(desk, "stewards.room", group=GROUP)


def come_in(world: World, desk: WorldDesk) -> None:
    """Come into the room that one was asked into."""
    code = room(desk)["code"]
    assert isinstance(code, str)
    assert desk.agree(code)["state"] == "joined"
    world.run(10)


def test_stewards_are_asked_in_under_seal_and_nobody_else_sees_more_than_that_a_note_was_sent() -> None:
    world, gid, people, (wren, juniper, sorrel, tansy) = four()
    for desk in (sorrel, tansy):
        for method in ("stewards.open", "stewards.room"):
            with pytest.raises(RefusedError):
                call(desk, method, group=GROUP, passphrase="p")
    told = open_(wren)
    assert (told["founded"], named(told, "asked")) == (True, ["juniper"])
    world.run(20)
    assert "ask you in" in problems(juniper)
    with pytest.raises(LocalError) as there:
        open_(juniper)
    assert there.value.code == "E-ROOM"
    come_in(world, juniper)
    for desk in (wren, juniper):
        shown = part(room(desk), "room")
        assert (shown["name"], shown["members"], shown["not_in"], shown["not_serving"]) == (ROOM, 2, [], [])
    call(juniper, "post", group=ROOM, text="how are you holding up?", wait_s=5.0)
    world.run(5)
    read = call(wren, "read", group=ROOM, limit=9, unread=False)["messages"]
    assert isinstance(read, list)
    assert [m["text"] for m in read if isinstance(m, dict)] == ["how are you holding up?"]
    inner = bytes.fromhex(str(part(room(wren), "room")["id"]))
    for person in (people[2], people[3]):
        assert not person.room(gid).sealed
        rows = [key + value for space in Space for key, value in person.node.store.scan(space, b"")]
        assert not any(inner in row or inner[:16] in row for row in rows), "no other's store knows which group it is"
    assert named(open_(wren), "asked") == [], "nobody is asked twice"
    people[1].off()
    people[1].on()
    world.run(20)
    assert part(room(juniper), "room")["name"] == ROOM, "after a restart too"
    assert blamed(world) == []


def test_when_others_serve_it_is_said_until_they_are_in_or_out() -> None:
    world, _, _, (wren, juniper, sorrel, tansy) = four(4)
    open_(wren)
    world.run(20)
    come_in(world, juniper)
    call(wren, "group.rank", group=GROUP, member="juniper", rank="member")
    call(wren, "group.rank", group=GROUP, member="sorrel", rank="steward")
    world.run(10)
    shown = part(room(wren), "room")
    assert (named(shown, "not_serving"), named(shown, "not_in")) == (["juniper"], ["sorrel"])
    assert "does not serve now" in problems(wren)
    assert "Not all who serve" in problems(wren)
    assert named(open_(wren), "asked") == ["sorrel"]
    world.run(20)
    come_in(world, sorrel)
    call(wren, "group.remove", group=ROOM, member="juniper", reason="")
    world.run(10)
    shown = part(room(sorrel), "room")
    assert (shown["members"], shown["not_serving"], shown["not_in"]) == (2, [], [])
    assert "stewards' room" not in problems(wren)
    assert "ask you in" not in problems(tansy)


def test_two_who_open_one_at_the_same_time_end_in_the_same() -> None:
    world, _, _, (wren, juniper, _, _) = four(5)
    world.partition(("wren", "sorrel"), ("juniper", "tansy"))
    world.run(1)
    rooms = {str(part(open_(desk), "room")["id"]) for desk in (wren, juniper)}
    assert len(rooms) == 2
    world.heal()
    world.run(60)
    meant = min(rooms)
    for desk in (wren, juniper):
        if room(desk)["code"] is not None:
            come_in(world, desk)
    assert [part(room(desk), "room")["id"] for desk in (wren, juniper)] == [meant, meant]


@pytest.mark.parametrize("code", ["mesh1nonsense", "x", "mesh1" + "q" * 67])
def test_what_is_no_code_or_leads_elsewhere_is_not_kept(code: str) -> None:
    assert read_note_value(NoteTag.ROOM, encode(RoomNote(gid=GroupId(b"g" * 32), code=code))) is None


def test_a_code_of_another_group_than_the_one_that_is_named_is_not_kept() -> None:
    own, other = (InviteCode(seed=b"s" * 16, gid_prefix=prefix * 16, expiry_hour=1) for prefix in (b"g", b"x"))
    kept = [
        read_note_value(NoteTag.ROOM, encode(RoomNote(gid=GroupId(b"g" * 32), code=to_uri(code, ()))))
        for code in (own, other)
    ]
    assert [value is not None for value in kept] == [True, False]


def test_a_member_who_is_no_steward_lures_nobody_into_a_room() -> None:
    world, gid, people, (wren, juniper, _, tansy) = four(6)
    call(tansy, "group.create", name="Lure", alias="wren", suite="classic", passphrase="p")
    lure = call(tansy, "invite.new", group="Lure", uses=5, expires_s=3600, note="")
    inner = next(room.group.gid for room in tansy.state.rooms.values() if room.group.founding.name == "Lure")
    value = encode(RoomNote(gid=inner, code=str(lure["uri"])))
    seniors = tuple(people[k].member(gid) for k in (0, 1))
    world.ask("tansy", SayNote(group=gid, tag=NoteTag.ROOM, to=seniors, value=value))
    world.run(20)
    for desk in (wren, juniper):
        assert room(desk)["code"] is None
        assert "ask you in" not in problems(desk)
    people[0].rank(gid, people[3], Rank.STEWARD)
    world.run(20)
    assert room(juniper)["code"] is None, "what was said before is not kept"


@pytest.mark.parametrize("late", [False, True])
def test_one_who_served_for_a_day_does_not_keep_the_room_of_all(late: bool) -> None:
    """Sorrel founds groups until one has a lower id than the room, and asks all into it: within the hour, or later."""
    world, gid, people, (wren, juniper, sorrel, _) = four(9)
    open_(wren)
    world.run(20)
    come_in(world, juniper)
    meant = str(part(room(wren), "room")["id"])
    people[0].rank(gid, people[2], Rank.STEWARD)
    world.run(10)
    if late:
        for node in world.nodes.values():
            node.skew_ms += 2 * 3_600_000
        world.run(40)
    name, lure = "", GroupId(b"\xff" * 32)
    while lure.hex() > meant:
        name += "x"
        call(sorrel, "group.create", name=name, alias="sorrel", suite="classic", passphrase="p")
        lure = next(r.group.gid for r in sorrel.state.rooms.values() if r.group.founding.name == name)
    code = call(sorrel, "invite.new", group=name, uses=5, expires_s=36000, note="", approvals=0)
    value = encode(RoomNote(gid=lure, code=str(code["uri"])))
    to = (people[0].member(gid), people[1].member(gid))
    world.ask("sorrel", SayNote(group=gid, tag=NoteTag.ROOM, to=to, value=value))
    world.run(20)
    for desk in (wren, juniper):
        assert (room(desk)["code"] is None) == late, "who is in a room is asked into no later one"
        if not late:
            come_in(world, desk)
    there = [part(room(desk), "room")["id"] for desk in (wren, juniper)]
    assert there == [meant if late else lure.hex()] * 2
    people[0].rank(gid, people[2], Rank.MEMBER)
    world.run(20)
    assert [part(room(desk), "room")["id"] for desk in (wren, juniper)] == [meant, meant]
