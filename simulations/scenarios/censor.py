"""Can some members keep one author's messages from the others?"""

from simulations.scenario import GROUP, Bound, Draft, Scenario


def _draw(draft: Draft) -> None:
    names = draft.circle(draft.whole("members"))
    author, reader = names[0], names[1]
    censors = [draft.comes() for _ in range(draft.whole("censors"))]
    for name in censors:
        draft.does("enter", who=name, group=GROUP, by=names[0])
        draft.waits(3)
    draft.waits(10)
    for name in censors:
        draft.does("misbehave", who=name, how="withholder", group=GROUP)
    draft.does("cut", one=author, other=reader)
    for name in names[3:]:
        draft.does("cut", one=name, other=reader)
    draft.talks([author], draft.whole("posts"), 30)
    draft.waits(30)


SCENARIO = Scenario(
    name="censor",
    question="Can some members keep one author's messages from the others?",
    about=(
        "Members who hand nothing on stand between an author and some readers: the direct ways are cut, and "
        "one honest member is linked with both."
    ),
    parameters={"members": 5, "censors": 2, "posts": 8},
    bounds={"delivery_ratio": Bound(least=1)},
    draw=_draw,
)
