"""Asking: what a person may ask for; and that a refusal leaves everything as it was."""

import pytest

from mesh.commands import (
    Command,
    CreateGroup,
    DecideKnock,
    LeaveGroup,
    MarkRead,
    NewInvite,
    Post,
    Rank,
    Rekey,
    RemoveMember,
    RevokeInvite,
    SetAgreement,
    SetRank,
    SetSetting,
    StartJoin,
    Suite,
)
from mesh.errors import LocalError, RefusedError
from mesh.events import Space
from mesh.groups.authoring import author
from mesh.groups.group import Means
from mesh.ids import GroupId, MemberPk, OpId
from mesh.journal import Journal
from mesh.secret import Secret
from mesh.wire import limits
from mesh.wire.operations import OpType, Setting, SettingsBody
from simulations.chance import SeededEntropy, SeededSealer
from simulations.people import Person, circle, gather
from simulations.world import World

NOBODY = MemberPk(b"n" * 32)
NOWHERE = GroupId(b"g" * 32)


def pair() -> tuple[World, GroupId, Person, Person]:
    """Give wren, who founded a group, and juniper, a plain member."""
    world = World(1)
    gid, (wren, juniper) = circle(world, "wren", "juniper")
    world.run(10)
    return world, gid, wren, juniper


def invite(gid: GroupId, **changes: object) -> NewInvite:
    """Ask for an invite with something unusual about it."""
    told: dict[str, object] = {"uses": 1, "hours": 72, "approvals": None, "note": ""} | changes
    return NewInvite(group=gid, **told)  # type: ignore[arg-type]  # the test names fields of the command


def post(gid: GroupId, text: str = "x", mode: str = "listening", cw: str = "") -> Post:
    """Ask for a post."""
    return Post(group=gid, text=text, mode=mode, cw=cw, topics=(), reply_to=None)


def create(**changes: object) -> CreateGroup:
    """Ask for a group with something unusual about it."""
    told: dict[str, object] = {
        "name": "n",
        "about": "",
        "topics": (),
        "agreement": "",
        "alias": "a",
        "suite": Suite.HYBRID,
        "settings": (),
        "join_nonce": b"n" * 32,
        "member_seed": Secret(b"s" * 32),
    } | changes
    return CreateGroup(**told)  # type: ignore[arg-type]  # the test names fields of the command


