"""`make words`: write what the source says into `mesh.pot`, and take it into each language's catalogue.

A translation that is there stays; one whose English nobody says any more goes (git remembers it). A string stands once,
with the files that say it and no line numbers, so that a catalogue changes when words do, and not when lines move.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from cli.po import Entry, read_po
from cli.words import LOCALES
from tests.words.extract import String, extracted, our_modules
from tests.words.pages import page_strings

POT: Final = LOCALES / "mesh.pot"
HEADER: Final = (
    '# Support Mesh: every sentence of its own. Made by `make words`; not to be changed by hand.\nmsgid ""\nmsgstr ""\n'
    '"Content-Type: text/plain; charset=UTF-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n'
)


def all_strings() -> set[String]:
    """Give everything that the source says."""
    return extracted(our_modules()).strings | set(page_strings())


def places(strings: Iterable[String]) -> dict[tuple[str, str], list[str]]:
    """Give, for each string, the files that say it; strings in the order of their first file."""
    found: dict[tuple[str, str], list[str]] = {}
    for string in sorted(strings):
        paths = found.setdefault((string.one, string.many), [])
        if string.path not in paths:
            paths.append(string.path)
    return found


def written(header: str, strings: Iterable[String], known: Mapping[tuple[str, str], Entry]) -> str:
    """Write a catalogue: its header as it is, then each string with what is known of it."""
    blocks = [header.rstrip("\n")]
    for (one, many), paths in places(strings).items():
        entry = known.get((one, many), Entry())
        blocks.append("\n".join((f"#: {' '.join(paths)}", *_lines(one, many, entry))))
    return "\n\n".join(blocks) + "\n"


def _lines(one: str, many: str, entry: Entry) -> Iterator[str]:
    if entry.fuzzy:
        yield "#, fuzzy"
    yield f"msgid {quoted(one)}"
    if not many:
        yield f"msgstr {quoted(entry.told.get(0, ''))}"
        return
    yield f"msgid_plural {quoted(many)}"
    yield from (f"msgstr[{form}] {quoted(entry.told.get(form, ''))}" for form in range(max(2, len(entry.told))))


def quoted(text: str) -> str:
    """Write a text as a catalogue does, which for ours is as JSON does."""
    return json.dumps(text, ensure_ascii=False)


def known_in(text: str) -> dict[tuple[str, str], Entry]:
    """Give the entries of a catalogue by what they translate."""
    return {(entry.one, entry.many): entry for entry in read_po(text) if entry.one}


def catalogues(strings: Iterable[String]) -> dict[Path, str]:
    """Give each file of the catalogue as it should be."""
    strings = list(strings)
    made = {POT: written(HEADER, strings, {})}
    for path in sorted(LOCALES.glob("*/LC_MESSAGES/mesh.po")):
        text = path.read_text(encoding="utf-8")
        made[path] = written(text.partition("\n\n")[0], strings, known_in(text))
    return made


def main() -> int:
    """Write the files anew, and say how many strings there are."""
    strings = all_strings()
    for path, text in catalogues(strings).items():
        path.write_text(text, encoding="utf-8")
        done = sum(entry.done for entry in known_in(text).values())
        print(f"{path.relative_to(LOCALES)}: {len(places(strings))} strings, {done} translated")
    return 0


if __name__ == "__main__":
    sys.exit(main())
