"""A group whose founder is gone goes on in a successor, on real processes."""

from demo.people import record, records, text, wait_for
from tests.e2e.conftest import GROUP, Cast

NEW = "After Tuesday"


def test_a_group_without_its_founder_goes_on(cast: Cast) -> None:
    ash, wren, tansy = cast("ash", "wren", "tansy")
    for person in (ash, wren, tansy):
        person.up()
    ash.mesh("group", "create", GROUP)
    for person in (wren, tansy):
        person.join(text(ash.mesh("invite", "new", GROUP), "code"))
    wait_for(lambda: len(records(wren.mesh("status"), "links")) == 2, "all to be linked", 30)
    ash.down()

    wren.mesh("group", "fork", GROUP, "--without", "ash", "--name", NEW, "--yes")

    def offers() -> list[str]:
        shown = record(tansy.mesh("group", "show", GROUP), "group")
        return [text(offer, "id") for offer in records(shown, "successors")]

    wait_for(lambda: bool(offers()), "the offer to arrive", 30)
    tansy.mesh("group", "fork", GROUP, "--follow", offers()[0], "--agree", "--alias", "tansy", "--wait", "30s")
    wait_for(lambda: len(records(wren.mesh("group", "members", NEW), "members")) == 2, "tansy to be in", 30)
    tansy.post(NEW, "here we are")
    wren.sees(NEW, "here we are")
