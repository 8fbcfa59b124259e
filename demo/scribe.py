"""Writes down what people type and what they see, as Markdown.

What each run draws anew (ids, codes, keys' words, times) is written as something that stands for it, the same in every
run; all else is as it was printed. So the page can be compared with a new run, line by line.
"""

import re
import subprocess
from typing import Final

from demo.people import COMMAND_S, MESH, PYTHON, Person, StoryError

_CODE: Final = re.compile(r"mesh1[0-9a-z]{20,}(?:#\S*)?")
_URI: Final = re.compile(r"mesh://\S+|mesh:mesh1\S+")
_ID: Final = re.compile(r"\b[0-9a-f]{8}(?:[0-9a-f]{8,56})?\b")  # one in 2,500 has no digit; no word of ours is one
_DAY: Final = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_MONTH: Final = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DATE: Final = re.compile(rf"(?:{_DAY} )?\b\d{{1,2}} {_MONTH}(?: \d{{4}})?\b")
_ISO: Final = re.compile(r"\b20\d\d-\d\d-\d\d(?:T[\d:.]+(?:Z|\+00:00))?")
_CLOCK: Final = re.compile(r"\b[0-2]\d:[0-5]\d\b")
_HOLDERS: Final = re.compile(r"sent · .*? · reached \d+ of (\d+)")  # who was first, and how far it has come by then
_SHORT: Final = 8


class Scribe:
    """The page so far. What was typed with `types` stands in it, with all that was printed."""

    def __init__(self) -> None:
        self._page: list[str] = []
        self._names: dict[str, str] = {}  # what a run draws -> what stands for it
        self._ids: dict[str, str] = {}
        self.typed = 0

    def heading(self, text: str) -> None:
        """Begin a part."""
        self._page.append(f"## {text}\n")

    def tell(self, text: str) -> None:
        """Say in our own words what happens."""
        self._page.append(" ".join(text.split()) + "\n")

    def stands_for(self, drawn: str, name: str) -> None:
        """Let something that this run drew (a word, a number) be written as a name, also where it stands already."""
        self._names[drawn] = name
        self._page = [part.replace(drawn, name) for part in self._page]

    def types(self, person: Person, *words: str, given: str = "", exit: int = 0) -> str:
        """Let somebody type a command; return what they see. StoryError if it ends with another status."""
        process = subprocess.Popen(
            [*PYTHON, MESH, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**person.environment(), "PYTHONUNBUFFERED": "1"},
            text=True,
        )
        try:
            seen, _ = process.communicate(given, timeout=COMMAND_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise StoryError(f"{person.name}: mesh {' '.join(words)} hung") from None
        if process.returncode != exit:
            raise StoryError(f"{person.name}: mesh {' '.join(words)} ended with {process.returncode}: {seen}")
        self.typed += 1
        line = f"{person.name}$ mesh {' '.join(map(_quoted, words))}"
        told = [line, *([f"{given.rstrip()}"] if given.strip() else []), *seen.rstrip().splitlines()]
        self._page.append("```\n" + "\n".join(self.lasting(each) for each in told) + "\n```\n")
        return seen

    def shows(self, text: str) -> None:
        """Show what stands in a file."""
        lines = [self.lasting(line) for line in text.rstrip().splitlines()]
        self._page.append("````\n" + "\n".join(lines) + "\n````\n")

    def lasting(self, line: str) -> str:
        """Write what a run draws as what stands for it."""
        for drawn, name in self._names.items():
            line = line.replace(drawn, name)
        line = _HOLDERS.sub(r"sent · … · reached … of \1", line)
        line = _URI.sub("mesh:mesh1…", line)
        line = _CODE.sub("mesh1…#…", line)
        line = _ID.sub(self._id, line)
        line = _DATE.sub("Tue 24 Nov", line)
        line = _ISO.sub(lambda found: found[0] if found[0] in self._names.values() else "2026-11-24", line)
        return _CLOCK.sub("19:00", line).rstrip()

    def _id(self, found: "re.Match[str]") -> str:
        short = found[0][:_SHORT]
        return self._ids.setdefault(short, f"{0x1D000000 + 0x1111 * (len(self._ids) + 1):08x}")

    @property
    def page(self) -> str:
        """The whole page."""
        return "\n".join(self._page)


def _quoted(word: str) -> str:
    """Write a word of a command as one would type it."""
    return word if re.fullmatch(r"[\w./:@+-]+", word) else '"' + word.replace('"', '\\"') + '"'
