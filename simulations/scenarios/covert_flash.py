"""When members who have behaved well for long misbehave all at once, does anything get lost?"""

from simulations.scenario import GROUP, Bound, Draft, Scenario


def _draw(draft: Draft) -> None:
    names = draft.circle(draft.whole("members") + draft.whole("covert"))
    honest, covert = names[: draft.whole("members")], names[draft.whole("members") :]
    draft.talks(names, draft.whole("posts"), 60)
    for name in covert:
        draft.does(
            "misbehave", who=name, how=draft.dice.choice(("withholder", "forger", "replayer")), group=GROUP, times=4
        )
    draft.talks(honest, draft.whole("posts"), 40)


SCENARIO = Scenario(
    name="covert-flash",
    question="When members who have behaved well for long misbehave all at once, does anything get lost?",
    about=(
        "Some behave like everybody else, earn their place, and from one moment on hand nothing on, repeat "
        "old frames or alter new ones."
    ),
    parameters={"members": 4, "covert": 3, "posts": 10},
    bounds={"delivery_ratio": Bound(least=1)},
    draw=_draw,
    small={"covert": 2, "posts": 6},
)
