"""The page of several runs: what failed first, with what to type; then each scenario's seeds, times and costs."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element

from simulations.pages.colours import style
from simulations.pages.drawing import Frame, across, label, line, shape, share_said, size_said, time_said, time_ticks
from simulations.pages.latency import latency_picture
from simulations.pages.markup import document, picture, table, tag, words
from simulations.pages.reading import Outcome
from simulations.pages.run_page import NOT_TOLD, commands

FAILED_MAX: Final = 50  # failing runs that are told; a broken build has thousands
SEEDS_MAX: Final = 60  # squares in a row
SCENARIOS_MAX: Final = 60
ROW: Final = 24.0
LEFT: Final = 230.0
WIDE_MAX: Final = 22.0


@dataclass(frozen=True, slots=True)
class Swept:
    """One run of several: where it is kept, and what came of it. `again`: what runs it again, if it was not kept."""

    folder: Path
    outcome: Outcome
    again: str = ""


def sweep_page(runs: Sequence[Swept], times_ms: Sequence[int] = ()) -> str:
    """Write the page of several runs; there is at least one. `times_ms`: all arrivals together, sorted, if any."""
    by_name: dict[str, list[Outcome]] = {}
    for run in sorted(runs, key=lambda run: (run.outcome.name, run.outcome.seed)):
        by_name.setdefault(run.outcome.name, []).append(run.outcome)
    failed = [run for run in runs if not run.outcome.passed]
    passed = len(runs) - len(failed)
    title = f"{_counted(len(runs), 'run')} of {_counted(len(by_name), 'scenario')}"
    sign, kind = ("✗", "broken") if failed else ("✓", "held")
    header = tag(
        "header",
        tag("p", "Simulated networks of real nodes", class_="over"),
        tag("h1", title),
        tag("p", f"{sign} {passed:,} of {len(runs):,} passed", class_=f"verdict {kind}"),
    )
    pictures = [_seeds(by_name)]
    if timed := {name: found for name, found in by_name.items() if any(map(_has_times, found))}:
        pictures.append(_times(timed))
    if times_ms:
        pictures.append(latency_picture(times_ms, {}))
    main = tag("main", _failures(failed), tag("div", pictures, class_="pictures"), _figures(by_name), _end())
    return document(f"{title}: {passed} passed", style(), [header, main])


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _end() -> Element:
    return tag("p", NOT_TOLD, class_="over")


def _failures(failed: Sequence[Swept]) -> Iterator[Element]:
    if not failed:
        return
    lines = []
    for run in failed[:FAILED_MAX]:
        first = next((check for check in run.outcome.checks if not check.passed), None)
        said = [f"{words(run.outcome.name, 80)}, seed {run.outcome.seed}"]
        found = [tag("p", f"{words(first.name)}: {words(first.found)}")] if first is not None else []
        lines.append(tag("li", tag("span", "✗ ", class_="broken"), tag("strong", said), found))
        lines[-1].extend([tag("pre", tag("code", words(run.again)))] if run.again else commands(run.folder, first))
    more = [tag("p", f"… and {len(failed) - FAILED_MAX:,} more")] if len(failed) > FAILED_MAX else []
    heading = tag("h2", f"What failed: {len(failed):,}", id="failed-heading")
    yield tag("section", heading, tag("ul", lines, class_="checks"), more, aria_labelledby="failed-heading")


def _seeds(by_name: Mapping[str, Sequence[Outcome]]) -> Element:
    shown = _first(by_name)
    size = (640.0, ROW * len(shown) + 20)
    most = min(SEEDS_MAX, max(len(found) for _, found in shown))
    wide = min(WIDE_MAX, (size[0] - LEFT - 10) / most)
    drawn = []
    for row, (name, found) in enumerate(shown):
        y = 10 + ROW * row
        drawn.append(label(LEFT - 12, y + 16, words(name, 34), "strong end"))
        for column, outcome in enumerate(found[:SEEDS_MAX]):
            x = LEFT + column * wide
            if outcome.passed:
                drawn.append(tag("rect", x=x, y=y + 7, width=wide - 2, height=9, class_="one"))
            else:
                drawn.append(line(x, y + 2, x + wide - 2, y + 20, "mark-two"))
                drawn.append(line(x, y + 20, x + wide - 2, y + 2, "mark-two"))
    failed = sum(not outcome.passed for found in by_name.values() for outcome in found)
    says = f"A row for each scenario, a mark for each seed: a bar where it passed, a cross where it failed ({failed})."
    if any(len(found) > SEEDS_MAX for found in by_name.values()):
        says += f" The first {SEEDS_MAX} seeds of each are drawn."
    if len(by_name) > SCENARIOS_MAX:
        says += f" The first {SCENARIOS_MAX} scenarios are drawn."
    rows = []
    for name, found in by_name.items():
        lost = [str(outcome.seed) for outcome in found if not outcome.passed]
        rows.append((words(name, 80), f"{len(found):,}", words(", ".join(lost[:40])) or "none"))
    behind = table("Seeds", ("scenario", "runs", "seeds that failed"), rows)
    return picture("seeds", "Every seed", says, size, drawn, behind)


def _first(by_name: Mapping[str, Sequence[Outcome]]) -> list[tuple[str, Sequence[Outcome]]]:
    return list(by_name.items())[:SCENARIOS_MAX]


def _has_times(outcome: Outcome) -> bool:
    return "latency_p50_ms" in outcome.figures and "latency_p99_ms" in outcome.figures


def _times(by_name: Mapping[str, Sequence[Outcome]]) -> Element:
    """Draw each scenario's times: the middle run's p50 and p99, and the worst p99 of any seed."""
    shown = {name: _middling(found) for name, found in _first(by_name)}
    ticks = time_ticks(max(1, min(t[0] for t in shown.values())), max(1, *(t[2] for t in shown.values())))
    low, high = math.log10(ticks[0]), math.log10(ticks[-1])
    frame = Frame(height=ROW * len(shown) + 74, left=LEFT, bottom=ROW * len(shown) + 28)

    def x(time_ms: float) -> float:
        return frame.x((math.log10(max(ticks[0], time_ms)) - low) / (high - low))

    every = -(-len(ticks) // 6)
    drawn = [line(x(tick), frame.top, x(tick), frame.bottom, "grid") for tick in ticks[::every]]
    drawn += across(frame, [((math.log10(t) - low) / (high - low), time_said(t / 1000)) for t in ticks[::every]])
    for row, (name, times) in enumerate(shown.items()):
        y = frame.top + 14 + ROW * row
        drawn.append(label(LEFT - 12, y + 4, words(name, 34), "strong end"))
        drawn.append(line(x(times[0]), y, x(times[2]), y, "line-one"))
        drawn += [shape(kind, x(time), y, 5, "hollow") for kind, time in enumerate(times)]
    for kind, said in enumerate(("p50, middle seed", "p99, middle seed", "p99, worst seed")):
        drawn.append(shape(kind, 150 + 150 * kind, frame.height - 12, 5, "hollow"))
        drawn.append(label(162 + 150 * kind, frame.height - 8, said))
    says = (
        "From a post to its readers, for each scenario: a circle for half of all arrivals, a square for 99 of 100, "
        "both of the middle seed; a diamond for the seed in which 99 of 100 took longest. By powers of ten."
    )
    rows = [(words(name, 80), *(time_said(time / 1000) for time in times)) for name, times in shown.items()]
    behind = table("How long it took", ("scenario", "p50, middle seed", "p99, middle seed", "p99, worst seed"), rows)
    return picture("times", "How long it took", says, (frame.width, frame.height), drawn, behind)


def _middling(found: Sequence[Outcome]) -> tuple[float, float, float]:
    halves = sorted(one.figures["latency_p50_ms"] for one in found if _has_times(one))
    tails = sorted(one.figures["latency_p99_ms"] for one in found if _has_times(one))
    return halves[len(halves) // 2], tails[len(tails) // 2], tails[-1]


def _figures(by_name: Mapping[str, Sequence[Outcome]]) -> Element:
    rows = []
    for name, found in by_name.items():
        passed = sum(one.passed for one in found)
        rows.append(
            (
                words(name, 80),
                f"{passed:,} of {len(found):,}",
                share_said(min((one.figures.get("delivery_ratio", 0.0) for one in found), default=0.0)),
                f"{_mean(found, 'copies'):.2f}",
                size_said(_mean(found, "up_bytes_mean")),
                time_said(max((one.figures.get("settle_s", 0.0) for one in found), default=0.0)),
            )
        )
    heads = (
        "scenario",
        "passed",
        "least delivered",
        "copies, mean",
        "sent by a node, mean",
        "agreed in the end, at most",
    )
    heading = tag("h2", "Figures", id="figures-heading")
    return tag(
        "section", heading, table("Each scenario, over its seeds", heads, rows), aria_labelledby="figures-heading"
    )


def _mean(found: Sequence[Outcome], name: str) -> float:
    values = [one.figures[name] for one in found if name in one.figures]
    return sum(values) / len(values) if values else 0.0
