"""What an outside review found, once each: Mallory, a member or one who was, against Alice and Bob."""

from dataclasses import dataclass

from msgspec.structs import replace

from mesh.commands import Rekey, SetAgreement, SetSetting, Suite
from mesh.events import Dial, Effect, Fetch, FrameReceived, Input, LinkKind, Put, Send, Space
from mesh.groups.envelopes import NewEpoch, seal_envelope
from mesh.groups.invites import Preview, invite_keys, open_preview
from mesh.groups.receiving import pack_wraps
from mesh.ids import GroupId
from mesh.peer.inviting import SHARED_PER_MEMBER_MAX
from mesh.peer.records import JoinStage
from mesh.support.posts import Wish, compose
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.codes import InviteCode
from mesh.wire.frames import FrameType, parse_frame
from mesh.wire.invites import Door, FrontierEntry, OpBundle
from mesh.wire.messages import Kind, PresenceBody
from mesh.wire.operations import OpType, RekeyBody, SignedOp
from mesh.wire.sessions import AnsweredBody, ClosedSpan, OpsBody, StateBody
from simulations.people import Person, circle, gather
from simulations.world import Node, World
from tests.peer.forgery import Forger


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    """A group of three, and what Mallory can do with the keys of the third."""

    world: World
    gid: GroupId
    alice: Person
    bob: Person
    mallory: Person
    forger: Forger


def three(seed: int) -> Circle:
    """Alice's group: Bob and Mallory are in, all are linked, and nothing is under way."""
    world = World(seed)
    gid, (alice, bob, mallory) = circle(world, "alice", "bob", "mallory", suite=Suite.CLASSIC)
    world.run(5)
    return Circle(world=world, gid=gid, alice=alice, bob=bob, mallory=mallory, forger=Forger(mallory, gid))


def blamed_by(person: Person) -> set[str]:
    """Whom this person's node blames for anything, of those it is linked with."""
    names = {link: name for link, (name, _) in person.node.links.items()}
    return {names[blame.link] for blame in person.node.blames if blame.link in names}


def post_of(text: str) -> bytes:
    """The body of a post."""
    return compose(Wish(text=text, mode="listening", cw="", topics=(), reply_to=b""))


def test_forks_of_one_who_was_removed_do_not_part_the_others() -> None:
    c = three(1)
    draft = c.forger.draft()
    blocks = [replace(draft.block, commit=k.to_bytes(32, "big")) for k in range(1100)]
    forks = [c.forger.operation(OpType.REKEY, RekeyBody(epoch=block)) for block in blocks]
    c.world.partition(("alice", "bob"), ("mallory",))
    c.alice.remove(c.gid, c.mallory.member(c.gid))
    c.world.run(10)
    c.world.heal()
    c.world.join_up("mallory", "alice")
    c.world.run(3)
    for k in range(0, len(forks), 100):
        bundles = [OpBundle(op=fork, wraps=[]) for fork in forks[k : k + 100]]
        c.forger.tells(c.alice, OpsBody(ops=bundles))
    assert len(c.alice.group(c.gid).log.heads) > limits.STATE_HEADS_MAX
    c.world.cut("alice", "mallory")  # who has done enough
    c.bob.node.blames.clear()
    c.world.flap("alice", "bob")
    c.world.run(10)
    c.alice.post(c.gid, "Are you still there?")
    assert c.alice.until(lambda: c.bob.reads(c.gid) == ["Are you still there?"])
    assert "alice" not in blamed_by(c.bob)


def test_a_bare_claim_holds_nobody_back_for_long() -> None:
    c = three(2)
    c.world.clog("mallory", "alice")  # her node would answer honestly
    far_ahead = [
        FrontierEntry(dev=dev, contiguous=limits.MSEQ_MAX, beyond=[])
        for dev in sorted(c.alice.group(c.gid).view.devices)
    ]
    c.forger.tells(c.alice, StateBody(heads=c.forger.group.log.heads, frontier=far_ahead))
    c.alice.post(c.gid, "Can anybody hear me?")
    assert c.alice.until(lambda: c.bob.reads(c.gid) == ["Can anybody hear me?"], 30)


def test_one_member_cannot_make_another_unheard() -> None:
    c = three(3)
    c.world.cut("alice", "bob")
    c.world.cut("bob", "mallory")
    words = ["one", "two", "three"]
    posts = [c.alice.post(c.gid, word) for word in words]
    c.world.run(5)
    c.alice.off()
    c.world.heal()
    c.world.join_up("bob", "mallory")
    assert c.bob.node.peer is not None
    asked = c.bob.node.peer.state.asking
    assert c.bob.until(lambda: bool(asked))
    c.world.clog("mallory", "bob")  # her node would answer honestly
    while asked:
        ticket, asking = next(iter(asked.items()))
        closed = [ClosedSpan(dev=dev, first=first, last=last) for dev, first, last in asking.spans]
        c.forger.tells(c.bob, AnsweredBody(ticket=ticket, closed=closed))
    c.world.run(5)
    c.world.cut("bob", "mallory")
    c.alice.on()
    c.world.heal()
    c.world.cut("bob", "mallory")
    assert c.alice.until(lambda: c.alice.told(c.gid, posts[-1]) == ("reached", 2, 2))
    assert c.bob.reads(c.gid) == words  # at the very moment in which she is told so


