"""The watch for leaks: it is quiet where nodes keep their promises, and speaks up where a defence is taken out of them.

Each control takes one defence out of every node and runs the same evening again.
"""

from collections.abc import Callable, Iterable, Mapping

import pytest

from mesh.commands import Rank
from mesh.events import Notify, Space
from mesh.groups.group import Group, Means
from mesh.ids import DeviceId, MemberPk
from mesh.membership.views import Member
from mesh.node.local.methods import export, messages, sanctions, telling
from mesh.node.local.methods.desk import Desk
from mesh.node.local.protocol import JsonObject
from mesh.peer import keepers, listening, reaching
from mesh.peer.records import MessageRecord
from mesh.peer.state import Room
from mesh.support import reports
from mesh.wire.text import require_text
from simulations import supporting
from simulations.desks import WorldDesk
from simulations.own import scenario_from
from simulations.plans import Somebody, Step, made, step
from simulations.rogues import RULES, heedless
from simulations.running import SAFE, run
from simulations.stage import Stage
from simulations.weather import Weather

PEOPLE = ("wren", "juniper", "sorrel", "tansy")


def evening() -> list[Step]:
    """Say what four do of an evening; the second is a steward, and the keeper pi carries what they say."""
    steps = [step(0, "found", who="wren", group="g"), step(0, "keep", who="pi")]
    steps += [step(0, "enter", who=name, group="g", by="wren") for name in PEOPLE[1:]]
    steps += [step(8, "use", who="wren", group="g", keeper="pi")]
    steps += [step(8, "rank", who="wren", group="g", member="juniper", rank="steward")]
    return [
        *steps,
        step(12, "post", who="juniper", group="g", says="a-night", warns="grief"),
        step(12, "post", who="juniper", group="g", says="a-morning", may_leave=True),
        step(14, "open", who="tansy", says="a-night"),
        step(14, "export", who="tansy", group="g"),
        step(14, "report", who="tansy", says="a-night"),
        step(14, "listen-offer", who="sorrel", group="g"),
        step(14, "listen-offer", who="wren", group="g"),
        step(17, "report-answer", who="wren", group="g"),
        step(17, "report-withdraw", who="tansy", group="g"),
        step(17, "quiet", who="wren", group="g", member="juniper"),
        step(18, "listen-ask", who="tansy", group="g"),
        step(21, "listen-accept", who="sorrel", group="g", talk="talk"),
        step(21, "share-withdraw", who="juniper", says="a-morning"),
        step(23, "post", who="tansy", group="talk"),
        step(23, "post", who="sorrel", group="talk"),
        step(29, "export", who="tansy", group="g"),
        step(29, "listen-end", who="tansy", group="g", talk="talk"),
    ]


def played(steps: list[Step]) -> Stage:
    """Play it, to the end or to the leak."""
    people = tuple(Somebody(name) for name in (*PEOPLE, "pi"))
    stage = Stage.over(made(people, Weather(), steps), 3)
    stage.play()
    return stage


def test_an_honest_evening_shows_nobody_what_is_not_theirs_and_the_watch_has_looked() -> None:
    stage = played(evening())
    assert [done.why for done in stage.journal if done.why] == []
    leaks = stage.leaks
    assert leaks.looked > 300
    assert leaks.opened >= 3, "the report, the answer, the word of the ladder, the asking"
    assert leaks.exported > 0, "what its author lets leave"
    assert {secret.what for secret in leaks.secrets} == {"a report", "a talk"}
    posts = {label: post for label, (_, _, post) in stage.posts.items()}
    assert leaks.consents[posts["a-morning"]].over is not None


def open_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that closes nothing."""
    monkeypatch.setattr(messages, "_closed_by", lambda *_, **__: None)


def told_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that puts the words of what came into what it tells."""

    def in_full(desk: Desk, notice: Notify, *, full: bool) -> JsonObject:
        del notice, full
        return {"event": str([value for _, value in desk.store.scan(Space.MESSAGES, b"")])}

    monkeypatch.setattr(telling, "event_json", in_full)


