"""Sizes as people type and read them: `500K 200M 1G`, powers of 1,024, each with its unit, so none is guessed."""

import re
from typing import Final

from mesh.errors import LocalError
from mesh.phrases import phrase

UNITS: Final = {"K": 2**10, "M": 2**20, "G": 2**30}
SIZE_MAX: Final = 2**40  # what a keeper may keep at most


class SizeWrong(LocalError):
    """That is no size; write a number and K, M or G, like 500K, 200M or 1G."""

    code = "E-SIZE"


def parse_size(text: str) -> int:
    """Read a size as bytes; SizeWrong for anything but digits and one unit."""
    match = re.fullmatch(r"([0-9]{1,12})([KMG])(?:I?B)?", text.strip().upper())
    size = int(match[1]) * UNITS[match[2]] if match else -1
    if not 0 < size <= SIZE_MAX:
        raise SizeWrong(
            phrase("“{typed}” is no size.", typed=text[:40]), do="Write a number and K, M or G: 500K, 200M, 1G."
        )
    return size


def format_size(size: int) -> str:
    """Write bytes with one digit after the point at most, in the largest unit of which there is one: `1.5 MiB`."""
    for unit, factor in sorted(UNITS.items(), key=lambda entry: -entry[1]):
        if size >= factor:
            return f"{size / factor:.1f}".removesuffix(".0") + f" {unit}iB"
    return f"{size} B"
