"""bech32m (BIP-350): text that people can copy, with a checksum that finds every slip of up to four characters.

An error-detecting code, not cryptography. Errors name the kind of slip, because "invalid code" helps nobody.
"""

from typing import Final

from mesh.errors import LocalError

_ALPHABET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES: Final = {character: value for value, character in enumerate(_ALPHABET)}
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CONSTANT: Final = 0x2BC830A3  # BIP-350
_CHECKSUM_CHARACTERS: Final = 6


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
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
    code = text
    if code != code.lower() and code != code.upper():
        raise _slip("it mixes capital and small letters", "type it all in one case, or paste it again")
    code = code.lower()
    if not code.startswith(prefix + "1"):
        raise _slip(f"it does not begin with “{prefix}1”", "check that this is a Support Mesh invite code")
    for place, character in enumerate(code[len(prefix) + 1 :], start=len(prefix) + 2):
        if character not in _VALUES:
            raise _slip(
                f"character {place}, “{character}”, is never part of a code",
                "the characters 1, b, i and o are not used after the first 1; you may have read 0, 6, j or l",
            )
    if len(code) != characters:
        kind = "cut short" if len(code) < characters else "too long"
        raise _slip(f"it is {kind}: {len(code)} of {characters} characters", "copy the whole code again")
    values = [_VALUES[c] for c in code[len(prefix) + 1 :]]
    if _polymod(_expand(prefix) + values) != _CONSTANT:
        raise _slip(_likely_slip(prefix, values), "compare it with the original, or ask to have it sent again")
    return bytes(_regroup(values[:-_CHECKSUM_CHARACTERS], 5, 8))


def _likely_slip(prefix: str, values: list[int]) -> str:
    """Say where a single wrong or swapped character must be, where exactly one place explains the checksum."""
    head = _expand(prefix)
    for k in range(len(values) - 1):
        swapped = [*values[:k], values[k + 1], values[k], *values[k + 2 :]]
        if swapped != values and _polymod(head + swapped) == _CONSTANT:
            place = len(prefix) + 2 + k
            return f"characters {place} and {place + 1} seem to be swapped"
    places = {
        k
        for k in range(len(values))
        for value in range(32)
        if value != values[k] and _polymod([*head, *values[:k], value, *values[k + 1 :]]) == _CONSTANT
    }
    if len(places) == 1:
        return f"character {len(prefix) + 2 + places.pop()} seems to be wrong"
    return "more than one character is wrong"


def _slip(what: str, do: str) -> LocalError:
    return LocalError(
        f"that code was mistyped: {what}",
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
