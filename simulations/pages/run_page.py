"""The page of one run: what was asked, whether it held, what it cost, and four pictures of how it went."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element

from simulations.pages.colours import style
from simulations.pages.drawing import share_said, size_said, time_said
from simulations.pages.latency import latency_picture
from simulations.pages.markup import document, table, tag, words
from simulations.pages.network import network_picture
from simulations.pages.reading import Outcome, Run, Verdict
from simulations.pages.sequence import sequence_picture
from simulations.pages.traffic import traffic_picture
from simulations.scenarios import names
from simulations.scenarios import scenario as named
from simulations.spells import spells

ROWS_MAX: Final = 300
NOT_TOLD: Final = (
    "What no run here can tell: how long a processor takes, how real routers differ from theory, and what people do. "
    "Bytes are those of frames, without what a transport adds. See docs/simulations.md."
)


def run_page(run: Run) -> str:
    """Write the page of a run."""
    outcome = run.outcome
    title = f"{words(outcome.name, 80)}, seed {outcome.seed}"
    question = run.kept.question or question_of(outcome.scenario)
    header = tag(
        "header",
        tag("p", "A simulated network of real nodes", class_="over"),
        tag("h1", title),
        [tag("p", words(question), class_="asks")] if question else [],
        tag("p", verdict_said(outcome), class_=f"verdict {'held' if outcome.passed else 'broken'}"),
    )
    main = tag(
        "main",
        tag("dl", (tag("div", tag("dt", name), tag("dd", value)) for name, value in _tiles(outcome)), class_="tiles"),
        _checks(run),
        tag("div", _pictures(run), class_="pictures"),
        _costs(outcome),
        *_returns(outcome),
        _steps(run),
        _names(run),
        tag("p", NOT_TOLD, class_="over"),
    )
    return document(f"{title}: {'passed' if outcome.passed else 'failed'}", style(), [header, main])


def question_of(scenario: str) -> str:
    """Give the question of one of our own scenarios; nothing for another."""
    return named(scenario).question if scenario in names() else ""


def verdict_said(outcome: Outcome) -> str:
    """Say how a run ended, in a sign and in words."""
    held = sum(check.passed for check in outcome.checks)
    sign, said = ("✓", "Passed") if outcome.passed else ("✗", "Failed")
    return f"{sign} {said}: {held} of {len(outcome.checks)} checks hold"


def _tiles(outcome: Outcome) -> Iterator[tuple[str, str]]:
    figures = outcome.figures
    told = {
        "delivery_ratio": ("delivered", share_said),
        "latency_p50_ms": ("half of it within", lambda ms: time_said(ms / 1000)),
        "latency_p99_ms": ("99 of 100 within", lambda ms: time_said(ms / 1000)),
        "copies": ("copies of a message to a node", lambda copies: f"{copies:.2f}"),
        "up_bytes_mean": ("sent by a node, on average", size_said),
        "heal_s": ("with everybody after a heal", time_said),
        "catch_up_bytes": ("to catch up, at most", size_said),
        "settle_s": ("until all agreed in the end", time_said),
        "seconds": ("virtual time", time_said),
    }
    for name, (said, form) in told.items():
        if name in figures:
            yield said, form(figures[name])


def commands(folder: Path, check: Verdict | None = None) -> Iterator[Element]:
    """Give what to type to run a run again, and to make it small while a check fails; to be copied."""
    where = shlex.quote(words(str(folder)))
    yield tag("pre", tag("code", f"mesh sim replay {where}"))
    if check is not None:
        yield tag("pre", tag("code", f"mesh sim shrink {where} --check {shlex.quote(words(check.name))}"))


def _checks(run: Run) -> Element:
    checks = run.outcome.checks[:ROWS_MAX]
    failed = [_failed(run, check) for check in checks if not check.passed]
    held = [tag("li", tag("span", "✓ holds: ", class_="held"), words(check.name)) for check in checks if check.passed]
    lists = [tag("ul", lines, class_=kind) for lines, kind in ((failed, "checks"), (held, "checks short")) if lines]
    again = [] if failed else [tag("p", "Run it again:"), *commands(run.folder)]
    heading = tag("h2", "What must hold", id="checks-heading")
    return tag("section", heading, lists, again, aria_labelledby="checks-heading")


def _failed(run: Run, check: Verdict) -> Element:
    made = tag("li", tag("span", "✗ does not hold: ", class_="broken"), tag("strong", words(check.name)))
    made.extend([tag("p", words(check.found)), *commands(run.folder, check)])
    return made


def _pictures(run: Run) -> Iterator[Element]:
    told = spells(run.kept.plan, run.seconds)
    cut = [spell for spell in told if not spell.whole]
    if run.latencies_ms:
        yield latency_picture(run.latencies_ms, run.kept.bounds)
    if run.series:
        yield traffic_picture(run.series, run.seconds, cut)
    yield network_picture([person.name for person in run.kept.plan.people], run.pairs, told)
    if run.way:
        yield sequence_picture(run.way, cut)


def _costs(outcome: Outcome) -> Element:
    heavy = sorted(outcome.nodes.items(), key=lambda item: (-item[1].payload_up - item[1].control_up, item[0]))
    rows = [
        (
            words(name, 40),
            size_said(cost.payload_up),
            size_said(cost.control_up),
            size_said(cost.payload_down),
            size_said(cost.control_down),
            f"{cost.frames / cost.fresh:.2f}" if cost.fresh else "none came",
        )
        for name, cost in heavy[:ROWS_MAX]
    ]
    heads = ("node", "new messages up", "all else up", "new messages down", "all else down", "copies of each")
    made = table("Who sent most stands first.", heads, rows, max(0, len(heavy) - ROWS_MAX))
    figures = outcome.figures
    legs = ", ".join(f"{count:,} after {leg}" for leg, count in sorted(outcome.hops.items(), key=_leg)[:12])
    said = [f"Most frames under way at once: {figures.get('queue_high', 0):,.0f}."]
    said += [f"Legs from the author: {words(legs)}."] if legs else []
    heading = tag("h2", "What each node paid", id="cost-heading")
    return tag("section", heading, tag("p", " ".join(said)), made, aria_labelledby="cost-heading")


def _leg(item: tuple[str, int]) -> tuple[int, str]:
    return (int(item[0]) if item[0].isascii() and item[0].isdecimal() else 0, item[0])


def _returns(outcome: Outcome) -> Iterator[Element]:
    if not outcome.catch_up:
        return
    rows = [
        (
            words(back.who, 40),
            time_said(back.at_ms / 1000),
            f"{back.missed:,}",
            time_said(back.took_ms / 1000),
            size_said(back.bytes),
            f"{back.round_trips:,}",
        )
        for back in outcome.catch_up[:ROWS_MAX]
    ]
    heads = (
        "who",
        "came back at",
        "message frames missed",
        "had them after",
        "bytes until then",
        "round trips at most",
    )
    made = table("Who was off, and came back", heads, rows, max(0, len(outcome.catch_up) - ROWS_MAX))
    heading = tag("h2", "Catching up", id="returns-heading")
    yield tag("section", heading, made, aria_labelledby="returns-heading")


def _steps(run: Run) -> Element:
    steps = run.kept.plan.steps
    rows = [(time_said(step.at_s), step.do, words(str(step)[24:], 200)) for step in steps[:ROWS_MAX]]
    made = table("Every step of the plan", ("at", "what", "with"), rows, max(0, len(steps) - ROWS_MAX))
    over = run.outcome.passed_over
    left = [tag("p", f"{len(over)} could not be done when their time came:")] if over else []
    left += [tag("ul", (tag("li", words(line, 240)) for line in over[:40]))] if over else []
    heading = tag("h2", f"What happened: {len(steps):,} steps", id="steps-heading")
    folded = tag("details", tag("summary", "All steps"), made)
    return tag("section", heading, left, folded, aria_labelledby="steps-heading")


def _names(run: Run) -> Element:
    outcome = run.outcome
    rows = [
        ("digest of all that happened", outcome.digest),
        ("plan", outcome.plan),
        ("seed", str(outcome.seed)),
        ("code", outcome.code),
        ("locks", outcome.locks),
    ]
    told = [(name, tag("code", words(value))) for name, value in rows]
    made = table("The same plan, seed, code and locks give the same digest.", ("part", "value"), told)
    return tag("section", tag("h2", "Its name", id="name-heading"), made, aria_labelledby="name-heading")
