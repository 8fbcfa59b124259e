"""Does one who floods the group with garbage and words silence the others?"""

from simulations.scenario import GROUP, Bound, Draft, Scenario


def _draw(draft: Draft) -> None:
    names = draft.circle(draft.whole("members"))
    rogue = names[-1]
    draft.does("misbehave", who=rogue, how="flooder", group=GROUP, times=draft.whole("flood"))
    began = draft.now_s
    draft.talks(names[:-1], draft.whole("posts"), 30)
    draft.now_s = began
    draft.talks([rogue], 20, 30)


SCENARIO = Scenario(
    name="spam-flood",
    question="Does one who floods the group with garbage and words silence the others?",
    about=("A member's changed program adds frames of garbage to all it sends, and says much. The others talk on."),
    parameters={"members": 4, "posts": 12, "flood": 20},
    bounds={"delivery_ratio": Bound(least=1)},
    draw=_draw,
)
