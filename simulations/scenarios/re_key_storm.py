"""When many change the keys at once, do all come to one epoch, at a bounded price?"""

from simulations.scenario import GROUP, Bound, Draft, Scenario


def _draw(draft: Draft) -> None:
    names = draft.circle(draft.whole("members"))
    draft.does("partition", sides=(" ".join(names[:2]), " ".join(names[2:])))
    began = draft.now_s
    for _ in range(draft.whole("rekeys")):
        draft.now_s = began + draft.dice.uniform(0, 10)
        draft.does("rekey", who=draft.dice.choice(names), group=GROUP)
    draft.now_s = began
    draft.talks(names, draft.whole("posts"), 12)
    draft.does("heal")
    draft.talks(names, draft.whole("posts"), 12)


SCENARIO = Scenario(
    name="re-key-storm",
    question="When many change the keys at once, do all come to one epoch, at a bounded price?",
    about="Everybody asks for new keys within some seconds, on both sides of a cut that heals.",
    parameters={"members": 5, "rekeys": 12, "posts": 6},
    bounds={"delivery_ratio": Bound(least=1), "settle_s": Bound(most=90), "copies": Bound(most=1.5)},
    draw=_draw,
)
