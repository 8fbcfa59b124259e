"""When a machine comes back with an old disk while nobody reaches it, do all read one conversation?"""

from simulations.scenario import Bound, Draft, Scenario


def _draw(draft: Draft) -> None:
    names = draft.circle(draft.whole("members"))
    victim = draft.dice.choice(names)
    others = [name for name in names if name != victim]
    draft.talks(names, draft.whole("posts"), 20)
    draft.does("save", who=victim)
    draft.talks(names, draft.whole("posts"), 20)
    draft.waits(10)
    draft.does("restore", who=victim)
    draft.does("partition", sides=(victim, " ".join(others)))
    draft.talks([victim, *others], draft.whole("posts"), 20)
    draft.does("heal")
    draft.waits(30)
    draft.talks(names, draft.whole("posts"), 20)


SCENARIO = Scenario(
    name="restored-apart",
    question="When a machine comes back with an old disk while nobody reaches it, do all read one conversation?",
    about=(
        "A member's disk is copied, they go on talking, and the copy comes back while the ways between them are cut. "
        "All type on. Once the cut heals, the one with the old disk waits for what they had said before, and then "
        "says what they typed."
    ),
    parameters={"members": 2, "posts": 5},
    bounds={"delivery_ratio": Bound(least=1), "settle_s": Bound(most=120)},
    draw=_draw,
)
