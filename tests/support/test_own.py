"""Which posts one's own choices close: by author, by word, by topic, by warning."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import LocalError
from mesh.ids import GroupId, MemberPk, PostId
from mesh.support.own import About, Choices, Closed, own_key, own_topic, own_word
from mesh.support.posts import Wish, compose, interpret
from mesh.wire.messages import PostBody

GID, JUNIPER, SORREL = GroupId(b"g" * 32), MemberPk(b"j" * 32), MemberPk(b"s" * 32)
POST, OTHER = PostId(b"1" * 16), PostId(b"2" * 16)


def post(text: str, *, cw: str = "", topics: tuple[str, ...] = ()) -> PostBody:
    return interpret(compose(Wish(text=text, mode="listening", cw=cw, topics=topics, reply_to=b"")))


def muting(*words: str, topics: tuple[str, ...] = ()) -> Choices:
    keys = [own_key(About.WORD, own_word(word).encode()) for word in words]
    return Choices.of([*keys, *(own_key(About.TOPIC, own_topic(topic).encode()) for topic in topics)])


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("hospital", "Back from the Hospital."),
        ("HOSPITAL", "hospital"),
        ("overdos*", "He overdosed."),
        ("two words", "these two\nwords"),
        ("caf\u00e9", "cafe\u0301!"),
        ("hospital", "hos\u00adpi\u200btal"),
        ("ｈｏｓｐｉｔａｌ", "hospital"),
        ("straße", "STRASSE"),
        ("病院", "昨日病院に行った"),
        ("병원", "어제 병원에 갔다"),
    ],
)
def test_a_muted_word_is_met(word: str, text: str) -> None:
    assert muting(word).closes_by_words(post(text)) is Closed.WORD


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("ass", "a class of its own"),
        ("class", "classes"),
        ("cut", "haircut, cute"),
        ("cafe", "caf\u00e9s"),
        ("a*", "ba"),
    ],
)
def test_a_word_within_another_is_not_met(word: str, text: str) -> None:
    assert muting(word).closes_by_words(post(text)) is None


def test_a_muted_word_is_met_in_warning_and_topics_too() -> None:
    assert muting("loss").closes_by_words(post("text", cw="loss of a child")) is Closed.WORD
    assert muting("loss").closes_by_words(post("text", topics=("loss",))) is Closed.WORD


def test_a_muted_topic_closes_what_bears_it_and_nothing_else() -> None:
    choices = muting(topics=("Self-Harm",))
    assert choices.closes_by_words(post("text", topics=("work", "self-harm"))) is Closed.TOPIC
    assert choices.closes_by_words(post("self-harm", topics=("work",))) is None
    assert choices.closes_by_words(post("text", cw="loss")) is Closed.WARNING


@pytest.mark.parametrize("nothing", ["", " ", "*", "...", "a*b", "\x1b[2J", "x" * 65, "\u200b"])
def test_what_is_no_word_is_refused(nothing: str) -> None:
    with pytest.raises(LocalError):
        own_word(nothing)


def test_a_choice_is_about_one_person_or_post_of_one_group() -> None:
    choices = Choices.of([own_key(About.BLOCKED, JUNIPER, GID), own_key(About.HIDDEN, POST, GID)])
    assert choices.closes_by_author(JUNIPER, OTHER) is Closed.BLOCKED
    assert choices.closes_by_author(SORREL, POST) is Closed.HIDDEN
    assert choices.closes_by_author(SORREL, OTHER) is None
    assert choices.is_silenced(JUNIPER, OTHER)
    assert not choices.is_silenced(SORREL, OTHER)
    assert not Choices().silences


@given(word=st.text(max_size=64), text=st.text(max_size=200))
def test_any_word_and_any_text_are_compared(word: str, text: str) -> None:
    try:
        choices = muting(word)
    except LocalError:
        return
    body = PostBody(mode=post("x").mode, cw="", topics=[], text=text or "x", reply_to=b"", extras=[])
    assert choices.closes_by_words(body) in (None, Closed.WORD)
    again = muting(choices.words[0])
    assert again.words == choices.words, "what is kept can be typed again"
