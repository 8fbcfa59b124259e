"""Pages: nothing leaves them, whatever words go in; every picture can be read by who cannot see it or its colours."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from shutil import copytree

import pytest

from mesh.errors import LocalError
from simulations.pages.colours import DARK, GROUNDS, LIGHT, MARKS, TEXTS, contrast, style
from simulations.pages.drawing import nice_steps, share_said, size_said, time_said, time_step, time_ticks
from simulations.pages.markup import words
from simulations.pages.network import sides
from simulations.pages.reading import read_run
from simulations.pages.run_page import run_page
from simulations.pages.writing import report
from simulations.spells import Spell
from tests.simulations.pages import kept_run, parsed, said, sections

HOSTILE = (
    "</title></style><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<!-- ]]> &amp; &#60;b&#62; <?x?>",
    "{{7*7}} ${HOME} `id` $(id) 'a' \"b\"",
    "\u202egnihton\u2066 \x00\x1b[31m \ud800 \u200b",
)
REACHING = {"script", "link", "iframe", "object", "embed", "img", "image", "use", "base", "form", "video", "audio", "a"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a run that failed, with its page."""
    found = kept_run(tmp_path_factory.mktemp("runs"), fails=True)
    report(found)
    return found


@pytest.fixture(scope="module")
def pages(folder: Path) -> Mapping[str, str]:
    """Give a page of each kind."""
    kept_run(folder.parent, 2)
    several, runs = report(folder.parent)
    assert runs == 2
    return {"run": (folder / "report.html").read_text(), "sweep": several.read_text()}


@pytest.mark.parametrize("kind", ["run", "sweep"])
def test_nothing_leaves_a_page(pages: Mapping[str, str], kind: str) -> None:
    page = parsed(pages[kind])
    assert [element.tag for element in page.iter() if element.tag in REACHING] == []
    for element in page.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on"), name
            assert name not in {"src", "srcset", "href", "xlink:href", "style", "data", "action", "poster"}, name
            assert "url(" not in value or re.fullmatch(r"url\(#[\w-]+\)", value), value
    sheets = [element.text or "" for element in page.iter("style")]
    assert [re.findall(r"url\(|@import|://|expression", sheet) for sheet in sheets] == [[]]
    assert "://" not in pages[kind]


@pytest.mark.parametrize("kind", ["run", "sweep"])
def test_a_browser_is_told_to_load_nothing(pages: Mapping[str, str], kind: str) -> None:
    policies = [
        element.get("content", "")
        for element in parsed(pages[kind]).iter("meta")
        if element.get("http-equiv") == "Content-Security-Policy"
    ]
    assert len(policies) == 1
    assert policies[0].startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policies[0]


@pytest.mark.parametrize("kind", ["run", "sweep"])
def test_ids_are_unique_and_what_is_named_is_there(pages: Mapping[str, str], kind: str) -> None:
    page = parsed(pages[kind])
    ids = [element.get("id", "") for element in page.iter() if "id" in element.attrib]
    assert len(ids) == len(set(ids)) >= 10
    for element in page.iter():
        for name in element.get("aria-labelledby", "").split():
            assert name in ids
        for value in element.attrib.values():
            assert set(re.findall(r"url\(#([\w-]+)\)", value)) <= set(ids)


@pytest.mark.parametrize(
    ("kind", "pictures"),
    [("run", {"latency", "traffic", "network", "message"}), ("sweep", {"seeds", "times", "latency"})],
)
def test_each_picture_has_a_title_words_and_a_table(pages: Mapping[str, str], kind: str, pictures: set[str]) -> None:
    page = parsed(pages[kind])
    assert {section.get("id") for section in sections(page)} == pictures
    for section in sections(page):
        (image,) = section.iter("svg")
        assert image.get("role") == "img"
        assert image.get("aria-labelledby") == f"{section.get('id')}-title {section.get('id')}-says"
        title, description = image.find("title"), image.find("desc")
        assert title is not None
        assert description is not None
        assert title.text
        assert len(description.text or "") > 40
        assert said(section).count(description.text or "") == 2, "beneath the picture it stands for everybody"
        drawn = [element for element in image.iter() if element.tag in {"rect", "line", "polyline", "circle"}]
        assert len(drawn) >= 3
        tables = list(section.iter("table"))
        assert tables
        assert all(len(list(table.iter("tr"))) >= 2 for table in tables)


@pytest.mark.parametrize("kind", ["run", "sweep"])
def test_who_hears_a_page_finds_the_way(pages: Mapping[str, str], kind: str) -> None:
    page = parsed(pages[kind])
    assert page.get("lang") == "en"
    assert [len(list(page.iter(name))) for name in ("h1", "main", "title")] == [1, 1, 1 + len(list(page.iter("svg")))]
    for table in page.iter("table"):
        caption = table.find("caption")
        assert caption is not None
        assert all(head.get("scope") in {"col", "row"} for head in table.iter("th"))
    for section in page.iter("section"):
        assert section.get("aria-labelledby")


