"""Files beside posts: handed over in pieces, fetched from whoever has them, and gone with their post."""

import pytest

from mesh.commands import GivePiece, OfferFiles, Post, SetSetting
from mesh.errors import Fault, LocalError
from mesh.events import LinkKind, SendStored, Space
from mesh.ids import PostId
from mesh.peer import fetching
from mesh.wire import limits
from mesh.wire.sessions import ChunksSentBody, WantChunksBody
from simulations.checks import blamed
from simulations.people import Person, circle
from simulations.weather import Weather
from simulations.world import World
from tests.peer.liar import Liar
from tests.peer.parcels import Circle, chunks_in, content, entries_at, fetch, has_all, held, opened, send_files

MIB = 1024 * 1024


# ---------------------------------------------------------------- handing over


def test_small_files_are_with_everybody_soon_and_open_to_what_was_sent() -> None:
    ring = Circle()
    files = (("leaflet.pdf", content(200_000)), ("empty", b""), ("one chunk", content(65_535, 9)))
    post = send_files(ring.wren, ring.gid, *files)
    for person in (ring.juniper, ring.sorrel):
        ring.until(lambda person=person: has_all(person, ring.gid, post))  # type: ignore[misc] # a default, so that it is this round's
        assert opened(person, ring.gid, post) == [data for _, data in files]
    names = [entry.name for entry in entries_at(ring.sorrel, ring.gid, post)]
    assert names == ["leaflet.pdf", "empty", "one chunk"]
    assert ring.juniper.reads(ring.gid) == ["see below"]
    ring.world.run(30)
    assert blamed(ring.world) == []


def test_a_large_file_is_fetched_when_somebody_wants_it() -> None:
    ring = Circle()
    data = content(BIG)
    post = send_files(ring.wren, ring.gid, ("walk.mp4", data))
    ring.until(lambda: post in ring.juniper.room(ring.gid).files)
    ring.world.run(60)
    assert chunks_in(ring.juniper, ring.gid) == 0
    fetch(ring.juniper, ring.gid, post)
    ring.until(lambda: has_all(ring.juniper, ring.gid, post))
    assert opened(ring.juniper, ring.gid, post) == [data]
    far = [(got, of) for name, got, of in ring.told if name == "juniper"]
    assert far == sorted(far)
    assert len(far) > 2
    assert far[-1][0] == far[-1][1] == held(ring.juniper, ring.gid, post).total
    assert chunks_in(ring.sorrel, ring.gid) == 0


BIG = 3 * MIB + 12_345


def test_two_who_have_it_share_the_load_and_no_chunk_is_asked_of_both() -> None:
    ring = Circle()
    post = send_files(ring.wren, ring.gid, ("walk.mp4", content(BIG)))
    ring.until(lambda: post in ring.juniper.room(ring.gid).files)
    fetch(ring.juniper, ring.gid, post)
    ring.until(lambda: has_all(ring.juniper, ring.gid, post))
    ring.given.clear()
    fetch(ring.sorrel, ring.gid, post)
    ring.until(lambda: has_all(ring.sorrel, ring.gid, post))
    total = held(ring.sorrel, ring.gid, post).total
    both = [key for keys in ring.given.values() for key in keys]
    assert len(both) == len(set(both)) == total
    assert min(len(ring.given["wren"]), len(ring.given["juniper"])) >= limits.CHUNKS_ASKED_MAX
    assert opened(ring.sorrel, ring.gid, post) == opened(ring.wren, ring.gid, post)


def test_who_has_it_gives_it_when_its_author_is_gone() -> None:
    ring = Circle()
    post = send_files(ring.wren, ring.gid, ("walk.mp4", content(BIG)))
    ring.until(lambda: post in ring.sorrel.room(ring.gid).files and post in ring.juniper.room(ring.gid).files)
    fetch(ring.juniper, ring.gid, post)
    ring.until(lambda: has_all(ring.juniper, ring.gid, post))
    ring.wren.off()
    fetch(ring.sorrel, ring.gid, post)
    ring.until(lambda: has_all(ring.sorrel, ring.gid, post))


