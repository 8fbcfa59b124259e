"""The local Api's lines: what is written is read back, and nothing hostile comes through."""

import itertools
import json
import math
from collections.abc import Iterable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import Exit, LocalError, MeshError, RefusedError, TransportError
from mesh.node.local.protocol import (
    LINE_BYTES_MAX,
    REQUEST_ID_MAX,
    Answer,
    BadLine,
    Event,
    Failure,
    JsonValue,
    Lines,
    LineTooLong,
    Request,
    Result,
    decode_answer,
    decode_request,
    encode_answer,
    encode_request,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXT, VALUES, max_size=4)
IDS = st.integers(0, REQUEST_ID_MAX) | st.text("abc-", max_size=64)
REQUESTS = st.builds(Request, id=IDS, method=st.text("abc.", min_size=1, max_size=80), params=OBJECTS)
ANSWERS: st.SearchStrategy[Answer] = st.builds(Result, id=IDS, result=OBJECTS) | st.builds(Event, id=IDS, event=OBJECTS)
ERRORS = st.builds(
    MeshError,
    TEXT,
    why=TEXT,
    do=TEXT,
    code=st.from_regex(r"\AE-[A-Z]{1,9}\Z"),
    exit=st.sampled_from([status for status in Exit if status]),
    candidates=st.lists(TEXT, max_size=3).map(tuple),
)


@given(REQUESTS)
def test_a_request_is_read_as_it_was_written(request: Request) -> None:
    line = encode_request(request)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode_request(line[:-1]) == request


@given(ANSWERS)
def test_an_answer_is_read_as_it_was_written(answer: Answer) -> None:
    assert decode_answer(encode_answer(answer)[:-1]) == answer


@given(IDS | st.none(), ERRORS)
def test_an_error_keeps_its_words_code_and_exit_status(number: int | str | None, error: MeshError) -> None:
    answer = decode_answer(encode_answer(Failure(id=number, error=error))[:-1])
    assert isinstance(answer, Failure)
    told = answer.error
    assert (answer.id, told.what, told.why, told.do) == (number, error.what, error.why, error.do)
    assert (told.code, told.exit, told.candidates) == (error.code, error.exit, error.candidates)


def test_the_bytes_are_json_rpc() -> None:
    request = Request(id=7, method="post", params={"group": "Tuesday grief"})
    assert encode_request(request) == (b'{"jsonrpc":"2.0","id":7,"method":"post","params":{"group":"Tuesday grief"}}\n')
    assert encode_answer(Event(id=7, event={"event": "knock"})) == (
        b'{"jsonrpc":"2.0","method":"event","params":{"id":7,"event":{"event":"knock"}}}\n'
    )
    error = RefusedError("No.", why="Rules.", do="Ask.", candidates=("a",))
    assert json.loads(encode_answer(Failure(id=7, error=error))) == {
        "jsonrpc": "2.0",
        "id": 7,
        "error": {
            "code": -32000,
            "message": "No.",
            "data": {
                "code": "E-REFUSED",
                "what": "No.",
                "why": "Rules.",
                "do": "Ask.",
                "exit": 5,
                "candidates": ["a"],
            },
        },
    }


HOSTILE = {
    "nothing": b"",
    "no JSON": b"hello",
    "no UTF-8": b'{"jsonrpc":"2.0","id":1,"method":"\xff"}',
    "a list": b"[1]",
    "a batch": b'[{"jsonrpc":"2.0","id":1,"method":"status"}]',
    "another protocol": b'{"jsonrpc":"1.0","id":1,"method":"status"}',
    "no protocol": b'{"id":1,"method":"status"}',
    "no id": b'{"jsonrpc":"2.0","method":"status"}',
    "true as id": b'{"jsonrpc":"2.0","id":true,"method":"status"}',
    "a fraction as id": b'{"jsonrpc":"2.0","id":1.5,"method":"status"}',
    "a negative id": b'{"jsonrpc":"2.0","id":-1,"method":"status"}',
    "an id past 2**53": b'{"jsonrpc":"2.0","id":9007199254740992,"method":"status"}',
    "a long id": b'{"jsonrpc":"2.0","id":"' + b"a" * 65 + b'","method":"status"}',
    "no method": b'{"jsonrpc":"2.0","id":1}',
    "an empty method": b'{"jsonrpc":"2.0","id":1,"method":""}',
    "a number as method": b'{"jsonrpc":"2.0","id":1,"method":1}',
    "a list as params": b'{"jsonrpc":"2.0","id":1,"method":"status","params":[]}',
    "null as params": b'{"jsonrpc":"2.0","id":1,"method":"status","params":null}',
    "a strange member": b'{"jsonrpc":"2.0","id":1,"method":"status","auth":1}',
    "a key twice": b'{"jsonrpc":"2.0","id":1,"id":2,"method":"status"}',
    "a key twice inside": b'{"jsonrpc":"2.0","id":1,"method":"status","params":{"a":1,"a":2}}',
    "NaN": b'{"jsonrpc":"2.0","id":1,"method":"status","params":{"a":NaN}}',
    "Infinity": b'{"jsonrpc":"2.0","id":1,"method":"status","params":{"a":-Infinity}}',
    "an infinite number": b'{"jsonrpc":"2.0","id":1,"method":"status","params":{"a":1e999}}',
    "a number of 5,000 digits": b'{"jsonrpc":"2.0","id":1,"method":"a","params":{"a":' + b"9" * 5000 + b"}}",
    "half a surrogate pair": b'{"jsonrpc":"2.0","id":1,"method":"status","params":{"a":"\\ud800"}}',
    "100,000 brackets": b'{"jsonrpc":"2.0","id":1,"method":"status","params":' + b"[" * 100_000,
    "100,000 braces": b'{"a":' * 100_000,
    "two objects": b'{"jsonrpc":"2.0","id":1,"method":"status"}{}',
}


