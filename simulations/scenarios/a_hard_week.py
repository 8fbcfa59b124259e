"""While members report, listen, sit together and let words leave, is anybody shown what is not theirs to see?"""

from simulations.scenario import GROUP, Bound, Draft, Scenario
from simulations.weather import Weather

TALK = "talk"


def _draw(draft: Draft) -> None:
    draft.weather = Weather(latency_ms=60, jitter_ms=40, loss=0.02)
    keeper = draft.comes("pi")
    draft.does("keep", who=keeper)
    names = draft.circle(max(5, draft.whole("members")))
    founder, mallory, *others = names
    draft.does("use", who=founder, group=GROUP, keeper=keeper)
    draft.does("rank", who=founder, group=GROUP, member=mallory, rank="steward")
    for name in others:  # some are newcomers, whoever let them in
        draft.does("rank", who=founder, group=GROUP, member=name, rank="member")
    draft.waits(10)
    draft.does("misbehave", who=mallory, how="heedless", group=GROUP)
    for part in (_warnings, _listening, _reporting, _circle):
        began = draft.now_s
        part(draft, names)
        _breaks(draft, [founder, *others], began)
    for name in names:
        draft.does("export", who=name, group=GROUP)


def _breaks(draft: Draft, names: list[str], began: float) -> None:
    """At some time since then cut the group in two for a while, or have somebody's machine stop; then let it settle."""
    ended, draft.now_s = draft.now_s, draft.dice.uniform(began, draft.now_s)
    if draft.dice.random() < 0.5:
        side = draft.dice.sample(names, 2)
        draft.does("partition", sides=(" ".join(side), " ".join(name for name in names if name not in side)))
        draft.waits(draft.dice.uniform(2, 8))
        draft.does("heal")
    else:
        name = draft.dice.choice(names)
        draft.does(draft.dice.choice(("off", "power-cut")), who=name)
        draft.waits(draft.dice.uniform(2, 8))
        draft.does("on", who=name)
    draft.now_s = max(ended, draft.now_s) + 8


def _warnings(draft: Draft, names: list[str]) -> None:
    author, reader, asker = draft.dice.sample(names[2:], 3)
    draft.does("post", who=author, group=GROUP, says="a-night", warns="grief")
    draft.does("post", who=reader, group=GROUP, says="a-morning", may_leave=True)
    draft.waits(3)
    for name in names:
        draft.does("read", who=name, group=GROUP)
    draft.does("open", who=reader, says="a-night")
    draft.does("share-ask", who=asker, says="a-night")
    draft.waits(3)
    draft.does("share-grant", who=author, says="a-night")
    draft.does("share-withdraw", who=reader, says="a-morning")
    draft.waits(3)
    for name in names:
        draft.does("export", who=name, group=GROUP)
    draft.does("share-withdraw", who=author, says="a-night")


def _listening(draft: Draft, names: list[str]) -> None:
    asker, one, other = draft.dice.sample(names[2:], 3)
    for name in (one, other):
        draft.does("listen-offer", who=name, group=GROUP)
    draft.waits(3)
    draft.does("listen-ask", who=asker, group=GROUP)
    draft.waits(3)
    draft.does("listen-accept", who=one, group=GROUP, talk=TALK)
    draft.waits(5)
    for name in (asker, one):
        draft.does("post", who=name, group=TALK)
        draft.waits(3)
    draft.does("listen-end", who=asker, group=GROUP, talk=TALK)


def _reporting(draft: Draft, names: list[str]) -> None:
    founder, mallory = names[:2]
    reporter = draft.dice.choice(names[2:])
    draft.does("post", who=mallory, group=GROUP, says="an-ugly-word")
    draft.waits(3)
    draft.does("report", who=reporter, says="an-ugly-word")
    draft.does("flag", who=reporter, says="an-ugly-word")
    draft.waits(3)
    draft.does("report-answer", who=founder, group=GROUP)
    draft.does("report-withdraw", who=reporter, group=GROUP)
    draft.does("quiet", who=founder, group=GROUP, member=mallory)
    draft.waits(3)
    draft.does("post", who=mallory, group=GROUP, says="all-the-same")


def _circle(draft: Draft, names: list[str]) -> None:
    mallory, sitting = names[1], names[2:5]
    draft.does("circle-open", who=sitting[0], group=GROUP)
    draft.waits(3)
    for name in sitting[1:]:
        draft.does("circle-join", who=name, group=GROUP)
    draft.waits(3)
    draft.does("circle-next", who=sitting[0], group=GROUP)
    draft.waits(3)
    draft.does("post", who=mallory, group=GROUP, says="out-of-turn", warns="anger")
    for name, what in zip(sitting, ("circle-say", "circle-pass", "circle-say"), strict=True):
        draft.does(what, who=name, group=GROUP)
        draft.waits(3)
    draft.does("circle-close", who=sitting[0], group=GROUP)


SCENARIO = Scenario(
    name="a-hard-week",
    question="While members report, listen, sit together and let words leave, is anybody shown what is not theirs?",
    about=(
        "One speaks behind a warning, one asks for a listener, one reports another, three sit in a circle, and words "
        "may leave the group for a while. The one who is reported is a steward, whose changed program keeps to no "
        "quiet and no turn. Paths break and machines stop meanwhile. A watch looks at all that each node shows, stores "
        "and can open, for what is not theirs (`simulations/leaks.py`)."
    ),
    parameters={"members": 5},
    bounds={
        "delivery_ratio": Bound(least=1),
        "leak_views": Bound(least=500),  # that the watch had something to look at
        "leak_notes": Bound(least=2),
        "leak_secrets": Bound(least=3),
    },
    draw=_draw,
    most={"members": 40},
)
