"""A token bucket in whole numbers."""

from mesh.gossip.allowance import Allowance


def test_a_burst_and_then_so_many_a_second() -> None:
    allowance = Allowance(10, 5, 1_000)
    assert allowance.take(5, 1_000)
    assert not allowance.take(1, 1_000)
    assert not allowance.take(1, 1_099)
    assert allowance.take(1, 1_100)


def test_what_is_refused_takes_nothing() -> None:
    allowance = Allowance(10, 5, 0)
    assert not allowance.take(6, 0)
    assert allowance.take(5, 0)


def test_it_is_never_fuller_than_its_burst_and_a_clock_that_goes_back_fills_nothing() -> None:
    allowance = Allowance(10, 5, 0)
    assert not allowance.take(6, 1_000_000)
    assert allowance.take(5, 1_000_000)
    assert not allowance.take(1, 0)
    assert not allowance.take(1, 1_000_050)
