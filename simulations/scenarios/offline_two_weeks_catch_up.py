"""Does one who was away for two weeks get all of it, in order, and how dear is that?"""

from simulations.scenario import Bound, Draft, Scenario


def _draw(draft: Draft) -> None:
    names = draft.circle(draft.whole("members"))
    away = draft.dice.choice(names[1:])
    draft.does("off", who=away)
    others = [name for name in names if name != away]
    for _ in range(draft.whole("days")):
        draft.talks(others, draft.whole("posts"), 1800)
        for name in others:
            draft.does("off", who=name)
        draft.waits(84_600)
        for name in others:
            draft.does("on", who=name)
        draft.waits(20)
    draft.does("on", who=away)


SCENARIO = Scenario(
    name="offline-two-weeks-catch-up",
    question="Does one who was away for two weeks get all of it, in order, and how dear is that?",
    about="One member is off for days while the others talk each evening; then they come back and catch up.",
    parameters={"members": 4, "days": 14, "posts": 8},
    bounds={"delivery_ratio": Bound(least=1)},
    draw=_draw,
    small={"days": 4, "posts": 5},
    most={"days": 60, "posts": 2000},
)
