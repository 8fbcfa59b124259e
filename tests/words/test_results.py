"""What commands say of results is told from the catalogue: no sentence stands in them that comes past it."""

import ast
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Final
from unittest.mock import patch

import pytest

from cli import agreements
from cli.commands.pace import MONTHS
from cli.exports import FORMATS, WHAT_IT_IS, Count, document
from cli.words import _SPOKEN, language, tell
from mesh.node.local.protocol import JsonObject
from tests.cli.runner import mesh
from tests.cli.test_export import GROUP, post
from tests.node.local.fake_node import fake_node, short_runtime_folder
from tests.words.extract import ROOT, Reader, extracted, our_modules
from tests.words.pages import page_strings

NOT_SAID: Final = (  # what is typed, what a program reads, and what a thing is called in every language
    "create fork pin leave members",
    "admit decline",
    "new revoke",
    "words passphrase",
    "set enable-bracketed-paste off",
    "no line of a catalogue",
    "You are in",
    "mesh ",
    "`mesh ",
    '" --',
    "  prefix: ",
    " (Python ",
    " KiB",
    " MiB",
)
TWO_WORDS: Final = re.compile(r"[A-Za-z]{2,} [a-z]")
A_WORD: Final = re.compile(r"(?<!\.)\b[A-Za-z]{3,}")
NO_WORDS: Final = ("<", '":', "margin:")  # markup, JSON, style
COMMANDS: Final = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "cli").rglob("*.py"))


class Marked:
    """A language in which every sentence is what it is in English, in brackets."""

    def gettext(self, message: str) -> str:
        """Mark a sentence."""
        return f"⟦{message}⟧"

    def ngettext(self, one: str, many: str, count: int) -> str:
        """Mark one that counts."""
        return self.gettext(one if count == 1 else many)


@contextmanager
def marked() -> Iterator[None]:
    """Speak a made-up language, and go on doing so when a command starts."""
    with (
        patch.object(_SPOKEN, "catalogue", Marked()),
        patch.object(_SPOKEN, "language", "pt_BR"),
        patch("cli.main.speak"),
    ):
        yield


# ---------------------------------------------------------------- nothing comes past it


@pytest.fixture(scope="module")
def said() -> set[str]:
    source: Reader = extracted(our_modules())
    return {text for string in source.strings | set(page_strings()) for text in (string.one, string.many)}


def untold(tree: ast.Module, said: set[str]) -> Iterator[str]:
    """Give each text of a module that reads like a sentence, or like words around a value, and is in no catalogue."""
    above = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        text, parent = node.value, above[node]
        paragraphs = {" ".join(part.split()) for part in text.split("\n\n")}
        if isinstance(parent, ast.Expr) or text in said or paragraphs <= said:
            continue
        if any(mark in text for mark in NO_WORDS) or text.startswith(NOT_SAID):
            continue
        if (A_WORD if isinstance(parent, ast.JoinedStr) else TWO_WORDS).search(text):
            yield f"{node.lineno}: {text}"


@pytest.mark.parametrize("path", COMMANDS)
def test_each_sentence_is_told(path: str, said: set[str]) -> None:
    assert list(untold(ast.parse((ROOT / path).read_text()), said)) == []


@pytest.mark.parametrize("path", COMMANDS)
def test_columns_and_headings_are_told(path: str) -> None:
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in {"table", "heading"}:
            shown = ast.dump(node.args[0])
            assert "id='tell" in shown or "Constant" not in shown, f"{path}:{node.lineno}"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("out.say('Nobody is here')", True),
        ("out.say(tell('Nobody is here'))", False),
        ("out.say(f'{n} people')", True),
        ("out.say(f'{n} · {m}')", False),
        ("def f():\n    'What it does.'", False),
    ],
)
def test_a_sentence_that_comes_past_is_seen(text: str, seen: bool) -> None:
    known = {"Nobody is here"} if "tell(" in text else set()
    assert bool(list(untold(ast.parse(text), known))) is seen


