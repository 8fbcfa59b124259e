"""History: newcomers get what the setting says and no more, from whoever is there, and nothing false is taken in."""

import pytest
from msgspec.structs import replace

from mesh.commands import Rank, SetSetting
from mesh.crypto.keys import sign
from mesh.errors import Fault, LocalError
from mesh.events import Notice, Space
from mesh.groups.messaging import MESSAGE_LABEL
from mesh.groups.records import load
from mesh.ids import GroupId
from mesh.membership import resolve
from mesh.peer.handing_on import ROWS_AT_ONCE
from mesh.peer.originals import original_of
from mesh.peer.records import MessageRecord
from mesh.wire.codec import decode, encode
from mesh.wire.messages import Flag, Kind, MessageTbs, SignedMessage
from mesh.wire.sessions import HistoryBody, StateBody, WantHistoryBody
from simulations.checks import Watch, agree, blamed
from simulations.people import Person, circle
from simulations.weather import Weather
from simulations.world import World
from tests.peer.liar import Liar

DAY_S = 86_400


def group_with(
    *history: str, seed: int = 1, names: tuple[str, ...] = ("wren", "juniper")
) -> tuple[World, GroupId, list[Person]]:
    """Give a group with this setting, at rest."""
    world = World(seed, Weather(latency_ms=20, jitter_ms=5))
    gid, people = circle(world, *names, settings=tuple(("history", value) for value in history))
    world.run(5)
    return world, gid, people


def say(world: World, person: Person, gid: GroupId, *texts: str) -> None:
    """Say one thing after the other, and let it come to rest."""
    for text in texts:
        person.post(gid, text)
        world.run(1)
    world.run(3)


def newcomer(world: World, gid: GroupId, host: Person, name: str = "tansy") -> Person:
    """Let somebody in, and let them get what they may have."""
    tansy = Person(world, name)
    tansy.join(gid, host.invite(gid))
    world.run(20)
    return tansy


def test_by_default_newcomers_see_nothing_and_ask_for_nothing() -> None:
    world, gid, (wren, _) = group_with()
    say(world, wren, gid, "before")
    tansy = newcomer(world, gid, wren)
    assert tansy.reads(gid) == []
    assert not tansy.group(gid).own.wants_history


def test_newcomers_see_the_last_messages_in_their_place_as_what_they_are() -> None:
    world, gid, (wren, juniper) = group_with("last:3")
    Watch.over(world)
    say(world, wren, gid, "one", "two")
    say(world, juniper, gid, "three", "four")
    tansy = newcomer(world, gid, wren)
    say(world, wren, gid, "five")
    assert tansy.reads(gid) == ["two", "three", "four", "five"]
    assert [message.handed_on for message in tansy.messages(gid)] == [True, True, True, False]
    assert [message.member for message in tansy.messages(gid)][:2] == [wren.member(gid), juniper.member(gid)]
    assert blamed(world) == []
    assert agree(gid, [wren, juniper, tansy]) == []
    assert not tansy.group(gid).own.wants_history, "both have given what they may"


def test_nobody_is_told_that_it_reached_a_newcomer() -> None:
    world, gid, (wren, juniper) = group_with("last:3")
    post = wren.post(gid, "before")
    world.run(5)
    assert wren.told(gid, post) == ("reached", 1, 1)
    tansy = newcomer(world, gid, wren)
    assert tansy.reads(gid) == ["before"]
    assert wren.told(gid, post) == ("reached", 1, 1)
    assert tansy.member(gid) not in wren.delivery(gid, post).held
    assert juniper.room(gid).tracks[tansy.group(gid).own.dev].top <= 2, "no receipt: presence at most"
    assert tansy.node.store.count(Space.UNREAD, gid) == 0


