"""When a machine goes back to an old copy of its disk, does it repeat a key, lose or double anything?"""

from simulations.scenario import Bound, Draft, Scenario


def _draw(draft: Draft) -> None:
    names = draft.circle(draft.whole("members"))
    victim = draft.dice.choice(names)
    draft.talks(names, draft.whole("posts"), 20)
    draft.does("save", who=victim)
    draft.talks(names, draft.whole("posts"), 20)
    draft.waits(10)
    draft.does("restore", who=victim)
    draft.waits(30)
    draft.talks(names, draft.whole("posts"), 20)


SCENARIO = Scenario(
    name="restored-snapshot",
    question="When a machine goes back to an old copy of its disk, does it repeat a key, lose or double anything?",
    about="A member's disk is copied, they go on talking, and the copy comes back; then they talk again.",
    parameters={"members": 3, "posts": 6},
    bounds={"settle_s": Bound(most=120)},
    draw=_draw,
)
