"""Speaking: nothing leaves before somebody is there for it, no number is given twice, and states tell the truth."""

import copy
from dataclasses import replace

from mesh.commands import SetSetting, Suite
from mesh.events import LinkKind, Persist, Send, Space
from mesh.ids import GroupId
from mesh.journal import Journal
from mesh.peer.speaking import ASK_TIMEOUT_MS
from mesh.wire import limits
from mesh.wire.frames import FrameType
from mesh.wire.invites import FrontierEntry
from mesh.wire.sessions import StateBody
from simulations.checks import Watch
from simulations.people import Person, circle, gather
from simulations.weather import Weather
from simulations.world import World
from tests.peer.liar import Liar


def pair(seed: int = 4, weather: Weather | None = None) -> tuple[World, GroupId, Person, Person]:
    """Give wren and juniper, in one group and at rest."""
    world = World(seed, weather)
    gid, (wren, juniper) = circle(world, "wren", "juniper")
    world.run(10)
    return world, gid, wren, juniper


def test_drafts_wait_where_nobody_is_in_yet_and_keep_through_a_restart() -> None:
    world = World(1)
    Watch.over(world)
    wren, juniper = gather(world, "wren", "juniper")
    gid = wren.create()
    posts = [wren.post(gid, text) for text in ("one", "two")]
    world.run(60)
    assert wren.reads(gid) == ["one", "two"]
    assert wren.told(gid, posts[0]) == ("queued", 0, 0)
    wren.off(power_cut=True)
    wren.on()
    assert wren.reads(gid) == ["one", "two"]
    juniper.join(gid, wren.invite(gid))
    world.run(10)
    # What was waiting is said to the first who is there to hear it.
    assert juniper.reads(gid) == ["one", "two"]
    assert wren.told(gid, posts[1]) == ("reached", 1, 1)


def test_posts_of_one_instant_keep_their_order_everywhere() -> None:
    world = World(2)
    Watch.over(world)
    gid, (wren, juniper, sorrel) = circle(world, "wren", "juniper", "sorrel")
    world.run(5)
    texts = [f"{k:02}" for k in range(30)]
    world.cut("wren", "sorrel")
    world.run(1)
    for text in texts:
        wren.post(gid, text)
    world.run(10)
    world.heal()
    world.run(20)
    for person in (wren, juniper, sorrel):
        assert person.reads(gid) == texts


def test_a_clock_set_back_a_little_does_not_change_the_order() -> None:
    world, gid, wren, juniper = pair()
    wren.post(gid, "one")
    wren.node.skew_ms = -60_000
    wren.post(gid, "two")
    world.run(5)
    assert wren.reads(gid) == juniper.reads(gid) == ["one", "two"]


def test_of_is_fixed_when_it_is_sealed() -> None:
    world, gid, wren, juniper = pair()
    Watch.over(world)
    post = wren.post(gid, "one")
    world.run(5)
    assert wren.told(gid, post) == ("reached", 1, 1)
    sorrel = Person(world, "sorrel")
    sorrel.join(gid, wren.invite(gid))
    world.run(10)
    assert wren.told(gid, post) == ("reached", 1, 1)
    wren.remove(gid, juniper.member(gid))
    world.run(10)
    assert wren.told(gid, post) == ("reached", 1, 1)
    assert wren.delivery(gid, post).of == {juniper.member(gid)}


def test_what_was_sent_before_a_restart_is_known_to_be_sent_after_it() -> None:
    """The acknowledgement is lost with the process; the other's state, told anew, says the same."""
    world, gid, wren, juniper = pair(5)
    Watch.over(world)
    world.clog("juniper", "wren")
    post = wren.post(gid, "one")
    world.run(0.2)
    assert juniper.reads(gid) == ["one"]
    assert wren.told(gid, post) == ("queued", 0, 1)
    wren.off()
    world.heal()
    wren.on()
    world.run(10)
    assert wren.told(gid, post) == ("reached", 1, 1)
    assert wren.delivery(gid, post).held.keys() == {juniper.member(gid)}


def test_a_receipt_that_was_owed_is_given_after_a_restart() -> None:
    world, gid, wren, juniper = pair(6)
    post = wren.post(gid, "one")
    world.run(0.2)
    juniper.off()
    world.run(5)
    assert wren.told(gid, post) == ("sent", 0, 1)
    juniper.on()
    world.run(10)
    assert wren.told(gid, post) == ("reached", 1, 1)


def test_a_receipt_that_could_not_be_given_is_given_later() -> None:
    """There is a gap below what came, and then nobody is there: the receipt must not be forgotten."""
    world, gid, wren, _ = pair(7)
    post = wren.post(gid, "one")
    world.run(0.1)
    world.cut("wren", "juniper")
    world.run(60)
    assert wren.told(gid, post) == ("sent", 0, 1)
    world.heal()
    world.run(20)
    assert wren.told(gid, post) == ("reached", 1, 1)
    again = wren.post(gid, "two")
    world.run(5)
    assert wren.told(gid, again) == ("reached", 1, 1)


def test_receipts_are_not_receipted_and_silence_follows() -> None:
    world, gid, wren, _ = pair(8)
    wren.post(gid, "one")
    world.run(20)
    before = world.frames_sent
    world.run(600)
    assert world.frames_sent == before


