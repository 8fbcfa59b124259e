"""Asking for a listener: what the two have of it, and what nobody else has, whatever a changed program does."""

from typing import Any

import pytest
from msgspec.structs import replace

from mesh.commands import MakeStatement, Rank, RemoveMember, SetSetting
from mesh.errors import LocalError, RefusedError
from mesh.events import Effect, Input, LinkKind, Notice, Send, Space
from mesh.groups.group import Group
from mesh.groups.invites import HOUR_MS
from mesh.groups.joining import sign_former
from mesh.groups.notes import open_note, seal_note, seal_slips
from mesh.ids import DeviceId, GroupId, MemberPk, OpId, Sealer
from mesh.listening import AskListener
from mesh.peer import joining, listening
from mesh.peer.keepers import keepers_of
from mesh.peer.listening import ASK_HOURS, volunteers
from mesh.peer.records import JoinStage
from mesh.peer.speaking import RECEIPTS
from mesh.peer.state import State
from mesh.support.listening import NO_OFFER, compose, fits
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.frames import parse_frame
from mesh.wire.messages import Kind, MessageTbs, NoteBody, PresenceBody
from mesh.wire.notes import ListenAsk, ListenSlip, NoteTag, NoteText
from mesh.wire.operations import Former
from mesh.wire.statements import Form, ListenerValue
from mesh.wire.tickets import ticket_from_text
from simulations.checks import blamed
from simulations.people import Person
from simulations.world import Node
from tests.peer.forgery import Forger
from tests.peer.listeners import ask, enter, listen, offer, offering, seats, seek, states, talks, together
from tests.peer.test_talking import note_of


def test_one_asks_the_first_who_says_yes_listens_and_the_other_is_told_that_it_is_taken() -> None:
    world, gid, new, _, (wren, tansy, sorrel, rowan) = together()
    assert (states(wren, gid), states(tansy, gid)) == (["open", "taken"], ["open"])
    assert (states(sorrel, gid), states(rowan, gid)) == (["offered"], [])
    wren.post(new, "I cannot sleep")
    world.run(10)
    tansy.post(new, "I am here")
    world.run(10)
    assert wren.reads(new) == tansy.reads(new) == ["I cannot sleep", "I am here"]
    listen(sorrel, gid, alias="green-finch")
    assert sorrel.until(lambda: states(sorrel, gid) == ["taken"], 120)
    assert blamed(world) == []


