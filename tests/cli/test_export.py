"""`export`: documents that hold what may leave, closed where it was closed, with nothing that was written as markup."""

import json
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cli.exports import FORMATS, WARNING_ENDS, Count, document, marked
from mesh.errors import Exit
from mesh.node.local.protocol import JsonObject
from tests.cli.runner import mesh
from tests.cli.test_prompts import terminal
from tests.cli.test_talk import ID
from tests.node.local.fake_node import Reply, fake_node

BODY: Final = "canary-7373 behind a warning"
HOSTILE: Final = (
    "<script>alert(1)</script> & <img src=x onerror=alert(1)> \"'\n"
    "# heading\n===\n> quote\n- item\n1. item\n    code\n```\nfence\n```\n"
    "![i](http://x/y) [l](javascript:x) <http://x> www.x.org a@b.org *e* **s** `c` &lt; | a | b |\n"
    "\x1b[31mred\x1b]8;;http://x\x07 \u202eback\u2066 </details></div>\\"
)
GROUP: JsonObject = {"id": "ab" * 32, "name": "Tuesday <grief>"}


def post(**more: object) -> JsonObject:
    """A post as the Api gives it."""
    told: dict[str, object] = {
        "id": ID,
        "at": "2026-11-22T14:05:00.000Z",
        "author": {"alias": "juniper", "you": False},
        "mode": "listening",
        "cw": "",
        "closed_by": None,
        "topics": [],
        "text": "Words.",
        "opened": None,
        "reply_to": None,
        "files": [],
        "quote": None,
        **more,
    }
    return told  # type: ignore[return-value] # tests hand in JSON


WARNED = post(id="22" * 16, cw="loss", closed_by="warning", text=None, opened=f"{BODY}\nsecond line\n\n{BODY}")


def paged(*posts: JsonObject, withheld: int = 0, size: int = 2) -> Callable[[JsonObject], JsonObject]:
    """Answer page by page."""

    def answer(params: JsonObject) -> JsonObject:
        after = params.get("after")
        start = 0 if after is None else int(str(after), 16)
        end = start + size
        return {
            "group": GROUP,
            "posts": [*posts[start:end]],
            "withheld": withheld if start == 0 else 0,
            "next": f"{end:02x}" if end < len(posts) else None,
        }

    return answer


def written(form: str, *posts: JsonObject, withheld: int = 0) -> str:
    """The document with these posts."""
    page: JsonObject = {"group": GROUP, "posts": [*posts], "withheld": withheld}
    return "".join(document(FORMATS[form], GROUP, [page], Count()))


@dataclass
class Tags:
    """The tags and attributes of a page, and the text within `<details>` and outside of it.

    What is written is escaped: so each `<` begins a tag, and what these are is all that a browser can make of it.
    """

    tags: set[str]
    attributes: set[str]
    inside: str = ""
    outside: str = ""

    @staticmethod
    def of(page: str) -> "Tags":
        """Take a page apart."""
        found, depth = Tags(set(), set()), 0
        for piece in re.split(r"(<[^>]*>)", page):
            if not piece.startswith("<"):
                found.inside += unescape(piece) if depth else ""
                found.outside += "" if depth else unescape(piece)
                continue
            tag = re.fullmatch(r"<(/?)!?([a-z0-9]+)((?: [a-z-]+(?:=\"[^\"]*\")?)*) ?/?>", piece)
            assert tag is not None, piece
            found.tags.add(tag[2])
            found.attributes |= set(re.findall(r" ([a-z-]+)(?==| |$)", re.sub(r"\"[^\"]*\"", "", tag[3])))
            depth += 0 if tag[2] != "details" else -1 if tag[1] else 1
        return found


HTML_TAGS: Final = {
    *("doctype", "html", "head", "meta", "title", "style", "body", "h1", "bdi"),
    *("p", "article", "div", "details", "summary", "blockquote"),
}


def hostile_post() -> JsonObject:
    """A post of which everything is written against its reader."""
    name = HOSTILE.replace("\n", " ")
    quote = {"id": ID, "author": {"alias": name, "you": False}, "text": HOSTILE}
    return post(author={"alias": name, "you": False}, text=HOSTILE, cw="", topics=[name], quote=quote, mode=name)


def test_nothing_that_was_written_is_markup() -> None:
    page = written("html", hostile_post(), post(cw=HOSTILE, closed_by="warning", text=None, opened=HOSTILE))
    found = Tags.of(page)
    assert found.tags <= HTML_TAGS
    assert found.attributes <= {"html", "lang", "charset", "http-equiv", "content", "name", "class", "dir"}
    assert "default-src 'none'" in page
    assert "http://x" in found.outside, "it is there, to be read"
    for text in (page, written("md", hostile_post())):
        assert not {"\x1b", "\u202e", "\u2066", "\x07"} & set(text)


MD_TAGS: Final = ("h1", "hr", "p", "strong", "blockquote", "br")


@pytest.mark.parametrize("text", [HOSTILE, *HOSTILE.split("\n"), "~~~", "a\n---", "\\", "\\\\", "a\\\nb", "  * x"])
def test_markdown_shows_each_letter_and_no_markup(text: str) -> None:
    plain = "".join(c for c in text if c not in "\x1b\x07\u202e\u2066")
    rendered = MarkdownIt("commonmark").enable("table").render(written("md", post(text=text)))
    found = Tags.of(rendered)
    assert found.tags <= set(MD_TAGS), rendered
    assert found.attributes == set()
    shown = " ".join(found.outside.split())
    assert " ".join(plain.split()) in shown


