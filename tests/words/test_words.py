"""The catalogue has what the source says, German where it is said to have it, and no value is ever a template."""

import ast
from collections.abc import Iterator
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path

import pytest

from cli.errors import as_json, said
from cli.po import as_mo, read_po
from cli.words import LOCALES, languages, speak, tell, tell_many, tell_phrase
from mesh.errors import LocalError
from mesh.phrases import PLACE, own, phrase, plural, verbatim
from tests.words.catalogue import catalogues, known_in, places, quoted
from tests.words.extract import Reader, extracted, our_modules
from tests.words.pages import page_strings

GERMAN = {"LANG": "de_AT.UTF-8"}
HOSTILE = ("{group}", "{", "}", "{{name}}", "{name.__class__}", "{name:>99999999}", "%s", "\\1", "\\g<0>", "the topic")


@pytest.fixture(scope="module")
def source() -> Reader:
    return extracted(our_modules())


@pytest.fixture
def german() -> Iterator[None]:
    speak(GERMAN)
    yield
    speak({})


# ---------------------------------------------------------------- the catalogue and the source


def test_every_string_of_the_source_is_in_every_catalogue(source: Reader) -> None:
    strings = source.strings | set(page_strings())
    assert len(places(strings)) > 1800
    for path, text in catalogues(strings).items():
        assert path.read_text(encoding="utf-8") == text, f"run `make words`: {path.name} is not what the source says"


def test_nothing_is_glued_where_words_go_out(source: Reader) -> None:
    assert source.glued == set()


def test_a_place_of_a_template_is_a_name_and_nothing_else(source: Reader) -> None:
    for string in source.strings | set(page_strings()):
        for text in (string.one, string.many):
            assert "{" not in PLACE.sub("", text), string
            assert "}" not in PLACE.sub("", text), string


@pytest.mark.parametrize("language", ["de"])
def test_a_translation_has_the_places_of_its_english(language: str) -> None:
    entries = known_in((LOCALES / language / "LC_MESSAGES" / "mesh.po").read_text(encoding="utf-8"))
    for (one, many), entry in entries.items():
        for form, told in entry.told.items():
            if not told:
                continue
            wanted = set(PLACE.findall(many if many and form else one))
            assert set(PLACE.findall(told)) == wanted, one
            assert "{" not in PLACE.sub("", told), one


def test_german_is_complete(source: Reader) -> None:
    entries = known_in((LOCALES / "de" / "LC_MESSAGES" / "mesh.po").read_text(encoding="utf-8"))
    wanted = places(source.strings | set(page_strings()))
    assert [one for one, many in wanted if not entries[one, many].done] == []
    assert len(wanted) > 3_000


def test_every_language_says_who_read_it() -> None:
    assert languages() == ("de",)
    text = (LOCALES / "de" / "LC_MESSAGES" / "mesh.po").read_text(encoding="utf-8")
    assert "not reviewed by a native speaker" in text.partition("\n\n")[0]


# ---------------------------------------------------------------- the reader of the source


def strings_of(text: str) -> tuple[set[str], set[str]]:
    reader = extracted({**{name: ast.parse("") for name in ("mesh.phrases",)}, "cli.sample": ast.parse(text), **ERRORS})
    return {string.one for string in reader.strings}, reader.glued


ERRORS = {"mesh.errors": ast.parse("class MeshError(Exception): ...\nclass LocalError(MeshError): ...")}
HEAD = "from mesh.errors import LocalError\nfrom mesh.phrases import phrase, own, verbatim\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("raise LocalError('a', why='b', do='c', code='E-X')", {"a", "b", "c"}),
        ("raise LocalError(phrase('no {name}', name=given))", {"no {name}"}),
        ("raise LocalError('a' if x else phrase('b'))", {"a", "b"}),
        ("TEXT = 'a'\ndef f():\n    raise LocalError(TEXT)", {"a"}),
        (
            "T = {1: 'a', 2: ('b', 'c')}\ndef f(x):\n    one, two = T[x]\n    raise LocalError(one, do=two)",
            {"a", "b", "c"},
        ),
        ("def f(what):\n    raise LocalError(phrase('the {what}', what=own(what)))\nf('a')", {"the {what}", "a"}),
        ("def f():\n    return 'a'\ndef g():\n    raise LocalError(f())", {"a"}),
        ("raise LocalError(verbatim(error.what))", set()),
        ("from cli.words import tell\nT = ('a', 'b')\ndef f():\n    return [tell(line) for line in T]", {"a", "b"}),
        ("class Full(LocalError): ...\nraise Full('a')", {"a"}),
    ],
)
def test_words_are_followed_to_where_they_stand(text: str, found: set[str]) -> None:
    assert strings_of(HEAD + text) == (found, set())


