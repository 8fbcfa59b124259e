"""`device …` over simulated nodes: two homes of one root, from the code to the removal."""

import pytest

from mesh.errors import LocalError, RefusedError
from mesh.node.local.methods.node import _back
from mesh.node.local.protocol import JsonObject
from mesh.peer import homes
from mesh.secret import Secret
from mesh.wire import limits
from simulations.world import World
from tests.node.local.test_methods import GROUP, WorldDesk, part


def pair(seed: int = 31) -> tuple[World, WorldDesk, WorldDesk]:
    """Give wren, who has founded a group, and a second home of the same root."""
    world = World(seed)
    wren, phone = WorldDesk(world, "wren"), WorldDesk(world, "phone")
    phone.root = wren.root
    wren.call("group.create", name=GROUP)
    return world, wren, phone


def enters(phone: WorldDesk, wren: WorldDesk, **names: str) -> JsonObject:
    code = wren.call("device.add", **names)["code"]
    return phone.call("device.join", code=code, wait_s=30)


def listed(desk: WorldDesk) -> list[tuple[object, object, object]]:
    found = desk.list("device.list", "devices")
    return [(entry["name"], entry["current"], entry["groups"]) for entry in found]


def test_a_code_brings_the_second_home_into_the_groups_and_both_know_each_other() -> None:
    world, wren, phone = pair()
    told = enters(phone, wren, name="phone", this="laptop")
    assert told["state"] == "done"
    assert [part({"g": group}, "g")["name"] for group in _list(told, "entered")] == [GROUP]
    assert part(told, "device")["name"] == "phone"
    assert part(told, "with")["name"] == "laptop"
    world.run(10)
    assert listed(wren) == [("laptop", True, 1), ("phone", False, 1)]
    assert listed(phone) == [("phone", True, 1), ("laptop", False, 1)]
    shown = part(phone.call("group.show"), "group")
    assert (shown["members"], shown["devices"]) == (1, 2)
    (member,) = wren.list("group.members", "members")
    assert member["devices"] == 2
    again = enters(phone, wren)
    assert (len(_list(again, "entered")), len(_list(again, "here"))) == (0, 1)


def test_names_are_numbers_where_none_is_given() -> None:
    _, wren, phone = pair()
    enters(phone, wren)
    assert [name for name, *_ in listed(wren)] == ["device 1", "device 2"]


def test_a_code_of_another_identity_is_known_at_once() -> None:
    world, wren, _ = pair()
    stranger = WorldDesk(world, "stranger")
    code = wren.call("device.add")["code"]
    with pytest.raises(RefusedError) as caught:
        stranger.call("device.join", code=code, wait_s=30)
    assert caught.value.code == "E-OTHER-IDENTITY"


def test_a_code_that_has_run_out_is_said_to_have() -> None:
    world, wren, phone = pair()
    code = wren.call("device.add")["code"]
    world.run(limits.PAIRING_MS / 1000 + 60)
    with pytest.raises(RefusedError) as caught:
        phone.call("device.join", code=code, wait_s=30)
    assert caught.value.code == "E-CODE-EXPIRED"


def test_a_home_that_does_not_answer_is_waited_for_and_asked_again() -> None:
    world, wren, phone = pair()
    world.cut("wren", "phone")
    code = wren.call("device.add")["code"]
    assert phone.call("device.join", code=code, wait_s=5)["state"] == "looking"
    world.heal()
    assert phone.call("device.join", code=code, wait_s=60)["state"] == "done"


def test_a_code_without_addresses_does_not_spoil_the_whole_one() -> None:
    world, wren, phone = pair()
    world.cut("wren", "phone")
    code = str(wren.call("device.add")["code"])
    bare, mark, _ = code.partition("#")
    assert mark
    assert phone.call("device.join", code=bare, wait_s=5)["state"] == "looking"
    assert phone.state.entering is not None
    assert phone.state.entering.addresses == ()
    phone.call("device.join", code=code, wait_s=5)
    assert phone.state.entering.addresses == tuple(wren.state.addresses)
    world.heal()
    assert phone.call("device.join", code=bare, wait_s=60)["state"] == "done"


def test_a_device_that_is_taken_out_is_shown_as_no_removal_of_its_person_and_is_told_of_both_ways() -> None:
    world, wren, phone = pair()
    enters(phone, wren, name="phone")
    world.run(10)
    room = next(iter(phone.state.rooms.values()))
    assert "mesh device remove" in _back(room)
    wren.call("device.remove", device="phone")
    assert part(wren.call("group.show"), "group")["removal"] is None
    assert "mesh device remove" not in _back(next(iter(wren.state.rooms.values())))