def refusals(gid: GroupId, wren: MemberPk, juniper: MemberPk) -> list[tuple[str, Command, str]]:
    """List who asks for what, and with which code it is refused."""
    key = Secret(b"x" * 32)
    return [
        ("wren", post(NOWHERE), "E-NO-GROUP"),
        ("wren", post(gid, ""), "E-TEXT"),
        ("wren", post(gid, "x" * (limits.POST_TEXT_BYTES_MAX + 1)), "E-TOO-LONG"),
        ("wren", post(gid, mode="shouting"), "E-MODE"),
        ("wren", post(gid, cw="c" * 200), "E-TEXT"),
        ("wren", invite(gid, uses=0), "E-USAGE"),
        ("wren", invite(gid, uses=limits.INVITE_USES_MAX + 1), "E-USAGE"),
        ("wren", invite(gid, hours=0), "E-USAGE"),
        ("wren", invite(gid, approvals=9), "E-USAGE"),
        ("wren", invite(gid, note="n" * 2000), "E-TEXT"),
        ("juniper", invite(gid), "E-REFUSED"),
        ("wren", RevokeInvite(group=gid, invite=OpId(b"i" * 32)), "E-NO-INVITE"),
        ("wren", DecideKnock(group=gid, knock=b"k" * 32, admit=True), "E-NO-KNOCK"),
        ("wren", SetRank(group=gid, member=NOBODY, rank=Rank.MEMBER), "E-NO-MEMBER"),
        ("wren", SetRank(group=gid, member=juniper, rank=Rank.MEMBER), "E-SAME-RANK"),
        ("wren", SetRank(group=gid, member=wren, rank=Rank.MEMBER), "E-REFUSED"),
        ("juniper", SetRank(group=gid, member=wren, rank=Rank.MEMBER), "E-REFUSED"),
        ("wren", RemoveMember(group=gid, member=NOBODY, reason=""), "E-NO-MEMBER"),
        ("wren", RemoveMember(group=gid, member=wren, reason=""), "E-USAGE"),
        ("wren", RemoveMember(group=gid, member=juniper, reason="r" * 2000), "E-TEXT"),
        ("juniper", RemoveMember(group=gid, member=wren, reason=""), "E-REFUSED"),
        ("wren", LeaveGroup(group=gid, member_seed=key, wipe=True), "E-REFUSED"),
        ("wren", SetSetting(group=gid, key="colour", value="blue", own=False), "E-SETTING"),
        ("wren", SetSetting(group=gid, key="approvals", value="many", own=False), "E-SETTING"),
        ("wren", SetSetting(group=gid, key="invite-address", value="on", own=False), "E-SETTING"),
        ("juniper", SetSetting(group=gid, key="approvals", value="2", own=False), "E-REFUSED"),
        ("wren", SetAgreement(group=gid, text=""), "E-TEXT"),
        ("juniper", SetAgreement(group=gid, text="mine"), "E-REFUSED"),
        ("wren", create(name=""), "E-TEXT"),
        ("wren", create(topics=("t",) * 40), "E-TEXT"),
        ("wren", create(settings=(("approvals", "many"),)), "E-SETTING"),
        ("wren", create(settings=(("colour", "blue"),)), "E-SETTING"),
        ("wren", StartJoin(code=b"\x02" + bytes(37), addresses=()), "E-CODE-NEWER"),
    ]


@pytest.mark.parametrize("case", range(33))
def test_a_refusal_changes_nothing(case: int) -> None:
    world, gid, wren, juniper = pair()
    who, command, code = refusals(gid, wren.member(gid), juniper.member(gid))[case]
    node = world.nodes[who]
    assert node.peer is not None
    room = node.peer.state.rooms[gid]
    before = (node.commits, room.group.own, room.group.log.heads, dict(room.drafts), len(node.peer.state.joins))
    frames = world.frames_sent
    with pytest.raises(LocalError) as caught:
        world.ask(who, command)
    assert caught.value.code == code
    assert caught.value.what
    after = (node.commits, room.group.own, room.group.log.heads, dict(room.drafts), len(node.peer.state.joins))
    assert after == before
    assert world.frames_sent == frames
    wren.post(gid, "all is well")
    world.run(5)
    assert juniper.reads(gid) == ["all is well"]


def test_what_a_rank_does_not_allow_is_said_in_plain_words() -> None:
    world, gid, wren, juniper = pair()
    code = wren.invite(gid)
    (tansy,) = gather(world, "tansy")
    tansy.join(gid, wren.invite(gid))
    world.run(5)
    refused: list[tuple[Command, str]] = [
        (SetRank(group=gid, member=tansy.member(gid), rank=Rank.MODERATOR), "only stewards and founders"),
        (SetSetting(group=gid, key="approvals", value="2", own=False), "only stewards and founders"),
        (SetAgreement(group=gid, text="mine"), "only stewards and founders"),
        (RevokeInvite(group=gid, invite=code.invite), "only moderators, stewards and founders"),
        (invite(gid), "only moderators, stewards and founders"),
    ]
    for command, words in refused:
        with pytest.raises(RefusedError) as caught:
            world.ask("juniper", command)
        assert words in caught.value.what
        assert "`mesh group members`" in caught.value.do
    wren.rank(gid, juniper, Rank.STEWARD)
    world.run(5)
    for who, rank, words in ((wren, Rank.MEMBER, "you cannot lower the rank of wren"), (tansy, Rank.STEWARD, "make")):
        with pytest.raises(RefusedError) as caught:
            world.ask("juniper", SetRank(group=gid, member=who.member(gid), rank=rank))
        assert words in caught.value.what
    juniper.rank(gid, tansy, Rank.MODERATOR)
    juniper.rank(gid, tansy, Rank.MEMBER)
    world.run(5)
    assert wren.group(gid).view.members[tansy.member(gid)].rank is Rank.MEMBER


