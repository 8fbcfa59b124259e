"""Both ends of the local Api over a real Unix socket: the server in a trio loop, the client beside it."""

import json
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import Exit, LocalError, MeshError, RefusedError, TransportError
from mesh.node.local import server
from mesh.node.local.api import open_api, reach_node
from mesh.node.local.client import NodeSilent, NodeStopped, SocketApi, connect
from mesh.node.local.paths import UnsafeFolder, prepare_folder, socket_path
from mesh.node.local.protocol import LINE_BYTES_MAX, JsonObject
from tests.node.local.fake_node import FakeHandler, FakeNode, fake_node


def eventually(what: str, holds: object) -> None:
    """Wait until `holds()` is true, at most 5 s: the other thread does it."""
    assert callable(holds)
    end = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.002)


def never_asked() -> str:
    raise AssertionError("no passphrase is needed while the node runs")


@contextmanager
def raw(node: FakeNode) -> Iterator[socket.socket]:
    """Connect without our client."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(5)
        line.connect(str(node.path))
        yield line


def ask_raw(line: socket.socket, data: bytes) -> dict[str, object]:
    """Send bytes and read one line."""
    line.sendall(data)
    received = b""
    while not received.endswith(b"\n"):
        more = line.recv(65_536)
        assert more, "the server hung up"
        received += more
    answer = json.loads(received)
    assert isinstance(answer, dict)
    return answer


STATUS = b'{"jsonrpc":"2.0","id":1,"method":"status"}\n'


def test_a_call_is_answered(tmp_path: Path) -> None:
    with fake_node(tmp_path, {"status": lambda params: {"running": True, "heard": params}}) as node:
        api = open_api(tmp_path, never_asked)
        assert isinstance(api, SocketApi)
        assert api.call("status", {"a": "ä\n\u202e"}) == {"running": True, "heard": {"a": "ä\n\u202e"}}
        assert api.call("status", {}) == {"running": True, "heard": {}}
        api.close()
        assert [method for method, _ in node.handler.asked] == ["status", "status"]


def test_an_error_arrives_as_it_was_raised(tmp_path: Path) -> None:
    refused = RefusedError("Full.", why="It holds 12.", do="Ask.", code="E-FULL", candidates=("a", "b"))
    with fake_node(tmp_path, {"join.start": refused}):
        api = open_api(tmp_path, never_asked)
        with pytest.raises(MeshError) as told:
            api.call("join.start", {})
        api.close()
    assert (told.value.what, told.value.code, told.value.exit) == ("Full.", "E-FULL", Exit.REFUSED)
    assert told.value.candidates == ("a", "b")


def test_an_error_in_a_nursery_of_the_handler_arrives_too(tmp_path: Path) -> None:
    wrapped = ExceptionGroup("", [ExceptionGroup("", [LocalError("Which?", code="E-AMBIGUOUS")])])
    with fake_node(tmp_path, {"read": wrapped}) as node:
        api = open_api(tmp_path, never_asked)
        with pytest.raises(MeshError, match="Which"):
            api.call("read", {})
        api.close()
        assert node.bugs == []


def test_a_bug_is_handed_over_and_the_node_lives_on(tmp_path: Path) -> None:
    secret = ValueError("what somebody wrote")
    with fake_node(tmp_path, {"post": secret, "status": {}}) as node:
        api = open_api(tmp_path, never_asked)
        with pytest.raises(MeshError) as told:
            api.call("post", {})
        assert api.call("status", {}) == {}
        api.close()
        assert node.bugs == [("post", secret)]
    assert told.value.code == "E-INTERNAL"
    assert "ValueError" in told.value.what
    assert "somebody" not in told.value.what + told.value.why + told.value.do


def test_an_unknown_method_is_said(tmp_path: Path) -> None:
    with fake_node(tmp_path):
        api = open_api(tmp_path, never_asked)
        with pytest.raises(MeshError, match=r"no method 'x\.y'"):
            api.call("x.y", {})
        api.close()


# ---------------------------------------------------------------- streams


def test_a_stream_gives_its_events_and_ends(tmp_path: Path) -> None:
    events: list[JsonObject] = [{"event": "following"}, {"event": "message", "n": 1}]
    with fake_node(tmp_path, events={"read.follow": events}) as node:
        api = open_api(tmp_path, never_asked)
        assert list(api.stream("read.follow", {"group": "g"})) == events
        api.close()
        assert node.handler.asked == [("read.follow", {"group": "g"})]


def test_a_call_can_be_made_while_a_stream_is_open(tmp_path: Path) -> None:
    with fake_node(tmp_path, {"read": {"messages": []}}, {"events": [{"event": "a"}]}, stays_open=True) as node:
        api = open_api(tmp_path, never_asked)
        stream = api.stream("events", {})
        assert next(stream) == {"event": "a"}
        assert api.call("read", {}) == {"messages": []}
        stream.close()  # type: ignore[attr-defined] # ours is a generator
        eventually("the stream was closed", lambda: node.handler.cancelled == ["events"])
        api.close()


def test_where_the_node_has_gone_before_a_stream_begins_it_is_said_so(tmp_path: Path) -> None:
    with fake_node(tmp_path) as node:
        api = open_api(tmp_path, never_asked)
        node.stop()
        eventually("the socket is gone", lambda: not node.path.exists())
        with pytest.raises(NodeStopped):
            api.stream("events", {})
        api.close()


def test_when_the_node_stops_its_streams_say_so(tmp_path: Path) -> None:
    with fake_node(tmp_path, events={"events": [{"event": "a"}]}, stays_open=True) as node:
        api = open_api(tmp_path, never_asked)
        stream = api.stream("events", {})
        next(stream)
        node.stop()
        with pytest.raises(NodeStopped):
            next(stream)
        api.close()


# ---------------------------------------------------------------- coming and going


def test_who_hangs_up_takes_the_call_along(tmp_path: Path) -> None:
    with fake_node(tmp_path, {"status": {}}) as node:
        with raw(node) as line:
            line.sendall(b'{"jsonrpc":"2.0","id":1,"method":"wait"}\n')
            eventually("the call runs", lambda: node.handler.asked)
            assert node.handler.cancelled == []
        eventually("the call was cancelled", lambda: node.handler.cancelled == ["wait"])


def test_a_node_that_is_stopped_over_the_socket_still_answers(tmp_path: Path) -> None:
    with fake_node(tmp_path, {"node.stop": {"stopped": True}}) as node:
        api = open_api(tmp_path, never_asked)
        assert api.call("node.stop", {}) == {"stopped": True}
        eventually("the socket is gone", lambda: not node.path.exists())
        with pytest.raises(NodeStopped):
            api.call("status", {})
        api.close()
        assert reach_node(tmp_path) is None


def test_the_socket_and_its_folders_are_closed_to_others(tmp_path: Path) -> None:
    with fake_node(tmp_path) as node:
        mode = node.path.stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert mode & 0o777 == 0o600
        assert node.path.parent.stat().st_mode & 0o777 == 0o700
    assert not node.path.parent.exists()


def test_what_a_killed_node_left_behind_counts_as_down_and_is_replaced(tmp_path: Path) -> None:
    path = socket_path(tmp_path)
    prepare_folder(path)
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
    assert path.exists()
    assert connect(tmp_path) is None
    with fake_node(tmp_path, {"status": {"running": True}}):
        api = open_api(tmp_path, never_asked)
        assert api.call("status", {}) == {"running": True}
        api.close()


def test_a_second_node_is_refused_and_the_first_keeps_its_socket(tmp_path: Path) -> None:
    with fake_node(tmp_path, {"status": {}}):
        second = FakeNode(tmp_path, FakeHandler({}))
        with pytest.raises(server.NodeRunning):
            second.start()
        api = open_api(tmp_path, never_asked)
        assert api.call("status", {}) == {}
        api.close()


def test_a_folder_that_others_can_open_is_refused_by_both_ends(tmp_path: Path) -> None:
    path = socket_path(tmp_path)
    prepare_folder(path)
    path.parent.chmod(0o755)
    with pytest.raises(UnsafeFolder):
        connect(tmp_path)
    with pytest.raises(UnsafeFolder), fake_node(tmp_path):
        pass


def test_an_unsafe_folder_elsewhere_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime_folder: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(runtime_folder))
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    elsewhere = socket_path(tmp_path)
    elsewhere.parent.mkdir(parents=True)
    elsewhere.parent.parent.chmod(0o777)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime_folder))
    assert connect(tmp_path) is None


def test_a_node_is_found_from_another_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime_folder: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(runtime_folder))
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    with fake_node(tmp_path, {"status": {}}):
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime_folder))
        api = open_api(tmp_path, never_asked)
        assert api.call("status", {}) == {}
        api.close()


def test_a_node_that_does_not_answer_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mesh.node.local.client.CALL_S", 0.05)
    with fake_node(tmp_path):
        api = open_api(tmp_path, never_asked)
        with pytest.raises(NodeSilent):
            api.call("wait", {})
        api.close()


def test_something_else_on_the_socket_is_said(tmp_path: Path) -> None:
    path = socket_path(tmp_path)
    prepare_folder(path)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        api = connect(tmp_path)
        assert api is not None
        answering, _ = other.accept()
        with answering:
            answering.sendall(b"220 smtp ready\r\n")
            with pytest.raises(TransportError, match="does not speak"):
                api.call("status", {})
        api.close()


# ---------------------------------------------------------------- hostile askers


@pytest.mark.parametrize("line", [b"\n", b"garbage\n", b"\x00\xff\n", b"[]\n", b'{"jsonrpc":"2.0"}\n'])
def test_a_bad_line_is_answered_and_the_next_one_too(tmp_path: Path, line: bytes) -> None:
    with fake_node(tmp_path, {"status": {}}) as node, raw(node) as wire:
        refused = ask_raw(wire, line)
        assert refused["id"] is None
        assert ask_raw(wire, STATUS)["result"] == {}


def test_a_line_without_end_is_refused_and_the_asker_hung_up_on(tmp_path: Path) -> None:
    with fake_node(tmp_path, {"status": {}}) as node:
        with raw(node) as line, pytest.raises((BrokenPipeError, ConnectionResetError)):
            line.sendall(b"a" * LINE_BYTES_MAX * 4)
        with raw(node) as line:
            assert ask_raw(line, STATUS)["result"] == {}
        assert node.bugs == []


def test_any_bytes_leave_the_server_serving() -> None:
    folder = Path("hostile")

    @given(st.lists(st.binary(max_size=64), max_size=8))
    def feed(pieces: list[bytes]) -> None:
        with raw(node) as line:
            for piece in pieces:
                line.sendall(piece)
        with raw(node) as line:
            assert ask_raw(line, STATUS)["result"] == {}

    with fake_node(folder, {"status": {}}) as node:
        feed()
        assert node.bugs == []


def test_a_hundred_silent_connections_leave_room_or_are_refused_in_words(tmp_path: Path) -> None:
    with fake_node(tmp_path, {"status": {}}) as node:
        silent = [socket.socket(socket.AF_UNIX) for _ in range(100)]
        try:
            for line in silent:
                line.connect(str(node.path))  # waits while too many stand at the door
            silent[-1].settimeout(5)
            turned_away = silent[-1].recv(65_536)
            assert json.loads(turned_away)["error"]["data"]["code"] == "E-BUSY"
        finally:
            for line in silent:
                line.close()

        def served() -> bool:
            with raw(node) as line:
                return "result" in ask_raw(line, STATUS)

        eventually("there is room again", served)


def test_many_requests_at_once_on_one_connection_are_bounded(tmp_path: Path) -> None:
    with fake_node(tmp_path, {"status": {}}) as node, raw(node) as line:
        for number in range(server.REQUESTS_MAX):
            line.sendall(b'{"jsonrpc":"2.0","id":%d,"method":"wait"}\n' % number)
        refused = ask_raw(line, STATUS)
        assert json.dumps(refused).count("E-BUSY") == 1


def test_an_asker_that_does_not_read_is_hung_up_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "WRITE_S_MAX", 0.05)
    flood: list[JsonObject] = [{"event": "a" * 10_000}] * 200
    with fake_node(tmp_path, events={"events": flood}, stays_open=True) as node, raw(node) as line:
        line.sendall(b'{"jsonrpc":"2.0","id":1,"method":"events"}\n')
        eventually("the stream was closed", lambda: node.handler.cancelled == ["events"])


def test_many_askers_at_once_each_get_their_own_answer(tmp_path: Path) -> None:
    heard: list[object] = []

    def ask(number: int) -> None:
        api = open_api(tmp_path, never_asked)
        heard.extend(api.call("echo", {"n": number})["n"] == number for _ in range(20))
        api.close()

    with fake_node(tmp_path, {"echo": lambda params: params}):
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert heard == [True] * 320


def test_the_client_needs_neither_trio_nor_keys() -> None:
    code = "import sys, mesh.node.local.api; print(*sorted(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    heavy = {"trio", "nacl", "apsw", "libp2p", "cryptography", "asyncio", "msgpack", "msgspec"}
    assert heavy & set(ran.stdout.split()) == set()
