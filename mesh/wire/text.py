"""Text from people: a limit in bytes and no characters that could drive a terminal or hide what is written."""

import unicodedata
from typing import Final

from mesh.errors import Fault, LocalError, RemoteError

_LINE_BREAKS: Final = "\n\t"
# Marks that reorder or hide what follows (Unicode UAX #9; Boucher & Anderson, "Trojan Source", 2021).
# Direction *marks* (U+200E, U+200F) and zero-width joiners are ordinary writing in several scripts and stay.
_HIDDEN: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff")


def fault_in(value: str, bytes_max: int, *, lines: bool) -> str | None:
    """Return what is wrong with a text, in words, or None. `lines`: line breaks are allowed."""
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        return "holds half a character"
    if size > bytes_max:
        return f"is {size} bytes long; {bytes_max} is the limit"
    for character in value:
        if lines and character in _LINE_BREAKS:
            continue
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or character in _HIDDEN:
            return "holds a control character"
    return None


def require_text(what: str, value: str, bytes_max: int, *, lines: bool = False, empty: bool = False) -> str:
    """Return a person's text, stripped; LocalError if it cannot be used."""
    cleaned = value.replace("\ufeff", "").strip()  # a byte order mark from a pasted file says nothing
    if not cleaned and not empty:
        raise LocalError(f"the {what} is empty", do=f"give the {what} some text", code="E-TEXT")
    fault = fault_in(cleaned, bytes_max, lines=lines)
    if fault is not None:
        raise LocalError(f"the {what} {fault}", do="shorten it, or split it in two", code="E-TEXT")
    return cleaned


def check_text(value: str, bytes_max: int, *, lines: bool = False) -> None:
    """Check a text that a peer sent; RemoteError(MALFORMED)."""
    fault = fault_in(value, bytes_max, lines=lines)
    if fault is not None:
        raise RemoteError(Fault.MALFORMED, f"a text {fault}")
