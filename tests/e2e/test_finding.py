"""Nodes find each other again by what a third member knows."""

from demo.people import Person, port_of, records, text, wait_for
from tests.e2e.conftest import GROUP, Cast


def test_two_on_new_ports_meet_through_a_third(cast: Cast) -> None:
    wren, juniper, sorrel = cast("wren", "juniper", "sorrel")
    sorrel.listen = f"/ip4/127.0.0.1/tcp/{port_of(sorrel.up())}"
    wren.up()
    juniper.up()
    sorrel.mesh("group", "create", GROUP)
    for person in (wren, juniper):
        person.join(text(sorrel.mesh("invite", "new", GROUP), "code"))
    wait_for(lambda: _linked(wren) == 2 and _linked(juniper) == 2, "all three to be linked", 30)

    wren.down()
    juniper.down()
    wren.up()  # LOOPBACK with port 0: another port than before
    juniper.up()
    wait_for(lambda: _linked(wren) == 2 and _linked(juniper) == 2, "wren and juniper to meet again", 30)
    sorrel.down()
    wren.post(GROUP, "we found each other")
    juniper.sees(GROUP, "we found each other")


def _linked(person: Person) -> int:
    return len(records(person.mesh("status"), "links"))