@pytest.mark.parametrize("line", HOSTILE.values(), ids=list(HOSTILE))
def test_a_line_that_is_no_request_is_refused(line: bytes) -> None:
    with pytest.raises(BadLine) as refused:
        decode_request(line)
    assert json.loads(encode_answer(Failure(id=refused.value.id, error=refused.value)))["error"]["data"]


def test_a_refusal_names_the_request_if_it_could_be_read() -> None:
    with pytest.raises(BadLine) as refused:
        decode_request(b'{"jsonrpc":"2.0","id":"x","method":""}')
    assert refused.value.id == "x"


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_garbage_is_refused_in_either_direction(line: bytes) -> None:
    with pytest.raises(BadLine):
        decode_request(line)
    with pytest.raises(TransportError):
        decode_answer(line)


@given(st.dictionaries(st.sampled_from(["jsonrpc", "id", "method", "params", "result", "error"]), VALUES))
def test_json_of_any_shape_is_read_or_refused(members: dict[str, JsonValue]) -> None:
    for line in (json.dumps(members).encode(), json.dumps({**members, "jsonrpc": "2.0"}).encode()):
        for decode, refusal in ((decode_request, BadLine), (decode_answer, TransportError)):
            with suppress(refusal):
                decode(line)


# ---------------------------------------------------------------- lines


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    """Cut `data` at these places."""
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[begin:end] for begin, end in itertools.pairwise(edges)]


@given(st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b""))), st.lists(st.integers(0, 999)))
def test_lines_come_whole_however_they_are_cut(lines: list[bytes], places: list[int]) -> None:
    reader = Lines()
    received = [line for piece in cut(b"".join(line + b"\n" for line in lines), places) for line in reader.feed(piece)]
    assert received == lines


def test_a_line_may_have_exactly_the_limit() -> None:
    longest = b"a" * (LINE_BYTES_MAX - 1)
    assert list(Lines().feed(longest + b"\n" + b"b\n")) == [longest, b"b"]


@pytest.mark.parametrize("ending", [b"", b"\n", b"\nb\n"])
def test_a_longer_line_is_refused_before_it_ends(ending: bytes) -> None:
    with pytest.raises(LineTooLong):
        list(Lines().feed(b"a" * LINE_BYTES_MAX + ending))


def test_an_endless_line_is_not_kept() -> None:
    reader = Lines()
    for _ in range(LINE_BYTES_MAX // 65_536 - 1):
        assert list(reader.feed(b"a" * 65_536)) == []
    with pytest.raises(LineTooLong):
        list(reader.feed(b"a" * 65_536))


def test_an_answer_that_is_too_long_becomes_an_error_that_says_so() -> None:
    answer = decode_answer(encode_answer(Result(id=3, result={"text": "a" * LINE_BYTES_MAX}))[:-1])
    assert isinstance(answer, Failure)
    assert (answer.id, answer.error.code) == (3, "E-TOO-LONG")


def test_a_request_that_is_too_long_is_not_sent() -> None:
    with pytest.raises(LocalError, match="too long"):
        encode_request(Request(id=1, method="post", params={"text": "a" * LINE_BYTES_MAX}))


def test_nan_is_never_written() -> None:
    with pytest.raises(ValueError, match="JSON"):
        encode_answer(Result(id=1, result={"a": math.nan}))
