"""Two members talk as two, on real processes."""

from demo.people import record, records, text, wait_for
from tests.e2e.conftest import GROUP, Cast


def test_two_members_talk_as_two(cast: Cast) -> None:
    wren, tansy = cast("wren", "tansy")
    for person in (wren, tansy):
        person.up()
    wren.mesh("group", "create", GROUP)
    tansy.join(text(wren.mesh("invite", "new", GROUP), "code"))
    wait_for(lambda: len(records(tansy.mesh("group", "members", GROUP), "members")) == 2, "both to be in", 30)

    def states() -> list[str]:
        return [text(talk, "state") for talk in records(tansy.mesh("talk"), "talks")]

    talk = record(wren.mesh("talk", GROUP, "tansy"), "group")
    wait_for(lambda: states() == ["offered"], "the offer to arrive", 30)
    tansy.mesh("talk", GROUP, "wren", "--accept", "--wait", "30s")
    wait_for(lambda: states() == ["open"], "both to be in it", 30)
    name = text(talk, "name")
    tansy.post(name, "thank you for asking")
    wren.sees(name, "thank you for asking")
