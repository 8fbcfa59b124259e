"""BLAKE2b says what RFC 7693 says, and no two things that are hashed for different reasons can meet."""

import ast
import json
from hashlib import blake2b
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import crypto_generichash_blake2b_salt_personal

from mesh.crypto.hashes import h, kdf

ROOT = Path(__file__).parents[2]
STANDARDS = json.loads((ROOT / "tests/vectors/standards.json").read_text())
LABELS = st.binary(min_size=1, max_size=16)


def self_test_bytes(length: int, seed: int) -> bytes:
    """The deterministic sequence of RFC 7693, appendix E."""
    a, b, out = (0xDEAD4BAD * seed) & 0xFFFFFFFF, 1, bytearray()
    for _ in range(length):
        a, b = b, (a + b) & 0xFFFFFFFF
        out.append(b >> 24)
    return bytes(out)


def test_the_hash_of_abc_is_that_of_rfc_7693() -> None:
    assert blake2b(b"abc").hexdigest() == STANDARDS["blake2b_abc"]["hash"]


def test_the_self_test_of_rfc_7693_passes() -> None:
    grand = blake2b(digest_size=32)
    for size in (20, 32, 48, 64):
        for length in (0, 3, 128, 129, 255, 1024):
            data = self_test_bytes(length, length)
            grand.update(blake2b(data, digest_size=size).digest())
            grand.update(blake2b(data, digest_size=size, key=self_test_bytes(size, size)).digest())
    assert grand.hexdigest() == STANDARDS["blake2b_self_test"]["hash"]


@given(LABELS, st.lists(st.binary(max_size=64), max_size=4))
def test_h_is_blake2b_as_libsodium_has_it(label: bytes, parts: list[bytes]) -> None:
    told_apart = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    assert h(label, *parts) == crypto_generichash_blake2b_salt_personal(told_apart, digest_size=32, person=label)


@given(st.binary(min_size=1, max_size=64), LABELS, st.binary(max_size=64))
def test_kdf_is_keyed_blake2b_as_libsodium_has_it(key: bytes, label: bytes, context: bytes) -> None:
    expected = crypto_generichash_blake2b_salt_personal(context, digest_size=32, key=key, person=label)
    assert kdf(key, label, context) == expected


def test_parts_do_not_run_into_each_other() -> None:
    assert len({h(b"x", b"ab", b"c"), h(b"x", b"a", b"bc"), h(b"x", b"abc"), h(b"x", b"abc", b""), h(b"x")}) == 5


def test_a_label_that_does_not_fit_is_a_bug() -> None:
    with pytest.raises(ValueError, match="person"):
        h(b"mesh1/seventeen-b")


def labels_of(name: str) -> list[bytes]:
    """Every label that stands in a call of `h` or `kdf` in the shipped source."""
    found = []
    for path in sorted((ROOT / "mesh").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                place = node.args[0 if name == "h" else 1]
                if isinstance(place, ast.Constant) and isinstance(place.value, bytes):
                    found.append(place.value)
    return found


@pytest.mark.parametrize("name", ["h", "kdf"])
def test_each_label_has_one_use(name: str) -> None:
    labels = labels_of(name)
    assert len(labels) > 10  # the search still finds them
    assert sorted(labels) == sorted(set(labels))
    assert all(label.startswith(b"mesh1/") and label.isascii() and len(label) <= 16 for label in labels)
