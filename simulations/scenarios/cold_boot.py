"""When honest and hostile nodes all start at one moment, does the group come to itself?"""

from simulations.scenario import GROUP, Bound, Draft, Scenario


def _draw(draft: Draft) -> None:
    names = draft.circle(draft.whole("members"))
    honest, rogues = names[: -draft.whole("rogues") or None], names[len(names) - draft.whole("rogues") :]
    for name in rogues:
        draft.does(
            "misbehave", who=name, how=draft.dice.choice(("withholder", "replayer", "liar")), group=GROUP, times=3
        )
    for name in names:
        draft.does("off", who=name)
    draft.waits(600)
    began = draft.now_s
    for name in names:
        draft.now_s = began + draft.dice.uniform(0, 2)
        draft.does("on", who=name)
    draft.now_s = began + 2
    draft.talks(honest, draft.whole("posts"), 20)


SCENARIO = Scenario(
    name="cold-boot",
    question="When honest and hostile nodes all start at one moment, does the group come to itself?",
    about=("Everybody was off. All start within two seconds, and a part of them misbehaves from the first frame on."),
    parameters={"members": 6, "rogues": 2, "posts": 8},
    bounds={"delivery_ratio": Bound(least=1), "settle_s": Bound(most=60)},
    draw=_draw,
)
