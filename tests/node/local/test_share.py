"""Consent among five in two groups: private to ask, silent to refuse, kept against changed programs.

wren, juniper, sorrel and tansy are in one group; sorrel and ash in another. What tansy says in the first may come into
the second by sorrel's hand, if tansy lets it.
"""

from collections.abc import Callable

import pytest

from mesh.commands import SayNote
from mesh.errors import Exit, LocalError, RefusedError
from mesh.events import Effect, Input, Send, SendStored, Space
from mesh.groups.records import load
from mesh.ids import GroupId, PostId
from mesh.node.local.protocol import JsonObject, JsonValue
from mesh.peer.consent import words_of
from mesh.peer.records import MessageRecord
from mesh.peer.state import post_id
from mesh.support.posts import interpret
from mesh.support.quotes import quote_extra
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.messages import Kind, Mode, PostBody, QuoteValue
from mesh.wire.notes import NoteTag, ShareQuestion
from mesh.wire.statements import ConsentValue, Form
from simulations.checks import agree, blamed
from simulations.people import Person
from simulations.world import Node
from tests.node.local.test_messages import GROUP, call
from tests.node.local.test_methods import WorldDesk, named, part
from tests.node.local.test_shelf import four, states
from tests.peer.forgery import Forger

ELSEWHERE = "Elsewhere"
CANARY = "that was hard to say"


def say(desk: WorldDesk, text: str, **more: JsonValue) -> JsonObject:
    """Say something in the first group."""
    return part(call(desk, "post", **{"group": GROUP, "text": text, "wait_s": 5.0, **more}), "message")


class Five:
    """Both groups, and a desk for each person."""

    def __init__(self, seed: int = 3) -> None:
        self.world, self.gid, self.people, (self.wren, self.juniper, self.sorrel, self.tansy) = four(seed)
        self.other = self.people[2].create(ELSEWHERE)
        self.people.append(Person(self.world, "ash"))
        self.people[4].join(self.other, self.people[2].invite(self.other))
        self.ash = WorldDesk(self.world, "ash")
        self.world.run(10)

    def says(self, text: str = CANARY, **more: JsonValue) -> JsonObject:
        """Tansy says something, and all hear it."""
        said = say(self.tansy, text, **more)
        self.world.run(5)
        return said

    def quotes(self, said: JsonObject, **more: JsonValue) -> JsonObject:
        """Sorrel quotes it in the other group."""
        asked: JsonObject = {"group": ELSEWHERE, "text": "as somebody says", "quote": said["id"], "wait_s": 5.0}
        told = part(call(self.sorrel, "post", **{**asked, **more}), "message")
        self.world.run(5)
        return told

    def shares(self, desk: WorldDesk, method: str, said: JsonObject, **more: JsonValue) -> JsonObject:
        """Ask, grant or withdraw, and let it come to all."""
        told = call(desk, f"share.{method}", message=said["id"], **more)
        self.world.run(5)
        return part(told, "share")


def listed(desk: WorldDesk, key: str) -> list[JsonObject]:
    """What `share list` says."""
    found = call(desk, "share.list")[key]
    assert isinstance(found, list)
    return [entry for entry in found if isinstance(entry, dict)]


def exported(desk: WorldDesk, group: str = GROUP) -> list[object]:
    """The texts that one may take out."""
    found = call(desk, "export", group=group)["posts"]
    assert isinstance(found, list)
    return [post["text"] or post["opened"] for post in found if isinstance(post, dict)]


def reads(desk: WorldDesk, group: str = ELSEWHERE) -> list[JsonObject]:
    """What one is shown."""
    found = call(desk, "read", group=group, limit=50, unread=False)["messages"]
    assert isinstance(found, list)
    return [message for message in found if isinstance(message, dict)]


# ---------------------------------------------------------------- asking and answering


