"""When somebody goes on typing while cut off, do all read one conversation afterwards?"""

from simulations.scenario import GROUP, Bound, Draft, Scenario
from simulations.weather import Weather


def _draw(draft: Draft) -> None:
    draft.weather = Weather(latency_ms=80, jitter_ms=60)
    names = draft.circle(draft.whole("members"))
    for _ in range(draft.whole("times")):
        alone = draft.dice.choice(names)
        others = [name for name in names if name != alone]
        draft.does("partition", sides=(alone, " ".join(others)))
        draft.talks([alone, *others], draft.whole("posts"), 20)
        if draft.dice.random() < 0.7:
            draft.does("rekey", who=draft.dice.choice(others), group=GROUP)
            draft.waits(2)
        draft.talks([alone, *others], draft.whole("posts"), 20)
        draft.does("heal")
        draft.talks(names, 2, 6)
        draft.waits(10)


SCENARIO = Scenario(
    name="typed-alone",
    question="When somebody goes on typing while cut off, do all read one conversation afterwards?",
    about=(
        "One member at a time is cut off from all and types on; the others talk, and mostly change the keys. What "
        "was typed waits, and is said once the cut heals."
    ),
    parameters={"members": 4, "times": 2, "posts": 4},
    bounds={"delivery_ratio": Bound(least=1), "settle_s": Bound(most=60)},
    draw=_draw,
)