# ---------------------------------------------------------------- what a person gets, and what a script


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    with short_runtime_folder():
        yield folder


def exported(form: str) -> str:
    quoting = post(text="So it is.", quote={"text": "Words", "author": {"alias": "{who} & <b>"}})
    return "".join(document(FORMATS[form], GROUP, [{"posts": [quoting], "withheld": 2}], Count()))


def test_a_document_speaks_the_language_of_its_person_and_says_which() -> None:
    english = {form: exported(form) for form in FORMATS}
    assert '<html lang="en">' in english["html"]
    with marked():
        assert language() == "pt-BR"
        told = {form: exported(form) for form in FORMATS}
    assert '<html lang="pt-BR">' in told["html"]
    assert f"⟦{WHAT_IT_IS}⟧" in told["html"]
    assert "⟦It quotes <bdi>{who} &amp; &lt;b&gt;</bdi>:⟧" in told["html"], "the name is put in once, and is no markup"
    assert "⟦2 messages of others stayed in the group.⟧" in told["html"]
    assert "⟦Your own messages" in told["md"]
    assert told["json"] == english["json"]


def test_an_agreement_is_offered_in_the_language_of_who_founds(home: Path) -> None:
    with marked():
        pieces = agreements.template().strip().split("⟦")[1:]
        ran = mesh("group", "agreement", "template", home=home)
        script = mesh("group", "agreement", "template", "--json", home=home).json
    assert len(pieces) == 11
    assert ran.out == "".join(f"⟦{piece}" for piece in pieces) + "\n"
    assert script["text"] == agreements.template()


def test_the_crisis_card_is_told_and_its_entries_are_as_they_were_read(home: Path) -> None:
    with marked():
        lines = mesh("crisis", "--locale", "GB", "--sources", home=home).out.splitlines()
        nowhere = mesh("crisis", "--locale", "XX", home=home).out.splitlines()
    assert lines[:5] == ["⟦United Kingdom⟧ (GB)", "", "116 123", "  Samaritans", "  ⟦day and night; free⟧"]
    assert lines[5].startswith("  ⟦read on 2026-11-23")
    assert "⟦This is not an emergency service.⟧" in lines
    assert nowhere[0] == "⟦International⟧"
    assert nowhere[1].startswith("⟦There is no entry for XX here, so these are for all countries. Write two letters")
    assert nowhere[1].endswith("shows the countries that are here.⟧")
    assert "  ⟦Emergency services, EU⟧" in nowhere


def test_a_script_reads_the_card_in_english(home: Path) -> None:
    english = mesh("crisis", "--locale", "GB", "--json", home=home).out
    with marked():
        assert mesh("crisis", "--locale", "GB", "--json", home=home).out == english


def test_who_pauses_says_so_in_their_own_words(home: Path) -> None:
    replies: dict[str, JsonObject] = {"own.pace": {"pace": {}}, "post": {"message": {"id": "3f" * 16, "state": "sent"}}}
    with marked(), fake_node(home, {**replies}) as node:
        mesh("pause", "--until", "2030-12-01", "--tell", "Tuesday grief", home=home)
        assert node.handler.asked[1][1]["text"] == "⟦I am stepping back until ⟦1 ⟦December⟧ 2030⟧.⟧"


def test_a_month_is_named_as_the_calendar_does() -> None:
    assert [tell(MONTHS[number]) for number in range(1, 13)] == [f"{date(2026, n, 1):%B}" for n in range(1, 13)]


def test_a_script_reads_in_english_what_was_not_given(home: Path) -> None:
    with marked():
        ran = mesh("reflect", "add", "--json", home=home)
    assert "⟦" not in str(ran.json)
    assert "TEXT, or - for stdin" in str(ran.json)
    assert "⟦Give it with ⟦TEXT, or - for stdin⟧.⟧" in " ".join(ran.err.split())
