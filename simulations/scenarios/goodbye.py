"""When members leave in the middle of a talk, is anything said afterwards under keys that they hold?"""

from simulations.scenario import GROUP, Bound, Draft, Scenario


def _draw(draft: Draft) -> None:
    names = draft.circle(draft.whole("members"))
    leaving = names[len(names) - draft.whole("leaving") :]
    staying = names[: len(names) - len(leaving)]
    draft.talks(names, draft.whole("posts"), 10)
    for name in leaving:
        unaware = draft.dice.choice(staying)
        draft.does("cut", one=unaware, other=name)
        draft.does("leave", who=name, group=GROUP)
        draft.talks(staying, draft.whole("posts"), 6)
        draft.does("heal")
        draft.waits(2)
    draft.talks(staying, draft.whole("posts"), 20)


SCENARIO = Scenario(
    name="goodbye",
    question="When members leave in the middle of a talk, is anything said afterwards under keys that they hold?",
    about="Members leave one after the other, some of the others hear of it late, and those who stay talk on.",
    parameters={"members": 5, "leaving": 2, "posts": 5},
    bounds={"delivery_ratio": Bound(least=1), "settle_s": Bound(most=90)},
    draw=_draw,
)
