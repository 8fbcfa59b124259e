"""When a code of many uses falls into strange hands, can the group close the door and go on?"""

from simulations.scenario import GROUP, Draft, Scenario


def _draw(draft: Draft) -> None:
    names = draft.circle(draft.whole("members"))
    strangers = [draft.comes() for _ in range(draft.whole("strangers"))]
    late = draft.comes()
    draft.does("invite", who=names[0], group=GROUP, code="code", uses=20)
    draft.waits(2)
    for name in strangers:
        draft.does("join", who=name, code="code")
        draft.waits(3)
    draft.talks(names, draft.whole("posts"), 20)
    draft.does("revoke", who=names[0], code="code")
    draft.waits(5)
    draft.does("join", who=late, code="code")
    for name in strangers:
        draft.does("remove", who=names[0], group=GROUP, member=name)
        draft.waits(2)
    draft.talks(names, draft.whole("posts"), 20)


SCENARIO = Scenario(
    name="invite-leak",
    question="When a code of many uses falls into strange hands, can the group close the door and go on?",
    about=(
        "Strangers come in by a leaked code. A steward revokes it, later users stay outside, and those who "
        "came in are removed and read nothing more."
    ),
    parameters={"members": 3, "strangers": 3, "posts": 6},
    bounds={},
    draw=_draw,
    most={"strangers": 17},
)
