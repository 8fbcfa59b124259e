"""What reaches the terminal: nothing that another person wrote can drive it or hide in it."""

import contextlib
import io
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.output import Output, one_line, safe
from cli.render import message_lines

ATTACKS = {
    "a colour": ("\x1b[31mred", "[31mred"),
    "the window's title": ("\x1b]0;owned\x07text", "]0;owned" + "text"),
    "a one-byte CSI": ("\x9b2Jtext", "2Jtext"),
    "a clipboard write": ("\x1b]52;c;ZXZpbA==\x1b\\", "]52;c;ZXZpbA==\\"),
    "backspaces over a name": ("juniper\b\b\b\b\b\b\bsteward", "junipersteward"),
    "a carriage return over a line": ("innocent\rsteward: ", "innocent\nsteward: "),
    "a direction override": ("\u202egnp.exe", "gnp.exe"),
    "direction isolates": ("\u2066a\u2069b\u2067c\u2068d", "abcd"),
    "marks nobody sees": ("ju\u200bni\u2060per\ufeff\u00ad", "juniper"),
    "text in tags": ("hi\U000e0041\U000e0042", "hi"),
    "a line separator": ("a\u2028b\u2029c", "a\nb\nc"),
    "half a surrogate pair": ("a\ud800b", "ab"),
    "NUL and DEL": ("a\x00b\x7fc", "abc"),
}


@pytest.mark.parametrize(("hostile", "left"), ATTACKS.values(), ids=list(ATTACKS))
def test_what_would_drive_a_terminal_is_taken_out(hostile: str, left: str) -> None:
    assert safe(hostile) == left


@pytest.mark.parametrize(
    "kind", ["Grüße, 你好, سلام, नमस्ते", "👩\u200d👩\u200d👧 ❤\ufe0f", "می\u200cخواهم", "two\nlines"]
)
def test_what_people_write_stays(kind: str) -> None:
    assert safe(kind) == kind


@given(st.text())
def test_nothing_is_left_that_acts(text: str) -> None:
    left = safe(text)
    assert all(unicodedata.category(char) not in {"Cc", "Zl", "Zp", "Cs"} for char in left if char != "\n")
    assert not any(char in left for char in "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e")
    assert safe(left) == left
    assert "\n" not in one_line(text)
    left.encode()


@given(st.text())
def test_a_messages_text_cannot_pretend_to_be_a_line_of_ours(text: str) -> None:
    head, *body = message_lines({"id": "ab" * 16, "author": {"alias": text}, "text": text, "at": ""})
    assert head.endswith("abababab")
    assert "\n" not in head
    assert all(line.startswith("    ") for line in body)


@given(st.dictionaries(st.text(max_size=5), st.text()))
def test_json_is_one_line_of_ascii(told: dict[str, str]) -> None:
    held = io.StringIO()
    with contextlib.redirect_stdout(held):
        Output(json=True).result({"told": dict(told)})
    line = held.getvalue()
    assert line.isascii()
    assert line.count("\n") == 1
    assert not set(line[:-1]) & {chr(code) for code in range(0x20)}
    assert json.loads(line) == {"schema": 1, "told": told}


def test_lines_are_made_safe_whoever_made_them(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output()
    out.result({}, ["a\x1b[2Jb"])
    out.heading("c\x9bd")
    out.table(("name",), [["e\x1b]0;f\x07\ng"]])
    out.say("h\u202ei")
    told = capsys.readouterr()
    assert told.out == "a[2Jb\ncd\nname: e]0;f g\n"
    assert told.err == "hi\n"


def test_quiet_leaves_results_and_errors(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(quiet=True)
    out.result({}, ["result"])
    out.say("chatter")
    out.insist("error")
    assert capsys.readouterr() == ("result\n", "error\n")


def test_json_has_no_lines_headings_or_tables(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(json=True)
    out.heading("Groups")
    out.table(("a",), [["b"]])
    out.result({"a": 1}, ["line"])
    assert capsys.readouterr().out == '{"schema":1,"a":1}\n'


def test_a_plain_table_names_its_columns_and_leaves_out_what_is_empty(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Output(plain=True).table(("name", "unread", "note"), [("grief", "", "kind"), ("carers", "2", "")])
    assert capsys.readouterr().out == "name: grief; note: kind\nname: carers; unread: 2\n"
