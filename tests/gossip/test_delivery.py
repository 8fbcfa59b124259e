"""How far a message has come: states that never go back, and never say more than was heard."""

from hypothesis import given
from hypothesis import strategies as st

from mesh.gossip.delivery import HOLDERS_MAX, Delivery, DeliveryState, End
from mesh.ids import MemberPk

ORDER = list(DeliveryState)
WREN, JUNIPER, SORREL, TANSY = (MemberPk(name * 32) for name in (b"w", b"j", b"s", b"t"))


def test_a_draft_is_queued() -> None:
    assert Delivery().state is DeliveryState.QUEUED
    assert Delivery().sealed(1, [JUNIPER], bytes(32)).state is DeliveryState.QUEUED


def test_a_holder_is_named_once_with_the_time_of_their_first_word() -> None:
    sealed = Delivery().sealed(1, [JUNIPER, SORREL], bytes(32))
    sent = sealed.stored_by(JUNIPER, 5).stored_by(JUNIPER, 9)
    assert sent.state is DeliveryState.SENT
    assert sent.held == {JUNIPER: 5}


def test_no_more_holders_are_kept_than_the_limit() -> None:
    delivery = Delivery().sealed(1, [JUNIPER], bytes(32))
    for k in range(HOLDERS_MAX + 1):
        delivery = delivery.stored_by(MemberPk(bytes([k]) * 32), k)
    assert len(delivery.held) == HOLDERS_MAX
    assert Delivery.from_record(delivery.to_record()) == delivery


def test_only_those_for_whom_it_was_sealed_are_reached() -> None:
    sealed = Delivery().sealed(1, [JUNIPER, SORREL], bytes(32))
    assert sealed.received_by(TANSY) == sealed
    reached = sealed.received_by(JUNIPER)
    assert reached.state is DeliveryState.REACHED
    assert (len(reached.reached), len(reached.of)) == (1, 2)


def test_what_ended_stays_as_it_was() -> None:
    for end, other in ((End.EXPIRED, End.WITHDRAWN), (End.WITHDRAWN, End.EXPIRED)):
        over = Delivery().sealed(1, [JUNIPER, SORREL], bytes(32)).received_by(JUNIPER).ended(end)
        assert over.state.value == end.name.lower()
        assert over.received_by(SORREL) == over.stored_by(SORREL, 1) == over.ended(other) == over
        assert over.is_over


def test_equal_crowds_are_kept_once() -> None:
    crowds: dict[frozenset[MemberPk], frozenset[MemberPk]] = {}
    one = Delivery().sealed(1, [JUNIPER, SORREL], bytes(32)).sharing(crowds)
    other = Delivery().sealed(2, [JUNIPER, SORREL], bytes(32)).received_by(JUNIPER).received_by(SORREL).sharing(crowds)
    assert other.of is one.of
    assert other.reached is one.of


EVENTS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from([JUNIPER, SORREL, TANSY])), max_size=12)


@given(EVENTS)
def test_states_never_go_back(events: list[tuple[int, MemberPk]]) -> None:
    delivery = Delivery().sealed(4, [JUNIPER, SORREL], bytes(32))
    for kind, member in events:
        before = delivery
        match kind:
            case 0:
                delivery = delivery.stored_by(member, len(events))
            case 1:
                delivery = delivery.received_by(member)
            case _:
                delivery = delivery.ended(End(kind - 1))
        assert ORDER.index(delivery.state) >= ORDER.index(before.state)
        assert before.end is End.OPEN or delivery == before
        assert before.held.items() <= delivery.held.items()
        assert before.reached <= delivery.reached
        assert (delivery.mseq, delivery.of) == (4, before.of)
        assert Delivery.from_record(delivery.to_record()) == delivery
