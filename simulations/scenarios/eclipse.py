"""When all that a member is linked with are hostile, does what they lack come once they meet one who is honest?"""

from simulations.scenario import GROUP, Bound, Draft, Scenario


def _draw(draft: Draft) -> None:
    names = draft.circle(draft.whole("honest") + 1)
    victim = names[-1]
    rogues = [draft.comes() for _ in range(draft.whole("rogues"))]
    for name in rogues:
        draft.does("enter", who=name, group=GROUP, by=names[0])
        draft.waits(3)
    draft.waits(10)
    for name in rogues:
        draft.does("misbehave", who=name, how="withholder", group=GROUP)
    for name in names[:-1]:
        draft.does("cut", one=name, other=victim)
    draft.talks(names, draft.whole("posts"), 40)
    draft.does("heal")


SCENARIO = Scenario(
    name="eclipse",
    question=(
        "When all that a member is linked with are hostile, does what they lack come once they meet one who is honest?"
    ),
    about="One member reaches nobody but members who hand nothing on; then the ways to the others open.",
    parameters={"honest": 3, "rogues": 3, "posts": 10},
    bounds={"delivery_ratio": Bound(least=1), "settle_s": Bound(most=60)},
    draw=_draw,
    small={"rogues": 2, "posts": 6},
    size="honest",
)
