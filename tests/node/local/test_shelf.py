"""The shelf among four: what one puts up comes to all; a changed program takes off, ranks and copies in vain."""

import pytest

from mesh.commands import Rank
from mesh.errors import LocalError, RefusedError
from mesh.ids import GroupId
from mesh.node.local.protocol import JsonObject, JsonValue
from mesh.support.slots import slot, thing_id
from mesh.wire import limits
from mesh.wire.codec import Record, encode
from mesh.wire.messages import Kind, StatementBody
from mesh.wire.statements import Form, HelpedValue, ResourceValue, RetirementValue
from simulations.checks import agree, blamed
from simulations.people import Person, circle
from simulations.world import World
from tests.node.local.test_messages import GROUP, call
from tests.node.local.test_methods import WorldDesk, part
from tests.peer.forgery import Forger
from tests.peer.test_raising import newcomer

NIGHT = {"title": "What helps at night", "link": "https://example.org/night", "note": "short"}


def four(seed: int = 3) -> tuple[World, GroupId, list[Person], list[WorldDesk]]:
    """Give wren (founder), juniper (moderator), sorrel and tansy (members) at their desks."""
    world = World(seed)
    gid, people = circle(world, "wren", "juniper", "sorrel", "tansy")
    world.run(10)
    people[0].rank(gid, people[1], Rank.MODERATOR)
    for person in people[2:]:
        if person.group(gid).rank is Rank.NEWCOMER:
            people[0].rank(gid, person, Rank.MEMBER)
    world.run(10)
    return world, gid, people, [WorldDesk(world, person.name) for person in people]


def add(desk: WorldDesk, **more: JsonValue) -> JsonObject:
    """Put something up."""
    return part(call(desk, "shelf.add", group=GROUP, wait_s=5.0, **{**NIGHT, **more}), "resource")


def standing(desk: WorldDesk) -> list[JsonObject]:
    """What one sees on the shelf."""
    found = call(desk, "shelf.list", group=GROUP)["resources"]
    assert isinstance(found, list)
    return [resource for resource in found if isinstance(resource, dict)]


def ask(desk: WorldDesk, method: str, resource: JsonObject, **more: JsonValue) -> JsonObject:
    """Do something with a resource."""
    return call(desk, method, resource=resource["id"], **more)


def states(forger: Forger, victims: list[Person], form: Form, subject: bytes, value: Record) -> None:
    """Have a changed program state something, and give it to others by hand."""
    body = encode(StatementBody(form=form, subject=subject, lasts_s=0, value=encode(value)))
    ts_ms = forger.person.world.instant(forger.person.node).wall_ms
    frame = forger.message(Kind.STATEMENT, body, ts_ms=ts_ms)
    for victim in victims:
        forger.hands(victim, frame)


def test_what_is_put_up_comes_to_all_and_is_counted_but_not_ranked() -> None:
    world, gid, people, desks = four()
    wren, juniper, sorrel, tansy = desks
    first = add(sorrel, language="en", review_by="2000-01-01")
    assert first["text"] is None
    world.run(1)
    second = add(tansy, title="Breathing", link=None, note=None, text="In.\nOut.", review_by="9999-12-31")
    world.run(5)
    for desk in (wren, juniper):
        assert part(ask(desk, "shelf.helped", second, wait_s=5.0), "resource")["helped_me"] is True
    world.run(5)
    for desk in desks:
        assert [(r["title"], r["helped"], r["overdue"]) for r in standing(desk)] == [
            ("What helps at night", 0, True),
            ("Breathing", 2, False),
        ]
    assert [r["helped_me"] for r in standing(wren)] == [False, True]
    assert part(ask(wren, "shelf.show", second), "resource")["text"] == "In.\nOut."
    assert (standing(sorrel)[0]["mine"], standing(wren)[0]["mine"]) == (True, False)
    assert "juniper" not in str(standing(tansy)), "it is not told whom it helped"
    told = ask(wren, "shelf.helped", second, withdraw=True, wait_s=5.0)
    assert (part(told, "resource")["helped"], told["told"]) == (1, True)
    people[0].off()
    people[0].on()
    world.run(5)
    assert [r["helped"] for r in standing(wren)] == [0, 1], "after a restart too"
    assert agree(gid, people) == []
    assert blamed(world) == []


def test_its_author_or_a_moderator_takes_it_off_and_a_changed_program_cannot() -> None:
    world, gid, people, (wren, juniper, sorrel, tansy) = four(4)
    honest = people[:3]
    resource = add(sorrel)
    world.run(1)
    other = add(wren, title="Another")
    world.run(5)
    with pytest.raises(RefusedError) as refused:
        ask(tansy, "shelf.retire", resource, wait_s=1.0)
    assert refused.value.code == "E-NOT-YOUR-RESOURCE"
    forger, key = Forger(people[3], gid), bytes.fromhex(str(resource["id"]))
    states(forger, honest, Form.RETIREMENT, key, RetirementValue())
    taken = ResourceValue(made_ms=1, title="Mine", note="", link="", text="x", language="", review_by=0)
    states(forger, honest, Form.RESOURCE, slot(people[2].device(gid), 0), taken)
    for _ in range(20):
        states(forger, honest, Form.HELPED, key, HelpedValue(holds=True))
    world.run(5)
    for desk in (wren, juniper, sorrel):
        assert [(r["title"], r["helped"]) for r in standing(desk)] == [("What helps at night", 1), ("Another", 0)]
    assert ask(juniper, "shelf.retire", resource, wait_s=5.0)["told"] is True
    assert ask(wren, "shelf.retire", other, wait_s=5.0)["told"] is True
    world.run(5)
    assert [standing(desk) for desk in (wren, juniper, sorrel, tansy)] == [[]] * 4
    with pytest.raises(LocalError) as gone:
        ask(sorrel, "shelf.show", resource)
    assert gone.value.code == "E-NO-THING"
    assert blamed(world) == []


