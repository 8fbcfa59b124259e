"""Attacks on what lies at rest: a file that was put in a home's place, or in a copy's that is brought back."""

import json
from pathlib import Path

import pytest

from mesh.crypto.hashes import h
from mesh.identity.keyslot import KeyslotDamaged, Role, keyslot_cost
from mesh.identity.passphrase import FLOOR

SLOT = bytes.fromhex(json.loads((Path(__file__).parents[1] / "vectors/identity.json").read_text())["keyslot"]["slot"])


def test_attack_38_hostile_memory_cost() -> None:
    """A slot that would take 4 TiB, or run for weeks, is refused before any of it is begun, whoever wrote its checksum.

    It is all that a home or a copy of one says about the work of opening it.
    """
    assert keyslot_cost(SLOT, role=Role.STORE) == FLOOR
    for passes, memory_kib in ((2, 2**32 - 1), (2, 2**20 + 1), (2**32 - 1, 65_536), (17, 65_536), (2, 1), (0, 0)):
        body = SLOT[:10] + passes.to_bytes(4, "big") + memory_kib.to_bytes(4, "big") + SLOT[18:-16]
        with pytest.raises(KeyslotDamaged, match="out of bounds"):
            keyslot_cost(body + h(b"mesh1/slotsum", body)[:16], role=Role.STORE)
