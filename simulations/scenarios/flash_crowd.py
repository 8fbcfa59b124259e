"""When many come in by one code within a minute, do all get in, and what does it cost the members?"""

from simulations.scenario import GROUP, Bound, Draft, Scenario


def _draw(draft: Draft) -> None:
    names = draft.circle(draft.whole("members"))
    crowd = [draft.comes() for _ in range(draft.whole("crowd"))]
    draft.does("invite", who=names[0], group=GROUP, code="code", uses=len(crowd))
    draft.waits(3)
    began = draft.now_s
    for name in crowd:
        draft.now_s = began + draft.dice.uniform(0, 60)
        draft.does("join", who=name, code="code")
    draft.now_s = began
    draft.talks(names, draft.whole("posts"), 60)
    draft.waits(60)
    draft.talks([*names, *crowd], draft.whole("posts"), 20)


SCENARIO = Scenario(
    name="flash-crowd",
    question="When many come in by one code within a minute, do all get in, and what does it cost the members?",
    about="A code of many uses is handed out; everybody uses it at once, while the group talks.",
    parameters={"members": 3, "crowd": 8, "posts": 6},
    bounds={"settle_s": Bound(most=120), "join_max_s": Bound(most=120)},
    draw=_draw,
    small={"crowd": 5},
    most={"crowd": 200},
)
