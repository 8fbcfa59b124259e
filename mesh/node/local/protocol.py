"""The local Api on the wire, without any I/O: JSON-RPC 2.0, one object a line, a line at most 1 MiB.

A request is `{"jsonrpc":"2.0","id":n,"method":…,"params":{…}}`; its answer carries a `result` or an `error`
with the same id. A stream's events are notifications `{"method":"event","params":{"id":n,"event":{…}}}`, and
its result, an empty object, ends it. An error's `data` is the whole `MeshError`, so that the asker sees the
same words, code and exit status as if it had opened the home itself: in English under `what`, `why` and `do`, and under
`phrases`, for those of the three that hold values, the template and its values, so that the asker can say it in another
language. So do results: where a record of one says something in words (a problem of `status`, why a message waits),
its own `phrases` holds each of these as a template and its values.

Decoding is strict and its only failure is `BadLine`: UTF-8, no key twice, no NaN, no half of a surrogate
pair, no member that is not named here. Left out of JSON-RPC on purpose: batches, requests without an id.

Source: https://www.jsonrpc.org/specification (2.0), RFC 8259.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NoReturn, TypeAlias, assert_never

from mesh.errors import Exit, LocalError, MeshError, TransportError
from mesh.phrases import Phrase, Value, Words, own, phrase

JsonValue: TypeAlias = bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"] | None
JsonObject: TypeAlias = dict[str, JsonValue]
RequestId: TypeAlias = int | str

LINE_BYTES_MAX: Final = 1 << 20  # with its newline; a message ends at 64 KiB, so a page of them fits
REQUEST_ID_MAX: Final = (1 << 53) - 1  # RFC 8259 §6: what every JSON reader holds exactly
TEXT_ID_CHARS_MAX: Final = 64
PHRASES: Final = "phrases"  # the field beside what is said in words
PHRASE_DEPTH_MAX: Final = 4  # ours: a phrase in a phrase in a phrase is the most that is said
PHRASE_VALUES_MAX: Final = 16  # ours: six is the most

PARSE_ERROR: Final = -32700  # JSON-RPC 2.0 §5.1
INVALID_REQUEST: Final = -32600
MESH_ERROR: Final = -32000  # the range that §5.1 leaves to servers


class BadLine(LocalError):
    """A line on the local socket is not one of the local Api's."""

    code = "E-API"

    def __init__(self, what: Words, *, rpc_code: int = INVALID_REQUEST, id: RequestId | None = None) -> None:
        super().__init__(what, do="`mesh api` shows where the socket is and what one can ask.")
        self.rpc_code, self.id = rpc_code, id


class LineTooLong(BadLine):
    """A line on the local socket is longer than 1 MiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One asks."""

    id: RequestId
    method: str
    params: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The answer, or the end of a stream."""

    id: RequestId
    result: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The answer is an error; `id` is None when the request could not be read."""

    id: RequestId | None
    error: MeshError


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something happened on the stream that `id` asked for."""

    id: RequestId
    event: JsonObject


Answer: TypeAlias = Result | Failure | Event


class Lines:
    """Cut a stream of bytes into lines. It never holds more than one line and one read."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, received: bytes) -> Iterator[bytes]:
        """Take what was received and give each line that is now whole; LineTooLong ends all reading."""
        searched = len(self._held)
        self._held += received
        while (end := self._held.find(b"\n", searched)) >= 0:
            if end >= LINE_BYTES_MAX:
                break
            line = bytes(self._held[:end])
            del self._held[: end + 1]
            searched = 0
            yield line
        if len(self._held) >= LINE_BYTES_MAX:
            raise LineTooLong(phrase("A line is longer than {most} bytes.", most=LINE_BYTES_MAX), rpc_code=PARSE_ERROR)


# ---------------------------------------------------------------- what the asker sends


def encode_request(request: Request) -> bytes:
    """Write a request as a line; LocalError (E-TOO-LONG) if it does not fit into one."""
    line = _line({"id": request.id, "method": request.method, "params": request.params})
    if len(line) > LINE_BYTES_MAX:
        raise LocalError("That is too long to be handed to the node.", do="Send less at once.", code="E-TOO-LONG")
    return line


