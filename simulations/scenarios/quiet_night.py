"""What does a group cost while nobody says anything?"""

from simulations.scenario import Bound, Draft, Scenario


def _draw(draft: Draft) -> None:
    draft.circle(draft.whole("members"))
    draft.waits(60)
    draft.does("mark")
    draft.waits(draft.whole("hours") * 3600)
    draft.does("mark")


SCENARIO = Scenario(
    name="quiet-night",
    question="What does a group cost while nobody says anything?",
    about="All are there and silent for some hours.",
    parameters={"members": 5, "hours": 8},
    bounds={"idle_bytes_s": Bound(most=200)},
    draw=_draw,
    small={"hours": 1},
)
