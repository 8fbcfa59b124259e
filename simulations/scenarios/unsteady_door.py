"""When links break and machines stop while somebody comes in, are they in, and told so?"""

from simulations.scenario import GROUP, Bound, Draft, Scenario
from simulations.weather import Weather


def _draw(draft: Draft) -> None:
    draft.weather = Weather(latency_ms=150, jitter_ms=100, loss=0.05)
    names = draft.circle(draft.whole("members"), settle_s=10)
    comers = [draft.comes() for _ in range(draft.whole("comers"))]
    for name in comers:
        draft.does("invite", who=names[0], group=GROUP, code=name)
        draft.waits(3)
        via = draft.dice.choice(names)
        began = draft.now_s
        draft.does("join", who=name, code=name, via=via)
        for _ in range(draft.whole("breaks")):
            draft.now_s = began + draft.dice.uniform(0.3, 8)
            if draft.dice.random() < 0.5:
                draft.does("flap", one=name, other=via)
            else:
                draft.does("off", who=name)
                draft.waits(draft.dice.uniform(0.2, 3))
                draft.does("on", who=name)
        draft.now_s = began + 30
    draft.talks([*names, *comers], draft.whole("posts"), 15)


SCENARIO = Scenario(
    name="unsteady-door",
    question="When links break and machines stop while somebody comes in, are they in, and told so?",
    about="On slow ways, newcomers lose their link or stop at drawn moments between the code and the welcome.",
    parameters={"members": 3, "comers": 3, "breaks": 3, "posts": 6},
    bounds={"settle_s": Bound(most=90)},
    draw=_draw,
)
