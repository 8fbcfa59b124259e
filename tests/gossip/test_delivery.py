"""How far a message has come: states that never go back, and never say more than was heard."""

from hypothesis import given
from hypothesis import strategies as st

from mesh.gossip.delivery import Delivery, DeliveryState
from mesh.ids import MemberPk

ORDER = list(DeliveryState)
WREN, JUNIPER, SORREL, TANSY = (MemberPk(name * 32) for name in (b"w", b"j", b"s", b"t"))


def test_a_draft_is_queued() -> None:
    assert Delivery().state is DeliveryState.QUEUED
    assert Delivery().sealed(1, [JUNIPER]).state is DeliveryState.QUEUED


def test_a_holder_is_named_once() -> None:
    sealed = Delivery().sealed(1, [JUNIPER, SORREL])
    sent = sealed.stored_by(JUNIPER).stored_by(JUNIPER)
    assert sent.state is DeliveryState.SENT
    assert sent.held == {JUNIPER}
    assert sent.stored_by(None).held_unnamed == 1


def test_only_those_for_whom_it_was_sealed_are_reached() -> None:
    sealed = Delivery().sealed(1, [JUNIPER, SORREL])
    assert sealed.received_by(TANSY) == sealed
    reached = sealed.received_by(JUNIPER)
    assert reached.state is DeliveryState.REACHED
    assert (len(reached.reached), len(reached.of)) == (1, 2)


def test_equal_crowds_are_kept_once() -> None:
    crowds: dict[frozenset[MemberPk], frozenset[MemberPk]] = {}
    one = Delivery().sealed(1, [JUNIPER, SORREL]).sharing(crowds)
    other = Delivery().sealed(2, [JUNIPER, SORREL]).received_by(JUNIPER).received_by(SORREL).sharing(crowds)
    assert other.of is one.of
    assert other.reached is one.of


EVENTS = st.lists(st.tuples(st.booleans(), st.sampled_from([JUNIPER, SORREL, TANSY, None])), max_size=12)


@given(EVENTS)
def test_states_never_go_back(events: list[tuple[bool, MemberPk | None]]) -> None:
    delivery = Delivery().sealed(4, [JUNIPER, SORREL])
    for stored, member in events:
        before = delivery
        if stored:
            delivery = delivery.stored_by(member)
        elif member is not None:
            delivery = delivery.received_by(member)
        assert ORDER.index(delivery.state) >= ORDER.index(before.state)
        assert before.held <= delivery.held
        assert before.reached <= delivery.reached
        assert (delivery.mseq, delivery.of) == (4, before.of)
        assert Delivery.from_record(delivery.to_record()) == delivery
