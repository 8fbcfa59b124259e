"""From a passphrase to 32 bytes, slowly on purpose: Argon2id, and how much work it does.

The work is what stands between a stolen file and a guessed passphrase, so it is as much as a person will
wait for: 256 MiB in three passes, about 0.7 s on a laptop. A machine where that takes longer than 1.5 s
gets less, measured once when the identity is made, and never less than the floor. What a file asks for is
bounded from above as well: whoever can write to the disk must not be able to make the machine run out of
memory before the file is judged.

Source: protocol.md §13; Argon2id is RFC 9106, by libsodium, with one lane.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id

from mesh.errors import LockedError, StoreError
from mesh.phrases import phrase
from mesh.secret import Secret

PASSPHRASE_BYTES_MAX: Final = 1024  # of UTF-8 after NFKC; ours
SALT_BYTES: Final = 16  # RFC 9106 §3.1
PASSES_MIN: Final = 2  # protocol.md §13
PASSES_MAX: Final = 16  # ours: with the most memory about 15 s on a laptop
MEMORY_KIB_MIN: Final = 64 * 1024  # protocol.md §13
MEMORY_KIB_MAX: Final = 1024 * 1024  # protocol.md §13
DERIVE_S_MAX: Final = 1.5  # ours: longer feels broken


class PassphraseUnfit(LockedError):
    """A passphrase is at least one character and at most 1,024 bytes of text; choose another."""

    code = "E-PASSPHRASE-FORM"


class MemoryShort(StoreError):
    """There is not enough free memory to work on the passphrase; close other programs and try again."""

    code = "E-MEMORY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """How much work one derivation is: `passes` over `memory_kib` KiB."""

    passes: int
    memory_kib: int

    @property
    def allowed(self) -> bool:
        """Say whether this lies between the floor (64 MiB, 2 passes) and the ceiling (1 GiB, 16 passes)."""
        return PASSES_MIN <= self.passes <= PASSES_MAX and MEMORY_KIB_MIN <= self.memory_kib <= MEMORY_KIB_MAX


FLOOR: Final = Cost(passes=PASSES_MIN, memory_kib=MEMORY_KIB_MIN)
DEFAULT: Final = Cost(passes=3, memory_kib=256 * 1024)  # protocol.md §13
# What `calibrate` chooses from, dearest first. Memory goes last: it is what guessing machines pay most for.
LADDER: Final = (
    DEFAULT,
    Cost(passes=2, memory_kib=256 * 1024),
    Cost(passes=2, memory_kib=192 * 1024),
    Cost(passes=2, memory_kib=128 * 1024),
    Cost(passes=2, memory_kib=96 * 1024),
    FLOOR,
)


def derive(passphrase: str, salt: bytes, cost: Cost) -> Secret:
    """Derive 32 B from a passphrase and 16 B of salt with Argon2id at an allowed `cost`.

    The text is normalised with NFKC (so that the same keys give the same bytes on any keyboard and system)
    and encoded as UTF-8. PassphraseUnfit if that is empty or longer than 1,024 B; MemoryShort if the memory
    cannot be had.
    """
    assert cost.allowed
    assert len(salt) == SALT_BYTES
    text = _encoded(passphrase)
    try:
        key = argon2id.kdf(32, text, salt, opslimit=cost.passes, memlimit=cost.memory_kib * 1024)
    except (CryptoError, MemoryError):
        raise MemoryShort(
            phrase(
                "The passphrase cannot be checked: {mebibytes} MiB of memory are not free.",
                mebibytes=cost.memory_kib // 1024,
            ),
            why="Checking takes that much on purpose, so that guessing is dear.",
            do="Close other programs and try again.",
        ) from None
    return Secret(key)


def calibrate(clock: Callable[[], float]) -> Cost:
    """Choose the dearest cost of `LADDER` that should take at most 1.5 s here; the floor if none does.

    `clock` gives rising seconds. One derivation at the floor is measured (about 0.1 s on a laptop), and the
    others are reckoned from it: the time of Argon2id rises with memory times passes (RFC 9106 §4).
    """
    began = clock()
    derive("calibrate", bytes(SALT_BYTES), FLOOR)
    each = (clock() - began) / _work(FLOOR)
    return next((cost for cost in LADDER if each * _work(cost) <= DERIVE_S_MAX), FLOOR)


def _work(cost: Cost) -> int:
    return cost.passes * cost.memory_kib


def _encoded(passphrase: str) -> bytes:
    try:
        text = unicodedata.normalize("NFKC", passphrase).encode()
    except UnicodeEncodeError:  # lone surrogates: bytes of the terminal that were no text
        raise PassphraseUnfit("The passphrase is not valid text.", do="Type it again, or choose another.") from None
    if not 1 <= len(text) <= PASSPHRASE_BYTES_MAX:
        raise PassphraseUnfit(
            "The passphrase is empty." if not text else "The passphrase is longer than 1,024 bytes.",
            do="Type it again, or choose another.",
        )
    return text
