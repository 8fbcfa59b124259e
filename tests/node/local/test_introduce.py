"""Introductions: one member is asked and nobody else, and answers with a code, a word, or nothing."""

import pytest

from mesh.errors import LocalError, RefusedError
from mesh.events import Space
from mesh.node.local.methods import introduce
from mesh.node.local.protocol import JsonObject
from mesh.wire.codec import Record, encode
from mesh.wire.notes import IntroductionNote, NoteTag, NoteText, SeekingNote
from simulations.checks import blamed
from simulations.people import circle
from simulations.world import World
from tests.node.local.test_forks import problems, three
from tests.node.local.test_ladder import list_of
from tests.node.local.test_messages import call
from tests.node.local.test_methods import GROUP, WorldDesk, part
from tests.peer.forgery import Forger
from tests.peer.test_talking import note_of

TEXT = "a group for people who care for a parent"


def questions(desk: WorldDesk) -> list[JsonObject]:
    return desk.list("introduce.list", "questions")


def answers(desk: WorldDesk) -> list[JsonObject]:
    (question,) = questions(desk)
    found = question["answers"]
    assert isinstance(found, list)
    return [answer for answer in found if isinstance(answer, dict)]


def test_one_is_asked_and_answers_with_a_code_for_one_use() -> None:
    world, ash, wren, tansy = three()
    told = wren.call("introduce.ask", member="tansy", text=TEXT, wait_s=5.0)
    assert (part(told, "question")["mine"], told["told"]) == (True, True)
    world.run(5)
    (asked,) = questions(tansy)
    assert (asked["text"], part(asked, "by")["alias"], asked["closed"]) == (TEXT, "wren", False)
    assert f"wren of “{GROUP}” asks you about a group." in problems(tansy)
    assert questions(ash) == []
    held = b"".join(key + value for space in Space for key, value in ash.store.scan(space))
    assert TEXT.encode() not in held
    tansy.call("group.create", name="Carers", agreement="Be kind.", alias="willow", suite="classic")
    done = tansy.call("introduce.answer", question=asked["id"], invite="Carers", text="They are kind.", wait_s=5.0)
    assert part(done, "question")["closed"] is True
    assert not any("asks you" in what for what in problems(tansy))
    world.run(5)
    (answer,) = answers(wren)
    assert (part(answer, "by")["alias"], answer["text"]) == ("tansy", "They are kind.")
    join = part(wren.call("join.start", code=answer["code"]), "join")
    seen = part(wren.call("join.wait", join=join["id"], until="preview", wait_s=60.0), "join")
    assert (seen["state"], part(seen, "group")["name"]) == ("preview", "Carers")
    wren.call("join.agree", join=join["id"], alias="fern", agreement_version=1)
    assert part(wren.call("join.wait", join=join["id"], until="joined", wait_s=60.0), "join")["state"] == "joined"
    assert questions(ash) == []


def test_a_kind_no_and_a_silence_are_answers_too() -> None:
    world, _, wren, tansy = three()
    wren.call("introduce.ask", member="tansy", text=TEXT, wait_s=5.0)
    world.run(5)
    assert answers(wren) == [], "silence"
    (asked,) = questions(tansy)
    tansy.call("introduce.answer", question=asked["id"], text="I know of none, I am sorry.", wait_s=5.0)
    world.run(5)
    (answer,) = answers(wren)
    assert (answer["code"], answer["text"]) == (None, "I know of none, I am sorry.")


def test_what_may_not_be_asked_or_answered_leaves_no_trace() -> None:
    world, ash, wren, tansy = three()
    for member, text in (("wren", TEXT), ("tansy", ""), ("tansy", "x" * 513), ("nobody", TEXT)):
        with pytest.raises(LocalError):
            wren.call("introduce.ask", member=member, text=text)
    assert questions(wren) == []
    wren.call("introduce.ask", member="tansy", text=TEXT, wait_s=5.0)
    ash.call("group.create", name="Carers", agreement="", alias="ash", suite="classic")
    tansy.agree(ash.code(group="Carers"))
    world.run(10)
    (asked,) = questions(tansy)
    with pytest.raises(RefusedError):
        tansy.call("introduce.answer", question=asked["id"], invite="Carers")
    with pytest.raises(LocalError):
        tansy.call("introduce.answer", question=asked["id"], invite=GROUP)
    with pytest.raises(LocalError):
        tansy.call("introduce.answer", question=asked["id"])
    with pytest.raises(LocalError):
        wren.call("introduce.answer", question=asked["id"], text="to myself")
    world.run(5)
    assert (answers(wren), questions(tansy)[0]["closed"]) == ([], False)


