"""When two stewards on two sides of a cut remove each other's appointee, do all agree afterwards?"""

from simulations.scenario import GROUP, Bound, Draft, Scenario


def _draw(draft: Draft) -> None:
    names = draft.circle(max(6, draft.whole("members")))
    one, other, friend, appointee = names[1], names[2], names[3], names[4]
    draft.does("rank", who=names[0], group=GROUP, member=one, rank="steward")
    draft.does("rank", who=names[0], group=GROUP, member=other, rank="steward")
    draft.waits(5)
    sides = [one, friend], [other, appointee]
    for name in (names[0], names[5]):
        draft.dice.choice(sides).append(name)
    draft.does("partition", sides=(" ".join(sides[0]), " ".join(sides[1])))
    draft.waits(1)
    mutual = draft.dice.random() < 0.5
    draft.does("remove", who=one, group=GROUP, member=other if mutual else appointee)
    draft.does("remove", who=other, group=GROUP, member=one if mutual else friend)
    draft.talks(names, draft.whole("posts"), 20)
    draft.does("heal")
    draft.waits(20)
    draft.talks([names[0], names[5]], 2, 5)


SCENARIO = Scenario(
    name="concurrent-removal",
    question="When two stewards on two sides of a cut remove each other's appointee, do all agree afterwards?",
    about=(
        "Two stewards each remove whom the other brought in, or each other, at one time and unseen by the "
        "other. Then the cut heals."
    ),
    parameters={"members": 6, "posts": 6},
    bounds={"settle_s": Bound(most=90)},
    draw=_draw,
)
