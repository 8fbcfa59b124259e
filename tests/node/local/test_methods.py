"""Methods of the local Api over simulated nodes: what people are told about doors, removals and leaving is so."""

import pytest
from msgspec.structs import replace

from mesh.errors import LocalError, RefusedError
from mesh.node.local.methods.joins import join_json
from mesh.node.local.protocol import JsonObject
from mesh.peer.records import JoinStage
from mesh.wire.invites import Door
from simulations.desks import USUAL
from simulations.desks import WorldDesk as WorldDesk  # noqa: PLC0414 # the tests beside this one take it from here
from simulations.world import World

GROUP = USUAL


def part(value: JsonObject, key: str) -> JsonObject:
    """Return an object in an answer."""
    found = value[key]
    assert isinstance(found, dict)
    return found


def named(value: JsonObject, key: str) -> list[str]:
    """Return the aliases of the people in a list."""
    people = value[key]
    assert isinstance(people, list)
    return [str(entry["alias"]) for entry in people if isinstance(entry, dict)]


def two(seed: int = 11) -> tuple[World, WorldDesk, WorldDesk]:
    """Return a world in which wren has founded a group, and tansy is outside."""
    world = World(seed)
    wren, tansy = WorldDesk(world, "wren"), WorldDesk(world, "tansy")
    wren.call("group.create", name=GROUP)
    return world, wren, tansy


def test_who_knocks_and_who_admits_see_the_same_words() -> None:
    _, wren, tansy = two()
    join = tansy.agree(wren.code(approvals=3))
    assert join["state"] == "awaiting-approval"
    (knock,) = wren.list("knocks.list", "knocks")
    words = join["key_words"]
    assert isinstance(words, list)
    assert len(words) == 6
    assert knock["key_words"] == words
    (shown,) = tansy.list("status", "joins")
    assert shown["key_words"] == words


def test_one_yes_is_enough_where_one_is_asked_for() -> None:
    _, wren, tansy = two()
    join = tansy.agree(wren.code(approvals=1))
    assert part(wren.call("knocks.admit", knock="tansy"), "admitted")["alias"] == "tansy"
    assert part(tansy.call("join.wait", join=join["id"], wait_s=20), "join")["state"] == "joined"
    assert tansy.list("status", "joins") == [], "who is in has nothing more to do"


def test_one_yes_is_counted_where_more_are_asked_for() -> None:
    _, wren, tansy = two()
    join = tansy.agree(wren.code(approvals=3))
    for _ in range(2):
        said = part(wren.call("knocks.admit", knock="tansy"), "approved")
        assert (said["approvals"], said["needed"]) == (1, 3)
    (knock,) = wren.list("knocks.list", "knocks")
    assert (knock["approvals"], knock["needed"]) == (1, 3)
    assert part(tansy.call("join.wait", join=join["id"], wait_s=5), "join")["state"] == "awaiting-approval"


def test_who_was_declined_reads_it_in_the_status() -> None:
    _, wren, tansy = two()
    code = wren.code(approvals=1)
    join = tansy.agree(code)
    wren.call("knocks.decline", knock="tansy")
    tansy.call("join.wait", join=join["id"], wait_s=20)
    (shown,) = tansy.list("status", "joins")
    assert (shown["state"], shown["why"], shown["key_words"]) == ("refused", "A member declined.", [])
    assert tansy.agree(wren.code())["state"] == "joined"
    assert tansy.list("status", "joins") == [], "another code let them in since"


def test_who_is_in_already_is_told_so_and_not_sent_for_another_code() -> None:
    _, wren, tansy = two()
    tansy.agree(wren.code(approvals=1))
    (found,) = tansy.state.joins.values()
    shown = join_json(tansy, replace(found, stage=JoinStage.REFUSED, door=Door.OPEN, keys=None))
    assert (shown["state"], str(shown["why"])[:28]) == ("refused", "You are in this group alread")


