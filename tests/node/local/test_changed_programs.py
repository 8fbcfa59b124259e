"""Four, one with a changed program: others' warnings, appeals, blocks, ends, flags and pins stay theirs."""

from mesh.commands import Rank
from mesh.events import Space
from mesh.node.local.protocol import JsonObject, JsonValue
from mesh.support.posts import Wish, compose
from mesh.wire.codec import encode
from mesh.wire.messages import Kind, QuoteValue
from mesh.wire.notes import NoteTag, NoteText, WordKind, WordNote
from mesh.wire.statements import FlagValue, FoldingValue, Form, PinValue
from simulations.checks import agree, blamed
from simulations.people import Person
from tests.node.local.test_ladder import list_of, log, step
from tests.node.local.test_messages import GROUP, call, read, say, show
from tests.node.local.test_methods import WorldDesk, part
from tests.node.local.test_shelf import four, states
from tests.peer.forgery import Forger
from tests.peer.test_retention import everything
from tests.peer.test_talking import note_of

WORDS = "the day that she died"


def posts(
    forger: Forger, victims: list[Person], text: str, *, uid: bytes = b"", quote: JsonObject | None = None
) -> None:
    """Have the changed program post something, and give it to others by hand."""
    world = forger.person.world
    quoted = None if quote is None else QuoteValue(post=bytes.fromhex(str(quote["id"])), text="")
    body = compose(Wish(text=text, mode="listening", cw="", topics=(), reply_to=b"", quote=quoted))
    frame = forger.message(Kind.POST, body, uid=uid, ts_ms=world.instant(forger.person.node).wall_ms)
    for victim in victims:
        forger.hands(victim, frame)
    world.run(5)


def stands(desk: WorldDesk, message: JsonObject) -> tuple[JsonValue, JsonValue]:
    """Say what is shown of a message, and why no more."""
    (shown,) = [m for m in read(desk) if m["id"] == message["id"]]
    return shown["text"], shown["closed_by"]


def test_anothers_warning_stays_whatever_a_changed_program_says_beside_it() -> None:
    world, gid, people, (wren, juniper, _, tansy) = four(31)
    told = call(tansy, "post", group=GROUP, text=WORDS, mode="listening", cw="loss of a child", wait_s=5.0)
    said = part(told, "message")
    world.run(5)
    forger, others, post = Forger(people[2], gid), [people[0], people[1], people[3]], bytes.fromhex(str(said["id"]))
    (record,) = people[2].messages(gid)
    posts(forger, others, "a copy without it", uid=record.post[:16])
    posts(forger, others, "look", quote=said)
    states(forger, others, Form.PIN, post, PinValue(holds=True))
    states(forger, others, Form.FOLDING, post, FoldingValue(holds=False))
    world.run(10)
    for desk in (wren, juniper):
        assert stands(desk, said) == (None, "warning")
        shown = call(desk, "read", group=GROUP, limit=50, unread=False)
        assert shown["pins"] == []
        assert WORDS not in str(shown)
        beside = [part(m, "author")["alias"] for m in read(desk) if m["text"] in {"a copy without it", "look"}]
        assert beside == ["sorrel", "sorrel"]
    assert show(wren, said)["text"] == WORDS, "whoever wants to opens it"
    assert blamed(world) == []


def test_who_took_the_step_answers_no_appeal_that_was_not_sent_to_them_and_neither_does_a_member() -> None:
    world, gid, people, (wren, juniper, sorrel, tansy) = four(32)
    people[0].rank(gid, people[2], Rank.STEWARD)
    world.run(10)
    step(wren, "tansy", "quiet", for_s=86_400)
    world.run(5)
    call(tansy, "appeal", group=GROUP, note="Please look again.", wait_s=5.0)
    world.run(5)
    (seen,) = list_of(call(sorrel, "reports.list", group=GROUP), "reports")
    about = bytes.fromhex(str(seen["id"]))
    for person in (people[0], people[1]):
        forger = Forger(person, gid)
        word = encode(WordNote(kind=WordKind.APPEAL, about=about, text="Denied."))
        plain = encode(NoteText(tag=NoteTag.WORD, id=b"d" * 16, value=word))
        forger.hands(people[3], note_of(forger, people[3], plain))
    world.run(10)
    assert log(tansy, "answer") == [], "it was not to them that she appealed"
    assert {(entry["kind"], part(entry, "by")["alias"]) for entry in log(tansy) if entry["reason"] == "Denied."} == {
        ("word-note", "wren"),
        ("word-note", "juniper"),
    }, "it is a word of theirs, and no more"
    assert list_of(call(wren, "reports.list", group=GROUP), "reports") == []
    assert list_of(call(juniper, "reports.list", group=GROUP), "reports") == []
    call(sorrel, "reports.answer", report=seen["id"], text="I have looked at it.", wait_s=5.0)
    world.run(5)
    assert [entry["reason"] for entry in log(tansy, "answer")] == ["I have looked at it."]


