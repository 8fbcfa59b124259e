"""Does a group on one poor network without internet have everything?"""

from simulations.scenario import Bound, Draft, Scenario
from simulations.weather import Weather


def _draw(draft: Draft) -> None:
    draft.weather = Weather(latency_ms=3, jitter_ms=5, loss=0.2)
    names = draft.circle(draft.whole("members"))
    began = draft.now_s
    draft.talks(names, draft.whole("posts"), 60)
    for _ in range(10):
        draft.now_s = began + draft.dice.uniform(0, 55)
        one, other = draft.dice.sample(names, 2)
        draft.does("flap", one=one, other=other)
    draft.now_s = began + 60


SCENARIO = Scenario(
    name="lossy-village",
    question="Does a group on one poor network without internet have everything?",
    about="A village network: short ways, one frame in five is lost and sent again, links break now and then.",
    parameters={"members": 6, "posts": 20},
    bounds={"delivery_ratio": Bound(least=1), "latency_p99_ms": Bound(most=5000)},
    draw=_draw,
)