def test_days_are_counted_back_from_when_they_came() -> None:
    world, gid, (wren, juniper) = group_with("days:2")
    say(world, wren, gid, "four days before")
    world.run(3 * DAY_S)
    say(world, juniper, gid, "a day before")
    world.run(DAY_S)
    tansy = newcomer(world, gid, wren)
    assert tansy.reads(gid) == ["a day before"]


def test_a_flag_keeps_a_message_from_newcomers_and_from_nobody_else() -> None:
    world, gid, (wren, juniper) = group_with("last:2")
    say(world, wren, gid, "too far back", "seen", "seen too")
    for place in range(3):  # they take nobody's place
        wren.post(gid, f"not for newcomers {place}", no_history=True)
    world.run(3)
    tansy = newcomer(world, gid, wren)
    assert juniper.reads(gid) == ["too far back", "seen", "seen too", *(f"not for newcomers {p}" for p in range(3))]
    assert tansy.reads(gid) == ["seen", "seen too"]


def test_what_was_said_while_newcomers_saw_nothing_stays_so() -> None:
    world, gid, (wren, juniper) = group_with()
    say(world, wren, gid, "in confidence")
    world.ask("wren", SetSetting(group=gid, key="history", value="last:10", own=False))
    world.run(3)
    say(world, juniper, gid, "for whoever comes")
    assert newcomer(world, gid, wren).reads(gid) == ["for whoever comes"]


def test_a_setting_that_is_taken_back_takes_back_what_was_not_fetched() -> None:
    world, gid, (wren, juniper) = group_with("last:10")
    say(world, wren, gid, "before")
    juniper.off()
    tansy = Person(world, "tansy")
    code = wren.invite(gid)
    world.cut("wren", "tansy")
    world.heal()
    tansy.join(gid, code)
    world.ask("wren", SetSetting(group=gid, key="history", value="none", own=False))
    world.run(20)
    late = newcomer(world, gid, wren, "yarrow")
    assert late.reads(gid) == []


def test_of_two_settings_at_one_time_the_stricter_holds() -> None:
    world, gid, (wren, juniper, sorrel) = group_with(seed=3, names=("wren", "juniper", "sorrel"))
    wren.rank(gid, juniper, Rank.STEWARD)
    world.run(5)
    world.partition(("wren",), ("juniper", "sorrel"))
    world.run(1)
    world.ask("wren", SetSetting(group=gid, key="history", value="last:50", own=False))
    world.ask("juniper", SetSetting(group=gid, key="history", value="last:2", own=False))
    world.heal()
    world.run(30)
    say(world, sorrel, gid, "one", "two", "three")
    assert newcomer(world, gid, wren).reads(gid) == ["two", "three"]


def test_who_comes_next_gets_it_from_one_who_came_before() -> None:
    """Wren is away; juniper never had the words; tansy has them by history and hands them on."""
    world, gid, (wren, juniper) = group_with("last:10")
    say(world, wren, gid, "wren's own")
    tansy = newcomer(world, gid, wren)
    code = wren.invite(gid)
    world.run(5)
    wren.off()
    juniper.off()
    yarrow = Person(world, "yarrow")
    yarrow.join(gid, code, tansy)
    world.run(30)
    assert yarrow.reads(gid) == ["wren's own"]


def test_what_one_lacks_another_gives_and_nothing_comes_twice() -> None:
    world, gid, (wren, _juniper, sorrel) = group_with("last:10", seed=4, names=("wren", "juniper", "sorrel"))
    code = wren.invite(gid)
    world.run(3)
    world.partition(("wren", "juniper"), ("sorrel",))
    world.run(1)
    say(world, wren, gid, "sorrel has not got this")
    tansy = Person(world, "tansy")
    world.cut("wren", "tansy")
    world.cut("juniper", "tansy")
    tansy.join(gid, code, sorrel)
    world.run(20)
    assert tansy.reads(gid) == []
    assert tansy.group(gid).own.wants_history
    world.heal()
    world.run(60)
    assert tansy.reads(gid) == ["sorrel has not got this"]
    assert len({message.post for message in tansy.messages(gid)}) == len(tansy.messages(gid))
    assert blamed(world) == []