def test_the_chain_of_an_epoch_is_never_used_up() -> None:
    world, gid, wren, juniper = pair(9)
    group = wren.group(gid)
    epoch = group.epoch
    assert epoch is not None
    place = epoch, group.own.dev
    group.save_chain(*place, replace(group.chains[place], counted=limits.EPOCH_MESSAGES_MAX), Journal())
    wren.post(gid, "one")
    world.run(5)
    assert group.epoch != epoch
    assert juniper.reads(gid) == ["one"]


def test_no_state_no_word() -> None:
    """One who proves to be a member and does not say how far it has come is told nothing yet (protocol.md §7)."""
    world, gid, wren, juniper = pair(10)
    group = juniper.group(gid)
    juniper.off()
    world.run(1)
    wren.post(gid, "one")
    assert group.epoch is not None
    liar = Liar(wren)
    liar.prove(group, group.epoch)
    assert [frame[0] for frame in liar.frames] == []
    liar.tell(StateBody(heads=group.log.heads, frontier=[]))
    assert [frame[0] for frame in liar.frames] == [FrameType.MESSAGE]


def test_a_peer_that_is_ahead_of_us_is_heard_first_and_not_for_ever() -> None:
    world, gid, wren, juniper = pair(11)
    group = juniper.group(gid)
    juniper.off()
    world.run(1)
    assert group.epoch is not None
    liar = Liar(wren)
    liar.prove(group, group.epoch)
    ahead = [FrontierEntry(dev=wren.group(gid).own.dev, contiguous=1000, beyond=[])]
    liar.tell(StateBody(heads=group.log.heads, frontier=ahead))
    wren.post(gid, "one")
    assert [frame[0] for frame in liar.frames] == []
    world.run(3 * ASK_TIMEOUT_MS / 1000)
    assert FrameType.MESSAGE in [frame[0] for frame in liar.frames]


def test_a_draft_that_was_sealed_in_a_lost_future_comes_back_once() -> None:
    world, gid, wren, juniper = pair(13)
    watch = Watch.over(world)
    world.cut("wren", "juniper")
    world.run(1)
    post = wren.post(gid, "said once")
    wren.off()
    backup = copy.deepcopy(wren.node.store)
    world.heal()
    wren.on()
    world.run(10)
    assert wren.told(gid, post) == ("reached", 1, 1)
    wren.off()
    wren.node.store = backup
    watch._deliveries.clear()
    watch._chains.clear()
    wren.on()
    world.run(40)
    assert wren.reads(gid) == juniper.reads(gid) == ["said once"]
    assert not wren.room(gid).drafts
    assert wren.delivery(gid, post).mseq > 0


def test_a_push_that_nobody_acknowledges_is_repaired_soon() -> None:
    """A full queue skips a push (network.md §2). Nothing else is said, and yet it arrives within seconds."""
    world, gid, wren, juniper = pair(14)
    skipped: list[int] = []
    send = world._send

    def skip(node: object, link: object, parcel: object) -> None:
        is_push = getattr(parcel, "kind", None) is LinkKind.FRAME and getattr(parcel, "send_class", None) == 2
        if is_push and not skipped:
            skipped.append(1)
            return
        send(node, link, parcel)  # type: ignore[arg-type]  # passed on as it came

    world._send = skip  # type: ignore[method-assign]  # a queue that is full once
    wren.post(gid, "one")
    assert wren.until(lambda: juniper.reads(gid) == ["one"], 5)
    assert skipped


def test_presence_says_whether_invites_may_carry_our_address() -> None:
    world, gid, wren, juniper = pair(15)
    world.ask("juniper", SetSetting(group=gid, key="invite-address", value="on", own=True))
    world.run(5)
    assert wren.room(gid).contacts[juniper.group(gid).own.dev].in_invites
    assert juniper.node.address in wren.invite(gid).addresses
    world.ask("juniper", SetSetting(group=gid, key="invite-address", value="off", own=True))
    world.run(5)
    assert juniper.node.address not in wren.invite(gid).addresses


def test_a_small_suite_talks_as_well() -> None:
    world = World(16)
    gid, (wren, juniper) = circle(world, "wren", "juniper", suite=Suite.CLASSIC)
    post = wren.post(gid, "one")
    world.run(5)
    assert wren.told(gid, post) == ("reached", 1, 1)
    assert juniper.reads(gid) == ["one"]


def test_each_send_of_ours_follows_its_persist() -> None:
    world, gid, wren, _ = pair(17)
    seen: list[tuple[bool, bool]] = []

    def note(node: object, event: object, effects: list[object]) -> None:
        sends = [e for e in effects if isinstance(e, Send) and e.payload[:1] == bytes([FrameType.MESSAGE])]
        if node is wren.node and sends:
            first = effects[0]
            assert isinstance(first, Persist)
            frames = [w for w in first.writes if w.space is Space.FRAMES]
            seen.append((first.durable, bool(frames)))

    world.watchers.append(note)  # type: ignore[arg-type]  # it reads what it is given
    wren.post(gid, "one")
    world.run(5)
    assert seen
    assert all(flags == (True, True) for flags in seen)