def test_an_attempt_that_is_over_can_be_dropped() -> None:
    _, wren, tansy = two()
    refused = tansy.agree(wren.code(approvals=1))
    wren.call("knocks.decline", knock="tansy")
    tansy.call("join.wait", join=refused["id"], wait_s=20)
    joined = tansy.agree(wren.code())
    for join in (refused, joined):
        assert tansy.call("join.drop", join=join["id"]) == {"dropped": {"id": join["id"]}}
    assert tansy.list("join.list", "joins") == []
    assert [part(tansy.call("group.show"), "group")["state"]] == ["member"], "who is in stays in"
    with pytest.raises(LocalError):
        tansy.call("join.drop", join=refused["id"])


def test_a_code_without_its_end_says_that_there_is_nowhere_to_look() -> None:
    _, wren, tansy = two()
    bare, _, _ = wren.code().partition("#")
    join = part(tansy.call("join.start", code=bare), "join")
    assert join["addresses"] == 0
    assert part(tansy.call("join.wait", join=join["id"], until="preview", wait_s=60), "join")["state"] == "looking"


def test_a_removal_says_which_codes_it_closed_and_the_members_see_the_reason() -> None:
    world, wren, tansy = two()
    sorrel = WorldDesk(world, "sorrel")
    for person in (tansy, sorrel):
        person.agree(wren.code())
    wren.code(note="for A.")
    removed = wren.call("group.remove", member="tansy", reason="as agreed")
    closed = removed["invites_closed"]
    assert isinstance(closed, list)
    assert [entry["note"] for entry in closed if isinstance(entry, dict)] == ["for A."]
    assert {invite["state"] for invite in wren.list("invite.list", "invites")} <= {"revoked", "used-up"}
    world.run(5)
    (gone,) = sorrel.list("group.members", "departed")
    assert (gone["alias"], gone["state"], gone["reason"]) == ("tansy", "removed", "as agreed")
    assert part(gone, "by")["alias"] == "wren"


@pytest.mark.parametrize("seconds", [0, -1, 90 * 86_400 + 1])
def test_how_long_an_invite_may_last_is_said_in_days(seconds: int) -> None:
    _, wren, _ = two()
    with pytest.raises(LocalError) as caught:
        wren.code(expires_s=seconds)
    assert "90 days" in caught.value.what


# ---------------------------------------------------------------- names


def test_a_name_means_the_group_that_one_is_in_and_a_wipe_asks_which() -> None:
    _, wren, _ = two()
    first = part(wren.call("group.show"), "group")["id"]
    wren.call("group.leave", group=first)
    second = part(wren.call("group.create", name=GROUP), "group")["id"]
    assert part(wren.call("group.show"), "group")["id"] == second
    with pytest.raises(LocalError) as caught:
        wren.call("group.leave", wipe=True)
    assert caught.value.code == "E-AMBIGUOUS"
    assert len(wren.state.rooms) == 2


def test_an_ambiguous_name_says_what_to_type() -> None:
    _, wren, _ = two()
    wren.call("group.create", name=GROUP)
    with pytest.raises(LocalError) as caught:
        wren.call("group.show")
    ids = [str(group["id"]) for group in wren.list("group.list", "groups")]
    assert caught.value.do == "type one of these ids instead: " + ", ".join(gid[:8] for gid in ids)
    assert caught.value.candidates == tuple(f"{gid[:8]} ({GROUP})" for gid in ids)
    for gid in ids:
        assert part(wren.call("group.show", group=gid[:8]), "group")["id"] == gid


# ---------------------------------------------------------------- what would follow


def test_a_removal_is_looked_at_before_it_is_done() -> None:
    _, wren, tansy = two()
    tansy.agree(wren.code())
    wren.code(note="for A.")
    told = wren.call("group.remove.check", member="tansy")
    assert (part(told, "member")["alias"], part(told, "group")["name"]) == ("tansy", GROUP)
    assert told["invites_open"] == 1
    with pytest.raises(RefusedError) as caught:
        tansy.call("group.remove.check", member="wren")
    assert caught.value.what == "you cannot remove wren: their rank is founder, and yours is member"
    with pytest.raises(LocalError) as unknown:
        wren.call("group.remove.check", member="nobody")
    assert unknown.value.code == "E-NO-MEMBER"
    assert len(wren.list("group.members", "members")) == 2, "nothing has changed"