def test_nobody_else_finds_the_talk_or_who_is_in_it_with_all_keys_and_all_that_was_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sorrel was asked too, rowan looks on, pi keeps: what they hold and all that passes them is searched."""
    notes: list[bytes] = []

    def overheard(group: Group, dev: DeviceId, uid: bytes, note: NoteBody, sealer: Sealer) -> bytes | None:
        plain = open_note(group, dev, uid, note, sealer)
        notes.append(plain or b"")
        return plain

    monkeypatch.setattr("mesh.peer.noting.open_note", overheard)
    world, gid, keeper, (wren, tansy, sorrel, rowan) = offering()
    assert keeper is not None
    sent: list[tuple[str, str, Send]] = []

    def watch(node: Node, event: Input, effects: list[Effect]) -> None:
        del event
        sent.extend(
            (node.name, node.links[e.link][0], e) for e in effects if isinstance(e, Send) and e.link in node.links
        )

    world.watchers.append(watch)
    ask(wren, gid, tansy, sorrel)
    world.run(10)
    new = listen(tansy, gid)
    assert tansy.until(lambda: states(tansy, gid) == ["open"], 120)
    (beside,) = talks(sorrel, gid)
    seek(sorrel, gid, beside)
    wren.post(new, "I cannot sleep")
    tansy.post(new, "I am here")
    world.run(60)
    assert wren.reads(new) == tansy.reads(new) != []

    talk, held = wren.group(new), {p.name: everything(p) for p in (sorrel, rowan, keeper)}
    members = talk.view.members.values()
    (invite,) = talk.invites.values()
    inside = [new, b"I cannot sleep", b"I am here", *talk.view.devices, *(m.pk for m in members)]
    inside += [invite.body.knock_key, *(m.alias.encode() for m in members)]
    carried = [parse_frame(raw).pk for key, raw in keeper.node.store.scan(Space.KEPT) if key[:32] in talk.topics]
    assert carried, "the keeper carries it"
    keys = [*carried, *talk.topics, invite.body.invite_pk]
    assert not [secret for secret in [*inside, *keys] for name in ("sorrel", "rowan") if secret in held[name]]
    parent = [gid, *wren.group(gid).view.members, *wren.group(gid).view.devices]
    assert not [secret for secret in [*inside, *parent] if secret in held["pi"]]
    assert any(notes)
    assert not [secret for secret in [*inside, *keys, wren.node.address.encode()] for plain in notes if secret in plain]
    shown = next(p for join in state_of(sorrel).joins.values() if join.offer and (p := joining.preview_of(join)))
    assert shown.gid == beside != new
    assert shown.create.alias.encode() not in inside
    assert shown.create.card.member_pk not in inside

    frames = [(name, far, parse_frame(s.payload)) for name, far, s in sent if s.kind is LinkKind.FRAME]
    talked = [(name, far) for name, far, frame in frames if frame.pk in keys]
    assert talked
    assert all("pi" in pair for pair in talked), "over no link but with the keeper"
    for person in (wren, tansy, sorrel, rowan):
        links = [link for link in state_of(person).links.values() if link.peer != keeper.node.peer_id]
        told = b"".join(s.payload for name, _, s in sent if s.kind is LinkKind.TOPICS and name == person.name)
        assert not [topic for link in links for topic in talk.topics if link.topics.own_tag(topic) in told]
    assert not {**wren.room(new).contacts, **tansy.room(new).contacts}, "nobody dials anybody for it"


def test_nobody_says_in_a_kept_talk_where_they_are_reached_though_presence_is_said() -> None:
    world, gid, new, _, (wren, tansy, _, _) = together()
    for person in (wren, tansy):
        world.ask(person.name, SetSetting(group=new, key=RECEIPTS, value="off", own=True))
    world.run(10)

    def presences(group: GroupId, author: Person, reader: Person) -> list[PresenceBody]:
        dev = author.group(group).own.dev
        signed = [s for (there, by, _), s in state_of(reader).signed.items() if (there, by) == (group, dev)]
        said = [decode(MessageTbs, s.tbs, bytes_max=limits.MESSAGE_BYTES_MAX) for s in signed]
        bodies = [tbs.body for tbs in said if tbs.kind == Kind.PRESENCE]
        return [decode(PresenceBody, body, bytes_max=limits.MESSAGE_BYTES_MAX) for body in bodies]

    for author, reader in ((wren, tansy), (tansy, wren)):
        assert state_of(author).addresses
        assert any(body.addresses for body in presences(gid, author, reader)), "in the group they do"
        assert presences(new, author, reader), "it is said that there are no receipts"
        assert not any(body.addresses for body in presences(new, author, reader))


def everything(person: Person) -> bytes:
    """All that stands in somebody's store."""
    return b"".join(key + value for space in Space for key, value in person.node.store.scan(space))


def state_of(person: Person) -> State:
    """What somebody's running node knows."""
    assert person.node.peer is not None
    return person.node.peer.state


def test_the_group_sees_one_sealed_note_of_the_asker_and_nothing_of_who_answers() -> None:
    world, gid, _, (wren, tansy, sorrel, rowan) = offering()
    before = {p.name: rowan.room(gid).track(p.group(gid).own.dev).top for p in (wren, tansy, sorrel)}
    ask(wren, gid, tansy, sorrel)
    world.run(10)
    listen(tansy, gid)
    assert tansy.until(lambda: states(tansy, gid) == ["open"], 120)
    after = {p.name: rowan.room(gid).track(p.group(gid).own.dev).top for p in (wren, tansy, sorrel)}
    assert {name: after[name] - before[name] for name in after} == {"wren": 1, "tansy": 0, "sorrel": 0}


