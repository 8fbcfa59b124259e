"""Does everybody have everything after an evening on which nothing goes wrong?"""

from simulations.scenario import Bound, Draft, Scenario


def _draw(draft: Draft) -> None:
    names = draft.circle(draft.whole("members"))
    draft.talks(names, draft.whole("posts"), draft.whole("seconds"))


SCENARIO = Scenario(
    name="plain-evening",
    question="Does everybody have everything after an evening on which nothing goes wrong?",
    about="All are there and talk, on good lines. It is what the others are held against, and what a lab runs first.",
    parameters={"members": 5, "posts": 20, "seconds": 60},
    bounds={"delivery_ratio": Bound(least=1), "copies": Bound(most=2.5), "latency_p99_ms": Bound(most=500)},
    draw=_draw,
    small={"posts": 10},
    most={"seconds": 86_400},
)