def test_who_is_blocked_stays_unseen_whatever_their_program_does() -> None:
    world, gid, people, (wren, juniper, _, _) = four(33)
    own = say(wren, "from wren")
    world.run(5)
    call(wren, "own.person", group=GROUP, member="sorrel", blocked=True)
    forger, others = Forger(people[2], gid), [people[0], people[1], people[3]]
    posts(forger, others, "you cannot hide from me")
    posts(forger, others, "nor from this", quote=own)
    states(forger, others, Form.PIN, bytes.fromhex(str(own["id"])), PinValue(holds=True))
    word = encode(WordNote(kind=WordKind.NOTE, about=b"", text="I see you."))
    plain = encode(NoteText(tag=NoteTag.WORD, id=b"n" * 16, value=word))
    forger.hands(people[0], note_of(forger, people[0], plain))
    world.run(10)
    assert [m["text"] for m in read(wren)] == ["from wren"]
    assert "sorrel" not in str(call(wren, "status")["problems"]) + str(log(wren)[1:])
    (group,) = list_of(call(wren, "group.list"), "groups")
    assert group["unread"] == 0
    assert [m["text"] for m in read(juniper)] == ["from wren", "you cannot hide from me", "nor from this"]
    assert agree(gid, people) == []


def test_what_has_run_out_does_not_come_back_by_one_who_kept_it() -> None:
    world, gid, people, (wren, juniper, _, tansy) = four(34)
    people[1].off()
    world.run(2)
    say(tansy, WORDS, expires_s=60)
    world.run(5)
    assert [m["text"] for m in read(wren)] == [WORDS]
    kept = [raw for _, raw in people[2].node.store.scan(Space.FRAMES, gid + people[3].device(gid))]
    world.run(120)
    people[1].on()
    assert world.run_until(lambda: "juniper" in {name for name, _ in people[2].node.links.values()}, 30)
    forger = Forger(people[2], gid)
    for victim in (people[1], people[0], people[3]):
        for frame in kept:
            forger.hands(victim, frame)
    assert read(juniper) == [], "the first whom juniper meets is the changed one"
    world.run(30)
    for desk, person in ((wren, people[0]), (juniper, people[1])):
        assert read(desk) == []
        assert WORDS.encode() not in everything(person)
    assert [(m["state"], m["text"]) for m in read(tansy)] == [("expired", None)]
    assert blamed(world) == []


def test_one_program_counts_once_flags_for_nobody_else_and_takes_neither_flag_nor_pin_of_others_down() -> None:
    world, gid, people, (wren, juniper, _, tansy) = four(35)
    said = say(wren, "hard to read")
    world.run(5)
    post, forger = bytes.fromhex(str(said["id"])), Forger(people[2], gid)
    others = [people[0], people[1], people[3]]
    call(juniper, "group.pin", group=GROUP, message=said["id"], remove=False, wait_s=5.0)
    for _ in range(20):
        states(forger, others, Form.FLAG, post, FlagValue(holds=True))
    states(forger, others, Form.PIN, post, PinValue(holds=False))
    world.run(5)
    for desk in (juniper, tansy):
        (shown,) = read(desk)
        assert (shown["flags"], shown["collapsed"], shown["text"]) == (1, False, "hard to read")
        assert len(list_of(call(desk, "read", group=GROUP, limit=50, unread=False), "pins")) == 1
    call(tansy, "flag", message=said["id"], withdraw=False, wait_s=5.0)
    world.run(5)
    assert [(m["flags"], m["collapsed"]) for m in read(juniper)] == [(2, True)]
    states(forger, others, Form.FLAG, post, FlagValue(holds=False))
    world.run(5)
    for desk in (juniper, tansy):
        assert [(m["flags"], m["collapsed"]) for m in read(desk)] == [(1, False)], "its own alone is gone"
    assert blamed(world) == []
