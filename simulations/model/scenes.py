"""A scene of the crowd, run by the model: all its seeds and all its authors at once, each as a group of its own."""

from collections.abc import Iterable

import numpy as np

from simulations.crowd import GAP_MS, Result, Scene
from simulations.model.flood import Flood, Outcome
from simulations.model.links import Links
from simulations.model.settings import SETTINGS, Settings, Sky
from simulations.model.ways import Ints, Ways


def measure(scene: Scene, seeds: Iterable[int], settings: Settings = SETTINGS) -> Result:
    """Have authors speak in turn, as `crowd.measure` does; figures over all deliveries of all seeds.

    In the crowd ten authors of one group speak one after the other, and those who die do so when the first turn is
    over: the k-th author's next post is `k` · GAP_MS later. Here each author's group is its own, and waits as long.
    """
    numbers = list(seeds)
    runs = len(numbers)
    dice = np.random.default_rng(numbers)
    groups = runs * scene.authors
    ways = Ways(groups * scene.nodes, Sky(loss=scene.loss, regions=scene.regions), dice)
    links = Links(groups, scene.nodes, settings, ways, dice)
    flood = Flood(links, ways, scene.frame_bytes, dice)
    first = np.arange(groups) * scene.nodes
    authors = first + dice.integers(0, scene.nodes, len(first))
    at_once = np.arange(len(first)) % scene.authors == 0
    outcomes, said, bereft = [], 0, first[:0]
    for turn in range(scene.posts):
        outcomes.append(flood.post(authors, scene.authors * GAP_MS))
        if turn == 0 and scene.dead:
            lost = links.kill(_doomed(scene, links, authors, dice))
            said += flood.lose(lost, at_once=at_once)
            bereft = np.flatnonzero(lost.any(axis=1))
            # Who speaks at that very moment does so before new links stand.
            links.mend(bereft[~at_once[bereft // links.group]])
        if turn == 1 and scene.dead:
            links.mend(bereft[at_once[bereft // links.group]])
    return _result(links, outcomes, said)


def _doomed(scene: Scene, links: Links, authors: Ints, dice: np.random.Generator) -> Ints:
    """Draw from each group so many who die, and no author."""
    keys = dice.random(links.nodes)
    keys[authors] = 2.0
    order = np.argsort(keys.reshape(-1, scene.nodes), axis=1)[:, : round(scene.dead * scene.nodes)]
    doomed: Ints = (order + np.arange(len(authors))[:, None] * scene.nodes).reshape(-1)
    return doomed


def _result(links: Links, outcomes: list[Outcome], said: int) -> Result:
    came = np.concatenate([outcome.came_ms for outcome in outcomes])
    waits = np.sort(came[came > 0])
    due = links.alive
    return Result(
        copies=sum(outcome.copies for outcome in outcomes) / len(waits),
        p50_ms=int(waits[len(waits) // 2]),
        p99_ms=int(waits[len(waits) * 99 // 100]),
        delivered=float(np.mean([(outcome.came_ms[due] >= 0).mean() for outcome in outcomes])),
        said_bytes=22 * (sum(outcome.said for outcome in outcomes) + said) / len(waits),
        links=float(links.degree[due].mean()),
    )