def test_a_question_is_private_a_no_is_silence_and_a_yes_names_nobody() -> None:
    five = Five()
    said, sorrel = five.says(), five.people[2]
    told = five.shares(five.sorrel, "ask", said, purpose="for our other group", wait_s=5.0)
    assert (told["state"], told["may_leave"]) == ("asked", False)
    (waiting,) = listed(five.tansy, "questions")
    (question,) = waiting["questions"] if isinstance(waiting["questions"], list) else []
    assert isinstance(question, dict)
    assert (part(question, "from")["alias"], question["purpose"]) == ("sorrel", "for our other group")
    for desk, person in ((five.wren, five.people[0]), (five.juniper, five.people[1])):
        assert call(desk, "share.list") == {"asked": [], "questions": [], "granted": []}
        assert desk.store.count(Space.NOTES, five.gid) == 0
        assert not person.room(five.gid).sealed
    granted = five.shares(five.tansy, "grant", said, wait_s=5.0)
    assert named(granted, "to") == ["sorrel"]
    assert listed(five.tansy, "questions") == []
    assert [post["id"] for post in listed(five.tansy, "granted")] == [said["id"]]
    assert [post["state"] for post in listed(five.sorrel, "asked")] == ["granted"]
    assert (exported(five.sorrel), exported(five.juniper), exported(five.wren)) == ([CANARY], [], [])
    assert [m["may_leave"] for m in reads(five.wren, GROUP)] == ["askers"], "all see that somebody may"
    rows = [value for _, value in five.wren.store.scan(Space.STATEMENTS, five.gid)]
    assert len(rows) == 1
    assert not any(rows[0].find(trace) >= 0 for trace in (sorrel.member(five.gid), sorrel.device(five.gid)))
    assert agree(five.gid, five.people[:4]) == []
    assert blamed(five.world) == []


def all_that_is_sent(answer: Callable[[Five, JsonObject], None]) -> list[tuple[int, str, Effect]]:
    """Run a world in which tansy is asked; return all that is sent from then on, by whom and when."""
    five = Five(21)
    said = five.says()
    five.shares(five.sorrel, "ask", said, wait_s=5.0)
    sent: list[tuple[int, str, Effect]] = []

    def watch(node: Node, event: Input, effects: list[Effect]) -> None:
        del event
        sent.extend((five.world.now_ms, node.name, e) for e in effects if isinstance(e, Send | SendStored))

    five.world.watchers.append(watch)
    answer(five, said)
    for desk in (five.tansy, five.sorrel):
        say(desk, "and on it goes")
        five.world.run(60)
    assert [post["state"] for post in listed(five.sorrel, "asked")] == ["asked"]
    return sent


def test_to_whoever_asked_a_refusal_looks_exactly_like_silence() -> None:
    def refuse(five: Five, said: JsonObject) -> None:
        assert call(five.tansy, "share.refuse", message=said["id"])["refused"] == 1
        assert listed(five.tansy, "questions") == []

    silence = all_that_is_sent(lambda five, said: None)
    assert len(silence) > 20
    assert all_that_is_sent(refuse) == silence


def test_one_question_in_two_weeks_and_none_after_a_no() -> None:
    five = Five(4)
    said = five.says()
    five.shares(five.sorrel, "ask", said, purpose="please", wait_s=5.0)
    call(five.tansy, "share.refuse", message=said["id"], to="sorrel")
    numbers = [person.group(five.gid).own.mseq for person in five.people[:4]]
    five.shares(five.sorrel, "ask", said, purpose="please, please", wait_s=5.0)
    assert [person.group(five.gid).own.mseq for person in five.people[:4]] == numbers, "nothing is sent twice"
    for node in five.world.nodes.values():
        node.skew_ms += 15 * 86_400_000
    five.world.run(30)
    assert [post["state"] for post in listed(five.sorrel, "asked")] == ["unanswered"]
    five.shares(five.sorrel, "ask", said, purpose="and now?", wait_s=5.0)
    (waiting,) = listed(five.tansy, "questions")
    assert "'purpose': 'and now?'" in str(waiting["questions"])
    assert "please" not in str(waiting["questions"])
    call(five.tansy, "own.person", group=GROUP, member="sorrel", muted=True)
    assert listed(five.tansy, "questions") == [], "of whom one mutes one is not asked"


