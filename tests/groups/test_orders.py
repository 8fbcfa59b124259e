"""However a group falls apart and whatever its members do meanwhile, whoever has heard it all sees the same.

Hypothesis draws who acts, on whom, and who hears whom in between; hostile moves that the rules of form allow are among
them. Then everything is handed to several observers in different orders, and twice, and to a member who was away.
"""

from contextlib import suppress
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from mesh.commands import Rank
from mesh.errors import RefusedError
from mesh.groups.authoring import Authored, _author_epoch
from mesh.groups.group import Means
from mesh.groups.operations import act_of
from mesh.wire.operations import OpType, RemoveBody
from tests.groups.joiners import Code, Joiner, joiner
from tests.groups.people import Person, empty_onlooker, founds, standing
from tests.membership.twin import Twin

RANKS = {"Steve": Rank.STEWARD, "Mo": Rank.MODERATOR, "Moira": Rank.MODERATOR, "Bob": Rank.MEMBER, "Carol": Rank.MEMBER}
MOVES = ["hear", "hear", "remove", "grudge", "promote", "demote", "step down", "leave", "rekey", "admit", "set"]
AT_THE_DOOR = ["hear", "hear", "use the invite", "use the invite", "close the invite", "remove", "demote", "leave"]


@cache
def base() -> tuple[list[Person], Code]:
    """The group as all of them know it, with an open invite of Mo's; never changed, only copied."""
    alice = founds("Alice")
    people = [alice]
    for name, rank in RANKS.items():
        people.append(alice.admits(name))
        if rank < Rank.MEMBER:
            alice.promotes(people[-1], rank)
    mo = people[2]
    mo.hears(alice)
    code = mo.invites(uses=50)
    for person in people:
        person.hears(mo)
    return people, code


def acts(person: Person, move: str, other: Person, code: Code, rank: Rank) -> None:
    """Do one thing. RefusedError for what the rules do not allow: then nothing has changed."""
    match move:
        case "hear":
            person.hears(other)
        case "remove":
            person.removes(other)
        case "grudge":
            person.publishes(lambda means: grudge(person, other, means))
        case "promote":
            person.promotes(other, rank)
        case "demote":
            person.demotes(other, rank)
        case "step down":
            person.demotes(person, rank)
        case "leave":
            person.leaves()
        case "rekey":
            person.rekeys()
        case "admit":
            person.lets_in(newcomer(person), None)
        case "use the invite":
            person.lets_in(newcomer(person), code)
        case "close the invite":
            person.uninvites(code)
        case _:
            person.sets(tone=person.name)


def grudge(person: Person, other: Person, means: Means) -> Authored:
    """A removal that the rules of form allow even where it will count for nothing: its epoch leaves nobody out."""
    return _author_epoch(
        person.group,
        OpType.REMOVE,
        lambda block: RemoveBody(target=other.pk, cuts=[], reason="", epoch=block),
        means,
    )


def newcomer(host: Person) -> Joiner:
    """Somebody whom nobody else meets at the door."""
    return joiner(f"{host.name}'s {len(host.group.log)}", host.group.gid, host.group.suite)


def story(data: st.DataObject, moves: list[str]) -> list[Person]:
    """Let copies of all of them act, and return them; Carol is away, and Moira acts on two copies of one device."""
    people, code = base()
    away = [person.restarted() for person in [*people[:-1], people[3]]]
    who = st.integers(0, len(away) - 1)
    step = st.tuples(who, st.sampled_from(moves), who, st.sampled_from(list(Rank)))
    for actor, move, other, rank in data.draw(st.lists(step, min_size=3, max_size=10)):
        if move == "hear" or actor != other:
            with suppress(RefusedError):
                acts(away[actor], move, away[other], code, rank)
    return away


def handed_over(data: st.DataObject, people: list[Person]) -> list[Person]:
    """Hand all that happened to observers in drawn orders, some of it twice, and return them; the last is Carol."""
    bundles = {op.op_id: person.bundle(op.op_id) for person in people for op in person.group.log.ops}
    carol = base()[0][-1]
    observers = [empty_onlooker(carol), empty_onlooker(carol), carol.restarted(), carol.restarted()]
    for observer in observers:
        order = data.draw(st.permutations(sorted(bundles)))
        for op_id in [*order, *order[:3]]:
            observer.takes(bundles[op_id])
        assert len(observer.group.pending) == 0
    return observers


def agree(people: list[Person]) -> None:
    """Demand that all hold the same view."""
    for person in people[1:]:
        assert standing(person) == standing(people[0])


@given(st.data())
def test_all_who_have_heard_all_agree_with_each_other_and_with_the_twin(data: st.DataObject) -> None:
    actors = story(data, MOVES)
    observers = handed_over(data, actors)
    for actor in actors:
        actor.hears(*actors)
    agree([*observers, *actors])
    agrees_with_twin(observers[0])


def agrees_with_twin(seen: Person) -> None:
    """Demand that the trivial twin sees the same members."""
    twin = Twin([act_of(op) for op in seen.group.log.ops])
    assert {pk: member.rank for pk, member in seen.view.members.items()} == twin.ranks()


@given(st.data())
def test_all_agree_who_came_in_by_an_invite_that_was_closed_meanwhile(data: st.DataObject) -> None:
    actors = story(data, AT_THE_DOOR)
    observers = handed_over(data, actors)
    for actor in actors:
        actor.hears(*actors)
    agree([*observers, *actors])
    agrees_with_twin(observers[0])


@given(st.data())
def test_two_who_hold_the_same_keys_send_under_the_same_epoch(data: st.DataObject) -> None:
    """Neither order of arrival nor a removal on the other side makes them differ."""
    *_, one, other = handed_over(data, story(data, MOVES))
    assert one.group.epochs.keys() == other.group.epochs.keys()
    assert one.group.epoch == other.group.epoch
    if one.group.epoch is not None:
        assert one.group.recipients(one.group.epoch) <= set(one.view.devices)


@given(st.data())
def test_a_restart_changes_nothing(data: st.DataObject) -> None:
    for actor in story(data, MOVES):
        again = actor.restarted()
        assert standing(again) == standing(actor)
        assert again.group.epoch == actor.group.epoch
        assert again.group.kem_of == actor.group.kem_of
        assert (again.group.chains, again.group.epochs) == (actor.group.chains, actor.group.epochs)


@given(st.data())
def test_the_past_of_an_operation_is_judged_the_same_by_all(data: st.DataObject) -> None:
    """What an operation was allowed to be follows from its ancestors: the view of them is the same on every node."""
    one, other, *_ = handed_over(data, story(data, MOVES))
    for op in one.group.log.ops[1:]:
        views = [observer.group.view_of(observer.group.log.past(op.op_id)) for observer in (one, other)]
        assert (views[0].members, views[0].invites) == (views[1].members, views[1].invites)
