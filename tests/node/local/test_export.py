"""Export, and warnings: what leaves is one's own or granted, and what is closed is said nowhere outside its opening."""

import json
from collections.abc import AsyncIterator
from typing import Final

import pytest
from msgspec.structs import replace

from mesh.errors import LocalError
from mesh.events import Notify, Put, Space
from mesh.groups.records import load
from mesh.ids import DeviceId, MsgId, PostId
from mesh.node.local.inprocess import run_to_end
from mesh.node.local.methods.export import ROWS_OF_PAGE
from mesh.node.local.methods.telling import events_of
from mesh.node.local.protocol import LINE_BYTES_MAX, JsonObject
from mesh.peer.records import MessageRecord
from mesh.peer.state import message_key
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.messages import Mode, PostBody
from simulations.checks import blamed
from tests.node.local.test_ladder import list_of
from tests.node.local.test_messages import GROUP, call, three
from tests.node.local.test_methods import WorldDesk, part
from tests.node.local.test_share import ELSEWHERE, Five, say

BODY: Final = "canary-5151, which is behind a warning"


def export(desk: WorldDesk, group: str = GROUP, **more: str) -> JsonObject:
    """The whole of it, page by page."""
    posts: list[JsonObject] = []
    withheld, after = 0, None
    while True:
        page = call(desk, "export", group=group, after=after, **more)
        found, here, after = page["posts"], page["withheld"], page["next"]
        assert isinstance(found, list)
        assert isinstance(here, int)
        assert len(json.dumps(page)) < LINE_BYTES_MAX
        posts += [post for post in found if isinstance(post, dict)]
        withheld += here
        if after is None:
            return {"posts": [*posts], "withheld": withheld}


def texts(told: JsonObject) -> list[object]:
    """What is said in it."""
    posts = told["posts"]
    assert isinstance(posts, list)
    return [post["text"] for post in posts if isinstance(post, dict)]


def told_of(desk: WorldDesk, *, only: bool) -> list[JsonObject]:
    """All events that one who listens is told, from the beginning."""

    async def happened() -> AsyncIterator[Notify]:
        for notice in desk.node.notices:
            yield notice

    async def all_of_them() -> list[JsonObject]:
        return [event async for event in events_of(desk, happened(), {"group": GROUP}, only=only)]

    return run_to_end(all_of_them())


def test_the_words_behind_a_warning_are_nowhere_but_in_an_opened_view() -> None:
    five = Five(31)
    said = five.says(BODY, cw="grief", may_leave=True)
    call(five.wren, "group.pin", group=GROUP, message=said["id"], remove=False, wait_s=5.0)
    say(five.juniper, "I know", quote=said["id"], reply_to=said["id"])
    five.quotes(said, text="from elsewhere")
    five.shares(five.sorrel, "ask", said, wait_s=5.0)
    call(five.sorrel, "flag", message=said["id"], withdraw=False, wait_s=5.0)
    call(five.wren, "circle.open", group=GROUP, question="What carries you?", wait_s=5.0)
    report = part(call(five.sorrel, "report", message=said["id"], wait_s=5.0), "report")["id"]
    five.world.run(10)
    reports = []
    for desk in (five.wren, five.juniper, five.sorrel, five.tansy, five.ash):
        group = ELSEWHERE if desk is five.ash else GROUP
        answers = [
            call(desk, method, **params)
            for method, params in (
                ("read", {"group": group, "limit": 50, "unread": False}),
                ("read", {"group": group, "limit": 50, "unread": True}),
                ("group.show", {"group": group}),
                ("group.list", {}),
                ("group.members", {"group": group}),
                ("share.list", {}),
                ("status", {}),
                ("outbox", {}),
                ("own.list", {}),
                ("reports.list", {}),
                ("log", {"group": group}),
                ("circle.show", {"group": group}),
                ("introduce.list", {}),
                ("listen.list", {}),
            )
        ]
        if call(desk, "reports.list")["reports"]:
            answers.append(call(desk, "reports.show", report=report))
            (post,) = list_of(part(answers[-1], "report"), "posts")
            assert (post["cw"], post["text"], post["closed_by"], post["proved"]) == ("grief", None, "warning", True)
            reports.append(desk)
        assert "grief" in str(answers)
        assert BODY not in str(answers)
        if desk is not five.ash:
            events = [*told_of(desk, only=False), *told_of(desk, only=True)]
            assert len(events) > 4
            assert BODY not in str(events)
        whole = export(desk, group)
        posts = whole["posts"]
        assert isinstance(posts, list)
        opened = [post.pop("opened") for post in posts if isinstance(post, dict)]
        assert BODY not in str(whole)
        assert opened.count(BODY) == (0 if desk is five.ash else 1)
    assert reports == [five.wren, five.sorrel], "whom it went to, and its author"
    for desk in reports:
        (post,) = list_of(part(call(desk, "reports.show", report=report, open=True), "report"), "posts")
        assert (post["cw"], post["text"], post["closed_by"]) == ("grief", BODY, None)
    assert BODY in str(call(five.wren, "message.show", message=said["id"])), "it is there to be found"
    assert blamed(five.world) == []