def test_a_device_is_removed_by_name_and_the_group_gets_a_new_key() -> None:
    world, wren, phone = pair()
    enters(phone, wren, name="phone")
    world.run(10)
    before = part(wren.call("group.show"), "group")["epoch"]
    would = wren.call("device.remove.check", device="phone")
    assert part(would, "device")["name"] == "phone"
    assert len(_list(would, "groups")) == 1
    told = wren.call("device.remove", device="PHONE")
    assert (_list(told, "refused"), told["elsewhere"]) == ([], 0)
    after = part(wren.call("group.show"), "group")
    assert after["devices"] == 1
    assert after["epoch"] != before
    assert listed(wren) == [("device 1", True, 1)]
    with pytest.raises(LocalError) as gone:
        wren.call("device.remove", device="phone")
    assert gone.value.code == "E-NO-DEVICE"
    with pytest.raises(LocalError) as own:
        wren.call("device.remove", device="device 1")
    assert own.value.code == "E-THIS-DEVICE"


def test_a_third_home_that_the_first_was_not_told_of_is_shown_by_its_id_and_can_be_removed() -> None:
    world, wren, phone = pair()
    enters(phone, wren, name="phone")
    tablet = WorldDesk(world, "tablet")
    tablet.root = wren.root
    world.run(10)
    enters(tablet, phone, name="tablet")
    world.run(20)
    assert [name for name, *_ in listed(tablet)] == ["tablet", "device 1", "phone"]
    assert [name for name, *_ in listed(wren)] == ["device 1", "phone"]
    (unknown,) = wren.list("device.list", "unknown")
    told = wren.call("device.remove", device=str(unknown["id"])[:8])
    assert len(_list(told, "groups")) == 1
    assert wren.list("device.list", "unknown") == []
    world.run(10)
    assert part(phone.call("group.show"), "group")["devices"] == 2
    assert [name for name, *_ in listed(phone)] == ["phone", "device 1"], "the tablet is in no group any more"


def test_what_another_device_is_in_and_this_one_is_not_is_said() -> None:
    world, wren, phone = pair()
    enters(phone, wren, name="phone")
    phone.call("group.create", name="Sunday walks", alias="wren")
    enters(wren, phone)
    world.run(10)
    assert listed(wren)[1] == ("phone", False, 2)
    phone.call("group.create", name="A third", alias="wren")
    code = phone.call("device.add")["code"]
    assert code
    enters(phone, wren)
    told = wren.call("device.remove", device="phone")
    assert len(_list(told, "groups")) == 2
    assert told["elsewhere"] == 1
    assert ("phone", False, 0) in listed(wren), "it is not forgotten while it may be in somewhere"


def test_a_home_that_was_made_before_it_had_a_name_gets_one() -> None:
    world = World(37)
    desk = WorldDesk(world, "wren")
    assert homes.own_entry(desk.state) is None
    assert listed(desk) == []
    desk.call("device.add")
    assert listed(desk) == [("device 1", True, 0)]


def test_codes_differ_and_are_worth_nothing_to_another_root() -> None:
    _, wren, phone = pair()
    assert wren.call("device.add")["code"] != wren.call("device.add")["code"]
    phone.root = Secret(bytes(32))
    with pytest.raises(LocalError):
        phone.call("device.join", code="mesh1qqq", wait_s=1)


def _list(told: JsonObject, key: str) -> list[JsonObject]:
    found = told[key]
    assert isinstance(found, list)
    return [entry for entry in found if isinstance(entry, dict)]


def test_who_has_not_heard_of_a_device_that_is_out_is_told_apart_until_they_have() -> None:
    world, wren, phone = pair()
    enters(phone, wren, name="phone")
    tansy = WorldDesk(world, "tansy")
    assert tansy.agree(wren.code())["state"] == "joined"
    world.run(20)

    def heard() -> list[object]:
        return [
            member["seen_removal"] for member in wren.list("group.members", "members") if member["alias"] == "tansy"
        ]

    world.stop("tansy")
    wren.call("device.remove", device="phone")
    assert heard() == [False], "tansy's node would still encrypt to the phone"
    world.start("tansy")
    world.run(60)
    assert heard() == [True]
