"""Our own sentences: plain enough to be read on a bad day, and without blame.

The measure is the Flesch–Kincaid grade (Kincaid et al. 1975, "Derivation of New Readability Formulas", Navy Research
Branch Report 8-75): 0.39 words a sentence + 11.8 syllables a word − 15.59. A unit ends at a period, colon, semicolon,
question or exclamation mark, as Flesch counted. It sees length alone; whether a sentence is kind, people judge.
"""

import ast
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from cli import agreements
from cli.app import ABOUT, COMMANDS
from cli.catalogue import CATALOGUE
from cli.po import read_po
from cli.tips import TIPS
from mesh.support.crisis import crisis_card
from tests.words.catalogue import POT

ROOT = Path(__file__).parents[2]
GRADE_MAX = 8.0
LABEL_MAX = 3  # words: what is shorter is a label or a value ("agreement", "United Kingdom"), no sentence
EXEMPT = {
    # sentence -> why it may stand
    "Use listening, experience, advice or resources.": "the names of the modes, as they are typed",
    "For example:": "a heading above what is typed",
}
# What blames: in our own sentences about a member. Labels of warnings and names of organisations are not ours.
BLAMING = re.compile(
    r"\b(faults?|blam\w+|guilt\w*|you failed|fail(ed|s)? to|wrongly|should have|you forgot|you must not|stupid|"
    r"careless|lazy|abus\w+|offen[cds]\w+|attention[- ]seeking|commit(s|ted)? suicide|"
    r"(failed|successful) (attempt|suicide)|addicts?|crazy|insane|liars?|misbehav\w+|bad|victims?|illegal)\b",
    re.IGNORECASE,
)
BLAMELESS = {
    # text -> why it may stand
    "The program met something that it was not made for: a fault in mesh.": "the program's, not a person's",
    "This is a fault in mesh, not in what you did.": "the program's, not a person's",
    "This is a fault in the program, not in what you did.": "the program's, not a person's",
    "an invite with a bad key": "of a key, and said of a node, not to a person",
}


def syllables(word: str) -> int:
    """Count the syllables of an English word by its vowels: near enough for a sum over a sentence."""
    letters = re.sub("[^a-z]", "", word.casefold().removesuffix("'s").removesuffix("’s"))
    groups = len(re.findall("[aeiouy]+", letters))
    silent_e = re.search("[^aeiouyl]e$|[aeiouy]le$", letters)  # made, while; not little
    silent_es = re.search("[^aeiouysxzcgl]es$|[aeiouy]les$", letters) and not re.search("[cs]hes$", letters)
    silent_ed = re.search("[^aeiouytd]ed$", letters)  # asked; not wanted
    return max(1, groups - bool(silent_e or silent_es or silent_ed))


def words(text: str) -> list[str]:
    """Give the words that are ours: what is typed (in backquotes, an option, a number), or put in, counts as short."""
    plain = re.sub(r"`[^`]*`|\{\w+\}|--[a-z][\w-]*|/\S+|\b[A-Z][A-Z_-]+\b|\bE-\S+|\S*\d\S*", "it", text)
    return re.findall(r"[A-Za-z][A-Za-z'’]*", plain)


def grade(text: str) -> float:
    """Return the Flesch–Kincaid grade of a text with at least one word."""
    units = sum(bool(words(unit)) for unit in re.split(r"[.!?;:]+(?=\s|$)", text))
    said = words(text)
    return 0.39 * len(said) / units + 11.8 * sum(map(syllables, said)) / len(said) - 15.59


def sentences(text: str) -> Iterator[str]:
    """Split a text at the ends of its sentences, its paragraphs and its items; what is to be typed is no sentence."""
    typed = re.sub(r"^\s*mesh .*$", "", text, flags=re.MULTILINE)
    for paragraph in re.split(r"\n\s*\n|\n(?=\s*- )", typed):
        yield from (part for part in re.split(r"(?<=[.!?])\s+", " ".join(paragraph.split())) if words(part))


def docstring_texts(text: str) -> Iterator[str]:
    """Give what a docstring says, and of each parameter what it says without its name."""
    said, _, parameters = text.partition("\nParameters\n----------\n")
    yield said
    yield from (part for part in re.split(r"^\S.*$", parameters, flags=re.MULTILINE) if words(part))