# ---------------------------------------------------------------- doors


def test_a_code_is_found_among_words_and_over_several_lines() -> None:
    _, wren, tansy = two()
    code = wren.code()
    ids = {
        part(tansy.call("join.start", code=text), "join")["id"]
        for text in (
            code,
            f"see here: {code}. Yours, wren",
            f"({code.upper().split('#')[0]})",
            code[:40] + "\n" + code[40:],
        )
    }
    assert len(ids) == 1
    slip = code.partition("#")[0][:-1]
    with pytest.raises(LocalError) as caught:
        tansy.call("join.start", code=f"see here: {slip}")
    assert "cut short" in caught.value.what


def test_what_a_code_asks_for_is_known_with_the_preview_and_in_the_list() -> None:
    _, wren, tansy = two()
    join = part(tansy.call("join.start", code=wren.code(approvals=1)), "join")
    assert join["approvals"] is None
    shown = part(tansy.call("join.wait", join=join["id"], until="preview", wait_s=60), "join")
    assert (shown["state"], shown["approvals"]) == ("preview", 1)
    assert [invite["approvals"] for invite in wren.list("invite.list", "invites")] == [1]


def test_a_code_that_was_used_up_says_so_also_after_a_removal() -> None:
    world, wren, tansy = two()
    tansy.agree(wren.code())
    wren.code()
    wren.call("group.remove", member="tansy", reason="")
    world.run(2)
    assert sorted(str(invite["state"]) for invite in wren.list("invite.list", "invites")) == ["revoked", "used-up"]


def test_a_code_says_how_many_other_members_it_leads_to() -> None:
    world, wren, tansy = two()
    tansy.agree(wren.code())
    assert part(wren.call("invite.new"), "invite")["others"] == 0
    tansy.call("group.set", key="invite-address", value="on")
    world.run(30)
    assert part(wren.call("invite.new"), "invite")["others"] == 1


def test_whoever_may_admit_is_told_that_the_alias_is_taken() -> None:
    world, wren, tansy = two()
    other = WorldDesk(world, "Tan5y")
    tansy.agree(wren.code())
    other.agree(wren.code(approvals=1))
    (knock,) = wren.list("knocks.list", "knocks")
    alike = knock["alike"]
    assert isinstance(alike, list)
    assert [entry["alias"] for entry in alike if isinstance(entry, dict)] == ["tansy"]
    assert knock["group_name"] == GROUP
    said = [str(problem["what"]) for problem in wren.list("status", "problems")]
    assert said == [f"Somebody waits at the door of “{GROUP}”. A member called tansy is in already."]


def test_an_attempt_that_led_to_a_group_since_left_says_so() -> None:
    _, wren, tansy = two()
    tansy.agree(wren.code())
    tansy.call("group.leave")
    (join,) = tansy.list("join.list", "joins")
    assert (join["state"], join["standing"]) == ("joined", "left")


def test_the_code_that_one_came_in_by_leads_to_being_in_and_another_is_for_somebody_else() -> None:
    _, wren, tansy = two()
    code = wren.code()
    joined = tansy.agree(code)
    assert part(tansy.call("join.start", code=code), "join") == joined
    with pytest.raises(RefusedError) as caught:
        tansy.call("join.start", code=wren.code())
    assert caught.value.code == "E-ALREADY-IN"
    tansy.call("group.leave")
    assert part(tansy.call("join.start", code=wren.code()), "join")["state"] == "looking"


def test_of_two_who_knock_under_much_the_same_alias_none_is_admitted_by_it() -> None:
    world, wren, tansy = two()
    other = WorldDesk(world, "Tan5y")
    code = wren.code(uses=2, approvals=1)
    for person in (tansy, other):
        person.agree(code)
    with pytest.raises(LocalError) as caught:
        wren.call("knocks.admit", knock="tansy")
    assert caught.value.code == "E-AMBIGUOUS"
    assert len(wren.list("knocks.list", "knocks")) == 2


