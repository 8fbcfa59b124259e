"""Do members behind all kinds of home routers reach each other?"""

from simulations.regions import Machine, Nat
from simulations.scenario import GROUP, Bound, Draft, Scenario

KINDS = (Nat.NONE, Nat.FULL_CONE, Nat.PORT_RESTRICTED, Nat.SYMMETRIC, Nat.CARRIER)


def _draw(draft: Draft) -> None:
    keeper = draft.comes("keeper", machine=Machine(relays=True))
    people = [draft.comes(machine=Machine(nat=draft.dice.choice(KINDS))) for _ in range(draft.whole("members"))]
    names = draft.gathers(people)
    draft.does("keep", who=keeper)
    draft.does("use", who=names[0], group=GROUP, keeper=keeper)
    draft.waits(20)
    draft.talks(names, draft.whole("posts"), 30)


SCENARIO = Scenario(
    name="nat-mix",
    question="Do members behind all kinds of home routers reach each other?",
    about=(
        "Each machine stands behind a drawn kind of router; one keeper is reachable by all and relays. At "
        "least half of all nodes stand behind a router, as measured for IPFS (Henningsen and others, 2020)."
    ),
    parameters={"members": 5, "posts": 10},
    bounds={"delivery_ratio": Bound(least=1), "settle_s": Bound(most=90), "same_way_max": Bound(most=3)},
    draw=_draw,
)