def test_it_waits_for_one_who_has_it_and_goes_on_by_itself() -> None:
    ring = Circle()
    post = send_files(ring.wren, ring.gid, ("walk.mp4", content(BIG)))
    ring.until(lambda: post in ring.sorrel.room(ring.gid).files and post in ring.juniper.room(ring.gid).files)
    ring.wren.off()
    fetch(ring.sorrel, ring.gid, post)
    ring.world.run(300)
    assert chunks_in(ring.sorrel, ring.gid) == 0
    assert blamed(ring.world) == [], "not to have it is no fault"
    ring.wren.on()
    ring.until(lambda: has_all(ring.sorrel, ring.gid, post))


@pytest.mark.parametrize("power_cut", [False, True])
def test_what_is_here_is_not_fetched_again_after_a_cut_and_after_a_crash(power_cut: bool) -> None:
    ring = Circle(latency_ms=300)
    post = send_files(ring.wren, ring.gid, ("walk.mp4", content(2 * BIG)))
    ring.until(lambda: post in ring.sorrel.room(ring.gid).files)
    fetch(ring.sorrel, ring.gid, post)
    ring.until(lambda: held(ring.sorrel, ring.gid, post).count >= 20)
    ring.world.partition(("sorrel",), ("wren", "juniper"))
    ring.world.run(30)
    here = chunks_in(ring.sorrel, ring.gid)
    assert here < held(ring.sorrel, ring.gid, post).total
    ring.given.clear()
    ring.world.heal()
    ring.until(lambda: held(ring.sorrel, ring.gid, post).count >= 60)
    ring.sorrel.off(power_cut=power_cut)
    before = chunks_in(ring.sorrel, ring.gid)
    ring.sorrel.on()
    assert held(ring.sorrel, ring.gid, post).count == before, "what is noted as here is here"
    ring.until(lambda: has_all(ring.sorrel, ring.gid, post))
    assert opened(ring.sorrel, ring.gid, post) == [content(2 * BIG)]
    again = [key for key in ring.given["wren"] if ring.given["wren"].count(key) > 1]
    if not power_cut:
        assert len(again) <= 2 * limits.CHUNKS_ASKED_MAX, "only what was under way is asked for twice"


# ---------------------------------------------------------------- who gives what


def stranger_gets(ring: Circle, liar: Liar, post: PostId, chunks: list[bytes]) -> list[bytes]:
    """Ask wren for chunks; return what is given."""
    liar.tell(WantChunksBody(ticket=1, post=post, chunks=chunks))
    return [key for e in liar.effects if isinstance(e, SendStored) and e.kind is LinkKind.CHUNK for key in e.keys]


def test_a_removed_member_gets_nothing_of_what_it_could_read_before() -> None:
    ring = Circle()
    post = send_files(ring.wren, ring.gid, ("walk.mp4", content(BIG)))
    ring.until(lambda: post in ring.sorrel.room(ring.gid).files)
    entry = entries_at(ring.sorrel, ring.gid, post)[0]
    group = ring.sorrel.group(ring.gid)
    epoch = group.newest_epochs()[0].op_id
    liar = Liar(ring.wren)
    liar.announce(list(group.topics))
    liar.prove(group, epoch)
    assert stranger_gets(ring, liar, post, entry.chunks[:3]), "while it is in, it is given them"
    ring.wren.remove(ring.gid, ring.sorrel.member(ring.gid))
    ring.world.run(5)
    liar.effects.clear()
    assert stranger_gets(ring, liar, post, entry.chunks[:3]) == []
    fetch(ring.sorrel, ring.gid, post)
    ring.world.run(120)
    assert chunks_in(ring.sorrel, ring.gid) == 0


