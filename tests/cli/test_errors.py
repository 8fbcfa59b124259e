"""The catalogue: every code that the source can show is explained, and every explanation has a code."""

import ast
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

from cli.catalogue import CATALOGUE
from cli.entry import Entry
from cli.errors import as_json, said, sentence
from mesh.errors import LocalError, MeshError
from tests.cli.runner import mesh

ROOT = Path(__file__).parents[2]
CATALOGUE_FILES = {ROOT / "cli" / "catalogue.py", *(ROOT / "cli").glob("*_errors.py")}


def codes_in_source() -> dict[str, str]:
    """Find each code in the source, with the first file that has it."""
    found: dict[str, str] = {}
    for room in ("mesh", "cli"):
        for path in sorted((ROOT / room).rglob("*.py")):
            if path not in CATALOGUE_FILES:
                for code in re.findall(r"\"(E-[A-Z]+(?:-[A-Z]+)*)\"", path.read_text()):
                    found.setdefault(code, str(path.relative_to(ROOT)))
    return found


def test_each_code_in_the_source_is_explained() -> None:
    assert {code: path for code, path in codes_in_source().items() if code not in CATALOGUE} == {}


def test_each_explanation_has_a_code_in_the_source() -> None:
    assert CATALOGUE.keys() - codes_in_source().keys() == set()


@pytest.mark.parametrize("code", CATALOGUE)
def test_an_explanation_says_what_why_and_what_to_do(code: str) -> None:
    entry = CATALOGUE[code]
    assert isinstance(entry, Entry)
    for part in (entry.what, entry.why, entry.do):
        assert part == sentence(part), "a whole sentence"
        assert len(part) > 10


def test_help_explains_a_code(home: Path) -> None:
    ran = mesh("help", "e-passphrase", home=home)
    assert ran.code == 0
    assert CATALOGUE["E-PASSPHRASE"].do in ran.out
    told = mesh("help", "E-PASSPHRASE", "--json", home=home).json
    assert set(told) == {"schema", "code", "what", "why", "do"}


def test_an_error_is_said_in_sentences() -> None:
    error = LocalError("there is no such group here", do="`mesh group list` shows yours", code="E-NO-GROUP")
    assert said(error) == [
        "There is no such group here.",
        "  `mesh group list` shows yours.",
        "  (E-NO-GROUP; `mesh help E-NO-GROUP` says more)",
    ]


def test_candidates_are_listed() -> None:
    error = LocalError("Which?", candidates=("a", "b"))
    assert "  It may mean: a, b" in said(error)
    told = as_json(error)["error"]
    assert isinstance(told, dict)
    assert told["candidates"] == ["a", "b"]


def test_json_has_exactly_the_keys_of_the_contract() -> None:
    assert as_json(MeshError("a thing", why="because", do="`do` this", code="E-D")) == {
        "error": {"code": "E-D", "what": "A thing.", "why": "Because.", "do": "`do` this."}
    }


def kinds_of_error() -> set[str]:
    """Name every class of error that is said in words."""
    for room in ("mesh", "cli"):
        for module in pkgutil.walk_packages([str(ROOT / room)], f"{room}."):
            importlib.import_module(module.name)
    found, waiting = {"MeshError"}, MeshError.__subclasses__()
    while waiting:
        kind = waiting.pop()
        found.add(kind.__name__)
        waiting += kind.__subclasses__()
    return found


def test_no_sentence_begins_with_what_a_person_typed() -> None:
    """Sentences begin with a capital letter, and a name or an address must stay as it was written."""
    kinds, found = kinds_of_error(), []
    for room in ("mesh", "cli"):
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds:
                    said_in = [*node.args, *(k.value for k in node.keywords if k.arg in {"what", "why", "do"})]
                    begins = [part.values[0] for part in said_in if isinstance(part, ast.JoinedStr) and part.values]
                    if any(isinstance(first, ast.FormattedValue) for first in begins):
                        found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []
