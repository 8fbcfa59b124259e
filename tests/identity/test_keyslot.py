"""A keyslot told apart: the right passphrase, a wrong one, a damaged file, a hostile one, a newer one."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.crypto.hashes import h
from mesh.errors import Exit, LockedError
from mesh.identity.keyslot import (
    KEYSLOT_BYTES,
    KeyslotDamaged,
    KeyslotNewer,
    Role,
    keyslot_cost,
    open_keyslot,
    seal_keyslot,
)
from mesh.identity.passphrase import FLOOR, Cost, PassphraseUnfit
from mesh.secret import Secret

VECTOR = json.loads((Path(__file__).parents[1] / "vectors/identity.json").read_text())["keyslot"]
SLOT = bytes.fromhex(VECTOR["slot"])
SECRET = Secret(bytes.fromhex(VECTOR["secret"]))
PASSPHRASE: str = VECTOR["passphrase"]


def mended(data: bytes) -> bytes:
    """Give a slot the checksum that fits, as one would who edits it on purpose."""
    return data[:-16] + h(b"mesh1/slotsum", data[:-16])[:16]


def patched(at: int, new: bytes) -> bytes:
    return SLOT[:at] + new + SLOT[at + len(new) :]


def test_the_known_slot_is_sealed_and_opened() -> None:
    sealed = seal_keyslot(
        SECRET,
        PASSPHRASE,
        role=Role.STORE,
        cost=FLOOR,
        salt=bytes.fromhex(VECTOR["salt"]),
        nonce=bytes.fromhex(VECTOR["nonce"]),
    )
    assert sealed == SLOT
    assert len(sealed) == KEYSLOT_BYTES
    assert open_keyslot(SLOT, PASSPHRASE, role=Role.STORE) == SECRET
    assert keyslot_cost(SLOT, role=Role.STORE) == FLOOR
    assert SECRET.reveal() not in SLOT


def test_another_keyboard_opens_it_too() -> None:
    assert open_keyslot(SLOT, "Wren’s nest – five eggs", role=Role.STORE) == SECRET


@pytest.mark.parametrize("wrong", [PASSPHRASE.lower(), PASSPHRASE + " ", "x"])
def test_a_wrong_passphrase_is_told_as_one(wrong: str) -> None:
    with pytest.raises(LockedError) as caught:
        open_keyslot(SLOT, wrong, role=Role.STORE)
    assert (caught.value.code, caught.value.exit) == ("E-PASSPHRASE", Exit.LOCKED)
    assert wrong not in caught.value.what + caught.value.do


def test_no_passphrase_is_told_as_none() -> None:
    with pytest.raises(PassphraseUnfit) as caught:
        open_keyslot(SLOT, "", role=Role.STORE)
    assert caught.value.exit is Exit.LOCKED


@pytest.mark.parametrize("length", range(KEYSLOT_BYTES))
def test_a_slot_cut_short_is_damaged(length: int) -> None:
    with pytest.raises(KeyslotDamaged) as caught:
        open_keyslot(SLOT[:length], PASSPHRASE, role=Role.STORE)
    assert caught.value.code == "E-KEYSLOT-DAMAGED"


@pytest.mark.parametrize("at", range(KEYSLOT_BYTES))
def test_any_changed_byte_is_damage_and_never_a_wrong_passphrase(at: int) -> None:
    for change in (1, 0x80, 0xFF):
        with pytest.raises(KeyslotDamaged):
            open_keyslot(patched(at, bytes([SLOT[at] ^ change])), PASSPHRASE, role=Role.STORE)


def test_another_length_is_damage_whatever_the_checksum() -> None:
    for data in (SLOT + b"\0", SLOT + SLOT, *(SLOT[:length] for length in range(KEYSLOT_BYTES))):
        for attempt in (data, mended(data)):
            with pytest.raises(KeyslotDamaged):
                keyslot_cost(attempt, role=Role.STORE)


# 4 GiB and 2³² passes, one more than is allowed, one less: none of it is begun, or this would take minutes.
@pytest.mark.parametrize(
    ("passes", "memory_kib"),
    [(0, 65_536), (1, 65_536), (17, 65_536), (2**32 - 1, 65_536), (2, 0), (2, 65_535), (2, 2**20 + 1), (2, 2**32 - 1)],
)
def test_hostile_costs_are_refused_before_any_work(passes: int, memory_kib: int) -> None:
    data = mended(patched(10, passes.to_bytes(4, "big") + memory_kib.to_bytes(4, "big")))
    with pytest.raises(KeyslotDamaged, match="out of bounds"):
        open_keyslot(data, PASSPHRASE, role=Role.STORE)
    with pytest.raises(KeyslotDamaged):
        keyslot_cost(data, role=Role.STORE)


def test_a_newer_slot_is_named_as_newer_whatever_follows() -> None:
    for data in (patched(8, b"\2"), patched(8, b"\xff"), patched(8, b"\2") + bytes(100)):
        with pytest.raises(KeyslotNewer) as caught:
            open_keyslot(mended(data), PASSPHRASE, role=Role.STORE)
        assert caught.value.code == "E-KEYSLOT-NEWER"
        assert "newer version" in caught.value.what
    with pytest.raises(KeyslotDamaged):
        open_keyslot(mended(patched(8, b"\0")), PASSPHRASE, role=Role.STORE)


def test_one_slot_cannot_stand_in_for_the_other() -> None:
    with pytest.raises(KeyslotDamaged, match="another key"):
        open_keyslot(SLOT, PASSPHRASE, role=Role.ROOT)
    for role in (0, 3):
        with pytest.raises(KeyslotDamaged):
            open_keyslot(mended(patched(9, bytes([role]))), PASSPHRASE, role=Role.STORE)
    with pytest.raises(LockedError):  # the role is bound into the commitment
        open_keyslot(mended(patched(9, bytes([Role.ROOT]))), PASSPHRASE, role=Role.ROOT)


@pytest.mark.parametrize("at", [18, 33, 34, 57, 58, 89])
def test_an_edited_header_or_commitment_opens_nothing(at: int) -> None:
    with pytest.raises(LockedError):
        open_keyslot(mended(patched(at, bytes([SLOT[at] ^ 1]))), PASSPHRASE, role=Role.STORE)


@pytest.mark.parametrize("at", [90, 121, 122, 137])
def test_an_edited_secret_is_damage(at: int) -> None:
    with pytest.raises(KeyslotDamaged, match="altered"):
        open_keyslot(mended(patched(at, bytes([SLOT[at] ^ 1]))), PASSPHRASE, role=Role.STORE)


def test_a_dearer_slot_remembers_its_cost() -> None:
    cost = Cost(passes=3, memory_kib=65_537)
    slot = seal_keyslot(SECRET, "x", role=Role.ROOT, cost=cost, salt=bytes(16), nonce=bytes(24))
    assert keyslot_cost(slot, role=Role.ROOT) == cost
    assert open_keyslot(slot, "x", role=Role.ROOT) == SECRET


@given(st.binary(max_size=200))
def test_any_bytes_are_damage_or_newer(data: bytes) -> None:
    for attempt in (data, mended(data), mended(SLOT[:8] + data), mended(SLOT[:9] + data[:100].ljust(100, b"\0"))):
        with pytest.raises((KeyslotDamaged, KeyslotNewer)):
            keyslot_cost(attempt, role=Role.STORE)