def test_who_cannot_name_a_chunk_gets_none() -> None:
    ring = Circle()
    post = send_files(ring.wren, ring.gid, ("leaflet.pdf", content(1000)))
    late = Person(ring.world, "tansy")
    late.join(ring.gid, ring.wren.invite(ring.gid))
    ring.world.run(30)
    assert post not in late.room(ring.gid).files
    assert chunks_in(late, ring.gid) == 0
    with pytest.raises(LocalError) as refused:
        fetch(late, ring.gid, post)
    assert refused.value.code == "E-FILES"


def test_a_newcomer_who_is_handed_a_post_gets_its_files() -> None:
    world = World(26, Weather(latency_ms=100, jitter_ms=0))
    gid, (wren, _) = circle(world, "wren", "juniper", settings=(("history", "last:10"),))
    world.run(10)
    post = send_files(wren, gid, ("leaflet.pdf", content(1000)))
    world.run(5)
    late = Person(world, "tansy")
    late.join(gid, wren.invite(gid))
    assert world.run_until(lambda: has_all(late, gid, post), 120)
    assert opened(late, gid, post) == [content(1000)]


# ---------------------------------------------------------------- hostile holders


class Bent:
    """Juniper's link with sorrel is in a stranger's hand, who holds juniper's keys; sorrel wants wren's file."""

    def __init__(self) -> None:
        self.ring = ring = Circle()
        self.data = content(BIG)
        self.post = send_files(ring.wren, ring.gid, ("walk.mp4", self.data))
        ring.until(lambda: self.post in ring.sorrel.room(ring.gid).files)
        ring.world.partition(("sorrel",), ("wren", "juniper"))
        ring.world.run(5)
        group = ring.juniper.group(ring.gid)
        self.group = group
        self.liar = Liar(ring.sorrel)
        self.liar.announce(list(group.topics))
        self.liar.prove(group, group.newest_epochs()[0].op_id)
        fetch(ring.sorrel, ring.gid, self.post)
        ring.world.run(1)

    def asked(self) -> list[WantChunksBody]:
        return [body for body in self.liar.said(self.group) if isinstance(body, WantChunksBody)]

    def chunk(self, name: bytes) -> bytes:
        sealed = self.ring.wren.node.store.get(Space.CHUNKS, self.ring.gid + self.post + name)
        assert sealed is not None
        return sealed

    def all_is_well_in_the_end(self) -> None:
        """With wren back it comes whole, whatever the stranger did."""
        self.ring.world.heal()
        self.ring.until(lambda: has_all(self.ring.sorrel, self.ring.gid, self.post))
        assert opened(self.ring.sorrel, self.ring.gid, self.post) == [self.data]


def test_a_wrong_chunk_is_not_kept_and_its_giver_is_asked_no_further() -> None:
    bent = Bent()
    (asked,) = bent.asked()
    assert len(asked.chunks) == limits.CHUNKS_ASKED_MAX
    right = bent.chunk(asked.chunks[0])
    bent.liar.say(LinkKind.CHUNK, right[:-1] + bytes([right[-1] ^ 1]))
    assert bent.liar.faults == [Fault.UNASKED]
    assert chunks_in(bent.ring.sorrel, bent.ring.gid) == 0
    bent.liar.tell(ChunksSentBody(ticket=asked.ticket))
    bent.ring.world.run(300)
    assert bent.asked() == [asked]
    bent.all_is_well_in_the_end()


def test_each_chunk_too_many_is_a_fault_and_none_is_kept() -> None:
    bent = Bent()
    for k in range(50):
        bent.liar.say(LinkKind.CHUNK, bytes([k]) * 65_553)
    bent.liar.say(LinkKind.CHUNK, bytes(65_554))
    bent.liar.say(LinkKind.CHUNK, b"")
    assert len(bent.liar.faults) == 52
    assert chunks_in(bent.ring.sorrel, bent.ring.gid) == 0
    bent.all_is_well_in_the_end()


