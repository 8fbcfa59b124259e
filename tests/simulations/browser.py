"""`make test-report`: open pages in a browser and look: nothing fails, nothing leaves the page, everything is drawn.

Each page is opened in both themes, on a wide and on a narrow screen. What the checks must notice is tried as well, on
pages with one thing wrong: a check that cannot fail is none. Needs Chromium, which no package of ours brings, so it is
a command of its own; `tests/simulations/test_pages.py` holds what can be held without one.
"""

import argparse
import json
import re
import sys
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import chdir
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from simulations.keeping import keep
from simulations.pages.colours import DARK, LIGHT
from simulations.pages.writing import report
from simulations.running import run
from simulations.scenarios import scenario
from tests.simulations.chromium import NAMES, VARIABLE, Browser, BrowserError, Json, Message, browser, found
from tests.simulations.pages import kept_run

THEMES: Final = {"light": LIGHT, "dark": DARK}
WIDTHS: Final = (1280, 360)
SHOWN: Final = ("partition-heal", 7)  # the run whose page is pictured in docs/simulations.md
LOOK: Final = """
JSON.stringify({
  ground: getComputedStyle(document.body).backgroundColor,
  wider: document.documentElement.scrollWidth - innerWidth,
  pictures: [...document.querySelectorAll("svg")].map(image => {
    const whole = image.getBoundingClientRect();
    const marks = [...image.querySelectorAll("rect, line, polyline, polygon, circle")].filter(m => !m.closest("defs"));
    const texts = [...image.querySelectorAll("text")].map(t => ({said: t.textContent, box: t.getBoundingClientRect()}));
    const out = t => t.box.left < whole.left - 1 || t.box.right > whole.right + 1
                     || t.box.top < whole.top - 1 || t.box.bottom > whole.bottom + 1;
    const over = (a, b) => Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left) > 2
                     && Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top) > 4;
    return {
      name: image.closest("section").id, width: whole.width, height: whole.height,
      drawn: marks.filter(m => { const b = m.getBoundingClientRect(); return b.width + b.height > 1; }).length,
      outside: texts.filter(out).map(t => t.said),
      upon: texts.flatMap((t, k) => texts.slice(k + 1).filter(u => over(t, u)).map(u => t.said + " / " + u.said)),
    };
  }),
})
"""
# What must be noticed: a page with one thing wrong, and a word of the complaint.
UNSAFE: Final = (r"<meta http-equiv=\"Content-Security-Policy\"[^>]*>", "")
WRONG: Final[Mapping[str, tuple[tuple[tuple[str, str], ...], str]]] = {
    "a script that fails": ((UNSAFE, ("</main>", "</main><script>throw new Error('no')</script>")), "error"),
    "a script beside the policy": ((("</main>", "</main><script>document.title = 1</script>"),), "error"),
    "a picture from elsewhere": ((UNSAFE, ("</main>", '</main><img src="http://127.0.0.1:9/x.png">')), "asks for"),
    "a picture from elsewhere beside the policy": ((("</main>", '</main><img src="http://127.0.0.1:9/x">'),), "error"),
    "a picture that is not drawn": (((r"(?s)<(rect|line|polyline|polygon|circle) .*?</\1>", ""),), "not drawn"),
    "a page wider than the screen": ((UNSAFE, ("<main>", '<main><div style="width: 3000px">x</div>')), "wider"),
    "words that leave a picture": ((("</svg>", '<text x="700" y="20">far away</text></svg>'),), "outside"),
}


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at a page found wrong, and how many pictures it saw."""

    complaints: tuple[str, ...]
    pictures: int


def main() -> int:
    """Open pages; exit 0 if all is well, 1 if not, 2 where there is no browser."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--screenshot", type=Path, help="write a picture of one page there")
    asked = parser.parse_args()
    picture = asked.screenshot and Path(asked.screenshot).resolve()
    program = found()
    if program is None:
        print(
            f"`make test-report` needs Chromium, and found none: PATH has no {', '.join(NAMES)}, and {VARIABLE} names "
            "none.\nDebian: apt-get install chromium; or CHROMIUM=/path/to/chrome make test-report.",
            file=sys.stderr,
        )
        return 2
    with TemporaryDirectory() as folder, browser(program, Path(folder, "profile")) as opened, chdir(folder):
        told = opened.call("Browser.getVersion")
        print(f"{told.get('product')}")
        pages = _pages(Path("runs"))  # as the page names it to whoever types what stands there
        failed = _look_at_all(opened, pages) + _notices(opened, pages["run"], Path(folder))
        if picture:
            _screenshot(opened, pages["run"], picture)
    print("Every page is well." if not failed else f"{failed} complaints.")
    return 1 if failed else 0


def _pages(out: Path) -> dict[str, Path]:
    name, seed = SHOWN
    one = scenario(name)
    plan = one.plan(seed, {})
    shown = keep(out, plan, run(plan, seed, scenario=name, bounds=one.bounds), one.bounds, one.question)
    failing = kept_run(out, fails=True)
    return {"run": report(shown)[0], "failing run": report(failing)[0], "several": report(out)[0]}


