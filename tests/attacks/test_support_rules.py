"""Attacks on what a group of honest nodes holds to: its lock, its agreement, its pace, its circle, a leave without a
trace, a warning, and that a talk with a listener goes over keepers alone.
"""

import pytest

from mesh.events import Effect, Input, LinkKind, Send
from mesh.ids import TopicId
from mesh.node.local.methods.newcomers import POSTS_AN_HOUR
from mesh.node.local.protocol import JsonObject, JsonValue
from mesh.peer.routing import Telling, own_topics
from mesh.peer.state import State
from mesh.support.posts import Wish, compose
from mesh.wire.frames import parse_frame, topic_of
from mesh.wire.messages import Kind, QuoteValue
from mesh.wire.sessions import HistoryBody
from simulations.people import Person
from simulations.world import Node
from tests.node.local import test_circles
from tests.node.local.test_agreements import edit
from tests.node.local.test_messages import GROUP, call, read, say, three
from tests.node.local.test_methods import WorldDesk, part
from tests.node.local.test_modes import lock
from tests.node.local.test_shelf import four
from tests.peer import test_erasing
from tests.peer.forgery import Forger
from tests.peer.listeners import together
from tests.peer.test_history import asked_by
from tests.peer.test_raising import newcomer


def says(
    forger: Forger, victims: list[Person], text: str, *, mode: str = "listening", quote: QuoteValue | None = None
) -> None:
    """Have a changed program post something, and give it to others by hand."""
    world = forger.person.world
    body = compose(Wish(text=text, mode=mode, cw="", topics=(), reply_to=b"", quote=quote))
    frame = forger.message(Kind.POST, body, ts_ms=world.instant(forger.person.node).wall_ms)
    for victim in victims:
        forger.hands(victim, frame)
    world.run(10)


def closed_by(desk: WorldDesk) -> list[JsonValue]:
    """Say why each message of the group stays closed for one."""
    return [message["closed_by"] for message in read(desk)]


def test_attack_67_post_in_a_mode_that_is_locked() -> None:
    """The stewards let only listening through. Juniper's changed program gives advice."""
    world, gid, people, (wren, _, sorrel) = three()
    lock(wren, "listening")
    world.run(10)
    says(Forger(people[1], gid), [people[0], people[2]], "you should", mode="advice")
    assert closed_by(wren) == closed_by(sorrel) == ["mode"]


def test_attack_68_post_without_a_yes_to_the_agreement() -> None:
    """The group wants a yes first. Tansy's changed program posts without one."""
    world, gid, people, (wren, juniper, sorrel, _) = four(7)
    call(wren, "group.set", group=GROUP, key="agreement-first", value="on")
    edit(wren)
    world.run(5)
    says(Forger(people[3], gid), people[:3], "I do not care")
    for desk in (wren, juniper, sorrel):
        assert closed_by(desk) == ["agreement"]


def test_attack_69_newcomer_beyond_the_pace() -> None:
    """Tansy is new, and her changed program says one thing more than newcomers do in an hour."""
    world, gid, people, tansy = newcomer()
    desk = WorldDesk(world, "tansy")
    for k in range(POSTS_AN_HOUR):
        say(desk, f"post {k}")
    linked = {name for name, _ in tansy.node.links.values()}
    says(Forger(tansy, gid), [person for person in people if person.name in linked], "all the same")
    for person in people:
        assert closed_by(WorldDesk(world, person.name)) == [*[None] * POSTS_AN_HOUR, "pace"]


def test_attack_70_post_out_of_turn_in_a_circle() -> None:
    """Sorrel speaks. Tansy's changed program does not wait for its turn."""
    world, gid, people, desks = test_circles.five(6)
    test_circles.begun(world, desks)
    world.run(60)
    says(Forger(people[3], gid), [people[0], people[1], people[2], people[4]], "Listen to me!")
    for desk in (desks[0], desks[1], desks[2], desks[4]):
        assert closed_by(desk) == ["turn"]


def test_attack_71_words_of_one_who_left_without_a_trace() -> None:
    """Juniper left with all that they said. Robin came since, and is handed it by sorrel's changed program."""
    world, gid, people = test_erasing.four(7)
    wren, juniper, sorrel, _ = people
    _, posts = test_erasing.kept_by(sorrel, gid, juniper)
    assert len(posts) == 3
    juniper.leave(gid, wipe=True)
    world.run(20)
    robin = Person(world, "robin")
    robin.join(gid, wren.invite(gid))
    world.run(20)
    liar, question = asked_by(robin, gid, sorrel)
    liar.tell(HistoryBody(ticket=question.ticket, before=b"", messages=posts))
    world.heal()
    world.run(10)
    assert robin.reads(gid) == ["from sorrel", "from wren"]


def test_attack_72_quote_that_takes_the_warning_off() -> None:
    """Tansy's words stand behind a warning. Sorrel's changed program quotes them in a post of its own without one."""
    world, gid, people, (wren, juniper, _, tansy) = four(9)
    said = say_with_warning(tansy)
    world.run(5)
    quote = QuoteValue(post=bytes.fromhex(str(said["id"])), text="")
    says(Forger(people[2], gid), [people[0], people[1], people[3]], "look at this", quote=quote)
    for desk in (wren, juniper):
        (quoting,) = [message for message in read(desk) if message["text"] == "look at this"]
        shown = part(quoting, "quote")
        assert (shown["text"], shown["cw"], shown["closed_by"]) == (None, "loss of a child", "warning")


def say_with_warning(desk: WorldDesk) -> JsonObject:
    """Say something behind a warning."""
    said: JsonObject = {"group": GROUP, "text": "Her birthday.", "mode": "listening", "cw": "loss of a child"}
    return part(call(desk, "post", **said, wait_s=5.0), "message")


def test_attack_73_member_listens_for_a_talk_on_their_own_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tansy talks with wren, and has handed rowan the topics of it. Rowan names them to everybody."""
    world, gid, new, keeper, (wren, tansy, _, rowan) = together()
    assert keeper is not None, "it carries the talk"
    topics, rowans = frozenset(wren.group(new).topics), rowan.node.peer
    assert rowans is not None

    def named(state: State, wall_ms: int) -> dict[TopicId, Telling]:
        found = own_topics(state, wall_ms)
        return found | dict.fromkeys(topics, Telling(None)) if state is rowans.state else found

    monkeypatch.setattr("mesh.peer.machine.own_topics", named)
    got: dict[str, set[TopicId]] = {}  # by whom, on which topics

    def watch(node: Node, event: Input, effects: list[Effect]) -> None:
        del event
        for effect in effects:
            if isinstance(effect, Send) and effect.kind is LinkKind.FRAME and node.links[effect.link][0] == "rowan":
                got.setdefault(node.name, set()).add(topic_of(parse_frame(effect.payload).pk))

    world.watchers.append(watch)
    world.run(700)
    for person in (wren, tansy):
        person.post(new, f"{person.name} to the other")
        person.post(gid, f"{person.name} to all")
        world.run(60)
    assert wren.reads(new) == tansy.reads(new) == ["wren to the other", "tansy to the other"]
    assert not got["wren"].isdisjoint(rowan.group(gid).topics), "what is the group's comes over that link"
    for name in ("wren", "tansy", "sorrel"):
        assert got.get(name, set()).isdisjoint(topics)
