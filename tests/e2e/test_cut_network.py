"""A network cut in two, on real processes: two stewards remove each other's people, and once it heals all agree.

Every link goes through the shim. A node knows the others by their fronts there (`--peer`), announces a door at which
nobody gets in, and listens where only the shim knows.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import pytest

from demo.people import Json, Person, record, records, text, wait_for
from mesh.crypto.keys import public_key
from mesh.errors import RemoteError
from mesh.groups.group import Group
from mesh.groups.messaging import open_message
from mesh.ids import OpId
from mesh.wire.codes import from_uri
from mesh.wire.frames import Frame
from simulations.lab.shim import HERE, Hand, shim_beside
from tests.e2e.conftest import GROUP, Cast
from tests.e2e.stores import addresses_in, frame_of, group_of, store_of

# wren founded the group; tansy is whom juniper made a moderator, and rowan came by a code of juniper's; alder and hazel
# are the same to sorrel.
EAST, WEST = ("wren", "juniper", "tansy", "rowan"), ("sorrel", "alder", "hazel")
STAY = ("wren", "juniper", "sorrel")
GO = ("tansy", "rowan", "alder", "hazel")
OWN_VIEW = ("state", "since", "verified", "last_heard", "seen_removal", "newcomer_until")  # each node's own
MEET_S = 60.0  # a dialer that failed for a while looks again after 30 s, a quarter more at the most

People = Mapping[str, Person]


@pytest.fixture
def hand() -> Iterator[Hand]:
    with shim_beside() as made:
        yield made


def test_two_stewards_remove_each_others_people_across_a_cut(cast: Cast, hand: Hand) -> None:
    """Both removals stand, all who stay print the same, and those who are out can open nothing that follows."""
    people = {person.name: person for person in cast(*EAST, *WEST)}
    wren, juniper, sorrel, tansy, rowan, alder, hazel = (people[n] for n in (*STAY, *GO))
    start(hand, people)
    gather(people)
    nobody_came_around(hand, people)

    part(hand, people)
    for steward, friend, appointee in ((juniper, "hazel", "alder"), (sorrel, "rowan", "tansy")):
        steward.mesh("group", "remove", GROUP, friend, "--yes")
        steward.mesh("group", "remove", GROUP, appointee, "--yes")
    for side, out in ((EAST, {"alder", "hazel"}), (WEST, {"rowan", "tansy"})):
        wait_for(partial(hold_as_members, [people[n] for n in side], {*EAST, *WEST} - out), f"{side} to know", 20)
    juniper.post(GROUP, "said in the east")
    sorrel.post(GROUP, "said in the west")
    for person in (wren, tansy, rowan):
        person.sees(GROUP, "said in the east")
    for person in (alder, hazel):
        person.sees(GROUP, "said in the west")
    tansy.post(GROUP, "tansy in the east")
    made = text(record(alder.mesh("invite", "new", GROUP), "invite"), "id")
    wait_for(lambda: made in printed(sorrel), "sorrel to know of alder's code", 20)

    hand.do(hand.shim.heal_all)
    three = [people[name] for name in STAY]
    wait_for(lambda: agree(three), "the three who stay to print the same", MEET_S)
    assert ranks(wren) == {"wren": "founder", "juniper": "steward", "sorrel": "steward"}
    departed = {text(d, "alias"): d for d in records(wren.mesh("group", "members", GROUP), "departed")}
    by = {name: text(record(gone, "by"), "alias") for name, gone in departed.items()}
    assert by == {"tansy": "sorrel", "rowan": "sorrel", "alder": "juniper", "hazel": "juniper"}
    for person in three:
        person.post(GROUP, f"after, {person.name}")
    for person in three:
        person.sees(GROUP, "said in the east", "said in the west", *(f"after, {name}" for name in STAY))
    assert "tansy in the east" not in sorrel.texts(GROUP), "it was said after tansy's removal, as sorrel had it"
    for person in three:
        wait_for(partial(misses_nothing, person), f"{person.name} to miss nothing", 20)
    for name in GO:
        # Whoever had not heard yet may have told them that they are in; then others are asked again after a minute.
        wait_for(partial(people[name].is_out, GROUP), f"{name} to see a key that was not given", 150)
        assert not any(words.startswith("after") for words in people[name].texts(GROUP))
    assert agree(three), "and nothing moved since"
    nobody_came_around(hand, people)
    assert sum(hand.shim.turned_away.values()) > 0, "what was announced was tried, and led nowhere"

    for person in people.values():
        person.down()
    groups = {name: stored_group(person) for name, person in people.items()}
    for name in STAY:
        same_state(groups["wren"], groups[name])
    assert OpId(bytes.fromhex(made)) in groups["wren"].log
    assert OpId(bytes.fromhex(made)) not in groups["wren"].view.invites, "alder made it when juniper had removed them"
    with store_of(wren) as store:
        told = {port(address) for address in addresses_in(store)}
        east, west = frame_of(store, "said in the east"), frame_of(store, "said in the west")
        after = [frame_of(store, f"after, {name}") for name in STAY]
    assert told == {hand.do(hand.shim.door, name) for name in ("juniper", "sorrel")}, "members told their doors alone"
    for name in GO:
        for frame in (*after, east if name in WEST else west):
            cannot_open(groups[name], frame)


# ---------------------------------------------------------------- the steps


def start(hand: Hand, people: People) -> None:
    """Start all nodes, each with its fronts to those that run already, so that the shim knows who calls whom."""
    running: dict[str, str] = {}
    for name, person in people.items():
        words = ["--announce", f"/ip4/{HERE}/tcp/{hand.do(hand.shim.door, name)}"]
        for other, peer_id in running.items():
            words += ["--peer", f"/ip4/{HERE}/tcp/{hand.do(hand.shim.front, name, other)}/p2p/{peer_id}"]
        ready = person.up(*words)
        running[name] = text(ready, "peer_id")
        (listening,) = texts(ready["listening"])
        hand.do(hand.shim.lives_at, name, port(listening))


def gather(people: People) -> None:
    """Make the group, its two stewards, and those who came by each of them."""
    wren = people["wren"]
    wren.mesh("group", "create", GROUP)
    _, addresses = from_uri(text(wren.mesh("invite", "new", GROUP), "code"))
    assert list(addresses) == texts(wren.mesh("status")["addresses"]), "a code tells what is announced"
    for name in ("juniper", "sorrel"):
        people[name].join(text(wren.mesh("invite", "new", GROUP), "code"))
        wren.mesh("group", "rank", GROUP, name, "steward")
    for steward, appointee, friend in (("juniper", "tansy", "rowan"), ("sorrel", "alder", "hazel")):
        for name in (appointee, friend):
            people[name].join(text(people[steward].mesh("invite", "new", GROUP), "code"))
        wait_for(partial(is_steward, people[steward]), f"{steward} to be a steward", 20)
        people[steward].mesh("group", "rank", GROUP, appointee, "moderator")
    everybody = list(people.values())
    wait_for(lambda: all(len(ranks(p)) == len(people) for p in everybody) and agree(everybody), "all to be in", 30)
    assert {name for name, rank in ranks(wren).items() if rank == "moderator"} == {"tansy", "alder"}


def part(hand: Hand, people: People) -> None:
    """Cut the network in two, and wait until every node has noticed."""
    hand.do(hand.shim.part, EAST, WEST)
    for side in (EAST, WEST):
        wait_for(partial(are_alone, [people[name] for name in side]), f"{side} to be alone", 20)


def nobody_came_around(hand: Hand, people: People) -> None:
    """Every link is one of the shim's, and the only address that anybody would tell is their door."""
    for name, person in people.items():
        status = person.mesh("status")
        (told,) = texts(status["addresses"])
        assert port(told) == hand.do(hand.shim.door, name)
        for link in records(status, "links"):
            pair = hand.do(hand.shim.carried, port(text(link, "address")))
            assert pair is not None, f"{name} has a link around the shim: {link}"
            assert name in pair


