"""`verify` over simulated nodes: two people read the same number, and whoever stands between them is found out."""

import pytest

from mesh.errors import Exit, LocalError, RefusedError
from mesh.events import Space
from mesh.node.local.protocol import JsonObject
from simulations.world import World
from tests.node.local.test_methods import WorldDesk, part, two


def three() -> tuple[World, WorldDesk, WorldDesk, WorldDesk]:
    """Give wren, tansy and sorrel, in one group and at rest."""
    world, wren, tansy = two()
    sorrel = WorldDesk(world, "sorrel")
    for guest in (tansy, sorrel):
        assert guest.agree(wren.code())["state"] == "joined"
    world.run(10)
    return world, wren, tansy, sorrel


def verify(desk: WorldDesk, member: str | None = None, **asked: object) -> JsonObject:
    return desk.call("verify", member=member, **{"confirm": False, "compare": None, **asked})


def refused(desk: WorldDesk, member: str | None = None, **asked: object) -> LocalError:
    with pytest.raises(LocalError) as caught:
        verify(desk, member, **asked)
    return caught.value


def test_two_read_the_same_number_and_a_third_reads_others() -> None:
    _, wren, tansy, sorrel = three()
    number = verify(wren, "tansy")["safety_number"]
    assert verify(tansy, "wren")["safety_number"] == number
    others = {verify(desk, name)["safety_number"] for desk, name in ((wren, "sorrel"), (sorrel, "tansy"))}
    whole = {verify(desk)["safety_number"] for desk in (wren, tansy, sorrel)}
    assert len(others | whole | {number}) == 4, "all who are in read one number for the whole group"


def test_the_same_operations_give_the_same_state_and_one_more_another() -> None:
    world, wren, tansy, sorrel = three()
    before = {verify(desk)["state_hash"] for desk in (wren, tansy, sorrel)}
    assert len(before) == 1
    assert part(wren.call("group.show"), "group")["state_hash"] in before
    world.partition(("wren",), ("tansy", "sorrel"))
    wren.call("group.remove", member="sorrel")
    assert verify(wren)["state_hash"] != verify(tansy)["state_hash"]
    error = refused(tansy, compare=verify(wren)["state_hash"])
    assert (error.code, error.exit) == ("E-MISMATCH", Exit.MISMATCH)
    assert "not caught up" in error.why
    world.heal()
    world.run(60)
    assert verify(wren)["state_hash"] == verify(tansy)["state_hash"]
    assert verify(tansy, compare=verify(wren)["state_hash"])["compared"] == "state"


@pytest.mark.parametrize("written", ["{}", "  {} ", "{}\n"])
def test_what_was_read_out_is_compared_however_it_is_written(written: str) -> None:
    _, wren, tansy, _ = three()
    number, state = str(verify(tansy, "wren")["safety_number"]), str(verify(tansy)["state_hash"])
    for said in (number, number.replace(" ", ""), number.replace(" ", "-"), number.replace(" ", "\n")):
        assert verify(wren, "tansy", compare=written.format(said))["compared"] == "number"
    for said in (state, state.upper(), " ".join(state[k : k + 4] for k in range(0, 16, 4))):
        assert verify(wren, compare=written.format(said))["compared"] == "state"


def test_one_digit_that_differs_is_a_mismatch_and_keeps_nothing() -> None:
    _, wren, tansy, _ = three()
    number = str(verify(tansy, "wren")["safety_number"])
    for place in (0, 33, len(number) - 1):
        wrong = number[:place] + str((int(number[place]) + 1) % 10) + number[place + 1 :]
        error = refused(wren, "tansy", compare=wrong, confirm=True)
        assert (error.code, error.exit) == ("E-MISMATCH", Exit.MISMATCH)
    error = refused(wren, compare=str(verify(wren, "tansy")["safety_number"]))
    assert "same members" in error.what
    assert verify(wren, "tansy")["verified"] is False


@pytest.mark.parametrize("said", ["", "12345", "x" * 60, "١" * 60, "f" * 63, "0" * 61, "-" * 100_000])
def test_what_is_no_number_is_told_from_a_number_that_differs(said: str) -> None:
    _, wren, _ = two()
    assert refused(wren, compare=said).code == "E-COMPARE"


