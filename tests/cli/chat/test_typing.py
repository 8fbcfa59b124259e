"""What is typed becomes texts and commands, whatever it is, and none of it is lost."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.chat import typing
from cli.chat.typing import Command, Said, Typing, read_line, words_of
from mesh.errors import LocalError


def taken(*lines: str) -> list[Said | Command]:
    """Type these lines; return what became whole."""
    typed = Typing()
    return [meant for line in lines if (meant := typed.take(line)) is not None]


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("I slept a little.", Said("I slept a little.")),
        ("  with space before", Said("  with space before")),
        (" /not a command", Said(" /not a command")),
        ("//crisis is a word", Said("/crisis is a word")),
        ("//", Said("/")),
        ("/who", Command("who", "")),
        ("/reply 3  It's all right", Command("reply", "3  It's all right")),
        ("/go\t Tuesday grief ", Command("go", "Tuesday grief")),
        ("/", Command("", "")),
        ("", None),
        (" \t ", None),
    ],
)
def test_a_line_is_a_text_or_a_command(line: str, meant: Said | Command | None) -> None:
    assert read_line(line) == meant


def test_a_backslash_at_the_end_goes_on_and_two_are_one() -> None:
    assert taken("one \\", "", "three") == [Said("one \n\nthree")] or taken("one \\", "two") == [Said("one \ntwo")]
    assert taken("a path C:\\\\") == [Said("a path C:\\")]
    assert taken("/reply 3 one\\", "two") == [Command("reply", "3 one\ntwo")]
    assert taken("one\\", "/two") == [Said("one\n/two")], "only the first line can be a command"


def test_after_text_each_line_belongs_to_it_up_to_a_dot() -> None:
    assert taken("/text", "/crisis", "", "ends in a \\", ".", "after") == [
        Said("/crisis\n\nends in a \\"),
        Said("after"),
    ]
    assert taken("/text first", "second", " . ") == [Said("first\nsecond")]
    assert taken("/text", "", ".", "x") == [Said("x")], "an empty one is none"


def test_what_is_not_whole_is_not_lost() -> None:
    typed = Typing()
    for line in ("/text", "one", "two"):
        assert typed.take(line) is None
    assert typed.unfinished == "one\ntwo"
    typed = Typing()
    assert typed.take("one\\") is None
    assert typed.unfinished == "one"


def test_too_much_is_refused_and_what_comes_after_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typing, "TEXT_BYTES_MAX", 20)
    typed = Typing()
    assert typed.take("ten bytes\\") is None
    with pytest.raises(LocalError) as caught:
        typed.take("more than ten bytes")
    assert caught.value.code == "E-TOO-LONG"
    assert typed.take("small") == Said("small")


@given(st.lists(st.text(max_size=40), max_size=8))
def test_whatever_is_typed_is_a_text_a_command_or_not_whole_yet(lines: list[str]) -> None:
    typed = Typing()
    for line in lines:
        meant = typed.take(line)
        assert meant is None or isinstance(meant, Said | Command)
        if isinstance(meant, Said):
            assert meant.text.strip()
            assert not typed.unfinished


@given(st.text(alphabet=st.characters(exclude_characters="\n\\"), min_size=1).filter(str.strip))
def test_a_text_arrives_as_it_was_typed(text: str) -> None:
    typed = f"/{text}" if text.startswith("/") else text
    assert taken(typed) == [Said(text)]
    if text.strip() != ".":
        assert taken("/text", text, ".") == [Said(text)]


@given(st.text(max_size=60))
def test_words_are_split_or_refused_in_words(rest: str) -> None:
    with suppress(LocalError):  # a quote that is not closed
        assert all(isinstance(word, str) for word in words_of(rest))


def test_quotes_hold_words_together() -> None:
    assert words_of("\"Tuesday grief\" juniper 'and so'") == ["Tuesday grief", "juniper", "and so"]
    assert words_of("# 3") == ["#", "3"]
    with pytest.raises(LocalError):
        words_of("it's")
