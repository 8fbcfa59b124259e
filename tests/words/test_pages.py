"""Every page of help is told from the catalogue, whole: nothing on it comes past it."""

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from cyclopts import App

from cli.app import build
from cli.commands.about import page
from cli.words import _SPOKEN, speak
from tests.cli.runner import mesh
from tests.words.pages import docstring_texts, page_strings, said_of


class Marked:
    """A language in which every sentence is what it is in English, in brackets; it keeps what it does not know."""

    def __init__(self, known: set[str]) -> None:
        self.known, self.missing = known, set[str]()

    def gettext(self, message: str) -> str:
        """Mark a sentence."""
        if message not in self.known:
            self.missing.add(message)
        return f"⟦{message}⟧"


def chains(app: App, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Name each command, with those above it."""
    yield above
    for name in app:
        if not name.startswith("-"):
            yield from chains(app[name], (*above, name))


def test_every_page_is_told_from_the_catalogue() -> None:
    from tests.words.catalogue import POT, known_in

    marked = Marked({one for one, _ in known_in(POT.read_text(encoding="utf-8"))})
    seen = list(chains(build()))
    assert len(seen) > 100
    with patch.object(_SPOKEN, "catalogue", marked):
        for chain in seen:
            assert "⟦" in page(build(chain), list(chain))
    assert marked.missing - {""} == set()


def test_a_script_reads_the_page_in_english(tmp_path: Path) -> None:
    marked = Marked(set())
    with patch.object(_SPOKEN, "catalogue", marked), patch("cli.main.speak"):
        assert "⟦" in mesh("post", "--help", home=tmp_path / "home").out
        assert "⟦" not in str(mesh("post", "--help", "--json", home=tmp_path / "home").json["help"])


def test_what_is_typed_is_not_told() -> None:
    marked = Marked(set())
    with patch.object(_SPOKEN, "catalogue", marked):
        shown = page(build(("talk",)), ["talk"])
    assert "  mesh talk Tuesday juniper\n" in shown
    assert shown.startswith("mesh talk ")


def test_a_docstring_is_read_by_paragraph_item_and_parameter() -> None:
    text = "Do it. And\nmore.\n\n- one\n  thing\n- other\n\nmesh do it\n\n"
    text += "Parameters\n----------\nname\n    Its\n    name.\nx_\n    X."
    assert list(docstring_texts(text)) == ["Do it. And more.", "one thing", "other", "Its name.", "X."]
    assert list(docstring_texts("Do it.\n\nParameters\n----------\nname\n    Its name.")) == ["Do it.", "Its name."]
    assert list(said_of("")) == []


@pytest.mark.parametrize("title", ["You", "Groups", "Talk", "Help"])
def test_the_groups_of_commands_are_told(title: str) -> None:
    assert title in {string.one for string in page_strings()}
    speak({})