def decode_request(line: bytes) -> Request:
    """Read a request; BadLine, with the request's id where it could be read, for anything else."""
    members = _members(line)
    request_id = _request_id(members)
    _only(members, {"jsonrpc", "id", "method", "params"}, request_id)
    method, params = members.get("method"), members.get("params", {})
    if not isinstance(method, str) or not 0 < len(method) <= 80:
        raise BadLine("A request names no method.", id=request_id)
    if not isinstance(params, dict):
        raise BadLine("A request's params are not an object.", id=request_id)
    return Request(id=request_id, method=method, params=params)


# ---------------------------------------------------------------- what the node answers


def encode_answer(answer: Answer) -> bytes:
    """Write an answer as a line; one that does not fit becomes a Failure that says so."""
    line = _line(_answer_members(answer))
    if len(line) <= LINE_BYTES_MAX:
        return line
    too_much = LocalError(
        "The answer is longer than the local Api carries at once.",
        do="Ask for less: `--limit` for messages.",
        code="E-TOO-LONG",
    )
    return _line({"id": answer.id, "error": _error_object(too_much)})


def encoded_bytes(value: JsonValue) -> int:
    """Return how many bytes a value takes in a line: what is not ASCII is escaped, six bytes for each UTF-16 unit."""
    return len(_text_of(value))


def _answer_members(answer: Answer) -> JsonObject:
    match answer:
        case Result():
            return {"id": answer.id, "result": answer.result}
        case Event():
            return {"method": "event", "params": {"id": answer.id, "event": answer.event}}
        case Failure():
            return {"id": answer.id, "error": _error_object(answer.error)}
        case _:
            assert_never(answer)


def decode_answer(line: bytes) -> Answer:
    """Read an answer; TransportError (E-API) if this is none: then the other side is no node of ours."""
    try:
        return _answer(_members(line))
    except BadLine as bad:
        raise TransportError(
            "What answers on the node's socket does not speak the local Api.",
            why=bad.phrases.what,
            do="Stop it, and start the node again with `mesh up`.",
            code=BadLine.code,
        ) from None


def _answer(members: JsonObject) -> Answer:
    if "method" in members:
        _only(members, {"jsonrpc", "method", "params"}, None)
        params = members.get("params")
        if members["method"] != "event" or not isinstance(params, dict) or params.keys() != {"id", "event"}:
            raise BadLine("What came without an id is no event.")
        event = params["event"]
        if not isinstance(event, dict):
            raise BadLine("An event is not an object.")
        return Event(id=_request_id(params), event=event)
    if "error" in members:
        _only(members, {"jsonrpc", "id", "error"}, None)
        request_id = None if members.get("id") is None else _request_id(members)
        return Failure(id=request_id, error=_error_from(members["error"]))
    _only(members, {"jsonrpc", "id", "result"}, None)
    result = members.get("result")
    if not isinstance(result, dict):
        raise BadLine("An answer has no result.")
    return Result(id=_request_id(members), result=result)


# ---------------------------------------------------------------- errors


def _error_object(error: MeshError) -> JsonObject:
    candidates: list[JsonValue] = list(error.candidates)
    data: JsonObject = {
        "code": error.code,
        "what": error.what,
        "why": error.why,
        "do": error.do,
        "exit": int(error.exit),
        "candidates": candidates,
    }
    phrases: JsonObject = {part: phrase_object(said) for part, said in error.phrases._asdict().items() if said.values}
    if phrases:
        data[PHRASES] = phrases
    return {
        "code": error.rpc_code if isinstance(error, BadLine) else MESH_ERROR,
        "message": error.what,
        "data": data,
    }


def _error_from(value: JsonValue) -> MeshError:
    data = value.get("data") if isinstance(value, dict) else None
    if not isinstance(data, dict):
        raise BadLine("An error carries no data.")
    status, candidates = data.get("exit"), data.get("candidates", [])
    if isinstance(status, bool) or not isinstance(status, int) or status not in set(Exit) - {Exit.OK}:
        raise BadLine("An error has no exit status.")
    if not isinstance(candidates, list):
        raise BadLine("An error's candidates are not a list.")
    return MeshError(
        _said(data, "what"),
        why=_said(data, "why"),
        do=_said(data, "do"),
        code=_text(data, "code"),
        exit=Exit(status),
        candidates=tuple(name for name in candidates if isinstance(name, str)),
    )


