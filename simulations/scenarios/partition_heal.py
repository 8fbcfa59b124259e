"""When the network falls in two and heals, does everybody have everything?"""

from simulations.scenario import GROUP, Bound, Draft, Scenario


def _draw(draft: Draft) -> None:
    names = draft.circle(draft.whole("members"))
    sides = list(names)
    draft.dice.shuffle(sides)
    at = draft.dice.randrange(1, len(sides))
    draft.does("partition", sides=(" ".join(sides[:at]), " ".join(sides[at:])))
    draft.talks(names, draft.whole("posts"), 30)
    draft.does("rekey", who=draft.dice.choice(names), group=GROUP)
    draft.talks(names, draft.whole("posts"), 30)
    draft.does("heal")
    draft.waits(20)


SCENARIO = Scenario(
    name="partition-heal",
    question="When the network falls in two and heals, does everybody have everything?",
    about=(
        "The members are cut into two sides, both go on talking, somebody changes the keys on one side, and "
        "the cut heals."
    ),
    parameters={"members": 5, "posts": 12},
    bounds={"delivery_ratio": Bound(least=1), "settle_s": Bound(most=60), "copies": Bound(most=1.5)},
    draw=_draw,
)
