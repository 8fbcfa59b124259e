"""People who ask each other to listen, for the stories of `test_listening` and `test_parting`."""

from mesh.commands import MakeStatement
from mesh.ids import GroupId, JoinId, MemberPk
from mesh.listening import AskListener, EndListening, EnterTalk, Seat, SeekTalk
from mesh.peer.listening import ASKED_MAX, listen_state, volunteers
from mesh.peer.records import JoinStage
from mesh.secret import Secret
from mesh.support import listening
from mesh.wire.codec import encode
from mesh.wire.statements import Form, ListenerValue
from simulations.people import Person
from simulations.world import World
from tests.peer.test_keepers import with_keeper
from tests.peer.test_talking import group

NAMES = ("wren", "tansy", "sorrel", "rowan")  # wren asks; tansy and sorrel offer; rowan looks on


def offer(person: Person, gid: GroupId, *topics: str, start: int = 0, end: int = 0, lasts_s: int = 0) -> None:
    """Offer to listen."""
    value: ListenerValue = listening.compose(topics=topics, start=start, end=end)
    command = MakeStatement(group=gid, form=Form.LISTENER, subject=b"", value=encode(value), lasts_s=lasts_s)
    person.world.ask(person.name, command)


def offering(*, kept: bool = True) -> tuple[World, GroupId, Person | None, list[Person]]:
    """Give a group of four, with a keeper or without; two of them have offered to listen."""
    if kept:
        world, gid, keeper, people = with_keeper(*NAMES)
    else:
        world, gid, people = group(*NAMES)
        keeper = None
    for person in people[1:3]:
        offer(person, gid)
    world.run(5)
    assert all(len(volunteers(p.room(gid), world.instant(p.node).wall_ms)) == 2 for p in people)
    return world, gid, keeper, people


def seats(person: Person) -> tuple[Seat, ...]:
    """Give as many fresh aliases and keys as one asking may need."""
    drawn = [(person._secrets.draw(32), person._secrets.draw(32)) for _ in range(ASKED_MAX)]
    return tuple(
        Seat(name=f"talk {k}", alias=f"amber-{person.name[::-1]}-{k}", join_nonce=nonce, member_seed=Secret(seed))
        for k, (nonce, seed) in enumerate(drawn)
    )


def ask(person: Person, gid: GroupId, *whom: Person, topic: str = "", direct: bool = False) -> bytes:
    """Ask those of these who offer to listen; give the id of the asking."""
    return ask_keys(person, gid, tuple(other.member(gid) for other in whom), topic=topic, direct=direct)


def ask_keys(
    person: Person, gid: GroupId, whom: tuple[MemberPk, ...], *, topic: str = "", direct: bool = False
) -> bytes:
    """Do the same with those who have these keys, though they may be off."""
    command = AskListener(
        group=gid,
        volunteers=whom,
        topic=topic,
        mode="listening",
        minutes=30,
        direct=direct,
        seats=seats(person),
    )
    return person.world.ask(person.name, command)


def states(person: Person, gid: GroupId) -> list[str]:
    """Say how the talks stand that were asked for in a group, by this person or of them."""
    assert person.node.peer is not None
    wall_ms = person.world.instant(person.node).wall_ms
    return sorted(listen_state(person.node.peer.state, person.room(gid), new, wall_ms) for new in talks(person, gid))


def talks(person: Person, gid: GroupId) -> list[GroupId]:
    """Give the groups for two of what was asked."""
    return list(person.room(gid).listens)


def seek(person: Person, gid: GroupId, new: GroupId, *, direct: bool = False) -> JoinId:
    """Say yes: look for the talk."""
    return JoinId(person.world.ask(person.name, SeekTalk(group=gid, talk=new, direct=direct)))


def enter(person: Person, gid: GroupId, new: GroupId, *, alias: str = "violet-heron") -> None:
    """Knock there."""
    nonce, seed = person._secrets.draw(32), person._secrets.draw(32)
    command = EnterTalk(
        group=gid,
        talk=new,
        alias=alias,
        join_nonce=nonce,
        member_seed=Secret(seed),
        former_seed=person.member_seeds[gid],
    )
    person.world.ask(person.name, command)
    person.member_seeds[new] = command.member_seed


def listen(person: Person, gid: GroupId, *, alias: str = "violet-heron", direct: bool = False) -> GroupId:
    """Say yes to the one who asks, and knock."""
    (new,) = talks(person, gid)
    join = seek(person, gid, new, direct=direct)
    assert person.until(lambda: person.stage(join) is JoinStage.PREVIEW), "the talk does not show itself"
    enter(person, gid, new, alias=alias)
    return new


def together(*, kept: bool = True) -> tuple[World, GroupId, GroupId, Person | None, list[Person]]:
    """Give a talk that has come about: wren asked tansy and sorrel, and tansy was first."""
    world, gid, keeper, people = offering(kept=kept)
    wren, tansy, sorrel, _ = people
    ask(wren, gid, tansy, sorrel, direct=not kept)
    world.run(10)
    new = listen(tansy, gid, direct=not kept)
    assert tansy.until(lambda: states(tansy, gid) == ["open"], 120), states(tansy, gid)
    world.run(20)
    return world, gid, new, keeper, people


def end(person: Person, gid: GroupId, new: GroupId) -> None:
    """End a talk, or what came before it."""
    person.world.ask(person.name, EndListening(group=gid, talk=new))
