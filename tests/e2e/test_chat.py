"""A conversation line by line, on real processes: others' words come as they come, and the node may stop between."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from demo.people import Object, Person, record, text
from tests.e2e.conftest import GROUP


@contextmanager
def conversation(person: Person) -> Iterator["subprocess.Popen[str]"]:
    """Begin a conversation over pipes."""
    with person.begin("chat", GROUP, "--line", "--json") as process:
        try:
            yield process
        finally:
            process.kill()


def event(process: "subprocess.Popen[str]", kind: str) -> Object:
    """Read on until such an event comes."""
    assert process.stdout is not None
    for line in process.stdout:
        told: Object = json.loads(line)
        if told["event"] == kind:
            return told
    raise AssertionError(f"no {kind!r} came")


def type_in(process: "subprocess.Popen[str]", line: str) -> None:
    """Type a line."""
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def test_two_people_talk_and_one_of_them_line_by_line(pair: tuple[Person, Person]) -> None:
    wren, juniper = pair
    with conversation(juniper) as process:
        assert text(record(event(process, "group"), "group"), "name") == GROUP
        wren.post(GROUP, "The first evening without her.")
        came = event(process, "message")
        assert text(record(came, "message"), "text") == "The first evening without her."
        type_in(process, f"/reply {came['number']} I am with you.")
        assert event(process, "posted")["number"] == 2
        wren.sees(GROUP, "I am with you.")
        type_in(process, "/flag 1")
        assert record(event(process, "result"), "flag")["flagged"] is True
        juniper.down()
        assert event(process, "node")["running"] is False
        type_in(process, "said while my node was down")
        assert text(record(event(process, "posted"), "message"), "state") == "queued"
        juniper.up()
        assert event(process, "node")["running"] is True
        wren.sees(GROUP, "said while my node was down")
        wren.post(GROUP, "and I heard it")
        assert text(record(event(process, "message"), "message"), "text") == "and I heard it"
        type_in(process, "/quit")
        assert process.wait(30) == 0
