"""Group and message are filled in where a command takes them: read from the commands that there are."""

import importlib
from contextlib import suppress

import pytest
from cyclopts import CycloptsError
from hypothesis import given
from hypothesis import strategies as st

from cli.app import COMMANDS, build
from cli.chat.filling import Here, fill, resolve, shape_of
from cli.chat.numbers import Numbers
from mesh.errors import LocalError

GRIEF, WALKS = "ab" * 32, "cd" * 32
FIRST, SECOND = "11" * 16, "22" * 16


def here(*, group: str = GRIEF) -> Here:
    """Be in Tuesday grief, with two messages told."""
    numbers = Numbers()
    for message in (FIRST, SECOND):
        numbers.of(message)
    numbers.last = SECOND
    return Here(group=group, groups={GRIEF: "Tuesday grief", WALKS: "Walks"}, numbers=numbers)


def filled(*line: str, where: Here | None = None) -> list[str]:
    """Fill in a command line."""
    app = build(line)
    chain, command = resolve(app, line)
    assert command is not None, line
    return [*chain, *fill(line[len(chain) :], shape_of(command), where or here())]


@pytest.mark.parametrize(
    ("line", "whole"),
    [
        (["group", "members"], ["group", "members", GRIEF]),
        (["group", "members", "walks"], ["group", "members", "walks"]),
        (["group", "members", "cdcdcd"], ["group", "members", "cdcdcd"]),
        (["group", "remove", "juniper"], ["group", "remove", GRIEF, "juniper"]),
        (
            ["group", "remove", "--reason", "Walks", "juniper"],
            ["group", "remove", "--reason", "Walks", GRIEF, "juniper"],
        ),
        (["group", "remove", "Walks", "juniper"], ["group", "remove", "Walks", "juniper"]),
        (["post", "hello there", "--mode", "advice"], ["post", "--mode", "advice", GRIEF, "hello there"]),
        (["post", "--reply-to", "1", "yes"], ["post", "--reply-to", FIRST, GRIEF, "yes"]),
        (["post", "--reply-to=#2", "yes"], ["post", f"--reply-to={SECOND}", GRIEF, "yes"]),
        (["post", "--", "-5 degrees"], ["post", "--", GRIEF, "-5 degrees"]),
        (["flag"], ["flag", SECOND]),
        (["flag", "1"], ["flag", FIRST]),
        (["flag", "#1"], ["flag", FIRST]),
        (["flag", "abcdef12"], ["flag", "abcdef12"]),
        (["message", "withdraw", "--wait", "1s"], ["message", "withdraw", "--wait", "1s", SECOND]),
        (["read", "--open", "2"], ["read", "--open", SECOND, GRIEF]),
        (["read", "--unread"], ["read", "--unread", GRIEF]),
        (["talk"], ["talk"]),
        (["talk", "juniper"], ["talk", GRIEF, "juniper"]),
        (["verify", "juniper"], ["verify", GRIEF, "juniper"]),
        (["outbox"], ["outbox"]),
        (["join", "mesh1abc"], ["join", "mesh1abc"]),
    ],
)
def test_what_is_left_out_is_filled_in(line: list[str], whole: list[str]) -> None:
    assert filled(*line) == whole


def test_outside_of_a_group_nothing_is_made_up() -> None:
    nowhere = Here(group="", groups={}, numbers=Numbers())
    assert filled("group", "members", where=nowhere) == ["group", "members"]
    assert filled("flag", where=nowhere) == ["flag"]


@pytest.mark.parametrize("word", ["0", "3", "99999", "#0"])
def test_a_number_that_no_message_has_is_said_to_be_none(word: str) -> None:
    with pytest.raises(LocalError) as caught:
        filled("flag", word)
    assert caught.value.code == "E-NO-MESSAGE"


def test_every_command_that_there_is_has_a_shape() -> None:
    """One that is added later works in a conversation without a word about it."""
    found = 0
    for commands in COMMANDS.values():
        for name, where, _ in commands:
            module, _, attribute = where.partition(":")
            command = getattr(importlib.import_module(module), attribute)
            functions = [one.default_command for one in command.subapps] if attribute == "app" else [command]
            for function in (one for one in functions if one is not None and one.__module__.startswith("cli.")):
                shape = shape_of(function)
                assert shape.needed <= len(shape.places), name
                assert all(option.startswith("-") for option in shape.valued), name
                found += 1
    assert found > 60


@given(st.lists(st.text(max_size=12), max_size=6))
def test_no_words_break_it(words: list[str]) -> None:
    for name in ("post", "flag", "read", "talk"):
        app = build([name])
        try:
            chain, command = resolve(app, [name, *words])
        except CycloptsError:
            continue
        assert command is not None
        with suppress(LocalError):  # a number that no message has
            whole = fill(words, shape_of(command), here())
            assert chain == [name]
            assert len(whole) <= len(words) + 2


def test_numbers_stay_with_their_messages() -> None:
    numbers = Numbers()
    assert [numbers.of(m) for m in (FIRST, SECOND, FIRST)] == [1, 2, 1]
    assert (numbers.known(SECOND), numbers.known("33" * 16)) == (2, 0)
    assert numbers.id_of("2") == SECOND
    assert numbers.id_of("123456") == "123456", "six digits may be the beginning of an id"
    assert numbers.id_of("٣") == "٣", "other digits are no number here"