def tell_the_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that sends a report to every steward."""

    def readers_of(members: Iterable[Member], own: MemberPk, about: Iterable[MemberPk]) -> list[MemberPk]:
        del about
        return sorted(member.pk for member in members if member.rank <= Rank.STEWARD and member.pk != own)

    monkeypatch.setattr(reports, "readers_of", readers_of)


def name_the_reporter(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that adds to a step of the ladder who asked for it."""

    def with_name(label: str, text: str, bytes_max: int, *, lines: bool = False, empty: bool = False) -> str:
        return require_text(label, f"{text} tansy", bytes_max, lines=lines, empty=empty)

    monkeypatch.setattr(sanctions, "require_text", with_name)


def export_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that asks nobody whether their words may leave."""
    monkeypatch.setattr(export, "_may_leave", lambda *_: True)


def export_what_was_ever_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that does not hear when a consent is taken back."""
    may_leave = export._may_leave
    allowed: dict[bytes, None] = {}

    def ever(look: messages.Look, room: Room, record: MessageRecord) -> bool:
        if may_leave(look, room, record):
            allowed[record.post] = None
        return record.post in allowed

    monkeypatch.setattr(export, "_may_leave", ever)


def link_for_a_talk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that carries talks over any link."""
    for module in (keepers, reaching):
        monkeypatch.setattr(module, "is_kept", lambda _: False)


def talk_under_ones_alias(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that takes the alias of the group into the talk."""
    monkeypatch.setattr(supporting, "fresh_alias", lambda _: "tansy")


def show_all_slips(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that shows all whom it asks the way into each talk."""

    def plain(group: Group, slips: Mapping[DeviceId, bytes], uid: bytes, means: Means) -> list[bytes]:
        del group, uid, means
        return sorted(slips.values())

    monkeypatch.setattr(listening, "seal_slips", plain)


def test_a_file_of_ones_own_is_watched_too(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {
        "people": ["wren", "tansy"],
        "step": [
            {"do": "gather", "group": "g"},
            {"at_s": 9, "do": "post", "who": "wren", "group": "g", "says": "a-night", "warns": "grief"},
            {"at_s": 12, "do": "read", "who": "tansy", "group": "g"},
        ],
    }
    plan = scenario_from(table, "of-ones-own").plan(1, {})
    assert run(plan, 1).passed
    open_all(monkeypatch)
    result = run(plan, 1)
    assert result.failed == (SAFE,)
    assert "what stands behind a warning: a-night" in result.checks[0].found


def test_a_heedless_program_says_all_the_same_what_honest_ones_hold_back() -> None:
    steps = [step(9, "misbehave", who="juniper", how="heedless", group="g"), *evening()]
    stage = played([*steps, step(31, "post", who="juniper", group="g", says="all-the-same"), step(34, "heal")])
    assert [done.why for done in stage.journal if done.why] == []
    gid, (_, _, post) = stage.groups["g"], stage.posts["all-the-same"]
    read = WorldDesk(stage.world, "wren").answer("read", group=gid.hex())["messages"]
    assert isinstance(read, list)
    assert [row["closed_by"] for row in read if isinstance(row, dict) and row["id"] == post.hex()] == ["quiet"]
    assert not stage.people["juniper"].room(gid).drafts
    rules = [getattr(module, name) for module, name in RULES]
    with heedless():
        assert rules != [getattr(module, name) for module, name in RULES]
    assert rules == [getattr(module, name) for module, name in RULES], "the others' program is what it was"


Change = Callable[[pytest.MonkeyPatch], None]
CONTROLS: list[tuple[Change, str]] = [
    (open_all, "what stands behind a warning"),
    (told_in_full, "follow shows .* what stands behind a warning"),
    (tell_the_reported, "juniper .* something of a report"),
    (name_the_reporter, "who was reported, can open who wrote"),
    (export_all, "exports a post of juniper without their consent"),
    (export_what_was_ever_allowed, "exports a post of juniper without their consent"),
    (link_for_a_talk, "a frame of a talk that keepers carry"),
    (talk_under_ones_alias, "stores in ops something of a talk"),
    (show_all_slips, "(sorrel|wren) can open something of a talk"),
]


@pytest.mark.parametrize(("change", "said"), CONTROLS, ids=[change.__name__ for change, _ in CONTROLS])
def test_with_a_defence_taken_out_the_watch_finds_the_leak(
    change: Change, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(monkeypatch)
    with pytest.raises(AssertionError, match=said):
        played(evening())
