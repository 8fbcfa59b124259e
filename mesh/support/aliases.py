"""Aliases that a person may take for one another: folded, so that those which look alike come out the same.

For showing only. Who belongs never rests on it: the tables of `unicodedata` grow with each Python, so two nodes may
fold differently. It is small on purpose, after UTS #39 ("skeleton"): what it misses is shown as it always was; where it
says too much, an id stands beside a name and does no harm.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from mesh.wire.text import shows_nothing

# Greek capitals look like other letters than their small ones, and come first.
_CAPITALS: Final = str.maketrans(dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX", strict=True)))
# Then capitals fold to small letters, so В (Cyrillic) is met as в: it is the capital that looks like a B.
_LOOKS_LIKE: Final = str.maketrans(
    {
        **dict(zip("0135|!$@", "oiesiisa", strict=True)),
        "l": "i",
        **dict(zip("авсенікјморѕтухѵԁԛԝгѐё", "abcehikjmopstyxvdqwree", strict=True)),  # Cyrillic is meant
        **dict(zip("ӏһүҽ", "ihye", strict=True)),  # and so are these
        **dict(zip("αβγεηικμνορτυχωϲϳ", "abyenikuvoptuxwcj", strict=True)),  # Greek is meant
        **dict(zip("օսհոց", "ouhng", strict=True)),  # Armenian is meant
        **dict(zip("ıɡɑℓ", "igai", strict=True)),  # they are meant
    }
)
_SIGNS: Final = "!@"  # punctuation that is written for a letter
_PAIRS: Final = (("rn", "m"), ("vv", "w"))
_ACCENTS: Final = range(0x300, 0x370)  # on Latin, Greek and Cyrillic letters; the vowel signs of other scripts stay
_ID_AT_END: Final = re.compile(r"\(\s*[0-9a-f]+[.\s]*\)\s*$")  # an alias may not pass itself off as one with its id
OURS: Final = ("you", "yours", "someone who left", "du", "ihr", "Sie")  # what the program says in place of a name
_FOLDS_KEPT: Final = 4096


@lru_cache(maxsize=_FOLDS_KEPT)
def folded(alias: str) -> str:
    """Return what two aliases that look alike have in common; never empty unless the alias is."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", alias).translate(_CAPITALS)).casefold()
    letters = unicodedata.normalize("NFKD", _ID_AT_END.sub("", plain) or plain)
    kept = "".join(c for c in letters if _counts(c))
    skeleton = (kept or plain).translate(_LOOKS_LIKE)
    for pair, one in _PAIRS:
        skeleton = skeleton.replace(pair, one)
    return skeleton


def _counts(character: str) -> bool:
    """Say whether a character tells names apart: letters, digits, signs, and marks that stand for a letter."""
    sign = character in _SIGNS or unicodedata.category(character)[0] in "LNMS"
    return sign and ord(character) not in _ACCENTS and not shows_nothing(character)


def look_alike(one: str, other: str) -> bool:
    """Say whether a person may take one alias for the other."""
    return folded(one) == folded(other)


def any_like(alias: str, others: Iterable[str]) -> bool:
    """Say whether one of these looks like an alias."""
    wanted = folded(alias)
    return any(folded(other) == wanted for other in others)