def test_without_a_keeper_it_is_asked_for_and_answered_only_where_both_say_that_they_will_be_linked() -> None:
    world, gid, _, (wren, tansy, *_) = offering(kept=False)
    with pytest.raises(RefusedError) as caught:
        ask(wren, gid, tansy)
    assert caught.value.code == "E-LISTEN-DIRECT"
    ask(wren, gid, tansy, direct=True)
    world.run(10)
    with pytest.raises(RefusedError):
        listen(tansy, gid)
    new = listen(tansy, gid, direct=True)
    assert tansy.until(lambda: states(tansy, gid) == ["open"], 120)
    wren.post(new, "hello")
    world.run(10)
    assert tansy.reads(new) == ["hello"]


def test_a_group_may_switch_it_off_and_honest_nodes_keep_to_that(monkeypatch: pytest.MonkeyPatch) -> None:
    world, gid, _, (wren, tansy, sorrel, rowan) = offering()
    world.ask("wren", SetSetting(group=gid, key="listeners", value="off", own=False))
    world.run(5)
    with pytest.raises(RefusedError) as caught:
        ask(rowan, gid, tansy, sorrel)
    assert caught.value.code == "E-LISTEN-OFF"
    assert all(volunteers(p.room(gid), world.instant(p.node).wall_ms) == {} for p in (wren, tansy, sorrel, rowan))
    theirs, real = rowan.room(gid), listening.listeners_are_on
    monkeypatch.setattr(listening, "listeners_are_on", lambda room: room is theirs or real(room))
    ask(rowan, gid, tansy, sorrel)
    world.run(20)
    assert states(rowan, gid) == ["asked", "asked"], "a changed program asks all the same"
    assert (states(tansy, gid), states(sorrel, gid)) == ([], [])


def test_a_volunteers_own_node_looks_whether_it_fits() -> None:
    world, gid, _, (wren, tansy, sorrel, _) = offering()
    offer(tansy, gid, "Sleep")
    world.run(5)
    with pytest.raises(LocalError) as caught:
        ask(wren, gid, tansy, topic="loss")
    assert caught.value.code == "E-NO-LISTENER"
    ask(wren, gid, tansy, sorrel, topic="sleep")
    world.run(10)
    assert (states(tansy, gid), states(sorrel, gid)) == (["offered"], ["offered"])
    assert Notice.LISTEN in [notice.notice for notice in tansy.node.notices]


def test_what_a_node_did_not_offer_is_not_shown_whatever_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    world, gid, _, (wren, tansy, _, rowan) = offering()
    offer(tansy, gid, "sleep")
    world.run(5)
    monkeypatch.setattr(listening, "_choose", lambda room, among, topic, step: [rowan.member(gid), tansy.member(gid)])
    ask(wren, gid, tansy, rowan, topic="money")
    world.run(20)
    assert states(wren, gid) == ["asked", "asked"]
    assert (states(rowan, gid), states(tansy, gid)) == ([], []), "one never offered, one listens to other things"


def test_newcomers_may_ask_and_not_offer() -> None:
    world, gid, _, (wren, tansy, sorrel, rowan) = offering()
    wren.rank(gid, rowan, Rank.NEWCOMER)
    world.run(5)
    with pytest.raises(RefusedError):
        offer(rowan, gid)
    ask(rowan, gid, tansy, sorrel)
    world.run(10)
    assert states(tansy, gid) == ["offered"]


def test_an_offer_lapses_by_itself_when_taken_back_and_when_its_author_is_out() -> None:
    world, gid, _, (wren, _, sorrel, rowan) = offering()

    def offering_now() -> list[bytes]:
        return sorted(volunteers(rowan.room(gid), world.instant(rowan.node).wall_ms))

    offer(rowan, gid, lasts_s=60)
    world.run(5)
    assert len(offering_now()) == 3
    world.run(60)
    assert len(offering_now()) == 2
    withdrawn = MakeStatement(group=gid, form=Form.LISTENER, subject=b"", value=encode(NO_OFFER), takes_back=True)
    world.ask("tansy", withdrawn)
    world.run(5)
    assert offering_now() == [sorrel.member(gid)]
    wren.remove(gid, sorrel.member(gid))
    world.run(5)
    assert offering_now() == []