def test_a_failed_check_stands_first_with_what_to_type(folder: Path, pages: Mapping[str, str]) -> None:
    page = parsed(pages["run"])
    first = next(page.iter("li"))
    assert said(first).startswith("✗ does not hold: latency_p99_ms is at most 1 it is ")
    typed = [shlex.split(said(code)) for code in first.iter("code")]
    assert typed == [
        ["mesh", "sim", "replay", str(folder)],
        ["mesh", "sim", "shrink", str(folder), "--check", "latency_p99_ms is at most 1"],
    ]
    assert "✗ Failed" in said(page)


def test_the_page_of_several_names_what_failed(folder: Path, pages: Mapping[str, str]) -> None:
    page = parsed(pages["sweep"])
    assert "✗ 1 of 2 passed" in said(page)
    assert "evening, seed 1" in said(next(page.iter("li")))
    assert ["mesh", "sim", "replay", str(folder)] in [shlex.split(said(code)) for code in page.iter("code")]


def test_the_same_run_gives_the_same_page(folder: Path, pages: Mapping[str, str]) -> None:
    assert run_page(read_run(folder)) == pages["run"]


def test_what_a_run_was_shrunk_to_is_no_run_of_the_sweep(folder: Path, tmp_path: Path) -> None:
    one = copytree(folder, tmp_path / "evening-1")
    copytree(folder, one / "small" / "evening-1")
    assert report(tmp_path)[1] == 1


def test_a_run_in_which_nothing_happened_has_a_page(folder: Path, tmp_path: Path) -> None:
    empty = copytree(folder, tmp_path / "run")
    for name in ("latency.csv", "bytes.csv", "pairs.csv", "way.csv"):
        (empty / name).unlink()
    page, _ = report(empty)
    assert {section.get("id") for section in sections(parsed(page.read_text()))} == {"network"}


# ---------------------------------------------------------------- words of others


@pytest.mark.parametrize("words_of_others", HOSTILE)
def test_words_stay_words(folder: Path, tmp_path: Path, words_of_others: str) -> None:
    """In the question, in what a check is called and found, in names of nodes, and in the folder's name."""
    inner = copytree(folder, tmp_path / "a 'b' $(id) <b>")
    plan, result = (json.loads((inner / name).read_text()) for name in ("plan.json", "result.json"))
    plan["question"] = words_of_others
    result["scenario"] = words_of_others[:100]
    result["passed_over"] = [words_of_others]
    result["checks"].append({"name": words_of_others[:100], "found": words_of_others, "passed": False})
    result["passed"] = False
    result["nodes"] |= {words_of_others[:100]: result["nodes"]["wren"]}
    result["catch_up"].append({**result["catch_up"][0], "who": words_of_others[:100]})
    result["hops"] |= {words_of_others[:100]: 3}
    (inner / "plan.json").write_text(json.dumps(plan))
    (inner / "result.json").write_text(json.dumps(result).replace("\\ud800", "?"))
    name = words_of_others.replace(",", "").replace("\ud800", "").translate(dict.fromkeys(range(32)))[:60]
    (inner / "pairs.csv").write_text(f"from,to,bytes\n{name},wren,9\nwren,juniper,7\n", encoding="utf-8")
    (inner / "way.csv").write_text(f"left_ms,at_ms,from,to,fresh\n1,2,{name},wren,1\n", encoding="utf-8")
    for place in (inner, tmp_path):
        page = parsed(report(place)[0].read_text())
        assert {element.tag for element in page.iter()} & REACHING == set()
        assert words(words_of_others if place is inner else words_of_others.replace("\ud800", "?")) in said(page)
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\x00-\x08\x1b]", "".join(page.itertext()))
        typed = [shlex.split(said(code)) for code in page.iter("code") if said(code).startswith("mesh sim replay")]
        assert ["mesh", "sim", "replay", str(inner)] in typed


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("result.json", ""),
        ("result.json", "[]"),
        ("result.json", '{"scenario": "a", "seed": 1, "digest": "b"}'),
        ("result.json", '{"scenario": "a", "seed": 1, "digest": "b", "passed": true, "figures": {"copies": NaN}}'),
        ("result.json", '{"scenario": "a", "seed": 1, "digest": "b", "passed": true, "figures": {"copies": 1e400}}'),
        ("result.json", '{"scenario": "a", "seed": 1, "digest": "b", "passed": true, "hops": {"1": -1}}'),
        ("result.json", '{"scenario": "a", "seed": 1, "digest": "b", "passed": true, "checks": [1]}'),
        ("result.json", "[" * 100_000),
        ("latency.csv", "ms\n1e9\n"),
        ("latency.csv", "ms\n-1\n"),
        ("latency.csv", "ms\n²\n"),
        ("latency.csv", f"ms\n{'9' * 400}\n"),
        ("bytes.csv", "second,payload,control\n1,2\n"),
        ("pairs.csv", "from,to,bytes\na,b,c\n"),
        ("way.csv", "left_ms,at_ms,from,to,fresh\n1,2,3\n"),
        ("plan.json", "{"),
        ("plan.json", '{"people": [7]}'),
    ],
)
def test_what_is_no_run_is_refused(folder: Path, tmp_path: Path, name: str, text: str) -> None:
    inner = copytree(folder, tmp_path / "run")
    (inner / name).write_text(text, encoding="utf-8")
    with pytest.raises(LocalError):
        report(inner)


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="stands no run"):
        report(tmp_path)
    with pytest.raises(LocalError, match="stands no run"):
        report(tmp_path / "nowhere")


