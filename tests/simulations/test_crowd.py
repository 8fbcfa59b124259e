"""A hundred and sixty nodes beside a plain mesh on one network: fewer copies, hardly later, and all hear all."""

import pytest

from simulations.crowd import LONG_BYTES, Scene, main, measure


@pytest.mark.parametrize(("loss", "dead", "p99_most"), [(0.0, 0.0, 1.5), (0.05, 0.2, 2.5)], ids=["calm", "faults"])
def test_short_frames_cost_half_of_a_mesh_of_degree_eight(loss: float, dead: float, p99_most: float) -> None:
    """At 1,000 nodes p99 is 1.21 and 1.65 times the mesh's; with so few nodes one lost segment shows."""
    scene = Scene(nodes=160, authors=3, posts=5, loss=loss, dead=dead)
    ours, plain = measure(scene, plain=False), measure(scene, plain=True)
    assert ours.delivered == plain.delivered == 1.0
    assert ours.copies <= 0.5 * plain.copies
    assert ours.p99_ms <= p99_most * plain.p99_ms
    assert ours.links <= 10


def test_long_frames_come_once() -> None:
    result = measure(Scene(nodes=160, authors=3, posts=4, frame_bytes=LONG_BYTES, loss=0.05, dead=0.2), plain=False)
    assert result.delivered == 1.0
    assert result.copies <= 1.5


def test_the_same_seed_gives_the_same_figures() -> None:
    scene = Scene(nodes=40, authors=2, posts=2, loss=0.05)
    assert measure(scene, plain=False) == measure(scene, plain=False)


def test_the_table_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--nodes", "20", "--authors", "1", "--posts", "1"])
    told = capsys.readouterr().out
    assert told.startswith("20 nodes, seed 1, 1 authors, 1 posts each\n")
    assert told.count("100.000% delivered") == 8
    assert told.count("ratio") == 4