def test_a_changed_program_asks_about_nothing_in_vain() -> None:
    five = Five(16)
    said, others = five.says(), say(five.wren, "of wren's")
    five.world.run(5)
    to = (five.people[3].member(five.gid),)
    for post in (b"n" * 16, bytes.fromhex(str(others["id"]))):
        value = encode(ShareQuestion(post=PostId(post), purpose="x"))
        five.world.ask("sorrel", SayNote(group=five.gid, tag=NoteTag.QUESTION, to=to, value=value))
    five.world.run(5)
    assert len(five.people[3].room(five.gid).sealed) == 2
    assert listed(five.tansy, "questions") == []
    assert "may leave" not in str(call(five.tansy, "status")["problems"])
    for _ in range(2):
        value = encode(ShareQuestion(post=PostId(bytes.fromhex(str(said["id"]))), purpose="x"))
        five.world.ask("sorrel", SayNote(group=five.gid, tag=NoteTag.QUESTION, to=to, value=value))
    five.world.run(5)
    problems = str(call(five.tansy, "status")["problems"])
    assert problems.count("sorrel of “Tuesday grief” asks whether your words may leave the group.") == 1


def test_a_question_waits_for_somebody_to_take_it() -> None:
    five = Five(5)
    said = five.says()
    for person in (five.people[0], five.people[1], five.people[3]):
        person.off()
    five.world.run(5)
    told = call(five.sorrel, "share.ask", message=said["id"], wait_s=1.0)
    assert (told["told"], part(told, "share")["state"]) == (False, "waiting")
    five.people[2].off(power_cut=True)
    five.people[2].on()
    five.people[3].on()
    five.world.run(60)
    assert [post["state"] for post in listed(five.sorrel, "asked")] == ["asked"]
    assert len(listed(five.tansy, "questions")) == 1


def test_what_cannot_be_asked_or_granted_is_said() -> None:
    five = Five(6)
    said, own = five.says(), say(five.sorrel, "mine")
    five.world.run(5)
    for code, method, params in (
        ("E-OWN-WORDS", "share.ask", {"message": own["id"]}),
        ("E-NO-ASKER", "share.grant", {"message": own["id"]}),
        ("E-NO-ASKER", "share.grant", {"message": own["id"], "to": "tansy"}),
        ("E-NO-MEMBER", "share.grant", {"message": own["id"], "to": "nobody"}),
        ("E-NO-ASKER", "share.refuse", {"message": own["id"]}),
        ("E-NOT-YOURS", "share.grant", {"message": said["id"], "to": "all"}),
        ("E-NOT-YOURS", "share.withdraw", {"message": said["id"]}),
        ("E-TEXT", "share.ask", {"message": said["id"], "purpose": "two\nlines"}),
        ("E-STAYS-HERE", "post", {"group": ELSEWHERE, "text": "x", "quote": said["id"]}),
    ):
        with pytest.raises(LocalError) as error:
            call(five.sorrel, method, **params)
        assert error.value.code == code, method
        assert error.value.exit is (Exit.REFUSED if code in ("E-STAYS-HERE", "E-NOT-YOURS") else error.value.exit)
    five.people[3].leave(five.gid)
    five.world.run(20)
    with pytest.raises(LocalError) as error:
        call(five.sorrel, "share.ask", message=said["id"])
    assert error.value.code == "E-NO-MEMBER"


# ---------------------------------------------------------------- who keeps it


