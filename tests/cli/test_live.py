"""The line that shows how far something is: on a terminal, rewritten in place and cut to its width; nowhere else."""

import io
import os
import pty
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import pytest

from cli.live import Live
from cli.output import Output


@contextmanager
def terminal() -> Iterator[tuple[int, TextIO]]:
    """Give the two ends of a terminal: what it was sent, and what is written to."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        yield ours, stream
    os.close(ours)


@pytest.fixture(autouse=True)
def _able(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "20")


def test_a_line_is_shown_in_place_within_the_width_and_taken_away() -> None:
    with terminal() as (ours, stream):
        live = Live.on(Output(), stream)
        live.show(lambda: "12.0 s: \x1b[2Jstep 14 of 32; 5 of 5")
        live.show(lambda: pytest.fail("a moment ago is too soon"))
        live.clear()
        live.clear()
        assert os.read(ours, 1000).decode() == "\r\x1b[K12.0 s: [2Jstep 14 \r\x1b[K"


@pytest.mark.parametrize("out", [Output(quiet=True), Output(plain=True), Output(json=True)])
def test_whoever_asked_for_less_gets_none(out: Output) -> None:
    with terminal() as (_, stream):
        assert Live.on(out, stream).stream is None


def test_what_is_no_terminal_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    live = Live.on(Output(), stream)
    live.show(lambda: pytest.fail("nobody would see it"))
    live.clear()
    assert stream.getvalue() == ""
    with terminal() as (_, other):
        monkeypatch.setenv("TERM", "dumb")
        assert Live.on(Output(), other).stream is None
