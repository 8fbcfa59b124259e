"""Text from people: a limit in bytes and no characters that could drive a terminal or hide what is written."""

import re
from typing import Final

from mesh.errors import Fault, LocalError, RemoteError
from mesh.phrases import Words, own, phrase

# All of it is spelled out as code points, and nothing asked of `unicodedata`: its tables grow with each Python, and two
# nodes that disagree about an alias disagree about who is in.
_CONTROLS: Final = "\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
# Marks that reorder or hide what follows (Unicode UAX #9; Boucher & Anderson, "Trojan Source", 2021).
# Direction *marks* (U+200E, U+200F) and zero-width joiners are ordinary writing in several scripts and stay.
_HIDDEN: Final = "\u202a-\u202e\u2060\u2066-\u2069\ufeff"
_FORBIDDEN: Final = re.compile(f"[{_CONTROLS}{_HIDDEN}]")
_FORBIDDEN_IN_LINES: Final = re.compile(f"(?![\n\t])[{_CONTROLS}{_HIDDEN}]")
# Spaces, and characters that show nothing by themselves: a name of these alone could not be told from another.
_BLANK: Final = re.compile(
    "[\t\n \u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u202f\u205f\u2061-\u206f"
    "\u2800\u3000\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]*"
)


def shows_nothing(value: str) -> bool:
    """Say whether a text is made of spaces and characters that show nothing by themselves; also an empty one."""
    return _BLANK.fullmatch(value) is not None


def fault_in(value: str, bytes_max: int, *, lines: bool) -> Words | None:
    """Return what is wrong with a text, in words, or None. `lines`: line breaks are allowed."""
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        return "holds half a character"
    if size > bytes_max:
        return phrase("is {size} bytes long; {most} is the limit", size=size, most=bytes_max)
    plain = value.isascii() and value.isprintable()  # of ASCII alone, so that it asks no table; most texts are
    if not plain and (_FORBIDDEN_IN_LINES if lines else _FORBIDDEN).search(value):
        return "holds a control character"
    if value and shows_nothing(value):
        return "holds nothing that can be seen"
    return None


def require_text(what: str, value: str, bytes_max: int, *, lines: bool = False, empty: bool = False) -> str:
    """Return a person's text, stripped; LocalError if it cannot be used."""
    cleaned = value.replace("\ufeff", "").strip()  # a byte order mark from a pasted file says nothing
    if not cleaned and not empty:
        raise LocalError(
            phrase("the {what} is empty", what=own(what)),
            do=phrase("give the {what} some text", what=own(what)),
            code="E-TEXT",
        )
    fault = fault_in(cleaned, bytes_max, lines=lines)
    if fault is not None:
        raise LocalError(
            phrase("the {what} {how}", what=own(what), how=own(fault)),
            do="shorten it, or split it in two",
            code="E-TEXT",
        )
    return cleaned


def check_text(value: str, bytes_max: int, *, lines: bool = False) -> None:
    """Check a text that a peer sent; RemoteError(MALFORMED)."""
    fault = fault_in(value, bytes_max, lines=lines)
    if fault is not None:
        raise RemoteError(Fault.MALFORMED, f"a text {fault}")