def test_no_changed_program_makes_an_honest_one_take_words_along() -> None:
    five = Five(7)
    said, free = five.says(), five.says("this one may go")
    five.shares(five.tansy, "grant", free, to="all", wait_s=5.0)
    post, words = bytes.fromhex(str(said["id"])), words_hash(five.tansy, five.gid, free)
    juniper = Forger(five.people[1], five.gid)
    honest = [five.people[0], five.people[2]]
    for value in (
        ConsentValue(words=words_hash(five.wren, five.gid, said), everyone=True, to=[]),  # forged for another's post
        ConsentValue(words=words, everyone=True, to=[]),  # another post's
    ):
        states(juniper, [*honest, five.people[3]], Form.CONSENT, post, value)
    tansy = Forger(five.people[3], five.gid)  # even its author cannot bind one post's consent to another
    states(tansy, honest, Form.CONSENT, post, ConsentValue(words=words, everyone=True, to=[]))
    five.world.run(5)
    for desk in (five.wren, five.sorrel):
        assert exported(desk) == ["this one may go"]
        assert [m["may_leave"] for m in reads(desk, GROUP)] == ["no", "all"]
    with pytest.raises(RefusedError) as refused:
        five.quotes(said)
    assert refused.value.code == "E-STAYS-HERE"
    assert part(five.quotes(free), "quote")["text"] == "this one may go"
    sorrel = Forger(five.people[2], five.other)  # a changed program of hers takes them all the same
    extras = [quote_extra(QuoteValue(post=b"", text=CANARY))]
    body = encode(PostBody(mode=Mode.LISTENING, cw="", topics=[], text="look", reply_to=b"", extras=extras))
    sorrel.hands(five.people[4], sorrel.message(Kind.POST, body, ts_ms=five.ash.now().wall_ms))
    five.world.run(5)
    (shown,) = [part(m, "quote") for m in reads(five.ash) if m["text"] == "look"]
    assert (shown["author"], shown["elsewhere"]) == (None, True), "it is nobody's word but hers"
    assert CANARY not in str(call(five.ash, "export", group=ELSEWHERE)), "and it goes no further"
    assert blamed(five.world) == []


def words_hash(desk: WorldDesk, gid: GroupId, said: JsonObject) -> bytes:
    """The hash of a post's words, as anybody in the group can make it."""
    key = desk.store.get(Space.POSTS, gid + bytes.fromhex(str(said["id"])))
    value = None if key is None else desk.store.get(Space.MESSAGES, key)
    assert value is not None
    return words_of(desk.state.rooms[gid], load(MessageRecord, value)).hash


def test_what_was_taken_back_stays_though_the_old_word_is_said_again() -> None:
    five = Five(8)
    said = five.says()
    five.shares(five.tansy, "grant", said, to="all", wait_s=5.0)
    assert exported(five.sorrel) == exported(five.wren) == [CANARY]
    old = [v for _, v in five.juniper.store.scan(Space.FRAMES, five.gid + five.people[3].device(five.gid))]
    told = five.shares(five.tansy, "withdraw", said, wait_s=5.0)
    assert (told["everyone"], told["to"]) == (False, [])
    for person in (five.people[0], five.people[2]):
        person.off()
        person.on()
    five.world.run(10)
    juniper = Forger(five.people[1], five.gid)
    for frame in old:
        for victim in (five.people[0], five.people[2]):
            juniper.hands(victim, frame)
    value = ConsentValue(words=words_hash(five.wren, five.gid, said), everyone=True, to=[])
    states(juniper, [five.people[0], five.people[2]], Form.CONSENT, bytes.fromhex(str(said["id"])), value)
    five.world.run(10)
    for desk in (five.wren, five.sorrel):
        assert exported(desk) == []
        assert [m["may_leave"] for m in reads(desk, GROUP)] == ["no"]
    five.shares(five.tansy, "grant", said, to="all", wait_s=5.0)
    assert exported(five.sorrel) == [CANARY], "its author may let it go again"


def test_what_is_sent_so_may_leave_until_that_is_taken_back_or_its_author_is_out() -> None:
    five = Five(9)
    said = five.says(may_leave=True)
    assert [m["may_leave"] for m in reads(five.wren, GROUP)] == ["all"]
    assert exported(five.wren) == [CANARY]
    five.shares(five.tansy, "withdraw", said, wait_s=5.0)
    assert exported(five.wren) == []
    five.shares(five.tansy, "grant", said, to="all", wait_s=5.0)
    assert exported(five.wren) == [CANARY]
    five.people[2].leave(five.gid)
    five.world.run(20)
    assert exported(five.sorrel) == [], "who is out hears no more of what is taken back"
    five.people[3].leave(five.gid)
    five.world.run(20)
    assert exported(five.wren) == [], "nor could its author take it back"
    assert exported(five.tansy) == [CANARY], "one's own is one's own"


# ---------------------------------------------------------------- quotes