def test_what_only_others_can_open_goes_no_further_and_is_nobodys_fault() -> None:
    c = three(4)
    assert c.forger.group.epoch is not None
    epoch = c.forger.group.epochs[c.forger.group.epoch]
    draft = c.forger.draft(c.bob.group(c.gid).own.dev)
    unsigned = SignedOp(tbs=c.forger.operation(OpType.REKEY, RekeyBody(epoch=draft.block)).tbs, sig=bytes(64))
    envelope = seal_envelope(
        NewEpoch(op=unsigned, secret=draft.secret, nonce=draft.block.nonce, wraps=draft.wraps), c.gid, epoch.pub_seed
    )
    c.world.cut("bob", "mallory")
    c.forger.hands(c.alice, envelope)
    c.world.run(5)
    assert c.bob.node.peer is not None
    assert parse_frame(envelope).id not in c.bob.node.peer.state.seen
    assert blamed_by(c.alice) == set()


def test_claiming_somebodys_key_pushes_their_own_address_out_of_nothing() -> None:
    c = three(5)
    elsewhere = [f"/ip4/192.0.2.1/tcp/{6000 + k}/p2p/peer-alice" for k in range(limits.ADDRESSES_MAX)]
    dials: list[Dial] = []

    def watch(node: Node, event: Input, effects: list[Effect]) -> None:
        dials.extend(effect for effect in effects if isinstance(effect, Dial) and node is c.bob.node)

    c.world.watchers.append(watch)
    presence = encode(PresenceBody(addresses=elsewhere, in_invites=True, receipts=True))
    c.forger.hands(c.bob, c.forger.message(Kind.PRESENCE, presence))
    tried = [dial.addresses for dial in dials if dial.peer == c.alice.node.peer_id]
    assert tried
    for addresses in tried:
        assert c.alice.node.address in addresses[: limits.ADDRESSES_MAX]
    c.world.run(3)
    carried = [address for address in c.alice.invite(c.gid).addresses if address in elsewhere]
    assert len(carried) == SHARED_PER_MEMBER_MAX == 3


def test_a_closed_door_shows_nothing_new() -> None:
    c = three(6)
    code = c.alice.invite(c.gid)
    c.world.run(3)
    c.alice.remove(c.gid, c.mallory.member(c.gid))  # who knows how to read its previews: so it is revoked
    c.world.run(10)
    c.world.ask("alice", SetAgreement(group=c.gid, text="We meet at the old mill."))
    c.world.ask("alice", SetSetting(group=c.gid, key="members-invite", value="on", own=False))
    shown: list[Preview] = []
    keys = invite_keys(InviteCode.unpack(code.code).seed)

    def watch(node: Node, event: Input, effects: list[Effect]) -> None:
        sent = [e.payload for e in effects if isinstance(e, Send) and e.kind is LinkKind.FRAME]
        previews = [parse_frame(raw) for raw in sent if raw[0] == FrameType.PREVIEW]
        shown.extend(open_preview(frame, keys, c.gid[:16]) for frame in previews)

    c.world.watchers.append(watch)
    [joe] = gather(c.world, "joe")
    joe.look(code, c.alice)
    c.world.run(5)
    assert shown
    for preview in shown:
        assert preview.door is Door.REVOKED
        assert (preview.agreement, preview.settings, preview.members) == ("Be kind.", {}, 0)


def test_a_log_too_long_for_a_welcome_ends_nobodys_node() -> None:
    world = World(7)
    gid, (alice,) = circle(world, "alice", suite=Suite.CLASSIC)
    [joe] = gather(world, "joe")
    join = joe.look(alice.invite(gid))
    assert joe.until(lambda: joe.stage(join) is JoinStage.PREVIEW)
    grown: list[bytes] = []

    def grow(node: Node, event: Input, effects: list[Effect]) -> None:
        """Let what her disk has for the welcome be as long as a thousand agreements."""
        for effect in effects:
            if node is alice.node and isinstance(effect, Fetch) and effect.space is Space.WRAPS:
                too_long = pack_wraps((bytes(32 * 1024),) * (limits.WELCOME_CHUNKS_MAX * 8))
                node.store.commit([Put(Space.WRAPS, key, too_long) for key in effect.keys[:1]], durable=True)
                grown.extend(effect.keys[:1])

    world.watchers.append(grow)
    joe.knock(join, gid)
    world.run(30)
    assert grown
    assert joe.stage(join) is JoinStage.KNOCKING
    alice.post(gid, "Is somebody at the door?")
    assert alice.reads(gid) == ["Is somebody at the door?"]


def test_nobody_can_unsay_what_others_have_read() -> None:
    c = three(8)
    words = ["I will find you.", "Have a nice day."]
    for word in words:
        c.forger.hands(c.alice, c.forger.message(Kind.POST, post_of(word), uid=bytes(16)))
        c.world.run(1)
        assert word in c.alice.reads(c.gid)
    assert sorted(c.alice.reads(c.gid)) == sorted(words)


def test_a_message_that_waits_is_looked_at_once() -> None:
    c = three(9)
    epoch = c.forger.group.epoch
    c.world.clog("mallory", "alice")
    c.world.clog("mallory", "bob")
    c.world.ask("mallory", Rekey(group=c.gid))  # which nobody has, and on which she builds
    frame = c.forger.message(Kind.POST, post_of("Sooner than you think."), epoch=epoch)
    c.forger.hands(c.alice, frame)
    early = c.alice.room(c.gid).early
    assert list(early) == [frame]
    c.world.run(6)  # by then the same question could be asked again
    link = next(near for near, (name, _) in c.alice.node.links.items() if name == "mallory")
    assert c.alice.node.peer is not None
    again = FrameReceived(link=link, kind=LinkKind.FRAME, payload=frame)
    assert c.alice.node.peer.handle(again, c.world.instant(c.alice.node)) == []
    assert list(early) == [frame]
    c.world.heal()
    assert c.alice.until(lambda: c.alice.reads(c.gid) == ["Sooner than you think."], 10)
