"""What one device signed twice in one place is shown with both signatures, in words that accuse nobody."""

import copy

import pytest
from msgspec.structs import replace
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from mesh.commands import Rank
from mesh.errors import RefusedError
from mesh.events import Space
from mesh.groups.messaging import message_id
from mesh.groups.records import load
from mesh.ids import GroupId
from mesh.node.local.protocol import JsonObject
from mesh.peer.records import ProofRecord
from mesh.support.posts import interpret
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.invites import OpBundle
from mesh.wire.messages import Kind, MessageTbs, ReceiptBody
from mesh.wire.operations import OpType, Setting, SettingsBody
from mesh.wire.sessions import OpsBody
from simulations.checks import blamed
from simulations.people import Person, circle
from simulations.world import World
from tests.node.local.test_methods import WorldDesk, part
from tests.peer.forgery import Forger


def notes(desk: WorldDesk) -> dict[str, JsonObject]:
    """Return what the list of members says of each."""
    return {str(member["alias"]): member for member in desk.list("group.members", "members")}


def problems(desk: WorldDesk) -> str:
    """Return what `status` says of problems, as one text."""
    return "\n".join(f"{p['what']} {p['do']}" for p in desk.list("status", "problems"))


def three(seed: int = 4) -> tuple[World, GroupId, list[Person], list[WorldDesk]]:
    world = World(seed)
    gid, people = circle(world, "wren", "juniper", "mallory")
    world.run(20)
    return world, gid, people, [WorldDesk(world, person.name) for person in people]


def forked(seed: int = 4) -> tuple[World, GroupId, list[Person], list[WorldDesk]]:
    """Mallory, a steward, tells wren one thing and juniper another under one number."""
    world, gid, people, desks = three(seed)
    wren, juniper, mallory = people
    wren.rank(gid, mallory, Rank.STEWARD)
    world.run(10)
    forger = Forger(mallory, gid)
    for victim, value in ((wren, "2"), (juniper, "3")):
        body = SettingsBody(settings=[Setting(key="approvals", value=value)])
        forger.tells(victim, OpsBody(ops=[OpBundle(op=forger.operation(OpType.SETTINGS, body), wraps=[])]))
    world.run(40)
    return world, gid, people, desks


def proof_of(desk: WorldDesk, member: str) -> JsonObject:
    """Return the one proof there is against a member."""
    found = desk.call("group.proof", member=member)["proofs"]
    assert isinstance(found, list)
    (proof,) = found
    assert isinstance(proof, dict)
    return proof


def check(proof: JsonObject) -> None:
    """Check a proof as a program would that knows only this much: two texts, two signatures, one key."""
    first, second = part(proof, "first"), part(proof, "second")
    assert first["tbs"] != second["tbs"]
    for signed in (first, second):
        said = bytes.fromhex(str(proof["prefix"])) + bytes.fromhex(str(signed["tbs"]))
        key = VerifyKey(bytes.fromhex(str(signed["key"])))
        key.verify(said, bytes.fromhex(str(signed["sig"])))
        with pytest.raises(BadSignatureError):
            key.verify(said[:-1] + bytes([said[-1] ^ 1]), bytes.fromhex(str(signed["sig"])))


# ---------------------------------------------------------------- operations


def test_both_operations_are_kept_and_each_node_shows_the_same_proof() -> None:
    world, gid, (wren, juniper, mallory), desks = forked()
    assert wren.group(gid).log.heads == juniper.group(gid).log.heads == mallory.group(gid).log.heads
    proofs = [proof_of(desk, "mallory") for desk in desks]
    assert proofs[0] == proofs[1] == proofs[2]
    check(proofs[0])
    assert (proofs[0]["kind"], proofs[0]["device"]) == ("operation", mallory.group(gid).own.dev.hex())
    first, second = part(proofs[0], "first")["id"], part(proofs[0], "second")["id"]
    assert {first, second} <= {op.op_id.hex() for op in wren.group(gid).log.ops}
    for desk in desks:
        listed = notes(desk)
        named = listed["mallory"]["equivocations"]
        assert isinstance(named, list)
        (told,) = named
        assert isinstance(told, dict)
        assert (told["first"], told["second"]) == (first, second)
        assert {name: member["equivocated"] for name, member in listed.items()} == {
            "wren": False,
            "juniper": False,
            "mallory": True,
        }
    assert blamed(world) == []


def test_status_says_it_to_everybody_and_to_the_one_whose_device_it_is_what_to_do() -> None:
    _, _, _, (wren, _, mallory) = forked()
    assert "mallory's device has signed two different changes" in problems(wren)
    assert "old copy of a home" in problems(wren)
    assert '--proof "mallory"' in problems(wren)
    assert "This device has signed two different changes" in problems(mallory)
    assert "a new code" in problems(mallory)


def test_the_device_is_dead_for_changes_and_whole_again_after_coming_back() -> None:
    world, gid, (wren, juniper, mallory), desks = forked()
    with pytest.raises(RefusedError):
        desks[2].call("group.set", key="approvals", value="4")
    wren.remove(gid, mallory.member(gid))
    world.run(30)
    mallory.join(gid, wren.invite(gid))
    world.run(10)
    for desk in desks:
        assert notes(desk)["mallory"]["equivocated"] is False
        assert "two different" not in problems(desk)
    wren.rank(gid, mallory, Rank.STEWARD)
    world.run(10)
    desks[2].call("group.set", key="approvals", value="4")
    world.run(10)
    assert juniper.group(gid).view.settings["approvals"] == "4"


def test_where_nothing_was_signed_twice_there_is_no_proof() -> None:
    _, _, _, (wren, juniper, _) = three()
    assert wren.call("group.proof", member="juniper")["proofs"] == []
    assert "two different" not in problems(wren) + problems(juniper)


