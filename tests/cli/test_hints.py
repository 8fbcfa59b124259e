"""What `post` tells its author alone: tips beside a warning of suicide or self-harm, and a hint at contacts."""

from pathlib import Path

import pytest

from cli.tips import TIPS, tips_for
from mesh.errors import LocalError
from mesh.node.local.protocol import JsonObject
from tests.cli.runner import Ran, mesh
from tests.cli.test_prompts import terminal
from tests.node.local.fake_node import Reply, fake_node

GROUP: JsonObject = {"id": "ab" * 32, "name": "Tuesday grief", "members": 12, "history": "none", "keep": "30 days"}
SENT: JsonObject = {"id": "3f" * 16, "group": "ab" * 32, "state": "sent", "reached": 1, "of": 11, "held_by": []}
NUMBER = "Call me: 020 7946 0958."
QUESTION = "This goes to everyone in the group: send it?"


def table() -> dict[str, Reply]:
    """What a node answers to a post."""
    return {"group.show": {"group": GROUP}, "post": {"message": SENT}}


def posted(home: Path, *line: str) -> tuple[Ran, JsonObject]:
    """Post without a terminal; give what was said, and what the node was asked."""
    with fake_node(home, table()) as node:
        ran = mesh("post", "Tuesday grief", *line, home=home)
        return ran, dict(node.handler.asked)["post"]


# ---------------------------------------------------------------- tips


@pytest.mark.parametrize(
    "label",
    [
        "suicide",
        "Suicide",
        "SUICIDE",
        "suicidal thoughts",
        "loss to suicide",
        "self-harm",
        "self harm",
        "selfharm",
        "Self-Harm, blood",
        "self‑harm",  # with a hyphen that does not break
        "self-injury",
        "ｓｕｉｃｉｄｅ",
        "grief/suicide",
        "suicide_attempt",
    ],
)
def test_these_labels_bring_tips(label: str) -> None:
    assert tips_for(label) == TIPS


@pytest.mark.parametrize("label", ["", "grief", "loss of a child", "harm", "self", "self-help", "regicide", "selfie"])
def test_other_labels_bring_none(label: str) -> None:
    assert tips_for(label) == ()


def test_the_author_of_a_warned_post_sees_tips_and_where_somebody_listens(home: Path) -> None:
    ran, asked = posted(home, "It is a dark week.", "--cw", "suicide")
    assert ran.code == 0
    assert set(TIPS) <= set(ran.err.splitlines())
    assert "`mesh crisis`" in ran.err
    assert not set(TIPS) & set(ran.out.splitlines())
    assert (asked["text"], asked["cw"]) == ("It is a dark week.", "suicide"), "others get what was written"
    assert not any(tip in str(asked) for tip in TIPS)


def test_a_script_sees_no_key_for_tips_and_quiet_hides_them(home: Path) -> None:
    told, _ = posted(home, "Words.", "--cw", "self-harm", "--json")
    assert set(told.json) == {"schema", "message"}
    quiet, _ = posted(home, "Words.", "--cw", "self-harm", "--quiet")
    assert quiet.err == ""


def test_the_text_is_not_looked_at(home: Path) -> None:
    dark = "Suicide. I think of suicide and self-harm."
    assert not set(TIPS) & set(posted(home, dark)[0].err.splitlines())
    assert not set(TIPS) & set(posted(home, dark, "--cw", "grief")[0].err.splitlines())
    warned = {posted(home, text, "--cw", "suicide")[0].err for text in (dark, "A fine day.")}
    assert len(warned) == 1, "the same words, whatever the text is"


# ---------------------------------------------------------------- contacts


def test_without_a_terminal_a_contact_is_said_and_sent(home: Path) -> None:
    ran, asked = posted(home, NUMBER)
    assert ran.code == 0
    assert "Your text seems to hold a phone number. It goes to everyone in the group." in ran.err
    assert asked["text"] == NUMBER


@pytest.mark.parametrize("flag", ["--yes", "--quiet"])
def test_the_hint_can_be_left_out(home: Path, flag: str) -> None:
    assert "seems to hold" not in posted(home, NUMBER, flag)[0].err


def test_a_text_without_a_contact_goes_without_a_word(home: Path) -> None:
    assert "seems to hold" not in posted(home, "988 helped me on 23.11.2026 at 18:30.")[0].err


def test_at_a_terminal_it_is_asked_once_and_sent_on_yes(home: Path) -> None:
    with fake_node(home, table()) as node:
        with terminal("post", "Tuesday grief", f"{NUMBER} wren@example.org", home=home) as child:
            child.expect("seems to hold a phone number and an e-mail address.")
            child.expect_exact(QUESTION)
            child.sendline("y")
            child.expect("sent")
        assert "post" in dict(node.handler.asked)


def test_a_no_sends_nothing_and_gives_a_typed_text_back(home: Path) -> None:
    with fake_node(home, table()) as node:
        with terminal("post", "Tuesday grief", home=home, code=2) as child:
            child.expect("What do you want to say")
            child.sendline(NUMBER)
            child.sendline(".")
            child.expect_exact(QUESTION)
            child.sendline("n")
            child.expect("Here is your text once more")
            child.expect_exact(NUMBER)
            child.expect("E-NOT-CONFIRMED")
        assert "post" not in dict(node.handler.asked)


def test_a_typed_text_is_given_back_where_the_post_is_refused(home: Path) -> None:
    refused = LocalError("a post can disappear after one second at the earliest", code="E-USAGE")
    with fake_node(home, {**table(), "post": refused}):
        with terminal("post", "Tuesday grief", "--expires", "0s", home=home, code=2) as child:
            child.expect("What do you want to say")
            child.sendline("Hard-won words.")
            child.sendline(".")
            child.expect("Here is your text once more")
            child.expect_exact("Hard-won words.")
            child.expect("A post can disappear")
        assert "once more" not in mesh("post", "Tuesday grief", "Words.", home=home).err, "it stands where it came from"


def test_yes_is_not_asked_at_a_terminal(home: Path) -> None:
    with fake_node(home, table()), terminal("post", "Tuesday grief", NUMBER, "--yes", home=home) as child:
        child.expect("sent")
        assert "seems to hold" not in (child.before or "")
