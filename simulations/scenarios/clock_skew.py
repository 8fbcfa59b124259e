"""Do wrong clocks lose, hide or wrongly order anything?"""

from simulations.scenario import Bound, Draft, Scenario

HOUR_MS = 3_600_000


def _draw(draft: Draft) -> None:
    people = [draft.comes(skew_ms=draft.dice.randrange(-HOUR_MS, HOUR_MS)) for _ in range(draft.whole("members"))]
    names = draft.gathers(people)
    draft.talks(names, draft.whole("posts"), 30)
    odd = draft.dice.choice(names)
    draft.does("clock", who=odd, ahead_s=86_400.0)
    draft.talks(names, draft.whole("posts"), 30)
    draft.does("clock", who=odd, ahead_s=0.0)
    draft.talks(names, draft.whole("posts"), 30)


SCENARIO = Scenario(
    name="clock-skew",
    question="Do wrong clocks lose, hide or wrongly order anything?",
    about="Clocks are off by up to an hour, one jumps ahead by a day and comes back.",
    parameters={"members": 4, "posts": 12},
    bounds={"delivery_ratio": Bound(least=1)},
    draw=_draw,
)
