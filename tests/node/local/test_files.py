"""Files through the local Api: handed over in pieces, shown beside their message, fetched, and read out."""

from base64 import b64decode, b64encode
from collections.abc import Callable

import pytest

from mesh.errors import LocalError
from mesh.events import Put, Space
from mesh.node.local.inprocess import run_to_end
from mesh.node.local.methods.files import read_out
from mesh.node.local.protocol import LINE_BYTES_MAX, JsonObject, Request, encode_request
from mesh.wire import limits
from simulations.world import World
from tests.node.local.test_methods import GROUP, WorldDesk, part, two

MIB = 1024 * 1024


def content(size: int) -> bytes:
    return b"".join(k.to_bytes(4, "big") for k in range(size // 4 + 1))[:size]


def pair() -> tuple[World, WorldDesk, WorldDesk]:
    world, wren, tansy = two()
    tansy.agree(wren.code())
    world.run(10)
    return world, wren, tansy


def send(desk: WorldDesk, *files: tuple[str, bytes], cw: str = "") -> JsonObject:
    offered = [{"name": name, "size": len(data)} for name, data in files]
    upload = desk.call("file.offer", files=offered)["upload"]
    whole = b"".join(data for _, data in files)
    for start in range(0, len(whole), limits.FILE_PIECE_BYTES_MAX):
        piece = whole[start : start + limits.FILE_PIECE_BYTES_MAX]
        assert desk.call("file.piece", upload=upload, data=b64encode(piece).decode()) == {"taken": len(piece)}
    return part(desk.call("post", text="see", cw=cw, files=upload, wait_s=5), "message")


def files_at(desk: WorldDesk, **params: object) -> list[JsonObject]:
    shown = desk.list("read", "messages") if not params else [part(desk.call("message.show", **params), "message")]
    files = shown[-1]["files"]
    assert isinstance(files, list)
    return [file for file in files if isinstance(file, dict)]


def read(desk: WorldDesk, message: object, file: int = 0) -> bytes:
    events = []
    pieces = read_out(desk, {"message": str(message), "file": file})

    async def following() -> JsonObject | None:
        return await anext(pieces, None)

    while (event := run_to_end(following())) is not None:
        events.append(event)
    return b"".join(b64decode(str(event["data"])) for event in events)


def refused(ask: Callable[[], object]) -> str:
    with pytest.raises(LocalError) as error:
        ask()
    return error.value.code


def test_a_file_is_handed_over_shown_fetched_and_read_out() -> None:
    world, wren, tansy = pair()
    data = content(2 * MIB + 5)
    message = send(wren, ("walk.mp4", data), ("note", b""))
    of = 33
    assert message["files"] == [
        {"name": "walk.mp4", "size": len(data), "state": "here", "got": of, "of": of},
        {"name": "note", "size": 0, "state": "here", "got": 1, "of": 1},
    ]
    world.run(10)
    assert [file["state"] for file in files_at(tansy)] == ["elsewhere", "elsewhere"]
    assert refused(lambda: read(tansy, message["id"])) == "E-FILE-MISSING"
    told = tansy.call("file.fetch", message=message["id"], wait_s=0)
    assert (told["message"], told["reachable"]) == (message["id"], 1)
    told = tansy.call("file.fetch", message=message["id"], wait_s=60)
    assert [file["state"] for file in files_at(tansy)] == ["here", "here"]
    assert read(tansy, message["id"]) == data == read(wren, message["id"])
    assert read(tansy, message["id"], 1) == b""


def test_nobody_who_has_it_is_there() -> None:
    world, wren, tansy = pair()
    message = send(wren, ("walk.mp4", content(2 * MIB)))
    world.run(10)
    world.stop("wren")
    told = tansy.call("file.fetch", message=message["id"], wait_s=30)
    assert told["reachable"] == 0
    assert [file["state"] for file in files_at(tansy)] == ["coming"]


def test_a_closed_warning_says_no_name() -> None:
    world, wren, tansy = pair()
    message = send(wren, ("what-happened.pdf", b"x"), cw="loss")
    world.run(10)
    assert [file["name"] for file in files_at(tansy)] == [None]
    assert [file["name"] for file in files_at(tansy, message=message["id"])] == ["what-happened.pdf"]


def test_a_message_without_files_and_a_file_that_is_not_there_are_said_so() -> None:
    _, wren, _ = pair()
    bare = part(wren.call("post", text="t", wait_s=5), "message")["id"]
    message = send(wren, ("a", b"x"))
    assert refused(lambda: wren.call("file.fetch", message=bare)) == "E-FILES"
    assert refused(lambda: read(wren, bare)) == "E-FILES"
    for number in (-1, 1, 4):
        assert refused(lambda number=number: read(wren, message["id"], number)) == "E-FILES"  # type: ignore[misc] # a default, so that it is this round's


def test_a_chunk_that_does_not_open_is_said_so_and_nothing_of_it_is_given() -> None:
    _, wren, _ = pair()
    message = send(wren, ("a", b"x"))
    ((key, value),) = wren.store.scan(Space.CHUNKS)
    wren.store.commit([Put(Space.CHUNKS, key, value[:-1] + bytes([value[-1] ^ 1]))], durable=True)
    assert refused(lambda: read(wren, message["id"])) == "E-FILE-BROKEN"


@pytest.mark.parametrize("params", [{"upload": "xy", "data": ""}, {"upload": "00", "data": "?"}, {"upload": "00"}])
def test_a_piece_that_makes_no_sense_is_refused(params: dict[str, object]) -> None:
    _, wren, _ = pair()
    assert refused(lambda: wren.call("file.piece", **params)) == "E-USAGE"


@pytest.mark.parametrize("files", [["a"], [{"name": "a"}], [{"name": 1, "size": 1}], [{"name": "a", "size": "1"}]])
def test_an_offer_that_makes_no_sense_is_refused(files: object) -> None:
    _, wren, _ = pair()
    assert refused(lambda: wren.call("file.offer", files=files)) == "E-USAGE"


def test_a_post_with_files_that_were_not_handed_over_is_refused() -> None:
    _, wren, _ = pair()
    assert refused(lambda: wren.call("post", text="t", files="00" * 16)) == "E-FILES"
    assert refused(lambda: wren.call("post", text="t", files="zz")) == "E-USAGE"


def test_a_message_whose_time_is_over_gives_nothing() -> None:
    world, wren, tansy = pair()
    upload = wren.call("file.offer", files=[{"name": "a", "size": 1}])["upload"]
    wren.call("file.piece", upload=upload, data=b64encode(b"x").decode())
    sent = part(wren.call("post", text="t", files=upload, expires_s=60, wait_s=5), "message")
    world.run(5)
    assert read(tansy, sent["id"]) == b"x"
    world.run(120)
    assert refused(lambda: read(tansy, sent["id"])) == "E-NO-MESSAGE"
    assert refused(lambda: tansy.call("file.fetch", message=sent["id"])) == "E-NO-MESSAGE"


def test_the_longest_piece_fits_a_line() -> None:
    data = b64encode(bytes(limits.FILE_PIECE_BYTES_MAX)).decode()
    request = Request(id=2**53 - 1, method="file.piece", params={"upload": "0" * 32, "data": data, "group": GROUP})
    assert len(encode_request(request)) <= LINE_BYTES_MAX