def test_a_long_history_comes_in_pages_with_a_word_on_the_way_and_goes_on_after_a_restart() -> None:
    world, gid, (wren, juniper) = group_with("last:500")
    long = "x" * 4000
    for k in range(200):
        wren.post(gid, f"{k:03} {long}")
        if k % 20 == 0:
            world.run(1)
    world.run(10)
    juniper.off()
    tansy = Person(world, "tansy")
    tansy.join(gid, wren.invite(gid))
    assert tansy.until(lambda: len(tansy.messages(gid)) > 20)
    tansy.off()
    assert len(tansy.messages(gid)) < 200
    tansy.on()
    world.run(60)
    assert [text[:3] for text in tansy.reads(gid)] == [f"{k:03}" for k in range(200)]
    told = [notice for notice in tansy.node.notices if notice.notice is Notice.HISTORY]
    assert len(told) >= 3
    assert told[-1].subject[4:] == b"\0", "juniper has not been asked yet"
    juniper.on()
    world.run(60)
    assert not tansy.group(gid).own.wants_history


def test_words_past_a_removal_are_not_handed_on() -> None:
    world, gid, (wren, juniper, sorrel) = group_with("last:10", seed=5, names=("wren", "juniper", "sorrel"))
    world.partition(("wren",), ("juniper", "sorrel"))
    world.run(1)
    say(world, juniper, gid, "past the cut")
    wren.remove(gid, wren.key_of(gid, "juniper"))
    juniper.off()
    world.heal()
    world.run(20)
    assert sorrel.reads(gid) == ["past the cut"]
    tansy = Person(world, "tansy")
    code = wren.invite(gid)
    world.run(3)
    wren.off()
    tansy.join(gid, code, sorrel)
    world.run(30)
    assert tansy.reads(gid) == []


@pytest.mark.parametrize(
    "value", ["all", "last:0", "last:501", "last:-1", "days:91", "last:٣", "last:007", "last:", ""]
)
def test_the_setting_is_a_form_within_its_limits(value: str) -> None:
    world, gid, _ = group_with()
    with pytest.raises(LocalError) as caught:
        world.ask("wren", SetSetting(group=gid, key="history", value=value, own=False))
    assert caught.value.code == "E-SETTING"


# ---------------------------------------------------------------- hostile ones


def rows(person: Person, gid: GroupId) -> list[MessageRecord]:
    """Give what somebody's store holds."""
    return [load(MessageRecord, value) for _, value in person.node.store.scan(Space.MESSAGES, gid)]


def page(liar: Liar, person: Person, gid: GroupId) -> HistoryBody:
    """Return the last page that was given."""
    return [body for body in liar.said(person.group(gid)) if isinstance(body, HistoryBody)][-1]


def test_a_newcomer_who_asks_for_more_gets_no_more() -> None:
    world, gid, (wren, _) = group_with("last:2")
    say(world, wren, gid, *(f"{k}" for k in range(2 * ROWS_AT_ONCE)))
    tansy = newcomer(world, gid, wren)
    group = tansy.group(gid)
    assert group.epoch is not None
    liar = Liar(wren)
    liar.announce(list(group.topics))
    liar.prove(group, group.epoch)
    befores = [b"", b"\xff" * 32, b"\0" * 32, bytes(8) + b"\1" * 24, b"short"]
    for ticket, before in enumerate(befores, 1):
        liar.tell(WantHistoryBody(ticket=ticket, before=before, have=[]))
        world.run(2)
        said = [decode(MessageTbs, m.tbs, bytes_max=70_000) for m in page(liar, tansy, gid).messages]
        assert [tbs.mseq for tbs in said] == [m.mseq for m in tansy.messages(gid)]
        assert page(liar, tansy, gid).before == b""
    for ticket in range(50):  # all at once: the last is answered
        liar.tell(WantHistoryBody(ticket=100 + ticket, before=b"", have=[]))
    world.run(2)
    assert page(liar, tansy, gid).ticket == 149
    assert wren.node.peer is not None
    assert not wren.node.peer.state.scanning
    assert liar.faults == []


