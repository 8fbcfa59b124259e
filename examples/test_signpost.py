"""The bot, tried on networks that lose, split and crash: `pytest examples --mesh-seeds 0..20`."""

from collections.abc import Callable

from examples.signpost import ANSWER, put_up
from simulations.api import World, circle

Worlds = Callable[..., World]
ASKED = "Where is help tonight?"


def test_it_answers_and_everybody_reads_it(mesh_world: Worlds) -> None:
    """On a slow line that loses frames."""
    world = mesh_world(latency_ms=80, loss=0.1)
    gid, (wren, juniper, post) = circle(world, "wren", "juniper", "post")
    put_up(post)
    wren.post(gid, ASKED)
    assert world.run_until(lambda: juniper.reads(gid) == [ASKED, ANSWER], 30)


def test_two_who_ask_while_the_network_is_split_get_one_answer(mesh_world: Worlds) -> None:
    """The bot hears one of them at once, and the other when the paths are open again."""
    world = mesh_world()
    gid, (wren, juniper, post) = circle(world, "wren", "juniper", "post")
    put_up(post)
    world.partition(("wren",), ("juniper", "post"))
    wren.post(gid, ASKED)
    juniper.post(gid, "I need help now.")
    world.run(20)
    world.heal()
    assert world.run_until(lambda: len(wren.reads(gid)) == 3, 60)
    world.run(60)
    assert wren.reads(gid).count(ANSWER) == juniper.reads(gid).count(ANSWER) == 1


def test_it_answers_what_was_asked_while_its_machine_was_off(mesh_world: Worlds) -> None:
    """It hears of it from others once it is back."""
    world = mesh_world()
    gid, (wren, juniper, post) = circle(world, "wren", "juniper", "post")
    put_up(post)
    post.off()
    wren.post(gid, ASKED)
    world.run(60)
    assert juniper.reads(gid) == [ASKED]
    post.on()
    assert world.run_until(lambda: wren.reads(gid) == [ASKED, ANSWER], 30)


def test_it_says_nothing_to_other_words_and_never_answers_itself(mesh_world: Worlds) -> None:
    """Its own person may ask what they like."""
    world = mesh_world()
    gid, (wren, post) = circle(world, "wren", "post")
    put_up(post)
    wren.post(gid, "It is quiet here tonight.")
    post.post(gid, ASKED)
    world.run(60)
    assert ANSWER not in wren.reads(gid)
