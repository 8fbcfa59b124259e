"""Attaching files: handed over in pieces, sealed as they come, and gone if no post follows."""

import pytest

from mesh.commands import GivePiece, OfferFiles, Post, Quoted
from mesh.errors import LocalError
from mesh.events import Space
from mesh.ids import PostId
from mesh.peer import attaching
from mesh.wire import limits
from tests.peer.parcels import PIECE, Circle, chunks_in, content, has_all, opened, send_files

MIB = 1024 * 1024


# ---------------------------------------------------------------- what is handed over


def test_the_store_holds_no_word_of_a_file() -> None:
    ring = Circle()
    canary = b"CANARY-IN-A-FILE"
    post = send_files(ring.wren, ring.gid, ("a", canary * 10_000))
    ring.until(lambda: has_all(ring.sorrel, ring.gid, post))
    for person in (ring.wren, ring.sorrel):
        for space in Space:
            for key, value in person.node.store.scan(space):
                assert canary not in key + value, space


def test_pieces_may_be_cut_anywhere() -> None:
    ring = Circle()
    data = [content(130_000), b"", content(65_536, 5), content(3, 6)]
    offered = tuple((f"file {k}", len(one)) for k, one in enumerate(data))
    uid = ring.world.ask("wren", OfferFiles(group=ring.gid, files=offered))
    whole = b"".join(data)
    start = 0
    for size in (1, 65_535, 0, 70_000, 40_000, PIECE):
        ring.world.ask("wren", GivePiece(upload=uid, piece=whole[start : start + size]))
        start += size
    post = Post(group=ring.gid, text="t", mode="listening", cw="", topics=(), reply_to=None, files=uid)
    made = PostId(ring.world.ask("wren", post))
    assert opened(ring.wren, ring.gid, made) == data
    ring.until(lambda: has_all(ring.sorrel, ring.gid, made))
    assert opened(ring.sorrel, ring.gid, made) == data


def refused(ring: Circle, command: OfferFiles | GivePiece | Post) -> str:
    with pytest.raises(LocalError) as error:
        ring.world.ask("wren", command)
    return error.value.code


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ((), "E-FILES"),
        ((("a", 1),) * 5, "E-FILES"),
        ((("a", 32 * MIB), ("b", 1)), "E-FILES"),
        ((("a", -1),), "E-USAGE"),
        ((("", 1),), "E-FILE-NAME"),
        ((("..", 1),), "E-FILE-NAME"),
        ((("a/b", 1),), "E-FILE-NAME"),
        ((("a\\b", 1),), "E-FILE-NAME"),
        ((("a\nb", 1),), "E-FILE-NAME"),
        ((("a\u202egpj.exe", 1),), "E-FILE-NAME"),
        ((("x" * 256, 1),), "E-FILE-NAME"),
        ((("\ud800", 1),), "E-FILE-NAME"),
    ],
)
def test_what_no_post_takes_is_refused_at_once(files: tuple[tuple[str, int], ...], code: str) -> None:
    ring = Circle()
    assert refused(ring, OfferFiles(group=ring.gid, files=files)) == code
    assert ring.wren.room(ring.gid).files == {}


def test_less_and_more_than_was_offered_is_refused_and_what_was_not_sent_goes() -> None:
    ring = Circle()
    uid = ring.world.ask("wren", OfferFiles(group=ring.gid, files=(("a", 100_000),)))
    post = Post(group=ring.gid, text="t", mode="listening", cw="", topics=(), reply_to=None, files=uid)
    ring.world.ask("wren", GivePiece(upload=uid, piece=content(99_999)))
    assert refused(ring, post) == "E-FILES"
    assert refused(ring, GivePiece(upload=uid, piece=b"ab")) == "E-FILES"
    assert refused(ring, GivePiece(upload=b"?" * 16, piece=b"a")) == "E-FILES"
    assert refused(ring, GivePiece(upload=uid, piece=bytes(PIECE + 1))) == "E-TOO-LONG"
    assert chunks_in(ring.wren, ring.gid) == 1
    ring.world.run(attaching.WAIT_MS / 1000 + 1)
    assert chunks_in(ring.wren, ring.gid) == 0
    assert refused(ring, post) == "E-FILES"


def test_what_was_being_handed_over_when_the_node_stopped_is_gone_when_it_starts() -> None:
    ring = Circle()
    uid = ring.world.ask("wren", OfferFiles(group=ring.gid, files=(("a", 100_000),)))
    ring.world.ask("wren", GivePiece(upload=uid, piece=content(99_999)))
    kept = send_files(ring.wren, ring.gid, ("b", b"kept"))
    ring.wren.off()
    ring.wren.on()
    assert list(ring.wren.room(ring.gid).files) == [kept]
    assert chunks_in(ring.wren, ring.gid) == 1
    assert len(list(ring.wren.node.store.scan(Space.FILES, ring.gid))) == 1


def test_only_so_many_posts_are_being_written_at_once() -> None:
    ring = Circle()
    for _ in range(limits.UPLOADS_MAX):
        ring.world.ask("wren", OfferFiles(group=ring.gid, files=(("a", 1),)))
    assert refused(ring, OfferFiles(group=ring.gid, files=(("a", 1),))) == "E-TOO-MANY"


def test_files_that_nobody_has_yet_come_along_when_one_who_was_removed_comes_back() -> None:
    ring = Circle()
    ring.world.partition(("sorrel",), ("wren", "juniper"))
    ring.world.run(5)
    send_files(ring.sorrel, ring.gid, ("a", content(1000)), text="kept for you")
    ring.wren.remove(ring.gid, ring.wren.key_of(ring.gid, "sorrel"))
    ring.world.heal()
    ring.world.run(30)
    ring.sorrel.join(ring.gid, ring.wren.invite(ring.gid))
    ring.until(lambda: "kept for you" in ring.wren.reads(ring.gid))
    ring.until(lambda: any(files.is_whole for files in ring.wren.room(ring.gid).files.values()))


def test_the_largest_post_fits_a_message() -> None:
    ring = Circle()
    each = 8 * MIB
    uid = ring.world.ask("wren", OfferFiles(group=ring.gid, files=tuple(("ü" * 127, each) for _ in range(4))))
    piece = content(PIECE)
    for _ in range(4 * each // PIECE):
        ring.world.ask("wren", GivePiece(upload=uid, piece=piece))
    topics = tuple(f"{k:064}" for k in range(limits.TOPICS_MAX))
    text = "x" * limits.POST_TEXT_BYTES_MAX
    other = ring.wren.create("Elsewhere")
    own = ring.wren.member(other)
    words = "q" * limits.QUOTE_TEXT_BYTES_MAX
    quote = Quoted(group=other, post=PostId(bytes(16)), text=words, author=own)
    post = Post(
        group=ring.gid,
        text=text,
        mode="listening",
        cw="w" * 128,
        topics=topics,
        reply_to=None,
        files=uid,
        quote=quote,
        expires_s=limits.EXPIRES_S_MAX,
    )
    ring.world.ask("wren", post)
    ring.until(lambda: ring.sorrel.reads(ring.gid) == [text])
