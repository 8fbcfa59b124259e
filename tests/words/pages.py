"""What the pages of help say: docstrings of commands by paragraph, their parameters, and the lists of commands.

A page is made by cyclopts from where it stands and told by `cli/layout.py` on its way out, so no call in the source
names these texts. `tests/words/test_pages.py` shows each page and finds what is missing here.
"""

import ast
from collections.abc import Iterator
from typing import Final

from cli.app import ABOUT, COMMANDS
from cli.layout import units
from tests.words.extract import ROOT, String

APP: Final = "cli/app.py"
PARAMETERS: Final = "\nParameters\n----------\n"


def page_strings() -> Iterator[String]:
    """Give each text of the pages of help."""
    for title, commands in COMMANDS.items():
        yield String(APP, title)
        yield from (String(APP, does) for _, _, does in commands)
    yield from (String(APP, text) for text in said_of(ABOUT))
    yield String(APP, "Everywhere")
    for path in (ROOT / APP, *sorted((ROOT / "cli" / "commands").glob("*.py"))):
        shown = str(path.relative_to(ROOT))
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and _is_command(node, shown):
                yield from (String(shown, text) for text in docstring_texts(ast.get_docstring(node) or ""))
            elif isinstance(node, ast.keyword) and node.arg == "help" and isinstance(node.value, ast.Constant):
                yield String(shown, str(node.value.value))


def _is_command(node: ast.FunctionDef, path: str) -> bool:
    """Say whether a function has a page: a command has `context` by keyword; `run` has the flags of all."""
    has_context = "context" in {argument.arg for argument in node.args.kwonlyargs}
    return (path == APP and node.name == "run") or (has_context and not node.name.startswith("_"))


def docstring_texts(text: str) -> Iterator[str]:
    """Give what a docstring says: each paragraph or item, and what each parameter is."""
    said, _, parameters = text.partition(PARAMETERS)
    yield from said_of(said)
    held: list[str] = []
    for line in (*parameters.splitlines(), "end"):
        if line.startswith(" "):
            held.append(line)
        elif line:
            if held:
                yield " ".join(" ".join(held).split())
            held = []


def said_of(text: str) -> Iterator[str]:
    """Give what `cli/layout.py` tells of a text, paragraph by paragraph; what is to be typed is not told."""
    for paragraph in text.strip().split("\n\n"):
        for unit in units(paragraph) if paragraph.strip() else []:
            if not unit.startswith("mesh "):
                yield unit.removeprefix("- ")