# ---------------------------------------------------------------- messages


def put_back(seed: int = 6) -> tuple[World, GroupId, list[Person], list[WorldDesk]]:
    """An old copy of wren's home is put back, and says something else under a number that juniper has heard."""
    world, gid, people, desks = three(seed)
    wren = people[0]
    wren.off()
    backup = copy.deepcopy(wren.node.store)
    wren.on()
    world.partition(("wren", "juniper"), ("mallory",))
    world.run(5)
    wren.post(gid, "said to juniper")
    world.run(5)
    wren.off()
    wren.node.store = backup
    world.heal()
    world.partition(("wren", "mallory"), ("juniper",))
    wren.on()
    wren.post(gid, "said to mallory")
    world.run(60)
    return world, gid, people, desks


def meet(world: World, gid: GroupId, people: list[Person]) -> None:
    """All are linked again, and wren goes on speaking."""
    world.heal()
    world.run(60)
    people[0].post(gid, "and on")
    world.run(30)


def test_another_message_under_a_number_shows_by_what_follows_it() -> None:
    world, gid, people, (wren, juniper, mallory) = put_back()
    assert (people[1].reads(gid), people[2].reads(gid)) == (["said to juniper"], ["said to mallory"])
    meet(world, gid, people)
    assert [notes(desk)["wren"]["equivocated"] for desk in (wren, juniper, mallory)] == [False, True, False]
    proof = proof_of(juniper, "wren")
    check(proof)
    texts = [bytes.fromhex(str(part(proof, place)["tbs"])) for place in ("first", "second")]
    first, second = (decode(MessageTbs, text, bytes_max=limits.MESSAGE_BYTES_MAX) for text in texts)
    assert (proof["kind"], proof["shows"], proof["number"]) == ("message", "other-predecessor", first.mseq)
    assert second.mseq == first.mseq + 1
    assert second.prev.hex() != part(proof, "first")["id"] == message_id(texts[0]).hex()
    assert interpret(second.body).text == "and on"
    assert "bear one number" in problems(juniper)
    assert "old copy of a home" in problems(juniper)
    assert people[1].reads(gid) == ["said to juniper", "and on"], "and it is shown all the same"
    assert blamed(world) == []


def test_two_messages_that_meet_under_one_number_are_both_kept_and_one_is_shown() -> None:
    world, gid, (wren, juniper, _), desks = three()
    wren.post(gid, "one")
    world.run(5)
    forger, group = Forger(wren, gid), wren.group(gid)
    number = group.own.mseq
    group.own = replace(group.own, mseq=number - 1)
    forger.hands(juniper, forger.message(Kind.RECEIPT, encode(ReceiptBody(reached=[]))))
    proof = proof_of(desks[1], "wren")
    check(proof)
    assert (proof["shows"], proof["number"]) == ("same-number", number)
    assert juniper.reads(gid) == ["one"]
    assert juniper.node.blames == []


def test_a_proof_is_there_after_a_restart_told_for_a_week_and_wiped_with_the_group() -> None:
    world, gid, people, desks = put_back()
    meet(world, gid, people)
    person, desk = people[1], desks[1]
    before = proof_of(desk, "wren")
    person.off()
    person.on()
    assert proof_of(desk, "wren") == before
    person.node.skew_ms += 8 * 86_400_000
    assert "one number" not in problems(desk)
    assert notes(desk)["wren"]["equivocated"] is True
    person.leave(gid, wipe=True)
    assert person.node.store.count(Space.PROOFS) == 0


def test_of_a_first_message_that_is_forgotten_the_second_is_kept_alone() -> None:
    world, gid, people, desks = put_back()
    people[1].off()
    people[1].on()
    meet(world, gid, people)
    (value,) = [value for _, value in people[1].node.store.scan(Space.PROOFS, gid)]
    assert load(ProofRecord, value).first is None
    assert proof_of(desks[1], "wren")["first"] is None


def test_proofs_and_what_is_remembered_for_them_are_bounded() -> None:
    world, gid, (wren, juniper, mallory), _ = three()
    for k in range(3):
        wren.post(gid, "x" * 30_000 + str(k))
        world.run(3)
    assert juniper.node.peer is not None
    state = juniper.node.peer.state
    assert state.signed_bytes == sum(len(signed.tbs) for signed in state.signed.values()) > 90_000
    assert len(state.signed) <= limits.SIGNED_KEPT_MAX
    del mallory


def test_a_wipe_takes_what_is_remembered_of_a_group_and_of_no_other() -> None:
    world, gid, (wren, juniper, mallory), _ = three()
    other = juniper.create("another")
    mallory.join(other, juniper.invite(other))
    wren.post(gid, "here")
    mallory.post(other, "there")
    world.run(5)
    assert juniper.node.peer is not None
    state = juniper.node.peer.state
    assert {key[0] for key in state.signed} == {gid, other}
    juniper.leave(gid, wipe=True)
    assert {key[0] for key in state.signed} == {other}
    assert state.signed_bytes == sum(len(signed.tbs) for signed in state.signed.values())


def test_memory_for_proofs_gives_up_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    world, gid, (wren, juniper, _), _ = three()
    monkeypatch.setattr(limits, "SIGNED_KEPT_BYTES_MAX", 70_000)
    for k in range(6):
        wren.post(gid, "x" * 30_000 + str(k))
        world.run(3)
    assert juniper.node.peer is not None
    state = juniper.node.peer.state
    assert 0 < state.signed_bytes <= 70_000
    newest = max(mseq for _, dev, mseq in state.signed if dev == wren.group(gid).own.dev)
    assert newest == wren.group(gid).own.mseq
