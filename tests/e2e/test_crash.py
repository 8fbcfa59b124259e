"""A node that is killed loses nothing that it had acknowledged, and says nothing twice."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from demo.people import Person, port_of, record, text, wait_for
from mesh.errors import MeshError
from mesh.node.local.api import Api
from mesh.node.local.client import connect
from tests.e2e.conftest import GROUP, Cast

POSTS = 200
STATES = ("queued", "sent", "reached")


def test_posts_that_were_acknowledged_survive_kill_and_arrive_once(
    pair: tuple[Person, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    wren, juniper = pair
    monkeypatch.setenv("XDG_RUNTIME_DIR", wren.environment()["XDG_RUNTIME_DIR"])
    acknowledged: list[str] = []
    half = threading.Event()

    def talk() -> None:
        # One asker over the socket that `mesh post` uses too: 200 starts of Python would only measure Python.
        with _node_of(wren) as node:
            try:
                for k in range(POSTS):
                    words = f"post {k} of wren"
                    node.call("post", {"group": GROUP, "text": words, "wait_s": 0.0})
                    acknowledged.append(words)
                    if k == POSTS // 2:
                        half.set()
            except MeshError:
                half.set()  # the node is gone: what was not acknowledged may be lost

    talker = threading.Thread(target=talk)
    talker.start()
    assert half.wait(60)
    wren.kill()
    talker.join(60)
    assert POSTS // 2 <= len(acknowledged) <= POSTS

    kept = wren.texts(GROUP)  # the node is down: the command opens the store itself
    assert [words for words in acknowledged if kept.count(words) != 1] == []

    wren.up()
    wren.post(GROUP, "and one more")
    juniper.sees(GROUP, *acknowledged, "and one more", seconds=60)
    shown = juniper.texts(GROUP)
    assert len(shown) == len(set(shown))
    assert [words for words in shown if words in acknowledged] == acknowledged


@contextmanager
def _node_of(person: Person) -> Iterator[Api]:
    node = connect(person.home)
    assert node is not None
    with closing(node):
        yield node


def test_a_join_goes_on_after_both_sides_were_killed(cast: Cast) -> None:
    wren, juniper = cast("wren", "juniper")
    wren.listen = f"/ip4/127.0.0.1/tcp/{port_of(wren.up())}"
    wren.mesh("group", "create", GROUP)
    code = text(wren.mesh("invite", "new", GROUP), "code")
    wren.kill()
    juniper.up()
    begun = record(juniper.mesh("join", "-", "--agree", "--wait", "0s", given=code + "\n", exit=(4,)), "join")
    assert begun["state"] == "looking"
    juniper.kill()
    wren.up()
    juniper.up()
    joined = record(juniper.join(code), "join")
    assert joined["state"] == "joined"
    assert joined["id"] == begun["id"]


def test_no_state_that_was_told_is_untrue_when_both_are_killed(
    pair: tuple[Person, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever was said to have a post has it on disk, at whatever moment either node dies; and no state goes back."""
    wren, juniper = pair
    monkeypatch.setenv("XDG_RUNTIME_DIR", wren.environment()["XDG_RUNTIME_DIR"])
    words: dict[str, str] = {}
    told: dict[str, str] = {}  # the state that was told last of each post
    went_back: list[str] = []
    half = threading.Event()

    def talk() -> None:
        with _node_of(wren) as node:
            try:
                for k in range(POSTS):
                    said = node.call("post", {"group": GROUP, "text": f"truth {k} of wren", "wait_s": 0.0})
                    words[text(record(said, "message"), "id")] = f"truth {k} of wren"
                    for name in list(words)[-12:]:
                        now = text(record(node.call("message.show", {"message": name}), "message"), "state")
                        if STATES.index(now) < STATES.index(told.get(name, "queued")):
                            went_back.append(name)
                        told[name] = now
                    if k == POSTS // 2:
                        half.set()
            except MeshError:
                half.set()

    talker = threading.Thread(target=talk)
    talker.start()
    assert half.wait(120)
    juniper.kill()
    wren.kill()
    talker.join(60)
    assert {"sent", "reached"} & set(told.values()), "something was told that could be untrue"
    assert went_back == []

    here = juniper.texts(GROUP)
    assert [words[name] for name, state in told.items() if state != "queued" and words[name] not in here] == []
    wren.up()
    with _node_of(wren) as node:
        for name, state in told.items():
            now = text(record(node.call("message.show", {"message": name}), "message"), "state")
            assert STATES.index(now) >= STATES.index(state), f"{words[name]} was {state}, and is {now}"


def test_what_was_taken_back_stays_so_through_a_kill(
    pair: tuple[Person, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No state that was told is untrue after `kill -9`, whichever commit it meets."""
    wren, juniper = pair
    monkeypatch.setenv("XDG_RUNTIME_DIR", wren.environment()["XDG_RUNTIME_DIR"])
    kept: list[str] = []
    taken: dict[str, str] = {}
    half = threading.Event()
    wren.post(GROUP, "gone by itself", "--expires", "2s")

    def talk() -> None:
        with _node_of(wren) as node:
            try:
                for k in range(POSTS):
                    words = f"word {k} of wren"
                    told = node.call("post", {"group": GROUP, "text": words, "wait_s": 0.0})
                    name = text(record(told, "message"), "id")
                    if k % 2:
                        node.call("message.withdraw", {"message": name, "wait_s": 0.0})
                        taken[words] = name
                    else:
                        kept.append(words)
                    if k == POSTS // 2:
                        half.set()
            except MeshError:
                half.set()

    talker = threading.Thread(target=talk)
    talker.start()
    assert half.wait(60)
    wren.kill()
    talker.join(60)
    assert taken

    wait_for(lambda: "gone by itself" not in wren.texts(GROUP), "its two seconds to be over", 60)
    for _ in range(2):  # with the node down, and up again
        here = wren.texts(GROUP)
        assert [words for words in kept if here.count(words) != 1] == []
        assert [words for words in (*taken, "gone by itself") if words in here] == []
        name = list(taken.values())[-1]
        assert text(record(wren.mesh("message", "show", name), "message"), "state") == "withdrawn"
        if wren.pid is None:
            wren.up()
    wren.post(GROUP, "and one more")
    juniper.sees(GROUP, *kept, "and one more", seconds=60)
    wait_for(lambda: not {*taken, "gone by itself"} & set(juniper.texts(GROUP)), "juniper forgets it", 60)
