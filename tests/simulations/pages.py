"""Pages read back as a browser's parser would split them: a tree of elements, for the tests that look at pages."""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder

from simulations.keeping import keep
from simulations.plans import Plan, Somebody, made, step
from simulations.running import run
from simulations.scenario import Bound
from simulations.weather import Weather

VOID = frozenset({"meta", "br", "hr", "img", "input", "link", "base", "source", "embed", "area", "col", "wbr"})
NAMES = ("wren", "juniper", "sorrel", "tansy")


def evening() -> Plan:
    """Four are in a group; two are cut off, one is away, and things are said meanwhile."""
    steps = [
        step(0, "found", who="wren", group="g"),
        *(step(0, "enter", who=name, group="g", by="wren") for name in NAMES[1:]),
        step(20, "partition", sides=("wren juniper", "sorrel tansy")),
        step(21, "off", who="juniper"),
        *(step(22 + k, "post", who=NAMES[k % 4], group="g") for k in range(8)),
        step(31, "clog", one="wren", other="sorrel"),
        step(34, "heal"),
        step(36, "on", who="juniper"),
        step(38, "post", who="sorrel", group="g"),
    ]
    return made(tuple(Somebody(name) for name in NAMES), Weather(), steps, 60.0)


def kept_run(out: Path, seed: int = 1, *, fails: bool = False, question: str = "Who has what?") -> Path:
    """Keep that evening as it went, with a bound that it does not keep if it is to fail; return its folder."""
    bounds = {"latency_p99_ms": Bound(most=1 if fails else 1e9)}
    result = run(evening(), seed, scenario="evening", bounds=bounds)
    assert result.passed is not fails, result.checks
    return keep(out, evening(), result, bounds, question)


def parsed(page: str) -> Element:
    """Read a page; AssertionError where elements do not close as they opened."""
    builder = TreeBuilder()
    open_: list[str] = []

    def start(name: str, attributes: list[tuple[str, str | None]]) -> None:
        assert len(dict(attributes)) == len(attributes), f"an attribute twice in <{name}>"
        builder.start(name, {key: value or "" for key, value in attributes})
        if name in VOID:
            builder.end(name)
        else:
            open_.append(name)

    def end(name: str) -> None:
        assert open_.pop() == name
        builder.end(name)

    def refuse(what: str) -> None:
        raise AssertionError(f"no such thing belongs on a page: {what}")

    parser = HTMLParser(convert_charrefs=True)
    handlers = {
        "handle_starttag": start,
        "handle_endtag": end,
        "handle_data": builder.data,
        "handle_decl": lambda said: None if said == "doctype html" else refuse(said),
        **dict.fromkeys(("handle_comment", "handle_pi", "unknown_decl"), refuse),
    }
    for name, handler in handlers.items():
        setattr(parser, name, handler)
    first, _, rest = page.partition("\n")
    assert first == "<!doctype html>"
    parser.feed(rest.strip())
    parser.close()
    assert open_ == []
    return builder.close()


def sections(page: Element) -> Iterator[Element]:
    """Give every section that holds a picture."""
    return (section for section in page.iter("section") if section.find(".//svg") is not None)


def said(element: Element) -> str:
    """Give all words of an element, as they are read."""
    return " ".join(" ".join(element.itertext()).split())
