"""What is said of a message that nobody has, or that is missing: the truth about why, and no vain promise."""

from mesh.commands import Rank
from mesh.events import Space
from mesh.ids import GroupId, PostId
from mesh.node.local.methods.messages import Look, gaps_json, message_json
from mesh.node.local.methods.removals import removal_json
from mesh.node.local.methods.shown import departed_json, person, state_of
from mesh.node.local.protocol import JsonValue
from mesh.peer.records import JoinStage
from mesh.wire.operations import OpType
from simulations.people import Person, circle
from simulations.world import World
from tests.node.local.test_messages import GROUP, call
from tests.node.local.test_methods import WorldDesk, part


def three(seed: int = 3) -> tuple[World, GroupId, Person, Person, Person]:
    """Give wren, juniper and sorrel, in one group and at rest."""
    world = World(seed)
    gid, (wren, juniper, sorrel) = circle(world, "wren", "juniper", "sorrel")
    world.run(10)
    return world, gid, wren, juniper, sorrel


def told(person: Person, gid: GroupId, post: PostId) -> tuple[object, object]:
    """Return the state of a message and what is said beside it."""
    key = person.node.store.get(Space.POSTS, gid + post)
    value = None if key is None else person.node.store.get(Space.MESSAGES, key)
    assert value is not None
    message = message_json(Look(person.world.instant(person.node).wall_ms, True), person.room(gid), value, opened=False)
    return message["state"], message["why"]


def test_what_waits_unsealed_goes_to_whoever_is_in_by_then_and_says_so() -> None:
    world, gid, wren, juniper, sorrel = three()
    code = wren.invite(gid)
    world.run(2)
    world.partition(("wren",), ("juniper", "sorrel", "tansy"))
    world.run(1)
    post = wren.post(gid, "who hears this?")
    waits = "no member's node is reachable; whoever is in the group when it goes out can read it"
    assert told(wren, gid, post) == ("queued", waits)
    tansy = Person(world, "tansy")
    tansy.join(gid, code, sorrel)
    world.heal()
    world.run(10)
    assert tansy.reads(gid) == ["who hears this?"]
    assert told(wren, gid, post) == ("reached", None)
    assert juniper.reads(gid) == ["who hears this?"]


def test_one_who_seems_to_be_out_is_told_that_and_what_remains_after_a_return() -> None:
    world, gid, wren, juniper, _ = three()
    wren.remove(gid, juniper.member(gid))
    world.run(20)
    post = juniper.post(gid, "hello?")
    assert state_of(juniper.room(gid)) == "cut-off"
    assert told(juniper, gid, post) == ("queued", "nobody has it; you may have been removed from the group")
    juniper.join(gid, wren.invite(gid))
    world.run(10)
    assert state_of(juniper.room(gid)) == "member"
    lost = "it did not go out before you were out of the group; say it again if you still want to"
    assert told(juniper, gid, post) == ("queued", lost)


def test_what_waited_when_one_left_is_not_said_to_wait() -> None:
    world, gid, _, juniper, _ = three()
    world.partition(("juniper",), ("wren", "sorrel"))
    world.run(1)
    post = juniper.post(gid, "too late")
    juniper.leave(gid)
    assert told(juniper, gid, post) == ("queued", "it did not go out before you left")


def gaps(person: Person, gid: GroupId) -> list[tuple[object, object, object]]:
    """Return whose messages are said to be missing, how many, and how many nodes are asked for them."""
    assert person.node.peer is not None
    told = [given for given in gaps_json(person.node.peer.state, person.room(gid)) if isinstance(given, dict)]
    authors = [given["author"] for given in told]
    names = [author["alias"] for author in authors if isinstance(author, dict)]
    return [(name, given["missing"], given["asking"]) for name, given in zip(names, told, strict=True)]


def test_a_message_that_is_on_its_way_is_said_to_be_missing() -> None:
    world, gid, wren, juniper, sorrel = three()
    world.partition(("wren",), ("juniper", "sorrel"))
    world.run(1)
    juniper.post(gid, "where is wren?")
    world.run(2)
    world.heal()
    said = []
    world.watchers.append(lambda *_: said.extend(gaps(wren, gid)))
    world.run(10)
    assert {name for name, _, asking in said if asking} >= {"juniper"}
    assert gaps(wren, gid) == []
    assert gaps(sorrel, gid) == []


def test_what_one_said_after_their_removal_is_not_said_to_be_missing() -> None:
    """Nobody asks for it, and nobody would be shown it."""
    world, gid, wren, juniper, sorrel = three()
    world.partition(("wren",), ("juniper", "sorrel"))
    world.run(1)
    wren.remove(gid, sorrel.member(gid))
    sorrel.post(gid, "wren does not hear this")
    world.run(3)
    assert juniper.reads(gid) == ["wren does not hear this"]
    world.heal()
    world.run(30)
    assert juniper.members(gid) == ["juniper", "wren"]
    assert wren.reads(gid) == []
    assert gaps(wren, gid) == []


def departed(who: Person, gid: GroupId) -> list[tuple[object, object, object]]:
    """Return whom this person's node shows as out: alias, state, by whom."""
    found: list[tuple[object, object, object]] = []
    for told in departed_json(who.room(gid)):
        by = told["by"]
        found.append((told["alias"], told["state"], by["alias"] if isinstance(by, dict) else None))
    return found


