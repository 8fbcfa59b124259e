"""What is one's own and how one wants to be answered, on real processes: blocked, muted, paused, asked for, locked."""

from demo.people import Person, record, records, text, wait_for
from mesh.errors import Exit
from tests.e2e.conftest import GROUP

ADVICE = ("--mode", "advice")


def unread(person: Person) -> object:
    (group,) = records(person.mesh("group", "list"), "groups")
    return group["unread"]


def test_what_one_decides_for_oneself_holds_and_the_other_sees_nothing_of_it(pair: tuple[Person, Person]) -> None:
    wren, juniper = pair
    wren.mesh("block", GROUP, "juniper")
    said = record(juniper.post(GROUP, "words that wound"), "message")

    def reached() -> bool:
        return record(juniper.mesh("message", "show", text(said, "id")), "message")["reached"] == 1

    wait_for(reached, "wren's node to confirm it all the same", 30)
    assert "words that wound" not in wren.texts(GROUP)
    assert unread(wren) == 0
    wren.mesh("unblock", GROUP, "juniper")
    assert "words that wound" in wren.texts(GROUP)
    wren.mesh("mute", "--words", "wound")
    closed = [message for message in records(wren.mesh("read", GROUP), "messages") if message["closed_by"]]
    assert [(message["text"], message["closed_by"]) for message in closed] == [(None, "muted-word")]
    wren.mesh("unmute", "--words")
    follower = wren.begin("read", GROUP, "--follow", "--json")
    wren.mesh("pause")
    wren.mesh("reflect", "add", "I was heard.")
    juniper.post(GROUP, "while you rest")
    wait_for(lambda: unread(wren) == 1, "it to come", 30)
    assert record(wren.mesh("status"), "pace")["silent"] is True
    follower.terminate()
    out, _ = follower.communicate(timeout=10)
    assert "words that wound" in out, "the page is shown"
    assert "while you rest" not in out


def test_advice_and_a_locked_mode_on_real_processes(pair: tuple[Person, Person]) -> None:
    wren, juniper = pair
    said = text(record(wren.post(GROUP, "my first week"), "message"), "id")
    juniper.sees(GROUP, "my first week")
    reply = ("post", GROUP, "try yoga", "--reply-to", said, *ADVICE)
    juniper.mesh(*reply, exit=(Exit.REFUSED,))
    juniper.mesh(*reply, "--confirm-advice")
    wren.sees(GROUP, "try yoga")
    wren.mesh("group", "set", GROUP, "lock-mode", "listening")
    wait_for(lambda: _lock_of(juniper) == "listening", "the lock to come", 30)
    juniper.mesh("post", GROUP, "you should", *ADVICE, exit=(Exit.REFUSED,))
    assert "try yoga" in wren.texts(GROUP), "what was said before stays open"


def _lock_of(person: Person) -> object:
    return record(person.group(GROUP), "settings").get("lock-mode")