def test_what_is_asked_runs_out_and_leaves_nothing() -> None:
    world, gid, _, (wren, tansy, sorrel, _) = offering()
    ask(wren, gid, tansy, sorrel)
    world.run(10)
    asked = talks(wren, gid)
    for person in (wren, tansy, sorrel):
        person.node.skew_ms = (ASK_HOURS + 2) * HOUR_MS
    world.run(40)
    assert (states(tansy, gid), states(sorrel, gid)) == ([], [])
    assert set(states(wren, gid)) == {"expired"}
    assert not any(new in state_of(p).rooms for new in asked for p in (wren, tansy, sorrel))
    assert ask(wren, gid, tansy), "and one may ask again"


def test_who_is_removed_asks_no_more() -> None:
    world, gid, _, (_, tansy, sorrel, rowan) = offering()
    ask(rowan, gid, tansy, sorrel)
    world.run(10)
    (new,) = talks(tansy, gid)
    world.ask("wren", RemoveMember(group=gid, member=rowan.member(gid), reason=""))
    world.run(5)
    with pytest.raises(LocalError):
        seek(tansy, gid, new)
    world.run(40)
    assert states(tansy, gid) == []
    del sorrel


def test_a_volunteer_who_is_removed_meanwhile_is_not_let_in() -> None:
    world, gid, _, (wren, tansy, sorrel, _) = offering()
    ask(wren, gid, tansy, sorrel)
    world.run(10)
    (new,) = talks(tansy, gid)
    join = seek(tansy, gid, new)
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    wren.remove(gid, tansy.member(gid))
    enter(tansy, gid, new)
    world.run(60)
    assert len(wren.group(new).view.members) == 1
    assert sorted(states(wren, gid)) == ["asked", "taken"]
    listen(sorrel, gid)
    assert sorrel.until(lambda: states(sorrel, gid) == ["open"], 120)


def test_one_asks_once_at_a_time_and_an_asking_made_while_nobody_is_there_waits() -> None:
    world, gid, _, (wren, tansy, sorrel, rowan) = offering()
    whom = tuple(p.member(gid) for p in (tansy, sorrel))
    for name in ("tansy", "sorrel", "rowan", "pi"):
        world.stop(name)
    world.run(30)
    wren.world.ask("wren", _asking(wren, gid, whom))
    assert states(wren, gid) == ["waiting", "waiting"]
    with pytest.raises(LocalError) as caught:
        wren.world.ask("wren", _asking(wren, gid, whom))
    assert caught.value.code == "E-LISTEN-ASKED"
    wren.off(power_cut=True)
    wren.on()
    for name in ("tansy", "sorrel", "rowan", "pi"):
        world.start(name)
    assert tansy.until(lambda: states(tansy, gid) == ["offered"], 120)
    assert wren.until(lambda: states(wren, gid) == ["asked", "asked"], 60)
    del rowan


def _asking(person: Person, gid: GroupId, whom: tuple[MemberPk, ...]) -> AskListener:
    return AskListener(
        group=gid, volunteers=whom, topic="", mode="listening", minutes=30, direct=False, seats=seats(person)
    )


# ---------------------------------------------------------------- changed programs


def test_two_devices_of_a_volunteer_who_both_say_yes_are_one_listener() -> None:
    world, gid, _, (wren, tansy, *_) = offering()
    phone = Person(world, "phone")
    phone.enter_groups_of(tansy)
    world.run(20)
    ask(wren, gid, tansy)
    world.run(20)
    assert states(tansy, gid) == states(phone, gid) == ["offered"]
    (new,) = talks(tansy, gid)
    joins = [(p, seek(p, gid, new)) for p in (tansy, phone)]
    assert world.run_until(lambda: all(p.stage(join) is JoinStage.PREVIEW for p, join in joins), 60)
    enter(tansy, gid, new, alias="one")
    enter(phone, gid, new, alias="other")
    assert world.run_until(lambda: "open" in states(tansy, gid) + states(phone, gid), 120)
    world.run(120)
    assert sorted(states(tansy, gid) + states(phone, gid)) == ["open", "taken"]
    assert len(wren.group(new).view.members) == 2