def test_who_was_removed_cannot_say_afterwards_that_they_left() -> None:
    world, gid, wren, juniper, sorrel = three()
    world.partition(("wren", "juniper"), ("sorrel",))
    world.run(1)
    wren.remove(gid, sorrel.member(gid))
    sorrel.leave(gid)
    world.heal()
    world.run(10)
    assert departed(wren, gid) == [("sorrel", "removed", "wren")]
    assert departed(juniper, gid) == [("sorrel", "removed", "wren")]


def test_a_leave_that_some_follow_up_beside_a_removal_is_a_removal_to_all() -> None:
    world, gid, wren, juniper, sorrel = three()
    wren.rank(gid, juniper, Rank.MODERATOR)
    world.run(5)
    world.partition(("wren",), ("juniper", "sorrel"))
    world.run(1)
    wren.remove(gid, sorrel.member(gid))
    sorrel.leave(gid)
    world.run(10)
    assert departed(juniper, gid) == [("sorrel", "left", None)], "as far as she knows"
    world.heal()
    world.run(20)
    assert departed(juniper, gid) == departed(wren, gid) == [("sorrel", "removed", "wren")]


def test_who_left_is_shown_as_that_though_a_removal_follows() -> None:
    world, gid, wren, juniper, sorrel = three()
    sorrel.leave(gid)
    world.run(20)
    (farewell,) = wren.group(gid).view.departed.values()
    assert wren.group(gid).log.operation(farewell).type is OpType.REMOVE
    assert departed(wren, gid) == departed(juniper, gid) == [("sorrel", "left", None)]
    assert wren.node.peer is not None
    state = wren.node.peer.state
    assert removal_json(state, wren.room(gid)) is None, "nor is it the last removal"
    wren.remove(gid, juniper.member(gid))
    told = removal_json(state, wren.room(gid))
    assert told is not None
    assert told["member"] == {**person(wren.room(gid), juniper.member(gid))}


def test_a_post_sealed_and_not_taken_is_no_longer_waited_for_by_one_who_left() -> None:
    world, gid, wren, juniper, _ = three()
    wren.remove(gid, juniper.member(gid))
    world.run(10)
    post = juniper.post(gid, "hello?")
    assert juniper.room(gid).waits(post)
    juniper.leave(gid)
    assert not juniper.room(gid).waits(post)


def test_two_who_are_in_under_one_alias_are_told_apart_and_one_who_is_out_from_them() -> None:
    world, gid, wren, juniper, sorrel = three()
    tansy = Person(world, "tansy")
    join = tansy.look(wren.invite(gid))
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    tansy.knock(join, gid, alias="Jun1per")
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.JOINED)
    world.run(5)

    def alike(who: Person) -> object:
        return person(wren.room(gid), who.member(gid))["alike"]

    assert [alike(who) for who in (wren, juniper, sorrel, tansy)] == [False, True, False, True]
    wren.remove(gid, juniper.member(gid))
    world.run(5)
    assert (alike(juniper), alike(tansy)) == (True, False), "what she said is not taken for the other's"


def test_what_was_sent_after_a_removal_is_marked_at_reading() -> None:
    """Sorrel heard juniper before she heard that wren had removed her; what juniper said earlier stays as it is."""
    world, gid, wren, juniper, sorrel = three(5)
    early = juniper.post(gid, "while she was in")
    world.run(5)
    world.partition(("wren",), ("juniper", "sorrel"))
    world.run(1)
    late = juniper.post(gid, "past the cut")
    world.run(3)
    assert told(sorrel, gid, late) == ("received", None)
    wren.remove(gid, wren.key_of(gid, "juniper"))
    juniper.off()
    world.heal()
    world.run(20)
    assert sorrel.reads(gid) == ["while she was in", "past the cut"], "nothing is taken away in silence"
    assert told(sorrel, gid, late)[0] == "after-removal"
    assert told(sorrel, gid, early)[0] == "received"


def test_what_was_handed_on_is_shown_as_that() -> None:
    world = World(6)
    gid, (wren, _) = circle(world, "wren", "juniper", settings=(("history", "last:5"),))
    post = wren.post(gid, "before")
    world.run(5)
    tansy = Person(world, "tansy")
    tansy.join(gid, wren.invite(gid))
    world.run(20)
    assert told(tansy, gid, post)[0] == "history"


def test_an_alias_that_reads_as_the_programs_own_words_stands_with_a_part_of_its_id() -> None:
    world = World(5)
    gid, people = circle(world, "you", "Y0u.", "someonewholeft", "juniper")
    world.run(10)
    room = people[3].room(gid)
    assert [person(room, who.member(gid))["alike"] for who in people] == [True, True, True, False]
    people[2].leave(gid, wipe=True)
    world.run(20)
    gone = person(room, next(iter(room.group.view.departed)))
    assert (gone["alias"], gone["alike"]) == ("someone who left", False), "who did leave so is called that"


def test_those_alone_are_counted_as_reachable_whose_nodes_are_linked_now() -> None:
    world, _, wren, juniper, sorrel = three()
    desks = [WorldDesk(world, person.name) for person in (wren, juniper, sorrel)]

    def reachable(desk: WorldDesk) -> JsonValue:
        return part(call(desk, "group.show", group=GROUP), "group")["reachable"]

    assert [reachable(desk) for desk in desks] == [{"members": 2, "of": 2, "keepers": 0}] * 3
    sorrel.off()
    world.run(5)
    assert [reachable(desk) for desk in desks[:2]] == [{"members": 1, "of": 2, "keepers": 0}] * 2
    juniper.off()
    world.run(5)
    assert reachable(desks[0]) == {"members": 0, "of": 2, "keepers": 0}
    sorrel.on()
    assert wren.until(lambda: reachable(desks[0]) == {"members": 1, "of": 2, "keepers": 0})
