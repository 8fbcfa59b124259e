"""What two people compare over another channel: digits for who is here, words for which group this is, a hash of both.

A safety number holds a group's id and the member keys of those who compare; if their numbers agree, nobody
has put another key between them. The group's words say that two people look at the same group, before
either is a member. A state hash says that two nodes hold the same operations and draw the same members from them.

Source: protocol.md §14. Digits in groups of five are Signal's idea (safety numbers, 2016), and 12 groups
are what people still read aloud to the end. Left out on purpose: the QR picture, which the command draws
from the digits.
"""

from collections.abc import Iterable
from typing import Final

from mesh.crypto.hashes import h
from mesh.identity.words import WORD_BITS, word_list
from mesh.ids import GroupId, MemberPk, OpId

DIGIT_GROUPS: Final = 12  # protocol.md §14
DIGITS_PER_GROUP: Final = 5  # protocol.md §14
GROUP_WORDS: Final = 6  # protocol.md §14: 6 × 11 = 66 bits


def safety_number(gid: GroupId, members: Iterable[MemberPk]) -> str:
    """Return 12 groups of 5 digits, with a space between, for a group and some of its members' 32 B keys.

    The keys are taken as a set and sorted as bytes, so both sides read the same digits. Let D =
    H("mesh1/safety", gid, pk₁, …, pkₙ), each key a part of its own. Read D (32 B) as one big-endian number,
    take it modulo 10⁶⁰, and write that with leading zeros to 60 digits: these are the 12 groups, in order.
    60 digits are 199 bits; since 10⁶⁰ is so much less than 2²⁵⁶, no digit is likelier than another by more
    than 2⁻⁵⁶.
    """
    keys = sorted(set(members))
    assert keys
    assert all(len(key) == 32 for key in keys)
    count = DIGIT_GROUPS * DIGITS_PER_GROUP
    number = int.from_bytes(h(b"mesh1/safety", gid, *keys), "big") % 10**count
    digits = f"{number:0{count}d}"
    return " ".join(digits[at : at + DIGITS_PER_GROUP] for at in range(0, count, DIGITS_PER_GROUP))


def group_words(gid: GroupId) -> tuple[str, ...]:
    """Return 6 words of BIP-39's list for a group's 32 B id.

    They are the first 66 bits of the id, most significant first, 11 bits a word. To find another group with
    the same words takes about 2⁶⁶ attempts: enough to notice a mix-up or a cheap forgery, and not a
    replacement for the id.
    """
    assert len(gid) == 32
    bits = GROUP_WORDS * WORD_BITS
    number = int.from_bytes(gid, "big") >> (8 * len(gid) - bits)
    places = ((number >> shift) % (1 << WORD_BITS) for shift in range(bits - WORD_BITS, -1, -WORD_BITS))
    return tuple(word_list()[place] for place in places)


def state_hash(gid: GroupId, members: Iterable[MemberPk], heads: Iterable[OpId]) -> bytes:
    """Return H("mesh1/state", gid, sorted member keys in one part, sorted heads in another), 32 B.

    The heads stand for all operations behind them, and so for ranks, invites and settings. The members are what a node
    draws from them: two programs that have the same operations and see other members differ here.
    """
    keys, newest = sorted(set(members)), sorted(set(heads))
    assert all(len(part) == 32 for part in (*keys, *newest))
    return h(b"mesh1/state", gid, b"".join(keys), b"".join(newest))
