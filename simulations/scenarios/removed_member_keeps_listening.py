"""Does one who was removed read anything that is said later?"""

from simulations.scenario import GROUP, Bound, Draft, Scenario


def _draw(draft: Draft) -> None:
    names = draft.circle(draft.whole("members"))
    gone, late = names[-1], names[-2]
    draft.talks(names, 4, 10)
    for name in names[:-2]:
        draft.does("cut", one=name, other=gone)
        draft.does("clog", one=name, other=late)
    draft.does("remove", who=names[0], group=GROUP, member=gone)
    draft.talks([name for name in names if name != gone], draft.whole("posts") // 2, 15)
    draft.talks(names, draft.whole("posts"), 15)
    draft.does("heal")
    draft.talks([name for name in names if name != gone], draft.whole("posts"), 30)


SCENARIO = Scenario(
    name="removed-member-keeps-listening",
    question="Does one who was removed read anything that is said later?",
    about=(
        "A member is removed, does not hear of it, and talks on with one who does not know either and whom the "
        "others hear. They keep their node running, and are linked with all once the ways are mended."
    ),
    parameters={"members": 5, "posts": 10},
    bounds={"settle_s": Bound(most=90)},
    draw=_draw,
)