def help_texts() -> Iterator[tuple[str, str]]:
    """Give each text of the pages of help, with where it stands."""
    yield "cli/app.py", ABOUT
    for commands in COMMANDS.values():
        yield from ((f"mesh {name}", does) for name, _, does in commands)
    for path in sorted((ROOT / "cli" / "commands").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and "context" in arguments(node):
                yield from (
                    (f"{path.name}:{node.name}", text) for text in docstring_texts(ast.get_docstring(node) or "")
                )
            elif isinstance(node, ast.keyword) and node.arg == "help" and isinstance(node.value, ast.Constant):
                yield path.name, str(node.value.value)


def arguments(node: ast.FunctionDef) -> set[str]:
    """Name the arguments of a function; a command has `context` among those by keyword."""
    return {argument.arg for argument in node.args.kwonlyargs}


def our_sentences() -> list[tuple[str, str]]:
    """Give each sentence of ours, with where it stands."""
    told = [(code, part) for code, entry in CATALOGUE.items() for part in (entry.what, entry.why, entry.do)]
    told += help_texts()
    told += [("tips", line) for line in TIPS]
    told += [("agreements", text) for text in (agreements.template(), agreements.sheet())]
    cards = [crisis_card(country, today=date(2030, 1, 1)) for country in ("GB", "XX", None)]
    told += [("crisis card", line) for card in cards for line in map(str, (card.instead, *card.notice))]
    return [(where, sentence) for where, text in told for sentence in sentences(text)]


def catalogue_sentences() -> list[tuple[str, str]]:
    """Give each sentence of the catalogue but its labels; what the source says is all there (tests/words)."""
    texts = [text for entry in read_po(POT.read_text(encoding="utf-8")) for text in (entry.one, entry.many)]
    return [("mesh.pot", said) for text in texts for said in sentences(text) if len(words(said)) > LABEL_MAX]


SENTENCES = our_sentences()
ALL_SENTENCES = SENTENCES + catalogue_sentences()


def test_there_are_sentences_to_measure() -> None:
    where = " ".join(place for place, _ in SENTENCES)
    assert len(SENTENCES) > 600
    for place in ("E-PASSPHRASE", "E-FILES", "E-STORE", "E-NETWORK", "mesh post", "talk.py:post", "group.py", "tips"):
        assert place in where


def test_each_sentence_can_be_read_at_grade_8() -> None:
    hard = {said: round(grade(said), 1) for _, said in ALL_SENTENCES if grade(said) > GRADE_MAX}
    assert {said: at for said, at in hard.items() if said not in EXEMPT} == {}
    assert EXEMPT.keys() <= hard.keys(), "an exemption that nothing needs any more"


def test_every_string_of_the_catalogue_is_measured_but_labels() -> None:
    measured = {said for _, said in ALL_SENTENCES}
    assert len(measured) > 2_700
    for text in ("that milestone is not yours", "What came without an id is no event.", "newcomers make no codes yet"):
        assert text in measured  # what an error says of the case, in the node, in its Api and in the core
    assert "agreement" not in measured


def test_all_of_them_together_are_far_below() -> None:
    assert grade(" ".join(said for _, said in SENTENCES)) < GRADE_MAX / 2


@pytest.mark.parametrize(
    ("text", "at_least", "at_most"),
    [
        ("The cat sat on the mat.", -2, 0),
        ("Your node is not running, and what you asked for needs it.", 1, 3),
        ("The utilisation of cryptographic authentication necessitates identification.", 20, 60),
        ("Whoever is given a key can open with it all that was said while that key was the one in use" * 2, 12, 20),
    ],
)
def test_the_measure_tells_plain_from_hard(text: str, at_least: float, at_most: float) -> None:
    assert at_least < grade(text) < at_most


@pytest.mark.parametrize(
    ("word", "count"),
    [
        *((word, 1) for word in ("it", "made", "asked", "names", "files", "while", "closed", "used", "there's", "the")),
        *((word, 2) for word in ("wanted", "little", "people", "alone", "needed", "uses", "pages", "changes", "table")),
        *((word, 3) for word in ("listening", "experience", "reachable", "another", "devices")),
        *((word, 4) for word in ("identity", "confirmation", "emergency")),
    ],
)
def test_syllables_are_counted(word: str, count: int) -> None:
    assert syllables(word) == count


def test_what_is_typed_is_no_word_of_ours() -> None:
    assert words("Run `mesh group agreement show` with --passphrase-fd and MESH_HOME, 24 times.") == [
        *("Run", "it", "with", "it", "and", "it", "it", "times")
    ]


# ---------------------------------------------------------------- no blame


def spoken() -> Iterator[tuple[str, str]]:
    """Give each text of three words or more in our code that is no docstring: most of them a person may read."""
    for room in ("cli", "mesh"):
        for path in sorted((ROOT / room).rglob("*.py")):
            tree = ast.parse(path.read_text())
            statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            for node in ast.walk(tree):
                text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
                if len(text.split()) >= 3 and id(node) not in statements:
                    yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}", text


def test_no_sentence_blames() -> None:
    said = [*spoken(), *ALL_SENTENCES]
    assert len(said) > 1500
    blaming = {text: where for where, text in said if BLAMING.search(text)}
    assert {text: where for text, where in blaming.items() if text not in BLAMELESS} == {}
    assert BLAMELESS.keys() <= blaming.keys(), "an exemption that nothing needs any more"


@pytest.mark.parametrize(
    "text", ["It is your fault.", "He committed suicide.", "You forgot it.", "They are an addict."]
)
def test_blame_is_seen(text: str) -> None:
    assert BLAMING.search(text)
