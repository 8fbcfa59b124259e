"""When a keeper is lost with all that it held, does anybody lose what a member still has?"""

from simulations.scenario import GROUP, Bound, Draft, Scenario


def _draw(draft: Draft) -> None:
    keepers = [draft.comes("keeper"), draft.comes("keeper-two")]
    names = draft.circle(draft.whole("members"))
    for keeper in keepers:
        draft.does("keep", who=keeper)
        draft.does("use", who=names[0], group=GROUP, keeper=keeper)
    draft.waits(20)
    away = names[1:]
    for name in away:
        draft.does("off", who=name)
    draft.talks(names[:1], draft.whole("posts"), 20)
    draft.waits(60)
    draft.does("lose", who=keepers[0])
    draft.waits(10)
    draft.does("off", who=names[0])
    for name in away:
        draft.does("on", who=name)
    draft.talks(away, draft.whole("posts"), 30)
    draft.waits(60)
    draft.does("on", who=names[0])


SCENARIO = Scenario(
    name="keeper-dies",
    question="When a keeper is lost with all that it held, does anybody lose what a member still has?",
    about="Two keepers hold for the group while members come and go; one loses its disk, then is off for good.",
    parameters={"members": 4, "posts": 10},
    bounds={"delivery_ratio": Bound(least=1), "same_way_max": Bound(most=3), "copies": Bound(most=4)},
    draw=_draw,
)
