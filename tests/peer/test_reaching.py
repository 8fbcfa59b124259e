"""Reaching: who is dialled, and until when."""

from mesh.commands import KnownAddress
from mesh.events import AddressesChanged, Dial, Effect, Forget, Input
from mesh.ids import Address
from mesh.peer import reaching
from mesh.peer.state import State
from simulations.people import Person, circle, gather
from simulations.world import Node, World


def dials(world: World, person: Person) -> list[Dial | Forget]:
    """Collect whom a node dials and forgets from now on."""
    found: list[Dial | Forget] = []

    def note(node: Node, event: Input, effects: list[Effect]) -> None:
        if node is person.node:
            found.extend(effect for effect in effects if isinstance(effect, Dial | Forget))

    world.watchers.append(note)
    return found


def test_a_restart_dials_everybody_who_is_known() -> None:
    world = World(1)
    _, (wren, _, _) = circle(world, "wren", "juniper", "sorrel")
    world.run(5)
    wren.off()
    wren.on()
    assert set(wren.node.wanted) == {"peer-juniper", "peer-sorrel"}


def test_a_member_who_is_out_is_dialled_no_more() -> None:
    world = World(1)
    gid, (wren, juniper, _) = circle(world, "wren", "juniper", "sorrel")
    world.run(5)
    assert "peer-juniper" in wren.node.wanted
    wren.remove(gid, juniper.member(gid))
    assert set(wren.node.wanted) == {"peer-sorrel"}


def test_one_who_is_known_from_another_group_or_by_hand_still_is() -> None:
    world = World(1)
    gid, (wren, juniper) = circle(world, "wren", "juniper")
    other = juniper.create("another")
    wren.join(other, juniper.invite(other))
    world.run(5)
    wren.remove(gid, juniper.member(gid))
    assert "peer-juniper" in wren.node.wanted
    world.ask("wren", KnownAddress(address=juniper.node.address))
    juniper.leave(other)
    world.run(20)
    assert "peer-juniper" in wren.node.wanted


def test_who_moves_is_dialled_at_the_new_place() -> None:
    world = World(1)
    gid, (wren, juniper) = circle(world, "wren", "juniper")
    world.run(10)
    seen = dials(world, wren)
    moved = Address("/memory/juniper-at-sea/p2p/peer-juniper")
    world._give(juniper.node, AddressesChanged(addresses=(moved,)))
    world.run(2)
    assert [d.addresses for d in seen if isinstance(d, Dial)] == [(moved,)]
    assert not any(isinstance(effect, Forget) for effect in seen)
    assert wren.room(gid).contacts[juniper.group(gid).own.dev].addresses == [moved]


def test_two_who_moved_meet_again_through_a_third() -> None:
    world = World(2)
    gid, (wren, juniper, _) = circle(world, "wren", "juniper", "sorrel")
    world.run(5)
    wren.off()
    juniper.off()
    world.run(1)
    for person in (wren, juniper):
        person.on()
        moved = Address(f"/memory/{person.name}/moved/p2p/{person.node.peer_id}")
        world._give(person.node, AddressesChanged(addresses=(moved,)))
    world.run(10)
    contact = wren.room(gid).contacts[juniper.group(gid).own.dev]
    assert contact.addresses == ["/memory/juniper/moved/p2p/peer-juniper"]
    assert "juniper" in [name for name, _ in wren.node.links.values()]


def test_addresses_without_a_key_are_passed_over() -> None:
    world = World(1)
    (wren,) = gather(world, "wren")
    seen = dials(world, wren)
    for address in ("/ip4/192.0.2.1/tcp/1", "/p2p/peer-x", "/ip4/192.0.2.1/p2p/", "nonsense"):
        world.ask("wren", KnownAddress(address=Address(address)))
    assert seen == []


def test_a_knock_carries_as_many_addresses_as_it_has_room_for() -> None:
    state = State()
    state.addresses = tuple(Address(f"/dns4/{'x' * 240}/{k}") for k in range(16))
    chosen = reaching.knock_addresses(state)
    assert 0 < len(chosen) < 16
    assert chosen == list(state.addresses[: len(chosen)])
    state.addresses = (Address("/ip4/192.0.2.1/tcp/1/p2p/x"),) * 3
    assert reaching.knock_addresses(state) == list(state.addresses)