def test_one_who_gives_nothing_is_left_alone_for_a_while() -> None:
    bent = Bent()
    (asked,) = bent.asked()
    bent.liar.tell(ChunksSentBody(ticket=asked.ticket))
    bent.ring.world.run(50)
    assert bent.asked() == [asked]
    bent.ring.world.run(40)
    assert len(bent.asked()) == 2, "it may have it by now"
    assert bent.liar.faults == []
    bent.all_is_well_in_the_end()


def test_one_who_says_nothing_is_waited_for_no_longer_and_may_still_give() -> None:
    bent = Bent()
    (asked,) = bent.asked()
    bent.liar.say(LinkKind.CHUNK, bent.chunk(asked.chunks[0]))
    bent.ring.world.run(fetching.STILL_MS / 1000 + 2)
    bent.liar.say(LinkKind.CHUNK, bent.chunk(asked.chunks[1]))
    assert chunks_in(bent.ring.sorrel, bent.ring.gid) == 2
    bent.liar.tell(ChunksSentBody(ticket=asked.ticket))
    assert bent.liar.faults == []
    bent.liar.say(LinkKind.CHUNK, bent.chunk(asked.chunks[1]))
    assert bent.liar.faults == [Fault.UNASKED], "twice is once too often"
    bent.all_is_well_in_the_end()


def test_a_slow_giver_that_was_asked_twice_may_give_twice() -> None:
    bent = Bent()
    (first,) = bent.asked()
    bent.ring.world.run(fetching.STILL_MS / 1000 + 2)
    fetch(bent.ring.sorrel, bent.ring.gid, bent.post)  # a person does not wait for a minute
    bent.ring.world.run(1)
    again = bent.asked()[1]
    assert again.chunks == first.chunks
    for asked in (first, again):
        for name in asked.chunks:
            bent.liar.say(LinkKind.CHUNK, bent.chunk(name))
        bent.liar.tell(ChunksSentBody(ticket=asked.ticket))
    assert bent.liar.faults == []
    assert chunks_in(bent.ring.sorrel, bent.ring.gid) == limits.CHUNKS_ASKED_MAX
    assert bent.asked()[2].chunks != first.chunks, "it is asked for more"
    bent.liar.say(LinkKind.CHUNK, bent.chunk(first.chunks[0]))
    assert bent.liar.faults == [Fault.UNASKED]
    bent.all_is_well_in_the_end()


def test_an_answer_to_nothing_is_a_fault() -> None:
    bent = Bent()
    bent.liar.tell(ChunksSentBody(ticket=2**31))
    assert bent.liar.faults == [Fault.UNASKED]


# ---------------------------------------------------------------- what goes


def test_what_is_dropped_is_gone_from_the_store_and_what_still_comes_of_it_is_not_kept() -> None:
    bent = Bent()
    (asked,) = bent.asked()
    bent.liar.say(LinkKind.CHUNK, bent.chunk(asked.chunks[0]))
    sorrel = bent.ring.sorrel
    assert sorrel.node.peer is not None
    sorrel.leave(bent.ring.gid, wipe=True)
    assert chunks_in(sorrel, bent.ring.gid) == 0
    assert list(sorrel.node.store.scan(Space.FILES, bent.ring.gid)) == []
    bent.liar.say(LinkKind.CHUNK, bent.chunk(asked.chunks[1]))
    bent.ring.world.run(60)
    assert chunks_in(sorrel, bent.ring.gid) == 0


def test_a_group_takes_only_so_much_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "BY_ITSELF_CHUNKS_MAX", 3)
    ring = Circle()
    first = send_files(ring.wren, ring.gid, ("a", content(100_000)))
    ring.until(lambda: has_all(ring.sorrel, ring.gid, first))
    second = send_files(ring.wren, ring.gid, ("b", content(100_000)))
    ring.until(lambda: second in ring.sorrel.room(ring.gid).files)
    ring.world.run(60)
    assert not held(ring.sorrel, ring.gid, second).wanted
    fetch(ring.sorrel, ring.gid, second)
    ring.until(lambda: has_all(ring.sorrel, ring.gid, second))


