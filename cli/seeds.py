"""Seeds as they are typed: `0..20` are twenty, from 0 to 19."""

from typing import Final

from mesh.errors import LocalError
from mesh.phrases import phrase

SEEDS_MAX: Final = 1_000_000
DIGITS_MAX: Final = 18  # below 2**63, which every reader of JSON takes for a whole number


def read_seeds(typed: str) -> range:
    """Read a range of seeds; LocalError for what is none, for an empty one and for more than a million."""
    first, dots, last = typed.partition("..")
    numbers = [int(part) for part in (first, last) if part.isdecimal() and len(part) <= DIGITS_MAX]
    if not dots or len(numbers) != 2 or numbers[1] - numbers[0] not in range(1, SEEDS_MAX + 1):
        raise LocalError(phrase("“{typed}” is no range of seeds, as 0..20 is.", typed=typed[:40]), code="E-USAGE")
    return range(*numbers)
