"""An idea, tried: how much worse may a line get before people wait? One plan, three skies, one page for all.

python examples/worse_lines.py [folder]      # then open report.html there
"""

import sys
from dataclasses import replace
from pathlib import Path

from simulations.api import Weather, keep, names, report, run, scenario

LOSSES = (0.0, 0.1, 0.4)
SMALL = {"members": 4, "posts": 8}


def main(out: Path) -> None:
    """Run the same plan under each sky, print a line for each, and write the pages."""
    assert "lossy-village" in names()
    one = scenario("lossy-village")
    print("loss   delivered   half within   99 of 100 within")
    for loss in LOSSES:
        plan = replace(one.plan(1, SMALL), weather=Weather(latency_ms=5, jitter_ms=5, loss=loss))
        result = run(plan, 1, scenario=f"loss-{loss:.0%}".replace("%", "-percent"))
        figures = result.figures
        half, tail = figures["latency_p50_ms"], figures["latency_p99_ms"]
        print(f"{loss:4.0%} {figures['delivery_ratio']:11.1%} {half:10.0f} ms {tail:15.0f} ms")
        report(keep(out, plan, result, {}, f"What does a loss of {loss:.0%} cost?"))
    page, runs = report(out)
    print(f"{runs} runs: {page}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs"))