def test_who_fills_the_shelf_has_so_many_slots_and_honest_programs_say_so() -> None:
    world, gid, people, (wren, _, sorrel, _) = four(5)
    forger, most = Forger(people[3], gid), limits.RESOURCES_MAX
    for k in range(most + 8):
        value = ResourceValue(made_ms=k, title=f"{k}", note="", link="", text="x", language="", review_by=0)
        states(forger, people[:3], Form.RESOURCE, slot(people[3].device(gid), k % (most + 4)), value)
    world.run(5)
    assert len(standing(wren)) == most, "words about no slot take no place"
    first = add(sorrel, title="0")
    for k in range(1, most):
        add(sorrel, title=f"{k}")
    with pytest.raises(LocalError) as full:
        add(sorrel, title="one more")
    assert full.value.code == "E-SHELF-FULL"
    ask(sorrel, "shelf.retire", first, wait_s=5.0)
    add(sorrel, title="one more")
    world.run(5)
    own = {r["title"] for r in standing(wren) if part(r, "author")["alias"] == "sorrel"}
    assert own == {*map(str, range(1, most)), "one more"}
    assert blamed(world) == []


def test_with_nobody_there_it_waits_and_what_was_taken_off_meanwhile_is_seen_by_nobody() -> None:
    world, _, people, (wren, _, sorrel, _) = four(6)
    for other in (people[0], people[1], people[3]):
        other.off()
    world.run(5)
    resource = add(sorrel)
    assert resource["waits"] is True
    assert [row["why"] for row in sorrel.list("outbox", "outbox")] == ["nobody has been told of your resource yet"]
    assert ask(sorrel, "shelf.retire", resource, wait_s=1.0)["told"] is False
    kept = add(sorrel, title="Another")
    people[0].on()
    world.run(30)
    assert [r["id"] for r in standing(wren)] == [kept["id"]]
    assert sorrel.list("outbox", "outbox") == []


def test_who_comes_in_later_sees_what_stands_there_and_not_what_was_taken_off() -> None:
    world, gid, people, (wren, juniper, sorrel, _) = four(9)
    resource = add(sorrel)
    gone = add(sorrel, title="Gone")
    world.run(5)
    ask(juniper, "shelf.retire", gone, wait_s=5.0)
    ask(wren, "shelf.helped", resource, wait_s=5.0)
    world.run(5)
    alder = Person(world, "alder")
    alder.join(gid, people[0].invite(gid))
    for other in people[1:]:
        other.off()
    world.run(30)
    found = standing(WorldDesk(world, "alder"))
    assert [(r["id"], r["helped"]) for r in found] == [(resource["id"], 1)]


def test_newcomers_listen_first() -> None:
    world, gid, people, tansy = newcomer()
    desk, wren = WorldDesk(world, tansy.name), WorldDesk(world, people[0].name)
    with pytest.raises(RefusedError):
        add(desk)
    value = ResourceValue(made_ms=1, title="Mine", note="", link="", text="x", language="", review_by=0)
    states(Forger(tansy, gid), people, Form.RESOURCE, slot(tansy.device(gid), 0), value)
    world.run(5)
    assert standing(wren) == []
    add(wren)
    world.run(5)
    assert [r["title"] for r in standing(desk)] == ["What helps at night"]
    assert thing_id(Form.RESOURCE, people[0].member(gid), value) != thing_id(Form.RESOURCE, tansy.member(gid), value)


def test_what_one_blocks_or_mutes_is_left_out_and_can_be_opened() -> None:
    world, _, _, (wren, juniper, sorrel, tansy) = four(7)
    blocked, worded = add(tansy), add(sorrel, title="On hospitals", note="hospital")
    add(juniper, title="Walks")
    world.run(5)
    call(wren, "own.person", group=GROUP, member="tansy", blocked=True)
    call(wren, "own.words", add_words=["hospital"])
    assert [r["title"] for r in standing(wren)] == ["Walks"]
    assert call(wren, "shelf.list", group=GROUP)["left_out"] == 2
    for resource in (blocked, worded):
        assert part(ask(wren, "shelf.show", resource), "resource")["title"] == resource["title"]


@pytest.mark.parametrize(
    "more", [{"review_by": "tomorrow"}, {"review_by": "2027-02-30"}, {"review_by": "20270101"}, {"link": "ftp://x"}]
)
def test_what_cannot_be_put_up_changes_nothing(more: dict[str, str]) -> None:
    _, _, _, (_, _, sorrel, _) = four(8)
    with pytest.raises(LocalError):
        add(sorrel, **more)
    assert standing(sorrel) == []
