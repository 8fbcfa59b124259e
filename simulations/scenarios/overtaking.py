"""When frames overtake each other and come twice, is anything lost, doubled, or confirmed too early?"""

from simulations.scenario import Bound, Draft, Scenario
from simulations.weather import Weather


def _draw(draft: Draft) -> None:
    draft.weather = Weather(latency_ms=60, jitter_ms=120, reorder=0.15, duplicates=0.05)
    names = draft.circle(draft.whole("members"))
    began = draft.now_s
    draft.talks(names, draft.whole("posts"), 20)
    for _ in range(draft.whole("breaks")):
        draft.now_s = began + draft.dice.uniform(2, 18)
        if draft.dice.random() < 0.5:
            one, other = draft.dice.sample(names, 2)
            draft.does("flap", one=one, other=other)
        else:
            name = draft.dice.choice(names)
            draft.does("off", who=name)
            draft.waits(draft.dice.uniform(0.5, 4))
            draft.does("on", who=name)
    draft.now_s = began + 24


SCENARIO = Scenario(
    name="overtaking",
    question="When frames overtake each other and come twice, is anything lost, doubled, or confirmed too early?",
    about=(
        "A lively talk on ways that let one frame in seven fall behind the next and bring some twice, while links "
        "break and machines go off for seconds. No stream does that; the core is to bear it."
    ),
    parameters={"members": 4, "posts": 30, "breaks": 6},
    bounds={"settle_s": Bound(most=90)},
    draw=_draw,
)
