"""Can somebody come in who is never online at the same time as any member?"""

from simulations.scenario import GROUP, Bound, Draft, Scenario


def _draw(draft: Draft) -> None:
    keeper = draft.comes("keeper")
    names = draft.circle(draft.whole("members"))
    newcomer = draft.comes()
    draft.does("keep", who=keeper)
    draft.does("use", who=names[0], group=GROUP, keeper=keeper)
    for name in names[1:]:  # a newcomer lets nobody in
        draft.does("rank", who=names[0], group=GROUP, member=name, rank="member")
    draft.waits(30)
    draft.does("post", who=names[1], group=GROUP, says="before")
    draft.does("invite", who=names[0], group=GROUP, code="code")
    draft.waits(30)
    for name in names:
        draft.does("off", who=name)
    draft.waits(5)
    draft.does("join", who=newcomer, code="code", via=keeper)
    draft.waits(60)
    draft.does("off", who=newcomer)
    draft.waits(3600)
    host = draft.dice.choice(names)
    draft.does("on", who=host)
    draft.waits(120)
    draft.does("post", who=host, group=GROUP, says="while you were away")
    draft.waits(30)
    draft.does("off", who=host)
    draft.waits(3600)
    draft.does("on", who=newcomer)
    draft.waits(120)


SCENARIO = Scenario(
    name="join-while-all-offline",
    question="Can somebody come in who is never online at the same time as any member?",
    about=(
        "A keeper holds what is sealed. The newcomer knocks while all members are off, and goes; a member "
        "comes, lets them in, and goes; the newcomer comes back."
    ),
    parameters={"members": 3},
    bounds={"joins_ended": Bound(least=3), "delivery_ratio": Bound(least=1)},
    draw=_draw,
)
