"""What is worked out once for all nodes of a process: pure functions of the cryptography, whose inputs are the same.

Twenty nodes verify one signature twenty times; the outcome is the same each time. Only what is a function of its
arguments alone, and only what succeeds, is remembered. A run gives the same digest with it and without
(`tests/simulations/test_sweep.py`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Final

from mesh.crypto import keys

PURE: Final = ("crypto_sign_open", "crypto_sign")  # Ed25519 is deterministic (RFC 8032 §5.1.6)
REMEMBERED_MAX: Final = 20_000  # of each; together some 200 MB once full, after 250 runs of a sweep (measured)


def remember() -> None:
    """Remember what these functions give, from now on and for this process: one that simulates and nothing else."""
    for name in PURE:
        if not hasattr(getattr(keys, name), "cache_info"):
            setattr(keys, name, lru_cache(maxsize=REMEMBERED_MAX)(getattr(keys, name)))


@contextmanager
def remembering() -> Iterator[None]:
    """Remember for as long as this lasts."""
    before = {name: getattr(keys, name) for name in PURE}
    remember()
    try:
        yield
    finally:
        for name, function in before.items():
            setattr(keys, name, function)