def _look_at_all(opened: Browser, pages: Mapping[str, Path]) -> int:
    failed = 0
    for (kind, page), theme, width in product(pages.items(), THEMES, WIDTHS):
        looked = look(opened, page, theme, width)
        failed += len(looked.complaints)
        verdict = "well" if not looked.complaints else "; ".join(looked.complaints)
        print(f"  {kind}, {theme}, {width} px, {looked.pictures} pictures: {verdict}")
    return failed


def _notices(opened: Browser, page: Path, folder: Path) -> int:
    """Try what must be noticed; return how often it was not."""
    missed = 0
    for name, (changes, expected) in WRONG.items():
        text = page.read_text(encoding="utf-8")
        for pattern, instead in changes:
            text, count = re.subn(pattern, instead, text)
            assert count, f"nothing to change for {name}"
        wrong = folder / "wrong.html"
        wrong.write_text(text, encoding="utf-8")
        seen = any(expected in complaint for complaint in look(opened, wrong, "light", WIDTHS[0]).complaints)
        missed += not seen
        print(f"  {name}: {'noticed' if seen else 'NOT NOTICED'}")
    return missed


def look(opened: Browser, page: Path, theme: str, width: int) -> Looked:
    """Open a page and say what is wrong with it."""
    opened.events.clear()
    target, session = _open(opened, page, theme, width)
    seen = opened.call("Runtime.evaluate", session, expression=LOOK, returnByValue=True)
    tree = opened.call("Accessibility.getFullAXTree", session)
    opened.call("Target.closeTarget", targetId=target)
    value = seen["result"]
    assert isinstance(value, dict)
    laid = json.loads(str(value["value"]))
    complaints = [*_told(opened.events, page.resolve().as_uri()), *_laid_out(laid, theme)]
    unheard = len(laid["pictures"]) - _heard(tree)
    complaints += [f"{unheard} pictures have no name for who hears the page"] if unheard else []
    return Looked(tuple(complaints), len(laid["pictures"]))


def _open(opened: Browser, page: Path, theme: str, width: int) -> tuple[str, str]:
    target = str(opened.call("Target.createTarget", url="about:blank")["targetId"])
    session = str(opened.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
    for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
        opened.call(f"{domain}.enable", session)
    scheme: Json = [{"name": "prefers-color-scheme", "value": theme}]
    opened.call("Emulation.setEmulatedMedia", session, features=scheme)
    size: dict[str, Json] = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    opened.call("Emulation.setDeviceMetricsOverride", session, **size)
    opened.events.clear()
    opened.call("Page.navigate", session, url=page.resolve().as_uri())
    opened.wait("Page.loadEventFired", session)
    return target, session


def _told(events: list[Message], uri: str) -> Iterator[str]:
    """Give what the browser told of while a page was open: errors, and requests for anything but the page."""
    for event in events:
        params = event.get("params")
        told = json.dumps(params)[:200]
        if event.get("method") in {"Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"}:
            yield f"an error: {told}"
        elif event.get("method") == "Network.requestWillBeSent" and isinstance(params, dict):
            request = params.get("request")
            if not isinstance(request, dict) or request.get("url") != uri:
                yield f"it asks for {request.get('url') if isinstance(request, dict) else told}"


def _laid_out(laid: Mapping[str, Json], theme: str) -> Iterator[str]:
    ground = THEMES[theme]["page"]
    if laid["ground"] != f"rgb({', '.join(str(int(ground[at : at + 2], 16)) for at in (1, 3, 5))})":
        yield f"its ground is {laid['ground']}, not {ground}"
    if laid["wider"]:
        yield f"it is {laid['wider']} px wider than the screen"
    pictures = laid["pictures"]
    assert isinstance(pictures, list)
    if not pictures:
        yield "it has no picture"
    for image in pictures:
        assert isinstance(image, dict)
        large = isinstance(image["width"], int | float) and image["width"] > 200
        if not large or not isinstance(image["drawn"], int) or image["drawn"] < 3:
            yield f"{image['name']} is not drawn"
        if image["outside"]:
            yield f"outside of {image['name']}: {image['outside']}"
        if image["upon"]:
            yield f"words upon words in {image['name']}: {image['upon']}"


def _heard(tree: Message) -> int:
    """Count the pictures that have a name where a screen reader looks."""
    nodes = tree["nodes"]
    assert isinstance(nodes, list)
    count = 0
    for node in nodes:
        assert isinstance(node, dict)
        role, name = node.get("role"), node.get("name")
        if isinstance(role, dict) and isinstance(name, dict):
            count += role.get("value") in {"image", "img"} and bool(name.get("value"))
    return count


def _screenshot(opened: Browser, page: Path, where: Path) -> None:
    _, session = _open(opened, page, "light", 1100)
    clip: Json = {"x": 0, "y": 0, "width": 1100, "height": 1480, "scale": 0.8}
    taken = opened.call("Page.captureScreenshot", session, format="png", clip=clip, captureBeyondViewport=True)
    where.write_bytes(b64decode(str(taken["data"])))
    print(f"  {where}: {where.stat().st_size} B")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrowserError as error:
        sys.exit(f"The browser: {error}.")
