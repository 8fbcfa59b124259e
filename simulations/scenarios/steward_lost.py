"""When the only steward is gone for good, can the others go on together?"""

from simulations.scenario import GROUP, Draft, Scenario


def _draw(draft: Draft) -> None:
    names = draft.circle(draft.whole("members"))
    draft.talks(names, draft.whole("posts"), 10)
    draft.waits(10)
    draft.does("off", who=names[0])
    draft.waits(60)
    draft.does("fork", who=names[1], group=GROUP, new="successor")
    draft.waits(20)
    for name in names[2:]:
        draft.does("follow", who=name, group=GROUP, new="successor")
        draft.waits(20)
    draft.talks(names[1:], draft.whole("posts"), 20, group="successor")


SCENARIO = Scenario(
    name="steward-lost",
    question="When the only steward is gone for good, can the others go on together?",
    about="The founder's machine is lost. A member founds a successor and offers it to all; the others follow.",
    parameters={"members": 4, "posts": 4},
    bounds={},
    draw=_draw,
)