@given(st.text(max_size=60))
def test_any_line_in_markdown_is_read_back_as_it_was(text: str) -> None:
    line = " ".join("".join(c for c in text if c.isprintable()).split())
    found = Tags.of(MarkdownIt("commonmark").render(marked(line)))
    assert found.tags <= {"p"}
    assert found.outside.strip().replace("\u00a0", " ") == line.strip().replace("\u00a0", " ")


def test_the_words_behind_a_warning_are_in_an_opened_view_alone() -> None:
    page = Tags.of(written("html", post(), WARNED))
    assert BODY in page.inside
    assert BODY not in page.outside
    assert "content warning: loss" in page.inside, "what it is stands on it"
    lines = written("md", post(), WARNED).splitlines()
    assert {line[:3] for line in lines if "canary" in line} == {">> "}
    assert any(marked(WARNING_ENDS) in line for line in lines)
    told = json.loads(written("json", post(), WARNED))
    assert [one["text"] for one in told["posts"]] == ["Words.", None]
    assert BODY in told["posts"][1].pop("opened")
    assert BODY not in json.dumps(told)


@pytest.mark.parametrize("form", ["json", "md", "html"])
def test_a_document_counts_what_is_in_it_and_what_stayed(home: Path, tmp_path: Path, form: str) -> None:
    answer = paged(post(), WARNED, post(id="33" * 16, reply_to=ID), post(id="44" * 16, reply_to="55" * 16), withheld=3)
    out = tmp_path / f"grief.{form}"
    with fake_node(home, {"export": answer}) as node:
        ran = mesh("--json", "export", "g", "--format", form, "--out", str(out), "--since", "2026-08-25", home=home)
        plain = mesh("export", "g", "--format", form, home=home)
        asked = node.handler.asked
    assert ran.json == {
        "schema": 1,
        "file": str(out),
        "format": form,
        "bytes": out.stat().st_size,
        "included": 4,
        "withheld": 3,
    }
    assert plain.out == out.read_text(encoding="utf-8")
    assert plain.err == "4 messages; 3 of others withheld.\n"
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert [params["after"] for _, params in asked] == [None, "02", None, "02"]
    assert asked[0][1] == {"group": "g", "since": "2026-08-25", "after": None}
    assert "55" * 4 not in plain.out, "what is not in it is not named"
    if form == "json":
        told = json.loads(plain.out)
        assert (told["schema"], told["included"], told["withheld"]) == (1, 4, 3)
        assert [one["reply_to"] for one in told["posts"]] == [None, None, ID, None]


def test_a_group_that_gives_nothing_is_a_document_all_the_same(home: Path) -> None:
    with fake_node(home, {"export": paged(withheld=2)}):
        told = mesh("--json", "export", "g", home=home).json
        page = mesh("export", "g", "--format", "html", home=home).out
    assert (told["posts"], told["included"], told["withheld"]) == ([], 0, 2)
    assert Tags.of(page).tags <= HTML_TAGS
    assert "0 messages. 2 messages of others stayed in the group." in page


def test_nothing_is_replaced_unasked_and_a_failure_leaves_nothing(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "kept.md"
    out.write_text("mine", encoding="utf-8")
    with fake_node(home, {"export": paged(post())}) as node:
        ran = mesh("export", "g", "--out", str(out), home=home)
        assert node.handler.asked == [], "it is found out first"
        link = tmp_path / "link.md"
        link.symlink_to(tmp_path / "elsewhere.md")
        linked = mesh("export", "g", "--out", str(link), home=home)
        again = mesh("export", "g", "--out", str(out), "--yes", home=home)
    assert (ran.code, "E-EXISTS" in ran.err) == (Exit.USAGE, True)
    assert linked.code == Exit.USAGE
    assert not (tmp_path / "elsewhere.md").exists()
    assert again.code == 0
    assert out.read_text(encoding="utf-8").startswith("# Tuesday")

    def breaks(params: JsonObject) -> JsonObject:
        if params["after"] is not None:
            raise RuntimeError("in the middle of it")
        return paged(post(), post(), post())(params)

    broken: dict[str, Reply] = {"export": breaks}
    with fake_node(home, broken):
        ran = mesh("export", "g", "--out", str(tmp_path / "half.md"), home=home)
    assert ran.code != 0
    assert sorted(path.name for path in tmp_path.glob("*.md")) == ["kept.md", "link.md"]
    assert not list(tmp_path.glob(".*.part"))


def test_at_a_terminal_it_asks_before_it_replaces(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "kept.md"
    out.write_text("mine", encoding="utf-8")
    with fake_node(home, {"export": paged(post())}):
        with terminal("export", "g", "--out", str(out), home=home, code=2) as child:
            child.expect("exists already. Replace it")
            child.sendline("n")
        assert out.read_text(encoding="utf-8") == "mine"
        with terminal("export", "g", "--out", str(out), home=home) as child:
            child.expect("exists already. Replace it")
            child.sendline("y")
            child.expect("1 message; 0 of others withheld")
    assert out.read_text(encoding="utf-8").startswith("# Tuesday")


def test_a_page_is_not_one_json_object(home: Path) -> None:
    with fake_node(home, {"export": paged(post())}):
        ran = mesh("--json", "export", "g", "--format", "html", home=home)
    assert ran.code == Exit.USAGE


def test_a_quote_leaves_as_far_as_it_may() -> None:
    open_ = {"id": ID, "author": {"alias": "wren", "you": False}, "text": "What wren said."}
    stays = {"id": None, "author": None, "text": None}
    for form in ("md", "html"):
        assert "What wren said" in written(form, post(quote=open_))
        assert "stays in its group" in written(form, post(quote=stays))
