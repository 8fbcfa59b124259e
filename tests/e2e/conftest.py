"""People with real nodes, whose processes are gone when a test ends."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from demo.people import Person, finish_init, text

GROUP = "Tuesday grief"

Cast = Callable[..., list[Person]]


@pytest.fixture
def cast(tmp_path: Path) -> Iterator[Cast]:
    """Make people with identities, by name; their nodes are not started yet."""
    made: list[Person] = []

    def make(*names: str) -> list[Person]:
        people = [Person(name, tmp_path) for name in names]
        made.extend(people)
        for process in [person.begin_init() for person in people]:
            finish_init(process)
        return people

    yield make
    for person in made:
        person.kill()


@pytest.fixture
def pair(cast: Cast) -> tuple[Person, Person]:
    """Wren, who founded a group, and juniper, who joined it; both nodes run."""
    wren, juniper = cast("wren", "juniper")
    wren.up()
    juniper.up()
    wren.mesh("group", "create", GROUP)
    juniper.join(text(wren.mesh("invite", "new", GROUP), "code"))
    return wren, juniper