@pytest.mark.parametrize("how", ["honest", "changed", "as another"])
def test_who_was_not_asked_is_not_let_in_though_they_have_the_code(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tansy, who was asked, hands all of it to rowan; rowan knocks under a key of its own, or under tansy's name."""
    world, gid, _, (wren, tansy, _, rowan) = offering()
    ask(wren, gid, tansy)
    world.run(10)
    (new,) = talks(tansy, gid)
    rowan.room(gid).listens[new] = tansy.room(gid).listens[new]
    theirs = tansy.member(gid)

    def signed(seed: bytes, new_gid: GroupId, invite: OpId, statement: bytes) -> Former:
        return Former(member=theirs, sig=sign_former(seed, new_gid, invite, statement).sig)

    with monkeypatch.context() as changed:
        if how != "honest":
            changed.setattr(listening, "_is_talk_for_us", lambda room, kept, preview: True)
            changed.setattr(joining, "_require_offered", lambda join, preview, command: None)
        if how == "as another":
            changed.setattr(joining, "sign_former", signed)
        listen(rowan, gid)
        world.run(60)
    assert states(rowan, gid) == ["declined" if how == "honest" else "joining"], "an honest program does not knock"
    assert states(wren, gid) == ["asked"]
    assert len(wren.group(new).view.members) == 1
    listen(tansy, gid)
    assert tansy.until(lambda: states(tansy, gid) == ["open"], 120)


def hands(forger: Forger, victim: Person, slip: bytes, **changed: Any) -> None:
    """Ask somebody in the name of a member, saying anything."""
    gid, uid = forger.group.gid, forger.entropy.draw(16)
    member = victim.member(gid)
    slips = seal_slips(
        forger.group, dict.fromkeys(forger.group.view.members[member].devices, slip), uid, forger.means()
    )
    plain = ListenAsk(topic="", mode=0, minutes=30, kept=True, addresses=[], slips=slips)
    text = encode(NoteText(tag=NoteTag.LISTEN, id=b"a" * 16, value=encode(replace(plain, **changed))))
    body = seal_note(forger.group, [member], uid, text, forger.means())
    forger.hands(victim, forger.message(Kind.NOTE, body, uid=uid))


def slip_of(person: Person, gid: GroupId) -> bytes:
    """The slip that somebody got."""
    ((new, kept),) = person.room(gid).listens.items()
    return encode(ListenSlip(code=kept.code, gid=new, invite=kept.invite))


def test_an_asking_is_shown_once_and_nobody_hands_it_on_as_their_own() -> None:
    world, gid, _, (wren, tansy, sorrel, rowan) = offering()
    ask(wren, gid, tansy)
    world.run(10)
    slip = slip_of(tansy, gid)
    hands(Forger(wren, gid), tansy, slip)
    assert states(tansy, gid) == ["offered"], "said again by whoever asks"
    hands(Forger(rowan, gid), tansy, slip)
    assert states(tansy, gid) == ["offered"], "said again by another"
    hands(Forger(rowan, gid), sorrel, slip)
    (new,) = talks(sorrel, gid)
    join = seek(sorrel, gid, new)
    assert sorrel.until(lambda: sorrel.stage(join) is JoinStage.PREVIEW)
    enter(sorrel, gid, new)
    assert states(sorrel, gid) == ["declined"], "it names tansy: sorrel would talk with wren, asked by rowan"
    assert blamed(world) == []


def test_what_makes_no_sense_is_passed_over() -> None:
    world, gid, _, (wren, tansy, sorrel, rowan) = offering()
    ask(wren, gid, sorrel)
    world.run(10)
    good = decode(ListenSlip, slip_of(sorrel, gid), bytes_max=2000)
    forger = Forger(rowan, gid)
    late = bytearray(good.code)
    late[-4:] = (0).to_bytes(4, "big")
    for slip, changed in (
        (b"rubbish", {}),
        (encode(replace(good, code=b"\xff" * 38)), {}),
        (encode(replace(good, gid=GroupId(b"g" * 32))), {}),
        (encode(replace(good, code=bytes(late))), {}),
        (encode(good), {"topic": "\u202ebad"}),
        (encode(good), {"kept": False}),
        (encode(good), {"addresses": ["/memory/mallory/p2p/peer-mallory"]}),
        (encode(good), {"mode": 9}),
        (encode(good), {"minutes": 100_000}),
        (encode(good), {"slips": []}),
    ):
        hands(forger, tansy, slip, **changed)
    forger.hands(tansy, note_of(forger, tansy, encode(NoteText(tag=NoteTag.LISTEN, id=b"a" * 16, value=b"rubbish"))))
    assert states(tansy, gid) == []
    assert blamed(world) == []


def test_one_member_asks_once_at_a_time_of_honest_nodes_and_many_do_not_fill_them() -> None:
    world, gid, _, (wren, tansy, sorrel, rowan) = offering()
    ask(wren, gid, sorrel)
    world.run(10)
    good = decode(ListenSlip, slip_of(sorrel, gid), bytes_max=2000)
    forger = Forger(rowan, gid)
    for k in range(4):
        other = GroupId(good.gid[:16] + bytes([k]) * 16)
        hands(forger, tansy, encode(replace(good, gid=other)))
    assert states(tansy, gid) == ["offered"]
    (one,) = tansy.room(gid).listens.values()
    tansy.room(gid).listens |= {GroupId(bytes([k]) * 32): replace(one, member=None) for k in range(limits.LISTENS_MAX)}
    hands(Forger(sorrel, gid), tansy, encode(replace(good, gid=GroupId(good.gid[:16] + b"z" * 16))))
    assert len(tansy.room(gid).listens) == limits.LISTENS_MAX + 1
    del world, wren


def test_a_founding_that_leads_elsewhere_is_not_entered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wren, changed, founds the talk at a keeper of its own beside the group's: it would be shown tansy's address."""
    world, gid, _, (wren, tansy, *_) = offering()
    mallory = Person(world, "mallory")
    mallory.keep()
    ours = list(keepers_of(wren.group(gid)).values())
    with monkeypatch.context() as changed:
        changed.setattr(
            listening, "keepers_of", lambda group: dict(enumerate([*ours, ticket_from_text(mallory.ticket())]))
        )
        ask(wren, gid, tansy)
    world.run(10)
    new = listen(tansy, gid)
    world.run(30)
    assert states(tansy, gid) == ["declined"]
    assert len(keepers_of(wren.group(new))) == 2
    assert mallory.node.peer_id not in tansy.node.wanted


# ---------------------------------------------------------------- the fold


@pytest.mark.parametrize(
    ("start", "end", "minute", "fitting"),
    [(0, 0, 700, True), (600, 720, 700, True), (600, 700, 700, False), (1300, 60, 30, True), (1300, 60, 700, False)],
)
def test_hours_may_pass_midnight(start: int, end: int, minute: int, fitting: bool) -> None:
    assert fits(compose(topics=(), start=start, end=end), "", minute * 60_000) is fitting


def test_topics_are_compared_as_people_write_them() -> None:
    value = compose(topics=("Sleep", "LOSS"), start=0, end=0)
    assert [fits(value, topic, 0) for topic in ("sleep", "Loss", "", "money")] == [True, True, True, False]
    assert not fits(ListenerValue(holds=True, topics=["a"], start=0, end=0), "b", 0)
    with pytest.raises(LocalError):
        compose(topics=[str(k) for k in range(limits.LISTENER_TOPICS_MAX + 1)], start=0, end=0)
