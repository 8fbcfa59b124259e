"""Alice says how she wants to be heard; Bob reads it as she meant it, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mesh.errors import LocalError, RemoteError
from mesh.support.posts import MODES, Wish, compose, interpret
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.messages import Extra, Mode, PostBody


def wish(**changes: object) -> Wish:
    """A post as somebody types it, with fields changed."""
    fields: dict[str, object] = {
        "text": "Not a good night.",
        "mode": "listening",
        "cw": "sleep",
        "topics": ("sleep", "family"),
        "reply_to": b"",
    }
    return Wish(**{**fields, **changes})  # type: ignore[arg-type]  # each test says what does not fit


def post(**changes: object) -> PostBody:
    """A post as a peer sends it, with fields changed."""
    return replace(interpret(compose(wish())), **changes)


@pytest.mark.parametrize("mode", MODES)
def test_a_post_arrives_as_it_was_meant(mode: str) -> None:
    heard = interpret(compose(wish(mode=mode, reply_to=bytes(16))))
    assert heard == PostBody(
        mode=MODES[mode],
        cw="sleep",
        topics=["sleep", "family"],
        text="Not a good night.",
        reply_to=bytes(16),
        extras=[],
    )


def test_the_modes_are_these() -> None:
    assert MODES == {
        "listening": Mode.LISTENING,
        "experience": Mode.EXPERIENCE,
        "advice": Mode.ADVICE,
        "resources": Mode.RESOURCES,
    }
    with pytest.raises(LocalError) as caught:
        compose(wish(mode="shouting"))
    assert caught.value.code == "E-MODE"
    assert caught.value.candidates == tuple(MODES)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"text": ""}, "E-TEXT"),
        ({"text": " \n "}, "E-TEXT"),
        ({"text": "\u200b"}, "E-TEXT"),
        ({"text": "a\x1b[2J"}, "E-TEXT"),
        ({"text": "half a \ud83d"}, "E-TEXT"),
        ({"text": "x" * (limits.POST_TEXT_BYTES_MAX + 1)}, "E-TOO-LONG"),
        ({"text": "é" * (limits.POST_TEXT_BYTES_MAX // 2 + 1)}, "E-TOO-LONG"),
        ({"cw": "two\nlines"}, "E-TEXT"),
        ({"cw": "é" * 65}, "E-TEXT"),
        ({"topics": ("",)}, "E-TEXT"),
        ({"topics": ("x" * 65,)}, "E-TEXT"),
        ({"topics": ("a\tb",)}, "E-TEXT"),
        ({"topics": ("a",) * (limits.TOPICS_MAX + 1)}, "E-TEXT"),
    ],
)
def test_what_cannot_be_sent_is_said_in_words(changes: dict[str, object], code: str) -> None:
    with pytest.raises(LocalError) as caught:
        compose(wish(**changes))
    assert caught.value.code == code
    assert caught.value.do


def test_the_longest_post_fits() -> None:
    text = "é" * (limits.POST_TEXT_BYTES_MAX // 2)
    assert interpret(compose(wish(text=text))).text == text


@given(
    st.builds(
        Wish,
        text=st.text(max_size=80),
        mode=st.sampled_from([*MODES, "?"]),
        cw=st.text(max_size=20),
        topics=st.lists(st.text(max_size=10), max_size=3).map(tuple),
        reply_to=st.sampled_from([b"", bytes(16)]),
    )
)
def test_whatever_can_be_sent_is_read_by_peers(typed: Wish) -> None:
    try:
        body = compose(typed)
    except LocalError:
        return
    assert interpret(body).text == typed.text.replace("\ufeff", "").strip()


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "\x07"},
        {"text": " "},
        {"text": "é" * (limits.POST_TEXT_BYTES_MAX // 2 + 1)},
        {"text": ""},
        {"cw": "\n"},
        {"cw": "é" * 65},
        {"topics": ["\u202e"]},
        {"topics": [""]},
        {"topics": ["a"] * (limits.TOPICS_MAX + 1)},
        {"reply_to": bytes(1)},
        {"reply_to": bytes(15)},
        {"reply_to": bytes(17)},
        {"mode": 4},
        {"extras": [Extra(tag=1, value=b"")] * 17},
    ],
)
def test_what_no_honest_client_sends_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(RemoteError):
        interpret(encode(post(**changes)))


def test_an_addition_of_a_later_version_is_passed_through() -> None:
    extra = Extra(tag=7, value=b"from later")
    assert interpret(encode(post(extras=[extra]))).extras == [extra]


@given(st.binary(max_size=200))
def test_rubbish_is_no_post(data: bytes) -> None:
    try:
        heard = interpret(data)
    except RemoteError:
        return
    assert encode(heard) == data
