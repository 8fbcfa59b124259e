"""The ladder: who is asked to be quiet follows from the set of words alone, and only seniors' words count."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.commands import Rank
from mesh.errors import RemoteError
from mesh.ids import DeviceId, MemberPk, MsgId
from mesh.support import ladder
from mesh.support.forms import read_value
from mesh.support.statements import Said
from mesh.wire import limits
from mesh.wire.codec import Record, encode
from mesh.wire.messages import StatementBody
from mesh.wire.statements import FoldingValue, Form, LiftValue, QuietValue, SaidSoFar

RANKS = {1: Rank.FOUNDER, 2: Rank.MODERATOR, 3: Rank.MEMBER, 4: Rank.NEWCOMER}
STANDING = {MemberPk(bytes([k]) * 32): rank for k, rank in RANKS.items()}
DEV = DeviceId(b"d" * 16)


def pk(member: int) -> MemberPk:
    return MemberPk(bytes([member]) * 32)


def word(k: int, member: int, subject: bytes, value: Record, ts_ms: int = 0) -> Said:
    """What one of them states, with the rank that they have."""
    return Said(
        member=pk(member),
        dev=DeviceId(bytes([member]) * 16),
        rank=RANKS[member],
        ts_ms=ts_ms,
        msg_id=MsgId(k.to_bytes(32, "big")),
        subject=subject,
        value=value,
    )


def asks(k: int, member: int, target: int, *, ts_ms: int = 0, for_s: int = 60, cut: int = 5) -> Said:
    cuts = [SaidSoFar(dev=DEV, mseq=cut)]
    value = QuietValue(made_ms=k, member=pk(target), for_s=for_s, cuts=cuts)
    return word(k, member, ladder.quiet_id(pk(member), value), value, ts_ms)


def ends(k: int, member: int, quiet: Said, ts_ms: int = 30_000) -> Said:
    return word(100 + k, member, quiet.subject, LiftValue(), ts_ms)


def test_only_seniors_words_count_and_any_senior_ends_it() -> None:
    for by, senior in RANKS.items():
        for of, junior in RANKS.items():
            quiet = asks(1, by, of)
            assert bool(ladder.fold([quiet], [], STANDING)) == (senior < junior)
    quiet = asks(1, 1, 3)
    for by, senior in RANKS.items():
        (found,) = ladder.fold([quiet], [ends(1, by, quiet)], STANDING)
        assert (found.lift is not None) == (senior < RANKS[3])
        assert found.end_ms == (30_000 if found.lift else 60_000)
    (found,) = ladder.fold([quiet], [ends(1, 1, quiet, 90_000)], STANDING)
    assert found.lift is not None
    assert found.end_ms == 60_000, "it was over by then; it opens what it closed"
    (found,) = ladder.fold([asks(1, 1, 3, ts_ms=50_000)], [ends(1, 1, asks(1, 1, 3), 10)], STANDING)
    assert (found.start_ms, found.end_ms) == (50_000, 50_000), "an end from before its beginning is at its beginning"
    stolen = word(2, 2, quiet.subject, quiet.value)
    assert ladder.fold([stolen], [], STANDING) == [], "nobody states it under another's id"
    gone = {key: rank for key, rank in STANDING.items() if key != pk(3)}
    assert ladder.fold([quiet], [], gone), "of one who is out it stays in the log"


def test_what_is_closed_goes_by_numbers_while_it_lasts_and_by_time_afterwards() -> None:
    (quiet,) = ladder.fold([asks(1, 1, 3, ts_ms=1_000)], [], STANDING)
    other = DeviceId(b"o" * 16)
    while_it_lasts, after = 10_000, 70_000
    assert not quiet.closes(DEV, 5, 2_000, while_it_lasts), "the moderator had it"
    for claimed in (0, 2_000, 10**12):
        assert quiet.closes(DEV, 6, claimed, while_it_lasts)
        assert quiet.closes(other, 1, claimed, while_it_lasts), "a device that came since"
    assert quiet.closes(DEV, 6, 2_000, after)
    assert not quiet.closes(DEV, 6, 0, after)
    assert not quiet.closes(DEV, 6, 61_000, after)


def test_a_lift_opens_what_a_quiet_closed_that_was_dated_back() -> None:
    back = asks(1, 1, 3, ts_ms=0)
    (quiet,) = ladder.fold([back], [], STANDING)
    assert quiet.closes(DEV, 6, 5_000, 70_000)
    for ts_ms in (50_000, 80_000):
        (quiet,) = ladder.fold([back], [ends(1, 2, back, ts_ms)], STANDING)
        assert quiet.end_ms == min(ts_ms, 60_000)
        assert not quiet.closes(DEV, 6, 5_000, 90_000)


def test_a_device_that_a_member_had_no_more_said_nothing_of_what_is_closed() -> None:
    (quiet,) = ladder.fold([asks(1, 1, 3, ts_ms=1_000)], [], STANDING)
    old = DeviceId(b"o" * 16)
    quiet = replace(quiet, former=frozenset({old, DEV}))
    assert not quiet.closes(old, 4, 2_000, 10_000)
    assert quiet.closes(DEV, 6, 2_000, 10_000), "what is named is closed beyond it, whatever it is"


who, when = st.integers(1, 4), st.integers(0, 3)
quiets = st.lists(st.tuples(who, who, when, st.integers(60, 61)), max_size=6).map(
    lambda rows: [asks(k, by, of, ts_ms=ts, for_s=s) for k, (by, of, ts, s) in enumerate(rows)]
)
lifts = st.lists(st.tuples(who, st.integers(0, 5), when), max_size=6)


@given(quiets, lifts, st.randoms(use_true_random=False))
def test_it_does_not_depend_on_the_order_nor_on_hearing_twice(
    said: list[Said],
    ended: list[tuple[int, int, int]],
    random: Random,
) -> None:
    over = [ends(k, by, said[of], ts * 40) for k, (by, of, ts) in enumerate(ended) if of < len(said)]
    expected = ladder.fold(said, over, STANDING)
    mixed, mixed_over = [*said, *said[:2]], [*over, *over[:2]]
    random.shuffle(mixed)
    random.shuffle(mixed_over)
    assert ladder.fold(mixed, mixed_over, STANDING) == expected
    assert all(quiet.start_ms <= quiet.end_ms <= quiet.start_ms + limits.QUIET_S_MAX * 1000 for quiet in expected)


def test_the_last_of_the_seniors_words_folds_a_post() -> None:
    post = b"p" * 16
    fold, other = (word(k, by, post, FoldingValue(holds=True), k) for k, by in ((1, 2), (2, 3)))
    opened = word(3, 1, post, FoldingValue(holds=False), 3)
    assert ladder.is_folded([fold], Rank.MEMBER) == fold
    assert ladder.is_folded([other], Rank.MEMBER) is None
    assert ladder.is_folded([fold], Rank.MODERATOR) is None
    assert ladder.is_folded([opened, fold], Rank.MEMBER) is None
    assert ladder.is_folded([], Rank.NEWCOMER) is None


@pytest.mark.parametrize(
    ("form", "subject", "value"),
    [
        (Form.QUIET, b"x" * 15, asks(1, 1, 3).value),
        (Form.QUIET, b"x" * 32, asks(1, 1, 3).value),
        (Form.LIFT, b"", LiftValue()),
        (Form.FOLDING, b"p" * 15, FoldingValue(holds=True)),
    ],
)
def test_what_is_about_nothing_says_nothing(form: Form, subject: bytes, value: Record) -> None:
    assert read_value(StatementBody(form=form, subject=subject, lasts_s=0, value=encode(value))) is None


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x94\x01\xc4\x20" + bytes(32) + b"\x3b\x90",  # 59 seconds
        b"\x94\x01\xc4\x20" + bytes(32) + b"\xce\x00\x12\x75\x01\x90",  # 14 days and a second
        b"\x94\x01\xc4\x1f" + bytes(31) + b"\x3c\x90",
        b"\x94\xff\xc4\x20" + bytes(32) + b"\x3c\x90",
    ],
)
def test_values_that_no_honest_program_makes_say_nothing(raw: bytes) -> None:
    assert read_value(StatementBody(form=Form.QUIET, subject=b"x" * 16, lasts_s=0, value=raw)) is None


def test_no_device_is_named_twice() -> None:
    cuts = [SaidSoFar(dev=DEV, mseq=1)] * 2
    with pytest.raises(RemoteError):
        ladder.check_quiet(b"x" * 16, QuietValue(made_ms=1, member=pk(3), for_s=60, cuts=cuts))