def agree(people: Sequence[Person]) -> bool:
    """Say whether all print the same of the group, and speak under one key that everybody in it has."""
    if not all(person.group(GROUP)["complete"] for person in people):
        return False
    first = printed(people[0])
    return all(printed(person) == first for person in people[1:])


def printed(person: Person) -> str:
    """Return what somebody's node says of the group, without what is that node's alone."""
    group, answer = person.group(GROUP), person.mesh("group", "members", GROUP)
    members = [{k: v for k, v in m.items() if k not in OWN_VIEW} for m in records(answer, "members")]
    departed = sorted(records(answer, "departed"), key=lambda gone: text(gone, "id"))
    invites = [(i["id"], i["state"]) for i in records(person.mesh("invite", "list", GROUP), "invites")]
    shown = [group[key] for key in ("id", "members", "epoch", "complete", "agreement", "settings", "state_hash")]
    return repr((shown, members, departed, sorted(invites, key=repr)))


def hold_as_members(people: Sequence[Person], members: set[str]) -> bool:
    """Say whether each of these nodes holds just these for members."""
    return all(ranks(person).keys() == members for person in people)


def is_steward(person: Person) -> bool:
    """Say whether somebody knows that they are a steward."""
    return ranks(person)[person.name] == "steward"


def misses_nothing(person: Person) -> bool:
    """Say whether nothing is said to be missing; what one said past their removal is not."""
    return records(person.mesh("read", GROUP), "gaps") == []


def are_alone(side: Sequence[Person]) -> bool:
    """Say whether each of these is linked with the others of them, and with nobody else."""
    return all(len(links(person)) == len(side) - 1 for person in side)


def ranks(person: Person) -> dict[str, str]:
    """Return who is in, and at what rank, as somebody's node has it."""
    return {text(m, "alias"): text(m, "rank") for m in records(person.mesh("group", "members", GROUP), "members")}


def links(person: Person) -> list[str]:
    """Return the addresses at the other end of somebody's links."""
    return [text(link, "address") for link in records(person.mesh("status"), "links")]


def texts(value: Json) -> list[str]:
    """Return a list of texts in an answer."""
    assert isinstance(value, list)
    return [str(entry) for entry in value]


def port(address: str) -> int:
    """Return the TCP port of an address."""
    return int(address.split("/")[4])


# ---------------------------------------------------------------- what lies in the homes


def stored_group(person: Person) -> Group:
    """Return the group from the store of somebody whose node is down."""
    with store_of(person) as store:
        return group_of(store)


def same_state(one: Group, other: Group) -> None:
    """Both hold the same operations, draw the same from them, and would speak under the same epoch."""
    assert {op.op_id for op in one.log.ops} == {op.op_id for op in other.log.ops}
    assert one.view.members == other.view.members
    assert one.view.devices == other.view.devices
    assert one.view.departed == other.view.departed
    assert one.view.invites == other.view.invites
    assert one.view.settings == other.view.settings
    assert one.epoch == other.epoch
    assert one.epoch is not None


def cannot_open(group: Group, frame: Frame) -> None:
    """None of the keys that somebody kept opens this."""
    assert group.epochs, "their keys are really here"
    assert frame.pk not in {public_key(record.pub_seed) for record in group.epochs.values()}
    for epoch in group.epochs:
        with pytest.raises(RemoteError):
            open_message(group, frame, epoch)