def test_one_closes_the_codes_that_one_made() -> None:
    world, gid, _, juniper = pair()
    world.ask("wren", SetSetting(group=gid, key="members-invite", value="on", own=False))
    world.run(5)
    code = juniper.invite(gid)
    world.ask("juniper", RevokeInvite(group=gid, invite=code.invite))
    assert not juniper.group(gid).invites[code.invite].open


def test_every_refusal_is_tried() -> None:
    assert len(refusals(NOWHERE, NOBODY, NOBODY)) == 33


def test_a_setting_that_another_program_wrote_breaks_no_invite() -> None:
    world, gid, wren, _ = pair()
    entropy = SeededEntropy(1, "odd")
    means = Means(entropy=entropy, sealer=SeededSealer(entropy), journal=Journal(), wall_ms=0)
    odd = SettingsBody(settings=[Setting(key="approvals", value="a few")])
    author(wren.group(gid), OpType.SETTINGS, odd, means)
    code = wren.invite(gid, uses=2)
    assert wren.group(gid).invites[code.invite].body.approvals == 1
    del world


def test_default_approvals() -> None:
    world, gid, wren, _ = pair()
    world.ask("wren", SetSetting(group=gid, key="approvals", value="3", own=False))
    for uses, asked, expected in ((1, None, 0), (2, None, 3), (2, 0, 0), (1, 2, 2)):
        code = wren.invite(gid, uses=uses, approvals=asked)
        assert wren.group(gid).invites[code.invite].body.approvals == expected


def test_members_may_invite_where_the_group_lets_them() -> None:
    world, gid, _, juniper = pair()
    world.ask("wren", SetSetting(group=gid, key="members-invite", value="on", own=False))
    world.run(5)
    code = juniper.invite(gid)
    (tansy,) = gather(world, "tansy")
    tansy.join(gid, code)
    assert tansy.members(gid) == ["juniper", "tansy", "wren"]


def test_what_was_read_is_no_longer_unread() -> None:
    world, gid, wren, juniper = pair()
    for text in ("one", "two"):
        wren.post(gid, text)
    world.run(5)
    keys = [key for key, _ in juniper.node.store.scan(Space.UNREAD, gid)]
    assert len(keys) == 2
    world.ask("juniper", MarkRead(keys=(keys[0],)))
    assert [key for key, _ in juniper.node.store.scan(Space.UNREAD, gid)] == keys[1:]
    assert wren.node.store.count(Space.UNREAD, gid) == 0, "one's own words are no news"


def test_ranks_change_and_are_told() -> None:
    world, gid, wren, juniper = pair()
    wren.rank(gid, juniper, Rank.MODERATOR)
    world.run(5)
    assert juniper.group(gid).rank is Rank.MODERATOR
    assert juniper.group(gid).own.rank_seen is Rank.MODERATOR
    juniper.invite(gid)
    wren.rank(gid, juniper, Rank.MEMBER)
    world.run(5)
    with pytest.raises(LocalError):
        juniper.invite(gid)


def test_one_re_keys_alone() -> None:
    world = World(2)
    (wren,) = gather(world, "wren")
    gid = wren.create()
    before = wren.group(gid).epoch
    world.ask("wren", Rekey(group=gid))
    assert wren.group(gid).epoch != before


def test_a_node_holds_so_many_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "GROUPS_MAX", 2)
    world = World(3)
    (wren,) = gather(world, "wren")
    for k in range(2):
        wren.create(f"{k}")
    with pytest.raises(LocalError) as caught:
        wren.create("one too many")
    assert caught.value.code == "E-TOO-MANY"
