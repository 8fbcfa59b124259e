"""A node that is killed loses nothing that it had acknowledged, and says nothing twice."""

import threading

from demo.people import Person, record, text
from tests.e2e.conftest import GROUP, Cast

POSTS = 200


def test_posts_that_were_acknowledged_survive_kill_and_arrive_once(pair: tuple[Person, Person]) -> None:
    wren, juniper = pair
    acknowledged: list[str] = []
    half = threading.Event()

    def talk() -> None:
        # One process asks for all of it, over the socket that `mesh post` uses too: 200 starts of Python would
        # only measure Python. What ends it is the node's death.
        from mesh.errors import MeshError
        from mesh.node.local.client import connect

        api = connect(wren.home)
        assert api is not None
        try:
            for k in range(POSTS):
                words = f"post {k} of wren"
                asked = {"group": GROUP, "text": words, "mode": "listening", "cw": "", "topics": [], "wait_s": 0.0}
                api.call("post", {**asked})
                acknowledged.append(words)
                if k == POSTS // 2:
                    half.set()
        except MeshError:
            half.set()
        finally:
            api.close()

    with _runtime_folder(wren):
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


class _runtime_folder:
    """Look for a person's socket where their commands do."""

    def __init__(self, person: Person) -> None:
        self._folder = str(person.folder / "run")

    def __enter__(self) -> None:
        import os

        self._before = os.environ.get("XDG_RUNTIME_DIR")
        os.environ["XDG_RUNTIME_DIR"] = self._folder

    def __exit__(self, *_: object) -> None:
        import os

        if self._before is None:
            os.environ.pop("XDG_RUNTIME_DIR", None)
        else:
            os.environ["XDG_RUNTIME_DIR"] = self._before


def test_a_join_goes_on_after_both_sides_were_killed(cast: Cast) -> None:
    wren, juniper = cast("wren", "juniper")
    wren.listen = "/ip4/127.0.0.1/tcp/" + str(_port_of(text_address(wren.up())))
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


def text_address(ready: dict[str, object]) -> str:
    addresses = ready["addresses"]
    assert isinstance(addresses, list)
    return str(addresses[0])


def _port_of(address: str) -> int:
    return int(address.split("/tcp/")[1].split("/", maxsplit=1)[0])