def test_the_number_of_the_whole_group_and_a_state_hash_confirm_nobody() -> None:
    _, wren, tansy, _ = three()
    assert refused(wren, "tansy", compare=str(verify(tansy)["safety_number"]), confirm=True).code == "E-COMPARE"
    assert "whose key" in refused(wren, "tansy", compare=str(verify(tansy)["state_hash"]), confirm=True).what
    assert "whose key" in refused(wren, confirm=True).what
    assert "yourself" in refused(wren, "wren", confirm=True).what
    assert wren.store.count(Space.VERIFIED) == 0


def test_a_confirmed_key_is_marked_here_alone_and_survives_a_restart() -> None:
    world, wren, tansy, _ = three()
    assert verify(wren, "tansy", compare=verify(tansy, "wren")["safety_number"], confirm=True)["verified"] is True
    tansy.call("post", text="hello")
    world.run(5)
    world.restart("wren")
    assert verify(wren, "tansy")["verified"] is True
    assert (verify(wren)["verified"], verify(wren)["members_verified"]) == (False, 1)
    marked = {str(member["alias"]): member["verified"] for member in wren.list("group.members", "members")}
    assert marked == {"wren": False, "tansy": True, "sorrel": False}
    (message,) = wren.list("read", "messages")
    assert part(message, "author")["verified"] is True
    assert not any(member["verified"] for member in tansy.list("group.members", "members"))
    verify(wren, "sorrel", confirm=True)
    assert verify(wren)["verified"] is True, "now all of them are"


def test_a_confirmation_is_on_the_disk_before_it_is_said() -> None:
    world, wren, _, _ = three()
    verify(wren, "tansy", confirm=True)
    world.stop("wren", power_cut=True)
    world.start("wren")
    assert verify(wren, "tansy")["verified"] is True


def test_whoever_comes_back_comes_under_a_new_key_and_unconfirmed() -> None:
    world, wren, tansy, _ = three()
    verify(wren, "tansy", confirm=True)
    verify(tansy, "sorrel", confirm=True)
    number = verify(wren, "tansy")["safety_number"]
    wren.call("group.remove", member="tansy")
    world.run(30)
    assert tansy.agree(wren.code())["state"] == "joined"
    world.run(10)
    back = verify(wren, "tansy")
    assert back["verified"] is False
    assert back["safety_number"] != number
    assert [entry["id"] for entry in _objects(back, "alike")] == [
        str(g["id"]) for g in wren.list("group.members", "departed")
    ]
    assert [entry["departed"] for entry in _objects(back, "alike")] == [True]
    assert verify(tansy, "sorrel")["verified"] is True, "sorrel's key is what it was"
    assert verify(tansy, "wren")["safety_number"] == back["safety_number"]


def test_names_that_look_alike_are_named_with_the_number() -> None:
    world, wren, tansy = two()
    twin = WorldDesk(world, "tan5y")
    for guest in (tansy, twin):
        assert guest.agree(wren.code())["state"] == "joined"
    world.run(5)
    assert refused(wren, "tansy").code == "E-AMBIGUOUS"
    ids = {str(m["alias"]): str(m["id"]) for m in wren.list("group.members", "members")}
    told = verify(wren, ids["tansy"])
    assert [entry["id"] for entry in _objects(told, "alike")] == [ids["tan5y"]]
    assert [entry["departed"] for entry in _objects(told, "alike")] == [False]
    assert part(told, "member")["alike"] is True


def test_who_is_out_has_nobody_to_compare_with() -> None:
    world, wren, tansy, _ = three()
    tansy.call("group.leave", wipe=False)
    world.run(5)
    with pytest.raises(RefusedError):
        verify(tansy)
    assert refused(wren, "tansy").code == "E-NO-MEMBER"


def test_a_wipe_takes_the_marks_too() -> None:
    world, _, tansy, _ = three()
    verify(tansy, "wren", confirm=True)
    tansy.call("group.leave", wipe=True)
    assert tansy.store.count(Space.VERIFIED) == 0
    world.run(5)


def _objects(told: JsonObject, key: str) -> list[JsonObject]:
    found = told[key]
    assert isinstance(found, list)
    return [entry for entry in found if isinstance(entry, dict)]
