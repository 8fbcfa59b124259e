"""The long hunt: thousands of random groups, each judged by `resolve`, by its incremental form and by its trivial twin.

Run it with `make hunt`. It prints what it looked at, and ends with 1 at the first group on which they differ, named by
its seed.
"""

import argparse
import sys
import time
from collections import Counter
from random import Random

from mesh.membership.rendering import render
from mesh.membership.resolve import Views, resolve
from mesh.membership.standing import judge
from mesh.wire.operations import OpType
from tests.membership.graphs import Story
from tests.membership.twin import Twin


def story_of(seed: int) -> Story:
    """Return a small group in some weather: calm or torn apart, friendly or hostile."""
    dice = Random(seed)
    part, hostile = dice.choice((0.1, 0.3, 0.5, 0.9)), dice.choice((0.0, 0.05, 0.2, 0.5))
    return Story(seed, part=part, hostile=hostile).wanders(dice.randrange(20, 250))


def mutual_removals(story: Story) -> int:
    """Count the pairs of members who removed each other, neither having heard of the other's removal."""
    removals = list(story.graph.entries(story.graph.of_type(OpType.REMOVE, story.graph.everything)))
    return sum(
        one.author == other.act.member
        and other.author == one.act.member
        and not one.is_before(other)
        and not other.is_before(one)
        for place, one in enumerate(removals)
        for other in removals[place + 1 :]
    )


def difference(story: Story, dice: Random) -> str | None:
    """Say on what the forms differ, or None."""
    graph, views = story.graph, Views(story.graph)
    for place in range(len(graph)):
        for mask in (graph.at(place).closure, (2 << place) - 1):
            if views.of(mask) != render(judge(graph, mask)):
                return f"carried on and from nothing differ at act {place}"
    shuffled = story.acts[:]
    dice.shuffle(shuffled)
    found, here = resolve(shuffled), views.of(graph.everything)
    if found.refused or found.waiting:
        return "what was taken in is refused in another order"
    if (found.view.members, found.view.devices, found.view.lost) != (here.members, here.devices, here.lost):
        return "another order gives another view"
    twin = Twin(shuffled)
    if twin.astray():
        return "somebody came in by a name that was not theirs to use"
    if found.valid != twin.standing():
        return "other acts count for the twin"
    if {pk: member.rank for pk, member in here.members.items()} != twin.ranks():
        return "the twin sees other members or ranks"
    if {pk: set(member.devices) for pk, member in here.members.items()} != twin.devices():
        return "the twin sees other devices"
    return None


def main() -> int:
    """Look at as many groups as asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graphs", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    asked = parser.parse_args()
    began, counts = time.monotonic(), Counter[str]()
    for seed in range(asked.first, asked.first + asked.graphs):
        story = story_of(seed)
        counts.update(story.counts)
        counts["mutual removals"] += mutual_removals(story)
        counts["void"] += len(story.acts) - story.views.of(story.graph.everything).valid.bit_count()
        found = difference(story, Random(seed))
        if found is not None:
            print(f"seed {seed}: {found}")
            return 1
        if (seed + 1) % 2000 == 0:
            print(f"{seed + 1 - asked.first} groups, {time.monotonic() - began:.0f} s", flush=True)
    acts = sum(counts[kind.name] for kind in OpType)
    print(f"{asked.graphs} groups, {acts} operations taken in, {counts['refused']} refused, {counts['void']} void,")
    print(f"{counts['mutual removals']} concurrent mutual removals: no difference. {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