def test_an_alias_that_looks_like_another_names_nobody_by_itself() -> None:
    world, wren, tansy = two()
    other = WorldDesk(world, "Tan5y")
    for person in (tansy, other):
        person.agree(wren.code())
    for name in ("tansy", "TAN5Y"):
        with pytest.raises(LocalError) as caught:
            wren.call("group.remove.check", member=name)
        assert caught.value.code == "E-AMBIGUOUS"
        ids = dict(shown.split()[::-1] for shown in caught.value.candidates)
        assert set(ids) == {"(Tan5y)", "(tansy)"}
        assert part(wren.call("group.remove.check", member=ids["(tansy)"]), "member")["alias"] == "tansy"


def test_what_newcomers_see_is_set_shown_before_they_join_and_changed() -> None:
    world = World(12)
    wren, tansy = WorldDesk(world, "wren"), WorldDesk(world, "tansy")
    for history in ("last:0", "days:91", "everything"):
        with pytest.raises(LocalError) as caught:
            wren.call("group.create", name=GROUP, history=history)
        assert caught.value.code == "E-SETTING"
    wren.call("group.create", name=GROUP, history="last:2")
    for text in ("one", "two", "three"):
        wren.call("post", text=text, wait_s=0)
    join = part(tansy.call("join.start", code=wren.code()), "join")
    found = part(tansy.call("join.wait", join=join["id"], until="preview", wait_s=60), "join")
    assert part(found, "group")["history"] == "last:2"
    wren.call("group.set", key="history", value="none")
    assert part(wren.call("group.show"), "group")["history"] == "none"


def test_only_one_member_s_word_is_said_until_it_is_taken() -> None:
    """Juniper lets tansy in while wren is off: tansy's node says so wherever a person would wonder."""
    world = World(12)
    wren, juniper = WorldDesk(world, "wren"), WorldDesk(world, "juniper")
    wren.call("group.create", name=GROUP)
    juniper.agree(wren.code())
    code = wren.code()
    sorrel = WorldDesk(world, "sorrel")
    sorrel.agree(wren.code())
    world.run(10)
    world.stop("wren")
    world.stop("sorrel")
    tansy = WorldDesk(world, "tansy")
    world.join_up("tansy", "juniper")
    assert tansy.agree(code)["state"] == "joined"
    shown = part(tansy.call("group.show"), "group")
    assert (shown["confirmed"], part(shown, "welcomed_by")["alias"]) == (False, "juniper")
    message = part(tansy.call("post", text="hello", wait_s=30), "message")
    only = "nobody but juniper has confirmed who is in this group"
    assert (message["state"], message["why"]) == ("queued", only)
    assert tansy.list("outbox", "outbox")[0]["why"] == only
    assert [problem for problem in tansy.list("status", "problems") if only in str(problem["what"])]
    assert part(tansy.call("group.confirm"), "group")["confirmed"] is True
    world.run(5)
    assert part(tansy.call("message.show", message=message["id"]), "message")["state"] == "reached"
    assert not [problem for problem in tansy.list("status", "problems") if only in str(problem["what"])]


def test_a_removal_names_whom_the_removed_had_invited_and_who_comes_in_hears_of_a_like_alias() -> None:
    world, wren, tansy = two()
    tansy.agree(wren.code())
    wren.call("group.rank", member="tansy", rank="moderator")
    world.run(5)
    other = WorldDesk(world, "Tansy")
    joined = other.agree(tansy.code())
    assert named(joined, "alike") == ["tansy"]
    world.run(5)
    target = next(str(m["id"]) for m in wren.list("group.members", "members") if m["alias"] == "tansy")
    would = wren.call("group.remove.check", member=target)
    assert named(would, "let_in") == ["Tansy"]
    done = wren.call("group.remove", member=target, reason="")
    assert named(done, "let_in") == ["Tansy"]
