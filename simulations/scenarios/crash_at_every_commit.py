"""Whenever a machine stops, is anything lost, doubled or overstated?"""

from simulations.scenario import Bound, Draft, Scenario


def _draw(draft: Draft) -> None:
    names = draft.circle(draft.whole("members"))
    draft.talks(names, draft.whole("posts"), 60)
    end = draft.now_s
    for _ in range(draft.whole("crashes")):
        draft.now_s = draft.dice.uniform(end - 60, end)
        victim = draft.dice.choice(names)
        how = draft.dice.choice(("before", "after", "power"))
        if draft.dice.random() < 0.3:
            draft.does(
                "crash", who=victim, sends=draft.dice.randrange(1, 12), how="power" if how == "power" else "after"
            )
        else:
            draft.does("crash", who=victim, commits=draft.dice.randrange(1, 12), how=how)
        for wait in (3, 8):
            draft.now_s += wait
            draft.does("on", who=victim)
    draft.now_s = end + 12


SCENARIO = Scenario(
    name="crash-at-every-commit",
    question="Whenever a machine stops, is anything lost, doubled or overstated?",
    about=(
        "Machines crash at a drawn commit or send, before it, after it, or with the disk losing what was not "
        "durable; they come back soon."
    ),
    parameters={"members": 3, "posts": 12, "crashes": 8},
    bounds={"settle_s": Bound(most=90)},
    draw=_draw,
)