def _said(data: JsonObject, part: str) -> Words:
    """Read a part of an error: its text alone, or the phrase that says the same."""
    text, phrases = _text(data, part), data.get(PHRASES, {})
    if not isinstance(phrases, dict):
        raise BadLine("An error's phrases are not an object.")
    if part not in phrases:
        return text
    said = phrase_from(phrases[part])
    if str(said) != text:
        raise BadLine("An error's phrase does not say what its text says.")
    return said


def _text(members: JsonObject, name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str):
        raise BadLine(phrase("An error has no {name}.", name=name))
    return value


# ---------------------------------------------------------------- phrases


def phrased(**parts: Words | None) -> JsonObject:
    """Give sentences of ours as fields of an answer: each in English, and under `phrases` as it can be said elsewhere.

    For `what`, `why` and `do`, which the command shows; null says nothing, and then has no phrase.
    """
    phrases: JsonObject = {part: phrase_object(own(said)) for part, said in parts.items() if said}
    return {**{part: None if said is None else str(said) for part, said in parts.items()}, PHRASES: phrases}


def phrase_object(said: Phrase) -> JsonObject:
    """Give a phrase as an object."""
    values: JsonObject = {
        name: phrase_object(value) if isinstance(value, Phrase) else value for name, value in said.values.items()
    }
    return {"template": said.template, **({"many": said.many} if said.many else {}), "values": values}


def phrase_from(told: JsonValue) -> Phrase:
    """Read a phrase; BadLine."""
    return _phrase_at(told, PHRASE_DEPTH_MAX)


def _phrase_at(told: JsonValue, depth: int) -> Phrase:
    """Read a phrase: `{"template": …, "many": …, "values": {name: text, number or phrase}}`, `many` where it counts."""
    if not isinstance(told, dict) or not told.keys() <= {"template", "many", "values"} or not depth:
        raise BadLine("An error's phrase is none.")
    template, many, values = told.get("template"), told.get("many", ""), told.get("values")
    if not isinstance(template, str) or not isinstance(many, str) or not isinstance(values, dict):
        raise BadLine("A phrase lacks its template or its values.")
    if len(values) > PHRASE_VALUES_MAX:
        raise BadLine("A phrase has more values than ours have.")
    return Phrase(template, {name: _phrase_value(value, depth) for name, value in values.items()}, many)


def _phrase_value(told: JsonValue, depth: int) -> Value:
    if isinstance(told, dict):
        return _phrase_at(told, depth - 1)
    if isinstance(told, bool) or not isinstance(told, str | int):
        raise BadLine("A phrase has a value that is no text and no number.")
    return told


# ---------------------------------------------------------------- lines


def _line(members: JsonObject) -> bytes:
    # ASCII alone: then nothing that a person wrote can be cut in two or end a line.
    return _text_of({"jsonrpc": "2.0", **members}).encode() + b"\n"


def _text_of(value: JsonValue) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _members(line: bytes) -> JsonObject:
    if len(line) >= LINE_BYTES_MAX:
        raise LineTooLong(phrase("A line is longer than {most} bytes.", most=LINE_BYTES_MAX), rpc_code=PARSE_ERROR)
    try:
        value: JsonValue = json.loads(
            line.decode(), object_pairs_hook=_no_key_twice, parse_constant=_no_constant, parse_float=_finite
        )
        if b"\\u" in line:
            json.dumps(value, ensure_ascii=False).encode()  # refuses half a surrogate pair
    except (ValueError, RecursionError):
        raise BadLine("A line is not JSON.", rpc_code=PARSE_ERROR) from None
    if not isinstance(value, dict):
        raise BadLine("A line is not a JSON object.")
    if value.get("jsonrpc") != "2.0":
        raise BadLine('A line does not say "jsonrpc":"2.0".')
    return value


def _no_key_twice(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key stands twice")
    return members


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        raise ValueError("a number is too large")
    return value


def _request_id(members: JsonObject) -> RequestId:
    value = members.get("id")
    if isinstance(value, str) and len(value) <= TEXT_ID_CHARS_MAX:
        return value
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= REQUEST_ID_MAX:
        return value
    raise BadLine("A line has no id that can be answered.")


def _only(members: JsonObject, known: set[str], id: RequestId | None) -> None:
    if strange := members.keys() - known:
        raise BadLine(
            phrase("A line has a member {name} that the local Api does not know.", name=repr(min(strange)[:40])), id=id
        )
