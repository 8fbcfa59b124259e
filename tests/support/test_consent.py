"""Consent, folded: the last word of an author about a post and its very words, and nobody else's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.commands import Rank
from mesh.errors import LocalError, RemoteError
from mesh.ids import DeviceId, GroupId, MemberPk, MsgId, PostId
from mesh.support import consent
from mesh.support.consent import Words, allows, asker_hash, nobody, standing, widen
from mesh.support.statements import Said
from mesh.wire import limits
from mesh.wire.codec import Record
from mesh.wire.messages import Flag
from mesh.wire.notes import ShareQuestion
from mesh.wire.statements import ConsentValue, FlagValue

GID = GroupId(b"g" * 32)
POST, OTHER = PostId(b"p" * 16), PostId(b"o" * 16)
AUTHOR, ASKER = MemberPk(b"a" * 32), MemberPk(b"b" * 32)
WORDS = Words.of(GID, POST, AUTHOR, Flag.STAY_HERE, b"what was said")


def word(value: Record, *, member: MemberPk = AUTHOR, post: PostId = POST, ts_ms: int = 1, name: int = 1) -> Said:
    """A statement that counts."""
    return Said(
        member=member,
        dev=DeviceId(member[:16]),
        rank=Rank.MEMBER,
        ts_ms=ts_ms,
        msg_id=MsgId(bytes([name]) * 32),
        subject=post,
        value=value,
    )


def yes(words: Words = WORDS, *to: bytes) -> ConsentValue:
    """A consent: for everyone, or for these askers."""
    return ConsentValue(words=words.hash, everyone=not to, to=sorted(to))


said = st.builds(
    word,
    st.sampled_from([yes(), nobody(WORDS), yes(WORDS, b"x" * 16), ConsentValue(words=bytes(32), everyone=True, to=[])]),
    member=st.sampled_from([AUTHOR, ASKER]),
    post=st.sampled_from([POST, OTHER]),
    ts_ms=st.integers(0, 5),
    name=st.integers(0, 255),
)


@given(st.lists(said, max_size=8, unique_by=lambda w: w.msg_id), st.data())
def test_what_holds_does_not_depend_on_the_order_nor_on_hearing_twice(words: list[Said], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations([*words, *words]))
    assert standing(WORDS, shuffled) == standing(WORDS, words)


@given(st.lists(said, max_size=8))
def test_only_its_author_lets_a_post_leave_and_only_these_words(words: list[Said]) -> None:
    found = standing(WORDS, words)
    own = [w for w in words if w.member == AUTHOR and w.subject == POST]
    if found.everyone or found.to:
        assert any(w.value == found and found.words == WORDS.hash for w in own)
    if not own:
        assert found == nobody(WORDS)


def test_without_a_word_the_flag_says_it_and_a_word_wins_over_it() -> None:
    free = Words.of(GID, POST, AUTHOR, 0, b"what was said")
    assert standing(free, []).everyone
    assert not standing(WORDS, []).everyone
    assert standing(free, [word(nobody(free))]) == nobody(free)
    assert standing(WORDS, [word(yes()), word(nobody(WORDS), ts_ms=2)]) == nobody(WORDS)
    assert standing(WORDS, [word(yes(), ts_ms=2), word(nobody(WORDS))]) == yes()


def test_a_consent_to_other_words_is_none_even_where_the_flag_would_let_it() -> None:
    free = Words.of(GID, POST, AUTHOR, 0, b"what was said")
    changed = Words.of(GID, POST, AUTHOR, 0, b"what was put into their mouth")
    elsewhere = Words.of(GroupId(b"h" * 32), POST, AUTHOR, 0, b"what was said")
    for words in (changed, elsewhere):
        assert words.hash != free.hash
        assert standing(words, [word(yes(free))]) == nobody(words)


def test_one_who_asked_finds_themself_and_nobody_else_does() -> None:
    note = b"n" * 16
    named = asker_hash(GID, POST, note, ASKER)
    found = yes(WORDS, named)
    assert allows(found, [asker_hash(GID, POST, note, ASKER)])
    others = [
        asker_hash(GID, POST, note, AUTHOR),
        asker_hash(GID, OTHER, note, ASKER),
        asker_hash(GID, POST, b"m" * 16, ASKER),
        asker_hash(GroupId(bytes(32)), POST, note, ASKER),
    ]
    assert not allows(found, others)
    assert not allows(found, [])
    assert allows(yes(), [])
    assert not allows(nobody(WORDS), [named])


def test_a_consent_grows_up_to_its_limit() -> None:
    names = [bytes([k]) * 16 for k in range(limits.CONSENTS_OF_POST_MAX)]
    full = widen(nobody(WORDS), everyone=False, to=names[::-1])
    assert (full.everyone, full.to) == (False, names)
    assert widen(full, everyone=True, to=[]).to == names
    with pytest.raises(LocalError):
        widen(full, everyone=False, to=[b"\xff" * 16])
    assert widen(full, everyone=False, to=names[:1]) == full


@pytest.mark.parametrize(
    ("subject", "value"),
    [
        (b"p" * 15, yes()),
        (b"", yes()),
        (POST, ConsentValue(words=bytes(32), everyone=False, to=[b"y" * 16, b"x" * 16])),
        (POST, ConsentValue(words=bytes(32), everyone=False, to=[b"x" * 16, b"x" * 16])),
    ],
)
def test_what_no_honest_program_states_says_nothing(subject: bytes, value: ConsentValue) -> None:
    with pytest.raises(RemoteError):
        consent.check_consent(subject, value)


def test_other_statements_are_passed_over_by_their_form_alone() -> None:
    consent.check_consent(POST, yes(WORDS, b"x" * 16, b"y" * 16))
    with pytest.raises(AssertionError):
        standing(WORDS, [word(FlagValue(holds=True))])


@pytest.mark.parametrize("purpose", ["two\nlines", "\x1b[31m", "\u202e", "x" * 257, "   "])
def test_a_question_holds_a_line_that_may_be_shown(purpose: str) -> None:
    with pytest.raises(RemoteError):
        consent.check_question(ShareQuestion(post=POST, purpose=purpose))
    if len(purpose.strip()) != 0:
        with pytest.raises(LocalError):
            consent.require_purpose(purpose)


def test_a_question_may_say_nothing_of_what_it_is_for() -> None:
    consent.check_question(ShareQuestion(post=POST, purpose=""))
    assert consent.require_purpose("  for us  ") == "for us"
    assert consent.require_purpose("") == ""