# ---------------------------------------------------------------- colours


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_every_theme_can_be_read(theme: Mapping[str, str]) -> None:
    texts = {(role, ground): contrast(theme[role], theme[ground]) for role, ground in product(TEXTS, GROUNDS)}
    marks = {
        (role, ground): contrast(theme[role], theme[ground]) for role, ground in product(MARKS, (*GROUNDS, "veil"))
    }
    assert min(texts.values()) >= 4.5, texts
    assert min(marks.values()) >= 3, marks


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#123456", "#123456") == 1


def test_both_themes_are_in_the_sheet_and_no_colour_stands_outside_them() -> None:
    sheet = style()
    assert LIGHT.keys() == DARK.keys()
    for theme in (LIGHT, DARK):
        assert all(f"--{role}: {colour};" in sheet for role, colour in theme.items())
    assert set(re.findall("#[0-9a-f]{3,8}", sheet)) <= {*LIGHT.values(), *DARK.values()}
    assert set(re.findall(r"var\(--([a-z]+)\)", sheet)) == set(LIGHT)


def test_what_differs_differs_not_in_colour_alone(pages: Mapping[str, str]) -> None:
    page = parsed(pages["run"])
    found = {section.get("id"): section for section in sections(page)}
    traffic = [rect.get("fill", "") for rect in found["traffic"].iter("rect") if rect.get("class") == "rim"]
    assert traffic
    assert set(traffic) == {"url(#traffic-hatch)"}
    assert "stroke-dasharray" in re.search(r"\.line-two \{[^}]*\}", style())[0]  # type: ignore[index]  # it is there
    heads = {leg.get("class"): leg.get("marker-end") for leg in found["message"].iter("line") if leg.get("marker-end")}
    assert heads["line-one"] == "url(#message-news)"
    assert {element.tag for element in found["network"].iter()} >= {"circle", "polygon"}, "sides have shapes"


# ---------------------------------------------------------------- quantities


def test_quantities_are_said_in_the_unit_that_fits() -> None:
    assert [time_said(s) for s in (0, 0.02, 9.17, 63, 120, 7200, 1_209_600)] == [
        *("0 ms", "20 ms", "9.17 s", "1 min 3 s", "2 min", "2 h", "14 days")
    ]
    assert [size_said(count) for count in (0, 999, 1_234, 123_456, 5e6, 2e12)] == [
        *("0 B", "999 B", "1.23 kB", "123 kB", "5 MB", "2,000 GB")
    ]
    assert [share_said(share) for share in (1, 0.99999, 0.5, 0)] == ["100 %", "99.99 %", "50 %", "0 %"]


def test_scales_hold_what_is_drawn() -> None:
    for most in (0, 1, 7, 99, 12_345, 10**12):
        steps = nice_steps(most)
        assert steps[0] == 0
        assert steps[-1] >= most
        assert 2 <= len(steps) <= 6
    for least, most_ms in ((1, 1), (20, 41), (3, 10**9), (0, 0), (1, 10**15)):
        ticks = time_ticks(least, most_ms)
        assert ticks[0] <= max(1, least)
        assert ticks[-1] >= most_ms
        assert len(ticks) >= 2
    assert all(seconds / time_step(seconds, 7) <= 7 for seconds in (1, 59, 86_400, 34_560_000, 1e12))


def test_sides_are_those_who_can_still_meet() -> None:
    people = ["a", "b", "c", "d"]
    spell = Spell(0, 1, frozenset({("a", "c"), ("a", "d"), ("b", "c"), ("b", "d")}), frozenset())
    assert sides(people, spell) == [["a", "b"], ["c", "d"]]
    assert sides(people, replace(spell, cuts=frozenset({("a", "b")}))) == [["a", "b", "c", "d"]]
