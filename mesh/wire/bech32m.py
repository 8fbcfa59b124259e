"""bech32m (BIP-350): text that people can copy, with a checksum that finds every slip of up to four characters.

An error-detecting code, not cryptography. Errors name the kind of slip, because "invalid code" helps nobody.
"""

from string import ascii_lowercase, ascii_uppercase
from typing import Final

from mesh.errors import LocalError
from mesh.phrases import Words, own, phrase

_ALPHABET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES: Final = {character: value for value, character in enumerate(_ALPHABET)}
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CONSTANT: Final = 0x2BC830A3  # BIP-350
_CHECKSUM_CHARACTERS: Final = 6
_TO_LOWER: Final = str.maketrans(ascii_uppercase, ascii_lowercase)
_TO_UPPER: Final = str.maketrans(ascii_lowercase, ascii_uppercase)


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        check = _step(check) ^ value
    return check


def _step(check: int) -> int:
    top = check >> 25
    check = (check & 0x1FFFFFF) << 5
    for bit, factor in enumerate(_GENERATOR):
        if top >> bit & 1:
            check ^= factor
    return check


def _expand(prefix: str) -> list[int]:
    return [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]


def encode(prefix: str, data: bytes) -> str:
    """Return `prefix`1… in lower case."""
    values = _regroup(list(data), 8, 5)
    check = _polymod(_expand(prefix) + values + [0] * _CHECKSUM_CHARACTERS) ^ _CONSTANT
    tail = [check >> 5 * (5 - k) & 31 for k in range(_CHECKSUM_CHARACTERS)]
    return prefix + "1" + "".join(_ALPHABET[v] for v in values + tail)


def decode(prefix: str, text: str, *, characters: int) -> bytes:
    """Return the bytes of a code of exactly so many characters; LocalError that names the slip."""
    code = text.translate(_TO_LOWER)  # ASCII alone: elsewhere two characters can share one small letter
    if not code.startswith(prefix + "1"):
        raise _slip(
            phrase("it does not begin with “{prefix}1”", prefix=prefix),
            "check that this is the code that you were given",
        )
    if code != text and text.translate(_TO_UPPER) != text:
        raise _slip("it mixes capital and small letters", "type it all in one case, or paste it again")
    for place, character in enumerate(code[len(prefix) + 1 :], start=len(prefix) + 2):
        if character not in _VALUES:
            raise _slip(
                phrase("character {place}, “{typed}”, is never part of a code", place=place, typed=_shown(character)),
                "the characters 1, b, i and o are not used after the first 1; you may have read 0, 6, j or l",
            )
    if len(code) != characters:
        has, full = len(code), characters
        raise _slip(
            phrase("it is cut short: {has} of {full} characters", has=has, full=full)
            if has < full
            else phrase("it is too long: {has} of {full} characters", has=has, full=full),
            "copy the whole code again",
        )
    values = [_VALUES[c] for c in code[len(prefix) + 1 :]]
    if len(values) < _CHECKSUM_CHARACTERS or _polymod(_expand(prefix) + values) != _CONSTANT:
        raise _slip(_likely_slip(prefix, values), "compare it with the original, or ask to have it sent again")
    return bytes(_regroup(values[:-_CHECKSUM_CHARACTERS], 5, 8))


def _shown(character: str) -> str:
    """Return a character as a screen may show it."""
    return character if character.isprintable() else f"U+{ord(character):04X}"


def _likely_slip(prefix: str, values: list[int]) -> Words:
    """Say where a single wrong or swapped character must be, where exactly one place explains the checksum.

    The checksum is linear: a difference d at place k adds the same to it, whatever stands elsewhere.
    """
    off = _polymod(_expand(prefix) + values) ^ _CONSTANT
    added: list[list[int]] = []  # by place, the last one first; by difference
    differences = list(range(32))
    for _ in values:
        added.append(differences)
        differences = [_step(difference) for difference in differences]
    added.reverse()
    for k in range(len(values) - 1):
        apart = values[k] ^ values[k + 1]
        if apart and added[k][apart] ^ added[k + 1][apart] == off:
            place = len(prefix) + 2 + k
            return phrase("characters {first} and {second} seem to be swapped", first=place, second=place + 1)
    places = [k for k, effects in enumerate(added) if off in effects]
    if len(places) == 1:
        return phrase("character {place} seems to be wrong", place=len(prefix) + 2 + places[0])
    return "more than one character is wrong"


def _slip(what: Words, do: str) -> LocalError:
    return LocalError(
        phrase("that code was mistyped: {what}", what=own(what)),
        why="a code with a slip in it would lead to nobody",
        do=do,
        code="E-CODE",
    )


def _regroup(values: list[int], width: int, new_width: int) -> list[int]:
    gathered, count, out = 0, 0, []
    for value in values:
        gathered, count = gathered << width | value, count + width
        while count >= new_width:
            count -= new_width
            out.append(gathered >> count & ((1 << new_width) - 1))
    if new_width == 5 and count:
        out.append(gathered << (5 - count) & 31)
    elif new_width == 8 and (count >= 5 or gathered & ((1 << count) - 1)):
        raise _slip("its last characters do not fit together", "copy the whole code again")
    return out
