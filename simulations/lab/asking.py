"""Asking a node that runs, by its local Api: a connection for each question, and one for what it tells.

It is the door that `cli` uses, without blocking: many nodes are asked at once. Every answer is waited for with a limit.
"""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Final

import trio

from mesh.errors import MeshError, TransportError
from mesh.node.local.protocol import (
    Event,
    Failure,
    JsonObject,
    JsonValue,
    Lines,
    Request,
    Result,
    decode_answer,
    encode_request,
)

ANSWER_S: Final = 60.0  # a question with a key derivation on a busy machine takes some seconds
RECEIVE_BYTES: Final = 65_536


class NodeGone(TransportError):
    """A node of the lab ended, or gave no answer in time; what it said last stands in its folder."""

    code = "E-SIM"


async def ask(path: str, method: str, params: JsonObject | None = None, *, wait_s: float = 0.0) -> JsonObject:
    """Ask once; MeshError for what the node refuses, NodeGone if it does not answer. `wait_s` comes on top."""
    try:
        with trio.fail_after(ANSWER_S + wait_s):
            async with aclosing(_answers(path, method, params or {})) as answers:
                async for answer in answers:
                    if isinstance(answer, Result):
                        return answer.result
    except trio.TooSlowError:
        raise NodeGone(f"a node did not answer `{method}` within {ANSWER_S + wait_s:g} s") from None
    raise NodeGone(f"a node ended before it had answered `{method}`")


async def told(path: str) -> AsyncGenerator[JsonObject, None]:
    """Give what a node tells, as it happens, until it ends."""
    try:
        async with aclosing(_answers(path, "events", {})) as answers:
            async for answer in answers:
                if isinstance(answer, Event):
                    yield answer.event
    except NodeGone:
        return


async def _answers(path: str, method: str, params: JsonObject) -> AsyncGenerator[Result | Event, None]:
    """Give each answer to one question; MeshError for what the node refuses."""
    lines = Lines()
    try:
        async with await trio.open_unix_socket(path) as stream:
            await stream.send_all(encode_request(Request(id=1, method=method, params=params)))
            async for received in stream:
                for answer in _decoded(lines, bytes(received), method):
                    if isinstance(answer, Failure):
                        raise answer.error
                    yield answer
    except (OSError, trio.BrokenResourceError, trio.ClosedResourceError) as gone:
        raise NodeGone(f"a node does not answer `{method}`") from gone


def _decoded(lines: Lines, received: bytes, method: str) -> Iterator[Result | Failure | Event]:
    try:
        yield from map(decode_answer, lines.feed(received))
    except MeshError as odd:
        raise NodeGone(f"what answers `{method}` is no node: {odd.what}") from odd


def text(value: JsonValue, *path: str) -> str:
    """Give a text deep in an answer; AssertionError if there is none."""
    for key in path:
        assert isinstance(value, dict), path
        value = value[key]
    assert isinstance(value, str), path
    return value


def records(value: JsonValue, key: str) -> list[JsonObject]:
    """Give a list of objects in an answer; AssertionError if there is none."""
    assert isinstance(value, dict), key
    found = value[key]
    assert isinstance(found, list), key
    return [entry for entry in found if isinstance(entry, dict)]
