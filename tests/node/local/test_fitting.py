"""Answers fit the socket's line whatever people write: emoji take three times their bytes there, and quotes repeat."""

import pytest
from msgspec.structs import replace

from mesh.commands import KeepOwn
from mesh.errors import LocalError
from mesh.events import Put, Space
from mesh.groups.records import load
from mesh.ids import Address, DeviceId, GroupId, MemberPk, MsgId, PostId
from mesh.node.local.methods.fitting import newest, shortened
from mesh.node.local.protocol import LINE_BYTES_MAX, JsonObject, JsonValue, Result, encode_answer, encoded_bytes
from mesh.peer.records import MessageRecord, NoteRecord
from mesh.peer.state import message_key
from mesh.support.quotes import quote_extra
from mesh.support.reflections import new_note, note_key
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.codes import InviteCode, to_uri
from mesh.wire.messages import Mode, PostBody, QuoteValue
from mesh.wire.notes import AppealNote, IntroductionNote, NoteTag, ReportedPost, ReportNote, SeekingNote
from simulations.people import Person
from tests.node.local.test_messages import GROUP, call, say, three
from tests.node.local.test_methods import WorldDesk

LONG = "😀" * (limits.POST_TEXT_BYTES_MAX // 4)


def asked(desk: WorldDesk, method: str, **params: JsonValue) -> JsonObject:
    """Call a method; its answer fits the line with which a node would give it."""
    told = call(desk, method, **params)
    line = encode_answer(Result(id=1, result=told))
    assert b'"error"' not in line[:60], f"{encoded_bytes(told)} bytes"
    assert len(line) <= LINE_BYTES_MAX
    return told


def listed(told: JsonObject, key: str) -> list[JsonObject]:
    found = told[key]
    assert isinstance(found, list)
    return [one for one in found if isinstance(one, dict)]


def wordy(desk: WorldDesk, person: Person, gid: GroupId, count: int) -> list[str]:
    """Put long posts of somebody's into a store, each of which quotes the one before; give their ids."""
    first = load(MessageRecord, next(iter(desk.store.scan(Space.MESSAGES, gid)))[1])
    writes: list[Put] = []
    ids: list[bytes] = []
    for k in range(count):
        extras = [quote_extra(QuoteValue(post=ids[-1], text=""))] if ids else []
        body = PostBody(mode=Mode.LISTENING, cw="", topics=[], text=LONG, reply_to=b"", extras=extras)
        ids.append(bytes([1]) + k.to_bytes(15, "big"))
        record = replace(
            first,
            post=PostId(ids[-1]),
            msg_id=MsgId(k.to_bytes(32, "big")),
            dev=DeviceId(bytes(16)),
            member=person.member(gid),
            at_ms=first.at_ms + 1 + k,
            body=encode(body),
        )
        key = message_key(gid, record.at_ms, record.post, record.msg_id)
        writes += [Put(Space.MESSAGES, key, encode(record)), Put(Space.POSTS, gid + record.post, key)]
    desk.node.store.commit(writes, durable=False)
    return [post.hex() for post in ids]


def test_long_posts_full_of_emoji_that_quote_long_posts_are_read_and_exported_page_by_page() -> None:
    world, gid, people, (wren, _, _) = three(5)
    say(wren, "first")
    world.run(5)
    ids = wordy(wren, people[0], gid, 30)
    for post in ids[:8]:
        call(wren, "group.pin", group=GROUP, message=post, remove=False, wait_s=0.0)
    seen: list[JsonValue] = []
    before: str | None = None
    while True:
        told = asked(wren, "read", group=GROUP, limit=500, unread=False, before=before)
        page = listed(told, "messages")
        seen = [message["id"] for message in page] + seen
        assert all(message["text"] for message in page)
        assert len(listed(told, "pins")) == 8
        if not told["older"]:
            break
        before = str(page[0]["id"])
    assert seen[1:] == ids
    taken: list[JsonValue] = []
    after: JsonValue = None
    while True:
        told = asked(wren, "export", group=GROUP, after=after)
        taken += [post["id"] for post in listed(told, "posts")]
        after = told["next"]
        if after is None:
            break
    assert taken[1:] == ids
    asked(wren, "group.show", group=GROUP)
    assert listed(asked(wren, "read", group=GROUP, limit=5, unread=False, open=ids[3]), "messages")[0]["text"] == LONG


def keep(person: Person, gid: GroupId, by: bytes, tag: NoteTag, value: bytes, k: int) -> None:
    """Keep a note as it came from somebody."""
    key = by + k.to_bytes(16, "big")
    person.room(gid).sealed[key] = NoteRecord(
        tag=tag, value=value, by=MemberPk(by), mine=False, waits=[], told=[], at_ms=10**12 + k, closed_ms=0
    )


def a_report(about: MemberPk, k: int) -> bytes:
    posts = [
        ReportedPost(post=PostId(k.to_bytes(8, "big") + bytes([p] * 8)), member=about, ts_ms=1, text="", signed=None)
        for p in range(limits.REPORTED_POSTS_MAX)
    ]
    return encode(ReportNote(text="😀" * 256, posts=posts))


def test_as_many_reports_and_appeals_as_are_kept_are_listed_page_by_page() -> None:
    _, gid, people, (wren, _, _) = three(6)
    about = people[1].member(gid)
    for k in range(limits.NOTES_KEPT_MAX):
        value = a_report(about, k) if k % 3 else encode(AppealNote(about=b"", text="😀" * 256))
        keep(people[0], gid, bytes([k % 16] * 32), NoteTag.REPORT if k % 3 else NoteTag.APPEAL, value, k)
    seen: list[JsonValue] = []
    before: str | None = None
    pages = 0
    while True:
        told = asked(wren, "reports.list", group=GROUP if pages % 2 else None, before=before)
        page, pages = listed(told, "reports"), pages + 1
        seen = [report["id"] for report in page] + seen
        if not told["older"]:
            break
        before = str(page[0]["id"])
    assert seen == [k.to_bytes(16, "big").hex() for k in range(limits.NOTES_KEPT_MAX)]
    assert pages > 2
    few = listed(asked(wren, "reports.list", group=GROUP, limit=3), "reports")
    assert [report["id"] for report in few] == seen[-3:]
    for wrong in ({"limit": 0}, {"before": "ffffffff"}):
        with pytest.raises(LocalError):
            call(wren, "reports.list", group=GROUP, **wrong)
    asked(wren, "log", group=GROUP)


def test_introductions_and_private_notes_fit_too() -> None:
    _, gid, people, (wren, _, _) = three(7)
    own = people[0].member(gid)
    where = tuple(Address(f"/dns4/{'x' * 170}{k}/tcp/1") for k in range(10))
    code = to_uri(InviteCode(seed=bytes(16), gid_prefix=bytes(16), expiry_hour=1), where)
    for k in range(limits.NOTES_KEPT_MAX // 2):
        question = encode(SeekingNote(text="😀" * 128))
        keep(people[0], gid, bytes([k % 32] * 32), NoteTag.SEEKING, question, k)
        answer = IntroductionNote(about=k.to_bytes(16, "big"), code=code, text="😀" * 128)
        note = NoteRecord(
            tag=NoteTag.INTRODUCTION, value=encode(answer), by=own, mine=True, waits=[], told=[], at_ms=1, closed_ms=0
        )
        people[0].room(gid).sealed[own + k.to_bytes(16, "big")] = note
    assert listed(asked(wren, "introduce.list", group=None), "questions")
    for k in range(200):
        note_of = encode(new_note("😀" * (limits.REFLECTION_BYTES_MAX // 4), ""))
        people[0].world.ask("wren", KeepOwn(changes=((note_key(k, k.to_bytes(16, "big")), note_of),)))
    told = asked(wren, "reflect.list", limit=200)
    assert told["more"] is True
    assert len(listed(told, "notes")) > 10


def test_what_is_counted_is_what_is_encoded() -> None:
    one: JsonObject = {"id": "x", "text": '😀é"\\\n', "why": None, "held_by": [{"alias": "é" * 40}], "quote": None}
    assert encoded_bytes(one) == len(encode_answer(Result(id=1, result=one))) - len(
        encode_answer(Result(id=1, result={}))
    ) + len("{}")
    assert newest([one] * 5, most=3) == ([one] * 3, True)
    assert newest([one] * 3, most=3) == ([one] * 3, False)
    assert newest([one] * 5, most=5, bytes_max=1) == ([one], True), "one at least, or nobody would come on"
    assert newest([], most=5) == ([], False)
    assert shortened(one, encoded_bytes(one)) == one
    without = shortened(one, encoded_bytes(one) - 1)
    assert (without["held_by"], without["text"]) == ([], one["text"])
    assert shortened(one, 60)["text"] is None