def test_what_was_taken_back_ran_out_is_hidden_or_blocked_is_not_there_and_not_counted() -> None:
    world, _, _, (wren, juniper, sorrel) = three(32)
    kept = say(juniper, "stays", may_leave=True)
    gone = say(juniper, "taken back", may_leave=True)
    say(juniper, "for a while", expires_s=600, may_leave=True)
    hidden = say(juniper, "hidden", may_leave=True)
    say(sorrel, "of one whom wren blocks", may_leave=True)
    say(sorrel, "of the same, and it stays")
    own = say(wren, "for a while too", expires_s=600)
    world.run(5)
    assert (len(texts(export(wren))), export(wren)["withheld"]) == (5, 2), "what is to disappear stays, but one's own"
    call(juniper, "message.withdraw", message=gone["id"], wait_s=5.0)
    world.run(5)
    call(wren, "own.hide", message=hidden["id"], undo=False)
    call(wren, "own.person", group=GROUP, member="sorrel", blocked=True)
    for node in world.nodes.values():
        node.skew_ms += 600_000
    assert export(wren)["withheld"] == 0
    assert texts(export(wren)) == ["stays"]
    world.run(60)
    assert texts(export(wren)) == ["stays"]
    assert str(own["id"]) not in str(export(wren))
    posts = export(wren)["posts"]
    assert isinstance(posts, list)
    (post,) = [post for post in posts if isinstance(post, dict)]
    assert post["author"] == {"alias": "juniper", "you": False}, "an alias, and no key"
    assert post["id"] == kept["id"]


def test_a_group_without_any_consent_gives_ones_own_words() -> None:
    world, gid, people, (wren, juniper, sorrel) = three(33)
    assert export(wren) == {"posts": [], "withheld": 0}
    say(juniper, "hers")
    mine = say(wren, "mine")
    say(sorrel, "his")
    world.run(5)
    assert (texts(export(wren)), export(wren)["withheld"]) == (["mine"], 2)
    assert (texts(export(wren, since=str(mine["id"]))), export(wren, since=str(mine["id"]))["withheld"]) == ([], 1)
    day = str(mine["at"])[:10]
    assert texts(export(wren, since=day)) == ["mine"]
    assert texts(export(wren, since="9999-12-31")) == []
    people[0].leave(gid)
    world.run(10)
    assert texts(export(wren)) == ["mine"], "of a group that one has left, one's own"


@pytest.mark.parametrize("more", [{"after": "xx"}, {"after": "00"}, {"since": "2026-13-01"}, {"since": "nothing"}])
def test_what_is_no_place_to_begin_is_refused(more: dict[str, str]) -> None:
    _, _, _, (wren, _, _) = three(34)
    with pytest.raises(LocalError):
        call(wren, "export", group=GROUP, **more)


def test_what_one_said_under_a_former_key_is_ones_own_and_others_withheld_ones_stay_closed() -> None:
    world, _, _, (wren, juniper, _) = three(35)
    say(juniper, "of the river", may_leave=True)
    world.run(5)
    call(wren, "own.words", add_words=["river"])
    posts = export(wren)["posts"]
    assert isinstance(posts, list)
    (post,) = [post for post in posts if isinstance(post, dict)]
    assert (post["text"], post["opened"], post["closed_by"]) == (None, "of the river", "muted-word")


def test_twenty_thousand_posts_come_in_pages_that_are_bounded() -> None:
    world, gid, people, (wren, _, _) = three(36)
    say(wren, "one")
    world.run(5)
    [(_, value)] = list(wren.store.scan(Space.MESSAGES, gid))
    first, own = load(MessageRecord, value), people[0].member(gid)
    long = "\u00e9" * (limits.POST_TEXT_BYTES_MAX // 2)
    writes = []
    for k in range(20_000):
        body = PostBody(mode=Mode.LISTENING, cw="", topics=[], text=long if k < 40 else f"{k}", reply_to=b"", extras=[])
        record = replace(
            first,
            post=PostId(k.to_bytes(16, "big")),
            msg_id=MsgId(k.to_bytes(32, "big")),
            dev=DeviceId(bytes(16)),
            member=own if k % 2 else people[1].member(gid),
            at_ms=first.at_ms + 1 + k,
            body=encode(body),
        )
        writes.append(Put(Space.MESSAGES, message_key(gid, record.at_ms, record.post, record.msg_id), encode(record)))
    people[0].node.store.commit(writes, durable=False)
    pages, after, posts, withheld = 0, None, 0, 0
    while after is not None or not pages:
        page = call(wren, "export", group=GROUP, after=after)
        assert isinstance(page["posts"], list)
        assert isinstance(page["withheld"], int)
        assert len(page["posts"]) <= ROWS_OF_PAGE
        assert len(json.dumps(page)) < LINE_BYTES_MAX
        pages, after = pages + 1, page["next"]
        posts, withheld = posts + len(page["posts"]), withheld + page["withheld"]
    assert (posts, withheld) == (10_001, 10_000)
    assert pages >= 20_000 // ROWS_OF_PAGE
