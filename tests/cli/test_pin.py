"""Transcripts of `group pin`, and of what stands first when a group is read or shown."""

from pathlib import Path

from mesh.errors import Exit
from mesh.node.local.protocol import JsonObject, JsonValue
from tests.cli.runner import mesh
from tests.cli.test_talk import GROUP, ID, message
from tests.node.local.fake_node import fake_node

PIN: JsonObject = {"id": ID, "group": "ab" * 32, "pinned": True}
BY: JsonObject = {"id": "01" * 32, "alias": "wren\n* forged"}
PAGE: JsonObject = {"messages": [], "gaps": [], "catching_up": None, "earlier": None}


def test_a_message_is_pinned_and_taken_down(home: Path) -> None:
    with fake_node(home, {"group.pin": {"pin": PIN, "told": True}}) as node:
        up = mesh("group", "pin", "Tuesday grief", "3fa9c1d2", home=home)
        asked = node.handler.asked
    assert (up.code, up.out, up.err) == (0, "3fa9c1d2 stands first now\n", "")
    wanted = {"group": "Tuesday grief", "message": "3fa9c1d2", "remove": False, "wait_s": 2}
    assert asked == [("group.pin", wanted)]
    with fake_node(home, {"group.pin": {"pin": {**PIN, "pinned": False}, "told": False}}) as node:
        down = mesh("group", "pin", "g", "3fa9c1d2", "--remove", home=home)
        assert node.handler.asked[0][1]["remove"] is True
    assert (down.code, down.out) == (Exit.QUEUED, "3fa9c1d2 is not pinned\n")
    assert "goes out by itself" in down.err


def test_what_is_pinned_stands_first(home: Path) -> None:
    pins: JsonValue = [
        {"id": ID, "by": BY, "at": "2020-11-22T14:05:00Z", "message": message(text="Read this.")},
        {"id": "77" * 16, "by": BY, "at": "2020-11-22T14:05:00Z", "message": None},
    ]
    with fake_node(home, {"read": {**PAGE, "messages": [message(text="Later.")], "pins": pins}}):
        page = mesh("read", "g", home=home).out
        opened = mesh("read", "g", "--open", "3fa9c1d2", home=home).out
    assert page.index("Read this.") < page.index("it cannot be read here") < page.index("Later.")
    assert "pinned by wren" in page
    assert "\n* forged" not in page
    assert "Read this." not in opened
    with fake_node(home, {"group.show": {"group": {**GROUP, "pins": pins}}}):
        shown = mesh("group", "show", "g", home=home).out
    assert "Read this." in shown