def asked_by(tansy: Person, gid: GroupId, host: Person) -> tuple[Liar, WantHistoryBody]:
    """Give a member's link on which tansy asks for history, and what she asked."""
    peer = tansy.node.peer
    assert peer is not None
    peer.state.asking_on.clear()
    tansy.room(gid).group.own = replace(tansy.group(gid).own, wants_history=True, handed_by=[])
    for name in list(tansy.world.nodes):
        if name != tansy.name:
            tansy.world.cut(name, tansy.name)
    tansy.world.run(1)
    group = host.group(gid)
    assert group.epoch is not None
    liar = Liar(tansy)
    liar.announce(list(group.topics))
    liar.prove(group, group.epoch)
    liar.tell(StateBody(heads=group.log.heads, frontier=[]))
    questions = [body for body in liar.said(group) if isinstance(body, WantHistoryBody)]
    return liar, questions[-1]


def resigned(host: Person, room: GroupId, signed: SignedMessage, **changes: object) -> SignedMessage:
    """Sign something else in its place, with the host's own key."""
    tbs = replace(decode(MessageTbs, signed.tbs, bytes_max=70_000), **changes)
    raw = encode(tbs)
    return SignedMessage(tbs=raw, sig=sign(host.group(room).own.dev_seed, MESSAGE_LABEL + raw))


def test_false_or_foreign_messages_are_not_taken_in_and_are_held_against_the_giver() -> None:
    world, gid, (wren, juniper) = group_with("last:5")
    say(world, wren, gid, "true")
    say(world, juniper, gid, "juniper's")
    tansy = newcomer(world, gid, wren)
    mine, theirs = (original_of(gid, record) for record in rows(wren, gid))
    before = tansy.reads(gid)
    other = tansy.create("another group")
    false: list[tuple[SignedMessage, Fault]] = [
        (SignedMessage(tbs=mine.tbs, sig=bytes(64)), Fault.BAD_SIGNATURE),
        (resigned(wren, gid, theirs), Fault.BAD_SIGNATURE),  # juniper's words under wren's signature
        (resigned(wren, gid, mine, gid=other), Fault.AGAINST_RULES),
        (resigned(wren, gid, mine, dev=b"\1" * 16), Fault.AGAINST_RULES),
        (resigned(wren, gid, mine, epoch=b"\1" * 32, mseq=77), Fault.AGAINST_RULES),
        (resigned(wren, gid, mine, kind=Kind.RECEIPT, mseq=77), Fault.AGAINST_RULES),
        (resigned(wren, gid, mine, flags=int(Flag.NO_HISTORY), mseq=77), Fault.AGAINST_RULES),
        (resigned(wren, gid, mine, body=b"\x90", mseq=77), Fault.MALFORMED),
        (SignedMessage(tbs=b"\xc1", sig=bytes(64)), Fault.MALFORMED),
    ]
    for signed, fault in false:
        liar, question = asked_by(tansy, gid, wren)
        liar.tell(HistoryBody(ticket=question.ticket, before=b"", messages=[signed]))
        assert liar.faults == [fault], signed
        assert tansy.reads(gid) == before
        assert tansy.group(gid).own.wants_history, "somebody else is asked"
        liar.hang_up()


