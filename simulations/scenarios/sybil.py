"""Can many false members, let in by one, keep messages from the honest?"""

from simulations.scenario import GROUP, Bound, Draft, Scenario


def _draw(draft: Draft) -> None:
    names = draft.circle(draft.whole("members"))
    sybils = [draft.comes() for _ in range(draft.whole("sybils"))]
    draft.does("invite", who=names[0], group=GROUP, code="code", uses=len(sybils))
    draft.waits(2)
    for name in sybils:
        draft.does("join", who=name, code="code")
        draft.waits(4)
    draft.waits(20)
    for name in sybils:
        draft.does("misbehave", who=name, how="withholder", group=GROUP)
    draft.talks(names, draft.whole("posts"), 40)


SCENARIO = Scenario(
    name="sybil",
    question="Can many false members, let in by one, keep messages from the honest?",
    about="One who was let in lets in others that are all theirs. They take messages in and hand none on.",
    parameters={"members": 4, "sybils": 4, "posts": 12},
    bounds={"delivery_ratio": Bound(least=1)},
    draw=_draw,
    small={"sybils": 2, "posts": 8},
    most={"sybils": 200},
)