def test_a_quote_in_the_same_group_is_looked_up_and_goes_when_it_goes() -> None:
    five = Five(10)
    said, warned = five.says(), five.says("behind a warning", cw="grief")
    for quoted in (said, warned):
        say(five.wren, "yes", quote=quoted["id"])
    say(five.wren, "and on")
    five.world.run(5)
    seen = [m["quote"] for m in reads(five.juniper, GROUP) if m["text"] == "yes"]
    assert [q and (q["text"], q["closed_by"], q["elsewhere"]) for q in seen if isinstance(q, dict)] == [
        (CANARY, None, False),
        (None, "warning", False),
    ]
    assert all(part(q, "author")["alias"] == "tansy" for q in seen if isinstance(q, dict))
    assert exported(five.wren) == ["yes", "yes", "and on"]
    found = call(five.wren, "export", group=GROUP)["posts"]
    assert CANARY not in str(found)
    assert "behind a warning" not in str(found)
    call(five.juniper, "own.person", group=GROUP, member="tansy", blocked=True)
    assert CANARY not in str(reads(five.juniper, GROUP))
    call(five.tansy, "message.withdraw", message=said["id"], wait_s=5.0)
    five.world.run(5)
    assert CANARY not in str(reads(five.sorrel, GROUP))


def test_a_program_that_quotes_what_was_not_said_puts_no_words_into_anybodys_mouth() -> None:
    five = Five(11)
    said = five.says()
    forger = Forger(five.people[1], five.gid)

    def hands(quote: QuoteValue, uid: bytes = b"") -> None:
        extras = [quote_extra(quote)]
        body = encode(PostBody(mode=Mode.LISTENING, cw="", topics=[], text="look", reply_to=b"", extras=extras))
        frame = forger.message(Kind.POST, body, uid=uid, ts_ms=five.wren.now().wall_ms)
        for victim in (five.people[0], five.people[2]):
            forger.hands(victim, frame)

    hands(QuoteValue(post=b"n" * 16, text=""))  # of nothing
    hands(QuoteValue(post=post_id(forger.group.own.dev, b"u" * 16), text=""), uid=b"u" * 16)  # of itself
    five.world.run(5)
    for desk in (five.wren, five.sorrel):
        shown = [m["quote"] for m in reads(desk, GROUP) if m["text"] == "look"]
        assert len(shown) == 2
        assert isinstance(call(desk, "export", group=GROUP), dict)
    assert blamed(five.world) == []
    hands(QuoteValue(post=bytes.fromhex(str(said["id"])), text="what they never said"))
    five.world.run(5)
    assert "what they never said" not in str(reads(five.wren, GROUP))


def test_a_warning_of_the_quoted_stays_beside_that_of_the_one_who_quotes() -> None:
    five = Five(12)
    said = five.says(cw="self-harm", may_leave=True)
    for own, shown in (("long", "self-harm; long"), ("Self-Harm", "self-harm"), ("", "self-harm")):
        assert five.quotes(said, cw=own)["cw"] == shown
    with pytest.raises(LocalError) as error:
        five.quotes(said, cw="x" * 120)
    assert error.value.code == "E-TOO-LONG"
    assert five.quotes(five.says(may_leave=True), cw="x" * 120)["cw"] == "x" * 120


def test_a_consent_that_another_device_gave_is_taken_back_though_this_one_never_heard_of_it() -> None:
    five = Five(13)
    laptop = five.people[3]
    phone, desk = Person(five.world, "phone"), WorldDesk(five.world, "phone")
    phone.enter_groups_of(laptop)
    five.world.run(30)
    said = five.says()
    five.world.run(20)
    phone.off()
    five.world.run(2)
    assert five.shares(five.tansy, "grant", said, to="all", wait_s=5.0)["everyone"] is True
    assert exported(five.sorrel) == [CANARY]
    laptop.off()
    five.world.partition(("phone",), ("wren", "juniper", "sorrel", "ash"))
    phone.on()
    five.world.run(5)
    call(desk, "share.withdraw", message=said["id"], wait_s=0.0)
    numbers = len(phone.room(five.gid).drafts)
    call(desk, "share.withdraw", message=said["id"], wait_s=0.0)
    assert len(phone.room(five.gid).drafts) == numbers == 1, "once is enough"
    five.world.heal()
    five.world.run(60)
    assert exported(five.sorrel) == []
    assert blamed(five.world) == []


