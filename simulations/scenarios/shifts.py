"""When members are never there together, does a keeper bring each what was said in the meantime?"""

from simulations.scenario import GROUP, Bound, Draft, Scenario


def _draw(draft: Draft) -> None:
    keeper = draft.comes("keeper")
    names = draft.circle(draft.whole("members"))
    draft.does("keep", who=keeper)
    draft.does("use", who=names[0], group=GROUP, keeper=keeper)
    draft.waits(30)
    for name in names:
        draft.does("off", who=name)
    for _ in range(draft.whole("rounds")):
        for name in draft.dice.sample(names, len(names)):
            draft.waits(draft.dice.uniform(60, 6 * 3600))
            draft.does("on", who=name)
            draft.waits(60)
            if draft.dice.random() < 0.4:
                draft.does("rekey", who=name, group=GROUP)
                draft.waits(10)
            draft.talks([name], draft.whole("posts"), 20)
            draft.waits(30)
            draft.does("off", who=name)
    for name in names:
        draft.waits(60)
        draft.does("on", who=name)
        draft.waits(90)
        draft.does("off", who=name)


SCENARIO = Scenario(
    name="shifts",
    question="When members are never there together, does a keeper bring each what was said in the meantime?",
    about=(
        "Members come one at a time, some hours apart; each reads, talks, sometimes changes the keys, and goes. "
        "All that they share is a keeper."
    ),
    parameters={"members": 4, "rounds": 2, "posts": 3},
    bounds={"delivery_ratio": Bound(least=1), "before_healing_ratio": Bound(least=1), "same_way_max": Bound(most=3)},
    draw=_draw,
)
