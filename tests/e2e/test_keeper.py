"""A keeper on real processes: a knock waits there, and so does the answer; nobody is online with anybody else."""

from demo.people import Person, record, records, text, wait_for
from mesh.errors import Exit
from tests.e2e.conftest import GROUP, Cast


def test_joining_and_talking_where_nobody_is_there_together(cast: Cast) -> None:
    wren, juniper, pi = cast("wren", "juniper", "pi")
    pi.up("--keeper")
    ticket = text(pi.mesh("keeper", "ticket", "--quota", "10M", "--note", "pi-kitchen"), "ticket")
    wren.up()
    wren.mesh("group", "create", GROUP)
    wren.mesh("keeper", "add", GROUP, "-", given=ticket + "\n")

    def holds() -> int:
        (keeper,) = records(wren.mesh("keeper", "list", GROUP), "keepers")
        return 1 if keeper["reachable"] and keeper["holds"] else 0

    wait_for(lambda: bool(holds()), "wren's node to hear of the keeper", 30)
    invite = wren.mesh("invite", "new", GROUP)
    assert record(invite, "invite")["keepers"] == 1
    wait_for(lambda: pi.mesh("keeper", "status")["topics"] == 3, "the keeper to be told of the door", 30)
    wren.down()

    juniper.up()
    waiting = juniper.mesh(
        "join", "-", "--agree", "--wait", "15s", given=text(invite, "code") + "\n", exit=(Exit.QUEUED,)
    )
    join = record(waiting, "join")
    assert (join["state"], join["at_keeper"]) == ("knocking", True)
    juniper.down()

    wren.up()
    wait_for(lambda: wren.group(GROUP)["members"] == 2, "wren's node to let juniper in", 60)
    said = wren.post(GROUP, "Come in.", "--wait", "30s")
    message = record(said, "message")
    assert message["state"] == "sent"
    assert [holder["alias"] for holder in records(message, "held_by")] == ["pi-kitchen"]
    come_to_rest(pi)
    wren.down()

    juniper.up()
    wait_for(
        lambda: [group["members"] for group in records(juniper.mesh("group", "list"), "groups")] == [2],
        "juniper to be in",
        60,
    )
    juniper.sees(GROUP, "Come in.", seconds=60)
    (keeper,) = records(juniper.mesh("keeper", "list", GROUP), "keepers")
    assert (keeper["note"], keeper["reachable"]) == ("pi-kitchen", True)
    status = pi.mesh("keeper", "status")
    assert {"topics", "bytes", "quota", "oldest"} <= set(status)
    assert status["on"] is True
    assert isinstance(status["bytes"], int)
    assert 0 < status["bytes"] < 10 * 2**20
    juniper.down()
    pi.down()


def come_to_rest(pi: Person) -> None:
    """Wait until the keeper holds as much as a moment ago: what was under way has come."""
    seen: list[object] = []

    def rests() -> bool:
        seen.append(pi.mesh("keeper", "status")["frames"])
        return len(seen) > 2 and seen[-1] == seen[-2] == seen[-3]

    wait_for(rests, "the keeper to have all of it", 30)
