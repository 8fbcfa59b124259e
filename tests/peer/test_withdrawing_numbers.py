"""Withdrawing: what is taken back is the post that its uid names, and nothing else that has or gets its number."""

from mesh.commands import Rank
from mesh.ids import GroupId
from mesh.support.ladder import quiet_id
from mesh.support.posts import Wish, compose
from mesh.wire.codec import encode
from mesh.wire.messages import Kind, StatementBody, WithdrawalBody
from mesh.wire.statements import Form, QuietValue
from simulations.checks import blamed
from simulations.people import Person
from simulations.people import circle as members
from simulations.world import World
from tests.peer.forgery import Forger
from tests.peer.test_devices import NAMES, settle
from tests.peer.test_stating import four
from tests.peer.test_yielding import DAY_S, now_ms, skews

OTHER_UID = b"any other words!"


def parted(seed: int) -> tuple[World, GroupId, list[Person], Forger]:
    """Give four, of whom tansy's program is changed and a moderator's; sorrel is alone."""
    world, gid, people, _ = four(seed)
    people[0].rank(gid, people[3], Rank.MODERATOR)
    world.run(20)
    world.partition(("wren", "juniper", "tansy"), ("sorrel",))
    world.run(5)
    return world, gid, people, Forger(people[3], gid)


def quiet_body(author: Person, gid: GroupId, alias: str) -> bytes:
    """Encode what asks a member to be quiet for two weeks."""
    value = QuietValue(made_ms=0, member=author.key_of(gid, alias), for_s=14 * DAY_S, cuts=[])
    subject = quiet_id(author.member(gid), value)
    return encode(StatementBody(form=Form.QUIET, subject=subject, lasts_s=0, value=encode(value)))


def post_body(text: str) -> bytes:
    """Encode a plain post."""
    wish = Wish(text=text, mode="experience", cw="", topics=(), reply_to=b"", expires_s=None, files=(), quote=None)
    return compose(wish)


def takes_back(world: World, gid: GroupId, people: list[Person], forger: Forger, mseq: int, *, closes: bool) -> None:
    """Tansy takes a number back before all, may say to sorrel that it was not for her, and then all meet."""
    wren, juniper, sorrel, tansy = people
    epoch = tansy.group(gid).epoch
    assert epoch is not None
    body = WithdrawalBody(dev=tansy.device(gid), mseq=mseq, uid=OTHER_UID, ts_ms=now_ms(tansy), epoch=epoch)
    back = forger.message(Kind.WITHDRAWAL, encode(body), ts_ms=now_ms(tansy))
    forger.hands(wren, back)
    forger.hands(juniper, back)
    world.run(5)
    world.paths.clear()
    world.partition(("wren", "juniper"), ("sorrel", "tansy"))
    world.run(60)
    forger.hands(sorrel, back)
    own = tansy.room(gid).track(tansy.device(gid))
    for number in (mseq, mseq + 1) if closes else ():  # a changed program: it says that it has these, and gives none
        own.have = own.have.add(number)
        own.forget(mseq)
    world.run(60)
    world.paths.clear()
    world.partition(("tansy",), ("wren", "juniper", "sorrel"))
    world.run(60)
    world.heal()
    world.run(120)


def test_a_statement_under_a_number_that_is_taken_back_parts_nobody_for_good() -> None:
    world, gid, people, forger = parted(71)
    wren, juniper, sorrel, tansy = people
    mseq = tansy.group(gid).own.mseq + 1
    frame = forger.message(Kind.STATEMENT, quiet_body(tansy, gid, "sorrel"), uid=bytes(16), ts_ms=now_ms(tansy))
    forger.hands(wren, frame)
    forger.hands(juniper, frame)
    world.run(5)
    assert len(wren.quiets(gid)) == 1
    takes_back(world, gid, people, forger, mseq, closes=True)
    for _ in range(3):  # each asks each once an hour
        skews(world, 1)
        world.run(3700)
    assert [len(p.quiets(gid)) for p in (wren, juniper, sorrel)] == [1, 1, 1]
    assert blamed(world) == []


def test_a_post_under_a_number_that_is_taken_back_with_another_uid_parts_nobody_for_good() -> None:
    world, gid, people, forger = parted(72)
    wren, juniper, sorrel, tansy = people
    mseq = tansy.group(gid).own.mseq + 1
    frame = forger.message(Kind.POST, post_body("said to two of them"), uid=bytes(16), ts_ms=now_ms(tansy))
    forger.hands(wren, frame)
    forger.hands(juniper, frame)
    world.run(5)
    takes_back(world, gid, people, forger, mseq, closes=False)
    world.run(600)
    assert "said to two of them" in sorrel.reads(gid)
    assert wren.reads(gid) == juniper.reads(gid) == sorrel.reads(gid)
    assert wren.taken_back(gid) == juniper.taken_back(gid) == sorrel.taken_back(gid)


def test_a_device_that_was_taken_out_has_not_silenced_the_other_for_good() -> None:
    """It takes back, ahead of time, what the other device has yet to say."""
    world = World(76)
    gid, people = members(world, *NAMES)
    wren, *others = people
    phone = Person(world, "phone")
    assert phone.enter_groups_of(wren, name="phone").entered == [gid]
    settle(world, gid, [*people, phone])
    forger = Forger(phone, gid)
    epoch, top = wren.group(gid).epoch, wren.group(gid).own.mseq
    assert epoch is not None
    for number in range(top + 1, top + 41):
        body = WithdrawalBody(dev=wren.device(gid), mseq=number, uid=bytes(16), ts_ms=now_ms(phone), epoch=epoch)
        frame = forger.message(Kind.WITHDRAWAL, encode(body), ts_ms=now_ms(phone))
        for other in others:
            forger.hands(other, frame)
    world.run(20)
    wren.remove_device(gid, phone.device(gid))
    phone.off()
    world.run(30)
    wren.post(gid, "my telephone was stolen; I am well")
    world.run(60)
    assert [p.reads(gid) for p in others] == [["my telephone was stolen; I am well"]] * 3
