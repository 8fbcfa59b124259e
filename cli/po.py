"""Catalogues as translators write them (.po), and as the standard library's gettext reads them (.mo). Pure.

gettext has a reader for .mo alone, and a tool that makes one of a .po is not everywhere. Both forms are small: a .po
is keywords before quoted strings, which JSON can read; a .mo is two tables of lengths and places, and the strings. What
is marked `fuzzy`, or has no translation yet, is left out: then the English is shown. Left out: contexts (msgctxt).

Source: GNU gettext manual, "The Format of PO Files" and "The Format of GNU MO Files".
"""

import json
import re
import struct
from dataclasses import dataclass, field
from typing import Final

MAGIC: Final = 0x950412DE
_LINE: Final = re.compile(r'(?:(msgid_plural|msgid|msgstr(?:\[([0-9])\])?) )?(".*")')


@dataclass(slots=True)
class Entry:
    """One string: its English, its English for many where it counts, its translations, and whether it is in doubt."""

    one: str = ""
    many: str = ""
    told: dict[int, str] = field(default_factory=dict)
    fuzzy: bool = False

    @property
    def done(self) -> bool:
        """Say whether it can be shown."""
        return not self.fuzzy and bool(self.told) and all(self.told.values())


def read_po(text: str) -> list[Entry]:
    """Read a catalogue; the first entry, whose English is empty, is its header. ValueError for a line that is none."""
    entries: list[Entry] = []
    entry, part = Entry(), ""
    for line in text.splitlines():
        if line.startswith("#~") or not line.strip():
            continue
        if line.startswith("#"):
            if part != "#":  # what follows belongs to the next
                entry, part = Entry(), "#"
            entry.fuzzy = entry.fuzzy or (line.startswith("#,") and "fuzzy" in line)
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:
            raise ValueError(f"no line of a catalogue: {line[:60]}")
        if found[1] == "msgid":
            entry = entry if part == "#" else Entry()
            entries.append(entry)
        part = found[1] or part
        _add(entry, part, json.loads(found[3]))
    return entries


def _add(entry: Entry, part: str, text: str) -> None:
    if part == "msgid":
        entry.one += text
    elif part == "msgid_plural":
        entry.many += text
    else:
        form = int(part[7]) if "[" in part else 0
        entry.told[form] = entry.told.get(form, "") + text


def as_mo(entries: list[Entry]) -> bytes:
    """Write what can be shown as a .mo."""
    pairs = sorted(
        (
            (f"{entry.one}\0{entry.many}" if entry.many else entry.one).encode(),
            "\0".join(told for _, told in sorted(entry.told.items())).encode(),
        )
        for entry in entries
        if entry.done
    )
    count, head = len(pairs), 28
    place = head + 16 * count
    tables: list[list[int]] = [[], []]
    texts = b""
    for side in (0, 1):
        for pair in pairs:
            tables[side] += [len(pair[side]), place + len(texts)]
            texts += pair[side] + b"\0"
    return (
        struct.pack(f"<7I{4 * count}I", MAGIC, 0, count, head, head + 8 * count, 0, place, *tables[0], *tables[1])
        + texts
    )
