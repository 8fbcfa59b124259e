"""`group fork` over the local Api: what each is told of a successor, before and after they follow."""

import pytest
from msgspec.structs import replace

from mesh.errors import LocalError, RefusedError
from mesh.node.local.methods.joins import join_json
from mesh.node.local.protocol import JsonObject
from mesh.peer.records import JoinStage
from mesh.wire import limits
from mesh.wire.invites import Door
from simulations.world import World
from tests.node.local.test_methods import GROUP, WorldDesk, part


def three() -> tuple[World, WorldDesk, WorldDesk, WorldDesk]:
    """Ash founded the group, wren and tansy are in it."""
    world = World(1)
    ash, wren, tansy = (WorldDesk(world, name) for name in ("ash", "wren", "tansy"))
    ash.call("group.create", name=GROUP, agreement="Be kind.", alias="ash", suite="classic")
    for other in (wren, tansy):
        assert other.agree(ash.code())["state"] == "joined"
    world.run(20)
    return world, ash, wren, tansy


def shown(desk: WorldDesk, group: str = GROUP) -> JsonObject:
    return part(desk.call("group.show", group=group), "group")


def offer(desk: WorldDesk) -> JsonObject:
    """The one offer in the old group."""
    offers = shown(desk)["successors"]
    assert isinstance(offers, list)
    assert len(offers) == 1
    assert isinstance(offers[0], dict)
    return offers[0]


def problems(desk: WorldDesk) -> list[str]:
    return [str(problem["what"]) for problem in desk.list("status", "problems")]


def test_a_successor_is_offered_followed_and_linked_on_both_sides() -> None:
    world, ash, wren, tansy = three()
    told = wren.call("group.fork", without=["ash"], name="After Tuesday")
    new = part(told, "group")
    assert (new["name"], new["alias"], new["rank"]) == ("After Tuesday", "wren", "founder")
    assert new["succeeds"] == {"id": shown(ash)["id"], "name": GROUP}
    assert new["followed"] == {"came": 0, "of": 1}
    world.run(10)
    seen = offer(tansy)
    assert (seen["group"], seen["name"], seen["offered_to"], seen["state"]) == (new["id"], None, 1, "open")
    assert part(seen, "by")["alias"] == "wren"
    assert offer(ash)["state"] == "not-for-you"
    assert (offer(wren)["mine"], seen["mine"]) == (True, False)
    assert [what for what in problems(tansy) if "successor" in what] == [
        f"wren has founded a successor to “{GROUP}”, {str(new['id'])[:8]}, and offers it to you."
    ]
    assert [what for what in problems(ash) if "successor" in what] == []
    join = part(tansy.call("group.fork.follow", fork=str(seen["id"])[:8]), "join")
    assert join["follows"] == {"id": seen["id"], "group": {"id": shown(ash)["id"], "name": GROUP}}
    found = part(tansy.call("join.wait", join=join["id"], until="preview", wait_s=60), "join")
    assert part(found, "agreement") == {"version": 1, "text": "Be kind."}
    assert offer(tansy)["state"] == "joining"
    tansy.call("join.agree", join=join["id"], alias="tansy", agreement_version=1)
    assert part(tansy.call("join.wait", join=join["id"], until="joined", wait_s=30), "join")["state"] == "joined"
    world.run(20)
    assert shown(wren, "After Tuesday")["followed"] == {"came": 1, "of": 1}
    assert (offer(tansy)["state"], offer(tansy)["name"]) == ("joined", "After Tuesday")
    with pytest.raises(RefusedError) as caught:
        tansy.call("group.fork.follow", fork=seen["id"])
    assert (caught.value.code, caught.value.do) == ("E-ALREADY-IN", "read on there: `mesh group list` shows it")
    assert tansy.call("read", group="After Tuesday")["earlier"] == {"id": shown(ash)["id"], "name": GROUP}
    assert tansy.call("read")["earlier"] is None
    assert [invite["former"] for invite in tansy.list("invite.list", "invites")] == [0, 0]


def test_an_offer_can_be_declined_and_is_still_good() -> None:
    world, _, wren, tansy = three()
    wren.call("group.fork")
    world.run(10)
    tansy.call("group.fork.decline", fork=offer(tansy)["id"])
    assert offer(tansy)["state"] == "declined"
    assert [what for what in problems(tansy) if "successor" in what] == []
    assert "join" in tansy.call("group.fork.follow", fork=offer(tansy)["id"])


def test_an_offer_is_made_again_to_those_who_have_not_come() -> None:
    world, ash, wren, tansy = three()
    new = part(wren.call("group.fork"), "group")
    world.run(10)
    wren.call("group.fork.again", successor=new["id"], without=["ash"])
    world.run(10)
    assert offer(tansy)["offered_to"] == 1
    assert offer(ash)["state"] == "not-for-you"
    with pytest.raises(LocalError) as caught:
        wren.call("group.fork.again", successor=shown(wren)["id"])
    assert caught.value.code == "E-NO-OFFER"


def test_what_is_not_for_one_is_refused_in_words() -> None:
    world, ash, wren, _ = three()
    wren.call("group.fork", without=["ash"])
    world.run(10)
    with pytest.raises(RefusedError) as caught:
        ash.call("group.fork.follow", fork=offer(ash)["id"])
    assert caught.value.code == "E-NOT-OFFERED"
    with pytest.raises(LocalError) as unknown:
        ash.call("group.fork.follow", fork="abcdef12")
    assert unknown.value.code == "E-NO-OFFER"
    with pytest.raises(LocalError) as nobody:
        wren.call("group.fork", without=["ash", "tansy"])
    assert nobody.value.code == "E-NO-OFFER"


@pytest.mark.parametrize("name", ["name", "alias"])
def test_an_empty_text_is_not_taken_for_one_that_was_left_out(name: str) -> None:
    _, _, wren, _ = three()
    with pytest.raises(LocalError):
        wren.call("group.fork", **{name: ""})
    assert shown(wren)["successors"] == []


def test_who_has_offered_too_often_is_told_who_can() -> None:
    _, _, wren, _ = three()
    new = part(wren.call("group.fork"), "group")
    for _ in range(limits.FORKS_PER_DEVICE_MAX - 1):
        wren.call("group.fork.again", successor=new["id"])
    for method, params in (("group.fork", {}), ("group.fork.again", {"successor": new["id"]})):
        with pytest.raises(RefusedError) as caught:
            wren.call(method, **params)
        assert caught.value.code == "E-TOO-MANY"
        assert caught.value.do.startswith("ask another member to make the offer")


def test_an_offer_that_has_run_out_is_no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mesh.peer.forking.OFFER_HOURS", 1)
    world, _, wren, tansy = three()
    wren.call("group.fork", without=["ash"])
    world.run(10)
    named = offer(tansy)["id"]
    world.stop("wren")
    join = part(tansy.call("group.fork.follow", fork=named), "join")
    assert join["offered"] is True
    (record,) = (join for join in tansy.state.joins.values() if join.offer is not None)
    over = join_json(tansy, replace(record, stage=JoinStage.EXPIRED, door=Door.EXPIRED))
    assert (over["state"], over["why"]) == ("expired", "The offer has run out.")
    world.run(2.1 * 3600)
    with pytest.raises(RefusedError) as caught:
        tansy.call("group.fork.follow", fork=named)
    assert caught.value.what == "that offer has run out"
    assert "code" not in caught.value.do
