"""Alice and Bob compare digits; Carol, between them, changes them."""

import json
from collections import Counter
from itertools import permutations
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mesh.identity.fingerprints import group_words, safety_number, state_hash
from mesh.identity.words import word_list
from mesh.ids import GroupId, MemberPk, OpId

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/identity.json").read_text())
GROUP = GroupId(bytes.fromhex(VECTORS["safety"]["gid"]))
MEMBERS = [MemberPk(bytes.fromhex(member)) for member in VECTORS["safety"]["members"]]

HEADS = [OpId(bytes.fromhex(head)) for head in VECTORS["state"]["heads"]]


def test_the_number_is_the_known_one_in_any_order() -> None:
    assert {safety_number(GROUP, order) for order in permutations(MEMBERS)} == {VECTORS["safety"]["number"]}
    assert safety_number(GROUP, iter([*MEMBERS, MEMBERS[0]])) == VECTORS["safety"]["number"]


@given(st.binary(min_size=32, max_size=32), st.sets(st.binary(min_size=32, max_size=32), min_size=1, max_size=5))
def test_the_number_has_twelve_groups_of_five_digits(gid: bytes, keys: set[bytes]) -> None:
    groups = safety_number(GroupId(gid), map(MemberPk, keys)).split(" ")
    assert len(groups) == 12
    assert all(len(group) == 5 and group.isascii() and group.isdigit() for group in groups)


def test_another_group_or_another_key_gives_other_digits() -> None:
    alice, bob, carol = MEMBERS
    numbers = {
        safety_number(GROUP, [alice, bob]),
        safety_number(GROUP, [alice, carol]),
        safety_number(GROUP, [bob, carol]),
        safety_number(GROUP, MEMBERS),
        safety_number(GroupId(bytes(32)), [alice, bob]),
    }
    assert len(numbers) == 5


def test_leading_digits_are_as_likely_as_others() -> None:
    firsts = Counter(safety_number(GROUP, [MemberPk(n.to_bytes(32, "big"))])[0] for n in range(2000))
    assert set(firsts) == set("0123456789")
    assert min(firsts.values()) > 130


def test_the_state_is_the_known_one_in_any_order() -> None:
    found = {state_hash(GROUP, order, heads) for order in permutations(MEMBERS) for heads in permutations(HEADS)}
    assert {state.hex() for state in found} == {VECTORS["state"]["hash"]}


def test_another_group_member_or_operation_is_another_state() -> None:
    """A member key and a head are of one length, and no list can be read as the other."""
    alice, bob, carol = MEMBERS
    states = {
        state_hash(GROUP, [alice, bob], HEADS),
        state_hash(GROUP, [alice, carol], HEADS),
        state_hash(GROUP, MEMBERS, HEADS),
        state_hash(GROUP, MEMBERS, HEADS[:1]),
        state_hash(GroupId(bytes(32)), MEMBERS, HEADS),
        state_hash(GROUP, [alice], [OpId(bob), OpId(carol)]),
        state_hash(GROUP, [alice, bob], [OpId(carol)]),
        state_hash(GROUP, MEMBERS, []),
    }
    assert len(states) == 8


def test_a_group_has_six_words() -> None:
    vector = VECTORS["group_words"]
    assert group_words(GroupId(bytes.fromhex(vector["gid"]))) == tuple(vector["words"])


def test_the_words_are_the_first_66_bits_and_no_more() -> None:
    assert group_words(GroupId(bytes(32))) == ("abandon",) * 6
    assert group_words(GroupId(b"\xff" * 32)) == ("zoo",) * 6
    assert group_words(GroupId(b"\xff" * 8 + b"\xc0" + bytes(23))) == ("zoo",) * 6
    assert group_words(GroupId(bytes(8) + b"\x40" + bytes(23)))[5] == word_list()[1]
    assert group_words(GroupId(bytes(8) + b"\x3f" + b"\xff" * 23)) == ("abandon",) * 6