def test_one_member_cannot_use_up_what_is_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even by naming chunks that nobody gives."""
    monkeypatch.setattr(fetching, "BY_MEMBER_CHUNKS_MAX", 3)
    ring = Circle()
    first = send_files(ring.wren, ring.gid, ("a", content(100_000)))
    ring.until(lambda: has_all(ring.sorrel, ring.gid, first))
    second = send_files(ring.wren, ring.gid, ("b", content(100_000)))
    ring.until(lambda: second in ring.sorrel.room(ring.gid).files)
    assert not held(ring.sorrel, ring.gid, second).wanted
    third = send_files(ring.juniper, ring.gid, ("c", content(100_000)))
    ring.until(lambda: has_all(ring.sorrel, ring.gid, third))
    ring.sorrel.off()
    ring.sorrel.on()
    ring.world.run(10)
    fourth = send_files(ring.wren, ring.gid, ("d", content(100_000)))
    ring.until(lambda: fourth in ring.sorrel.room(ring.gid).files)
    assert not held(ring.sorrel, ring.gid, fourth).wanted


def test_one_may_have_nothing_fetched_before_one_asks() -> None:
    ring = Circle()
    ring.world.ask("sorrel", SetSetting(group=ring.gid, key="fetch-files", value="off", own=True))
    post = send_files(ring.wren, ring.gid, ("a", b"x"))
    ring.until(lambda: has_all(ring.juniper, ring.gid, post))
    ring.world.run(60)
    assert chunks_in(ring.sorrel, ring.gid) == 0


# ---------------------------------------------------------------- with its post


def test_what_has_run_out_takes_its_files_along_everywhere() -> None:
    ring = Circle()
    uid = ring.world.ask("wren", OfferFiles(group=ring.gid, files=(("a", 100_000),)))
    ring.world.ask("wren", GivePiece(upload=uid, piece=content(100_000)))
    said = Post(group=ring.gid, text="t", mode="listening", cw="", topics=(), reply_to=None, files=uid, expires_s=3600)
    short = PostId(ring.world.ask("wren", said))
    kept = send_files(ring.wren, ring.gid, ("b", b"kept"))
    everybody = (ring.wren, ring.juniper, ring.sorrel)
    ring.until(lambda: all(has_all(person, ring.gid, short) for person in everybody))
    ring.until(lambda: all(has_all(person, ring.gid, kept) for person in everybody))
    ring.world.run(3700)
    for person in everybody:
        assert chunks_in(person, ring.gid) == 1
        assert list(person.room(ring.gid).files) == [kept]
        assert len(list(person.node.store.scan(Space.FILES, ring.gid))) == 1


def test_a_group_that_keeps_for_a_while_keeps_no_file_longer() -> None:
    world = World(26, Weather(latency_ms=100, jitter_ms=0))
    gid, (wren, juniper) = circle(world, "wren", "juniper", settings=(("keep", "1"),))
    world.run(10)
    post = send_files(wren, gid, ("a", content(1000)))
    assert world.run_until(lambda: has_all(juniper, gid, post), 60)
    world.run(2 * 3600)
    assert (chunks_in(wren, gid), chunks_in(juniper, gid)) == (0, 0)


def test_what_is_taken_back_takes_its_files_along_everywhere() -> None:
    ring = Circle()
    post = send_files(ring.wren, ring.gid, ("a", content(100_000)))
    everybody = (ring.wren, ring.juniper, ring.sorrel)
    ring.until(lambda: all(has_all(person, ring.gid, post) for person in everybody))
    ring.sorrel.off()
    ring.wren.withdraw(ring.gid, post)
    ring.world.run(10)
    ring.sorrel.on()
    ring.world.run(30)
    for person in everybody:
        assert chunks_in(person, ring.gid) == 0
        assert person.room(ring.gid).files == {}