GLUED = ("unknown", "f'no {name}'", "'no ' + name", "', '.join(names)", "'no %s' % name", "str(name)")


@pytest.mark.parametrize("glued", GLUED)
def test_glued_words_are_seen(glued: str) -> None:
    assert strings_of(f"{HEAD}raise LocalError({glued})") == (set(), {"cli/sample.py:3"})
    assert strings_of(f"{HEAD}def f(why):\n    raise LocalError('a', why=why)\nf({glued})") == (
        {"a"},
        {"cli/sample.py:5"},
    )


# ---------------------------------------------------------------- the words as they are said


def test_english_is_said_without_a_catalogue() -> None:
    speak({"LC_ALL": "C.UTF-8", "LANG": "de_DE.UTF-8"})
    assert tell("It may mean: {names}", names="wren") == "It may mean: wren"
    assert tell_many("{count} word", "{count} words", count=2) == "2 words"


@pytest.mark.parametrize(
    ("environment", "german"),
    [
        ({"LANG": "de_DE.UTF-8"}, True),
        ({"LANG": "en_GB.UTF-8", "LC_MESSAGES": "de"}, True),
        ({"LANG": "de", "LC_ALL": "C"}, False),
        ({"LANG": "de", "LC_ALL": ""}, True),
        ({"LANG": "xx_YY"}, False),
        ({"LANG": "../../../etc"}, False),
        ({"LANG": "/"}, False),
        ({}, False),
    ],
)
def test_the_language_is_the_one_that_is_asked_for(environment: dict[str, str], german: bool) -> None:
    speak(environment)
    assert (tell("It may mean: {names}", names="wren") == "Gemeint sein kann: wren") is german
    speak({})


@pytest.mark.usefixtures("german")
@pytest.mark.parametrize("name", HOSTILE)
def test_no_value_is_translated_or_read(name: str) -> None:
    error = LocalError(phrase("there is no {thing} “{name}” here", thing=own("group"), name=name), why=verbatim(name))
    lines, told = said(error), as_json(error)["error"]
    assert lines[0] == f"Hier gibt es das nicht: „{name}“ (Gruppe)"
    assert lines[1].strip().casefold().startswith(name.casefold())
    assert isinstance(told, dict)
    assert told["what"] == f"There is no group “{name}” here.", "a script reads one language"


@pytest.mark.usefixtures("german")
def test_what_is_not_translated_is_said_in_english() -> None:
    assert tell("a sentence that nobody has written yet") == "a sentence that nobody has written yet"
    assert tell("") == ""
    assert tell_phrase(plural("{count} lark", "{count} larks", count=1)) == "1 lark"


def test_a_catalogue_is_read_as_gettext_reads_it() -> None:
    text = (
        '# head\nmsgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
        '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
        '#: a.py\nmsgid "two \\"words\\"\\n"\n"in two lines"\nmsgstr "zwei"\n\n'
        '#, fuzzy\nmsgid "in doubt"\nmsgstr "im Zweifel"\n\nmsgid "not yet"\nmsgstr ""\n\n'
        'msgid "{count} word"\nmsgid_plural "{count} words"\nmsgstr[0] "{count} Wort"\nmsgstr[1] "{count} Wörter"\n'
    )
    read = GNUTranslations(BytesIO(as_mo(read_po(text))))
    assert read.gettext('two "words"\nin two lines') == "zwei"
    assert read.gettext("in doubt") == "in doubt"
    assert read.gettext("not yet") == "not yet"
    assert [read.ngettext("{count} word", "{count} words", n) for n in (1, 2)] == ["{count} Wort", "{count} Wörter"]
    with pytest.raises(ValueError, match="no line of a catalogue"):
        read_po("hello")


def test_quoted_is_read_again() -> None:
    for text in ('a "word"', "two\nlines", "„“ \\ {name}", "\t"):
        assert read_po(f"msgid {quoted(text)}\nmsgstr {quoted(text)}")[0].one == text


def test_the_command_speaks_german(tmp_path: Path) -> None:
    from tests.cli.runner import mesh

    ran = mesh("invite", "list", home=tmp_path / "none", env={"LC_ALL": "de_DE.UTF-8"})
    assert "`mesh help E-USAGE` sagt mehr" in ran.err
    assert "says more" in mesh("invite", "list", home=tmp_path / "none").err, "the next run is in its own language"
