"""Can somebody come in while the one who invited them is away?"""

from simulations.scenario import GROUP, Bound, Draft, Scenario


def _draw(draft: Draft) -> None:
    names = draft.circle(draft.whole("members"))
    newcomer = draft.comes()
    draft.does("invite", who=names[0], group=GROUP, code="code")
    draft.waits(3)
    draft.does("off", who=names[0])
    draft.waits(draft.dice.uniform(1, 20))
    draft.does("join", who=newcomer, code="code", via=draft.dice.choice(names[1:]))
    draft.waits(30)
    draft.talks([*names[1:], newcomer], draft.whole("posts"), 20)
    draft.does("on", who=names[0])


SCENARIO = Scenario(
    name="join-while-inviter-offline",
    question="Can somebody come in while the one who invited them is away?",
    about=(
        "A founder hands out a code and switches off. Another member is there: their node opens the door. "
        "Then the founder comes back."
    ),
    parameters={"members": 3, "posts": 4},
    bounds={"delivery_ratio": Bound(least=1), "joins_ended": Bound(least=3), "join_max_s": Bound(most=30)},
    draw=_draw,
)
