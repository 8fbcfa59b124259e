"""What people call themselves and what they say, within limits counted in bytes and without tricks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import LocalError, RemoteError
from mesh.wire.text import check_text, fault_in, require_text


@pytest.mark.parametrize(
    "text",
    ["Alice", "Zoë", "李雷", "سارة", "می‌خواهم", "👩‍👩‍👧", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "a b", "\u200eAlice\u200f", "…", "ﷺ"],
)
def test_names_of_many_scripts_are_names(text: str) -> None:
    check_text(text, 64)
    assert require_text("alias", text, 64) == text


@pytest.mark.parametrize(
    "text",
    [
        "a\nb",
        "a\tb",
        "\x00",
        "\x1b[31m",
        "\x7f",
        "\x85",
        "a\u202eb",
        "a\u2066b",
        "a\u2060b",
        "\ufeffa",
        "a\u2028b",
        "\u2029",
    ],
)
def test_what_drives_a_terminal_or_hides_is_refused(text: str) -> None:
    with pytest.raises(RemoteError):
        check_text(text, 64)


@pytest.mark.parametrize(
    "text", [" ", "\u00a0", "\u200b", "\u3000\u200d", "\u3164", "\u2800", "\u00ad", "\U000e0041", "\ufe0f"]
)
def test_a_name_that_shows_nothing_is_no_name(text: str) -> None:
    assert fault_in(text, 64, lines=False) == "holds nothing that can be seen"
    with pytest.raises(RemoteError):
        check_text(text, 64)
    with pytest.raises(LocalError):
        require_text("alias", text, 64)


def test_line_breaks_stand_where_lines_make_sense() -> None:
    check_text("one\n\ttwo", 64, lines=True)
    with pytest.raises(RemoteError):
        check_text("one\rtwo", 64, lines=True)


def test_the_limit_counts_bytes_and_not_characters() -> None:
    check_text("é" * 32, 64)
    with pytest.raises(RemoteError):
        check_text("é" * 33, 64)
    with pytest.raises(LocalError, match="66 bytes long; 64 is the limit"):
        require_text("alias", "é" * 33, 64)


def test_half_a_character_is_none() -> None:
    with pytest.raises(RemoteError):
        check_text("\ud800", 64)
    with pytest.raises(LocalError, match="half a character"):
        require_text("alias", "a\udc00", 64)


def test_a_person_s_text_is_stripped_and_not_empty() -> None:
    assert require_text("alias", "\ufeff  Alice \n", 64) == "Alice"
    assert require_text("about", " \n", 64, lines=True, empty=True) == ""
    with pytest.raises(LocalError, match="the alias is empty"):
        require_text("alias", " \n", 64)


@given(st.text(st.characters(), max_size=80), st.booleans())
def test_what_a_person_may_say_a_peer_accepts(text: str, lines: bool) -> None:
    try:
        said = require_text("text", text, 64, lines=lines)
    except LocalError:
        return
    check_text(said, 64, lines=lines)
