"""The docs name the test that shows each promise; here every name is looked up, so that none outlives its test.

A reference stands in backquotes: `room/test_file.py::test_name`, counted from `tests/`. A later one in the same row,
item or paragraph may leave the file out. What shows a promise is thereby found; whether it shows it, people judge.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = sorted(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
REFERENCE = re.compile(r"`([\w/]*(?:\.py)?)::(test_\w+)`")
SECTIONS = (*range(2, 15), 18)  # of docs/protocol.md: what each of these promises is shown by a test


def references(text: str) -> Iterator[tuple[str, str]]:
    """Give each reference as (file, name); the file is empty where none stands before it."""
    for block in re.split(r"\n\s*\n|\n(?=\s*[-|])", text):
        file = ""
        for named, name in REFERENCE.findall(block):
            file = named or file
            yield file, name


@cache
def named_in(file: str) -> frozenset[str]:
    """Give the names of the tests in a file under tests/; none where there is no such file."""
    path = ROOT / "tests" / file
    if not file or not path.is_file():
        return frozenset()
    found = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return frozenset(node.name for node in found if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def missing(text: str) -> list[str]:
    """Give the references that lead nowhere."""
    return [f"{file}::{name}" for file, name in references(text) if name not in named_in(file)]


def rows(text: str, heading: str) -> list[list[str]]:
    """Give the cells of each row of the first table under a heading, without its head."""
    _, _, after = text.partition(f"\n{heading}\n")
    assert after, f"there is no {heading}"
    table = re.search(r"(?:^\|.*\n?)+", after, re.MULTILINE)
    assert table is not None
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in table[0].splitlines()[2:]]


@pytest.mark.parametrize("doc", DOCS)
def test_each_test_that_a_document_names_exists(doc: str) -> None:
    assert missing((ROOT / doc).read_text(encoding="utf-8")) == []


def test_each_promise_of_the_threat_model_names_its_test() -> None:
    text = (ROOT / "docs/threat-model.md").read_text(encoding="utf-8")
    promises = [row for row in rows(text, "## Promises, and the tests that prove them") if not row[0].startswith("**")]
    assert len(promises) > 40
    assert [promise for promise, *shown in promises if not list(references("".join(shown)))] == []


def test_each_section_of_the_protocol_names_its_tests() -> None:
    text = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")
    shown = rows(text, "## 17. What shows it")
    assert [row[0] for row in shown if not list(references(row[-1]))] == []
    assert {int(number) for row in shown for number in re.findall(r"\d+", row[0])} == set(SECTIONS)


def test_a_reference_that_leads_nowhere_is_found() -> None:
    here, this = "test_docs.py", "test_a_reference_that_leads_nowhere_is_found"
    good = f"| a | `{here}::{this}`, `::test_each_test_that_a_document_names_exists` |"
    assert len(list(references(good))) == 2
    assert missing(good) == []
    assert missing(f"`{here}::test_that_never_was`") == [f"{here}::test_that_never_was"]
    assert missing("`nowhere/test_a.py::test_b`") == ["nowhere/test_a.py::test_b"]
    assert missing(f"- `{here}::missing`\n- `::test_each_test_that_a_document_names_exists`") == [
        "::test_each_test_that_a_document_names_exists"
    ], "another item is another place"