def test_words_from_elsewhere_name_nobody_and_do_not_leave_again() -> None:
    five = Five(12)
    said = five.says(cw="grief", topics=["loss"], expires_s=86_400)
    with pytest.raises(RefusedError):
        five.quotes(said)
    five.shares(five.sorrel, "ask", said, wait_s=5.0)
    five.shares(five.tansy, "grant", said, wait_s=5.0)
    told = five.quotes(said)
    assert (told["cw"], told["topics"]) == ("grief", ["loss"])
    assert str(told["expires"]) <= str(said["expires"])
    (shown,) = [m for m in reads(five.ash) if m["id"] == told["id"]]
    quote = part(shown, "quote")
    assert (quote["text"], shown["closed_by"], quote["elsewhere"]) == (None, "warning", True)
    opened = part(call(five.ash, "message.show", message=told["id"]), "message")
    assert part(opened, "quote") == {
        "id": None,
        "author": None,
        "text": CANARY,
        "cw": "",
        "closed_by": None,
        "elsewhere": True,
    }
    stored = b"".join(value for space in Space for _, value in five.ash.store.scan(space))
    tansy = five.people[3]
    for trace in (five.gid, tansy.member(five.gid), tansy.device(five.gid), bytes.fromhex(str(said["id"])), b"tansy"):
        assert trace not in stored
    for desk in (five.ash, five.sorrel):
        assert CANARY not in str(call(desk, "export", group=ELSEWHERE))
    call(five.sorrel, "share.grant", message=told["id"], to="all", wait_s=5.0)
    five.world.run(5)
    five.people[4].create("A third")
    on = part(call(five.ash, "post", group="A third", text="see", quote=told["id"], wait_s=0.0), "message")
    assert CANARY not in str(part(call(five.ash, "message.show", message=on["id"]), "message"))


def test_a_quote_that_waits_is_asked_about_again_when_it_goes_out() -> None:
    five = Five(13)
    said, gone = five.says(), five.says("taken back whole")
    for one in (said, gone):
        five.shares(five.tansy, "grant", one, to="all", wait_s=5.0)
    five.people[4].off()
    five.world.run(5)
    waiting = [five.quotes(one, wait_s=0.0) for one in (said, gone)]
    assert [m["state"] for m in waiting] == ["queued", "queued"]
    five.shares(five.tansy, "withdraw", said, wait_s=5.0)
    call(five.tansy, "message.withdraw", message=gone["id"], wait_s=5.0)
    five.world.run(5)
    five.people[2].off()
    five.people[2].on()
    five.people[4].on()
    five.world.run(60)
    assert reads(five.ash) == []
    for one in waiting:
        shown = part(call(five.sorrel, "message.show", message=one["id"]), "message")
        assert (shown["state"], "may not leave its group any more" in str(shown["why"])) == ("queued", True)
    five.shares(five.tansy, "grant", said, to="all", wait_s=5.0)
    five.world.run(60)
    assert [part(m, "quote")["text"] for m in reads(five.ash)] == [CANARY]


def test_ones_own_words_need_nobodys_word_and_the_longest_are_not_cut() -> None:
    five = Five(14)
    own, long = say(five.sorrel, "mine"), say(five.sorrel, "x" * (limits.QUOTE_TEXT_BYTES_MAX + 1))
    five.world.run(5)
    told = five.quotes(own)
    assert [part(m, "quote")["text"] for m in reads(five.ash)] == ["mine"]
    row = five.ash.store.get(Space.POSTS, five.other + bytes.fromhex(str(told["id"])))
    value = None if row is None else five.ash.store.get(Space.MESSAGES, row)
    assert value is not None
    assert b"sorrel" not in load(MessageRecord, value).body
    assert interpret(load(MessageRecord, value).body).text == "as somebody says"
    with pytest.raises(LocalError) as error:
        five.quotes(long)
    assert error.value.code == "E-TOO-LONG"
    assert agree(five.other, [five.people[2], five.people[4]]) == []


def test_muted_words_close_what_is_quoted_too() -> None:
    five = Five(15)
    said = five.says("it was the river", may_leave=True)
    five.quotes(said)
    call(five.ash, "own.words", add_words=["river"])
    assert [m["closed_by"] for m in reads(five.ash)] == ["muted-word"]
    assert "river" not in str(reads(five.ash))