def test_a_kind_of_a_later_version_that_was_sealed_for_us_is_no_fault_of_its_giver() -> None:
    """Any member can say such a thing, and honest nodes keep it and hand it on to whom it was sealed for."""
    world, gid, (wren, _) = group_with("last:5")
    tansy = newcomer(world, gid, wren)
    say(world, wren, gid, "while tansy was in")
    mine = original_of(gid, rows(wren, gid)[-1])
    for kind, kept in ((99, 1), (int(Kind.RECEIPT), 0)):  # the second: known here, and not to an older giver
        before = len(tansy.messages(gid))
        liar, question = asked_by(tansy, gid, wren)
        said = resigned(wren, gid, mine, kind=kind, mseq=1000 + kind)
        liar.tell(HistoryBody(ticket=question.ticket, before=b"", messages=[said]))
        assert liar.faults == []
        assert len(tansy.messages(gid)) == before + kept
        liar.hang_up()


def test_words_of_one_who_is_not_known_here_yet_are_no_fault_of_their_giver() -> None:
    """Whoever gives a page may have heard of a newcomer while it was on its way."""
    world, gid, (wren, juniper) = group_with("last:5")
    tansy = newcomer(world, gid, wren)
    liar, question = asked_by(tansy, gid, juniper)
    yarrow = Person(world, "yarrow")
    world.cut("yarrow", "tansy")
    yarrow.join(gid, wren.invite(gid), wren)
    say(world, yarrow, gid, "I am new")
    theirs = original_of(gid, rows(wren, gid)[-1])
    liar.tell(HistoryBody(ticket=question.ticket, before=b"", messages=[theirs]))
    assert liar.faults == []
    assert tansy.messages(gid) == []


def test_who_asks_over_and_over_has_nothing_judged_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an author saw is looked up for each post: with a cache too small for all of them it took seconds a question.

    Nothing is judged at all where the group never changed what newcomers get.
    """
    worked_out: list[int] = []
    plain = resolve.Views._work_out

    def counted(views: resolve.Views, mask: int) -> object:
        worked_out.append(mask)
        return plain(views, mask)

    monkeypatch.setattr(resolve.Views, "_work_out", counted)
    monkeypatch.setattr(resolve, "KEPT", 4)
    for changed, judged in ((False, 0), (True, 25)):
        world, gid, (wren, _) = group_with("last:40")
        if changed:
            world.ask("wren", SetSetting(group=gid, key="history", value="last:30", own=False))
        for k in range(24):
            world.ask("wren", SetSetting(group=gid, key="members-invite", value=("on", "off")[k % 2], own=False))
            wren.post(gid, f"{k}")
            world.run(1)
        tansy = newcomer(world, gid, wren)
        wren.off()
        wren.on()
        world.run(10)
        group = tansy.group(gid)
        assert group.epoch is not None
        liar = Liar(wren)
        liar.announce(list(group.topics))
        liar.prove(group, group.epoch)
        costs = []
        for ticket in range(3):
            worked_out.clear()
            liar.tell(WantHistoryBody(ticket=ticket, before=b"", have=[]))
            world.run(0.5)
            assert len(page(liar, tansy, gid).messages) == 24
            costs.append(len(worked_out))
        assert costs[0] <= judged + 2
        assert costs[1:] <= [2, 2], "those of now and of the newcomer's admit"


def test_what_was_not_asked_for_or_goes_in_circles_is_a_fault() -> None:
    world, gid, (wren, _) = group_with("last:5")
    say(world, wren, gid, "true")
    tansy = newcomer(world, gid, wren)
    liar, question = asked_by(tansy, gid, wren)
    liar.tell(HistoryBody(ticket=question.ticket + 1000, before=b"", messages=[]))
    assert liar.faults == [Fault.UNASKED]
    liar.tell(HistoryBody(ticket=question.ticket, before=b"\5" * 32, messages=[]))
    again = [body for body in liar.said(wren.group(gid)) if isinstance(body, WantHistoryBody)][-1]
    assert again.before == b"\5" * 32
    liar.tell(HistoryBody(ticket=again.ticket, before=b"\5" * 32, messages=[]))
    assert liar.faults == [Fault.UNASKED, Fault.MALFORMED]