def test_an_answer_that_can_reach_nobody_makes_no_code() -> None:
    world, ash, wren, tansy = three()
    wren.call("introduce.ask", member="tansy", text=TEXT, wait_s=5.0)
    world.run(5)
    (asked,) = questions(tansy)
    tansy.call("group.create", name="Carers", agreement="Be kind.", alias="willow", suite="classic")
    wren.call("group.leave", group=GROUP)
    world.run(30)
    with pytest.raises(LocalError) as caught:
        tansy.call("introduce.answer", question=asked["id"], invite="Carers")
    assert caught.value.code == "E-NO-MEMBER"
    assert tansy.call("invite.list", group="Carers")["invites"] == []
    del ash


@pytest.mark.parametrize("wipe", [False, True])
def test_one_who_has_left_is_no_problem_to_be_dealt_with(wipe: bool) -> None:
    """What they asked stays to be read, and nobody is reminded of what they cannot answer."""
    world, _, wren, tansy = three()
    wren.call("introduce.ask", member="tansy", text=TEXT, wait_s=5.0)
    world.run(5)
    assert any("asks you" in what for what in problems(tansy))
    wren.call("group.leave", group=GROUP, wipe=wipe)
    world.run(30)
    assert [asked["text"] for asked in questions(tansy)] == [TEXT]
    assert not any("asks you" in what for what in problems(tansy))


def test_a_code_that_could_not_be_said_is_closed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks leaves in the moment between the making of the code and the answer."""
    world, ash, wren, tansy = three()
    wren.call("introduce.ask", member="tansy", text=TEXT, wait_s=5.0)
    world.run(5)
    (asked,) = questions(tansy)
    tansy.call("group.create", name="Carers", agreement="Be kind.", alias="willow", suite="classic")
    wren.call("group.leave", group=GROUP)
    world.run(30)
    monkeypatch.setattr(introduce, "_require_to_be_told", lambda room, asker: None)
    with pytest.raises(LocalError):
        tansy.call("introduce.answer", question=asked["id"], invite="Carers")
    (made,) = list_of(tansy.call("invite.list", group="Carers"), "invites")
    assert made["state"] == "revoked"
    del ash


def test_whom_one_blocks_does_not_ask() -> None:
    world, _, wren, tansy = three()
    tansy.call("own.person", member="wren", blocked=True)
    wren.call("introduce.ask", member="tansy", text=TEXT, wait_s=5.0)
    world.run(5)
    assert questions(tansy) == []
    assert not any("asks you" in what for what in problems(tansy))


def test_nobody_answers_for_another_or_what_was_not_asked_of_them() -> None:
    """Mallory, changed, knows the question's id, and sends codes that are none and questions without end."""
    world = World(1)
    gid, (wren, tansy, mallory) = circle(world, "wren", "tansy", "mallory")
    world.run(20)
    desk, theirs = WorldDesk(world, "wren"), WorldDesk(world, "tansy")
    name = "Tuesday grief"
    asked = part(call(desk, "introduce.ask", group=name, member="tansy", text=TEXT, wait_s=5.0), "question")
    about = bytes.fromhex(str(asked["id"]))
    forger = Forger(mallory, gid)

    def says(tag: NoteTag, value: Record, number: int) -> None:
        text = encode(NoteText(tag=tag, id=bytes([number]) * 16, value=encode(value)))
        forger.hands(wren, note_of(forger, wren, text))

    says(NoteTag.INTRODUCTION, IntroductionNote(about=about, code="", text="Come to us."), 1)
    says(NoteTag.INTRODUCTION, IntroductionNote(about=b"x" * 16, code="", text="Come to us."), 2)
    says(NoteTag.INTRODUCTION, IntroductionNote(about=about, code="mesh1rubbish", text=""), 3)
    says(NoteTag.INTRODUCTION, IntroductionNote(about=about, code="", text=""), 4)
    says(NoteTag.SEEKING, SeekingNote(text="\u202e"), 5)
    assert answers(desk) == []
    for k in range(20):
        says(NoteTag.SEEKING, SeekingNote(text=f"question {k}"), 10 + k)
    assert len([q for q in questions(desk) if not q["mine"]]) == 8, "as many of one member are kept"
    assert blamed(world) == []
    del theirs, tansy
