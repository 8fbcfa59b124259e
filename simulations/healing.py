"""Healing: how long a network that was mended takes until what had been said before is with everybody.

From the moment at which every path is open again to the last reader of a post that is older than it, among those for
whom it was sealed. Who was off at that moment, or came back since, does not count: they waited for no path.
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from mesh.ids import GroupId, PostId
from simulations.spells import healed_ms, spells
from simulations.stage import Stage, is_in

Name: TypeAlias = tuple[GroupId, PostId]


def heal_ms(stage: Stage) -> int | None:
    """Give how long it took after the slowest heal of a run that has ended; None where nothing waited for one."""
    watch, returns = stage.watch, stage.measures.returns
    moments = healed_ms(spells(stage.plan, stage.world.now_ms / 1000))
    if not moments:
        return None
    said = {
        name: watch.shown[post.author][name]
        for name, post in watch.posts.items()
        if name in watch.shown.get(post.author, {})
    }
    longest = None
    for person in stage.people.values():
        keys = {gid: person.member(gid) for gid in stage.groups.values() if is_in(person, gid)}
        read = {
            name: at_ms
            for name, at_ms in watch.shown.get(person.name, {}).items()
            if name in said and keys.get(name[0]) in watch.posts[name].entitled
        }
        lag = lag_ms(moments, said, read, returns.starts_ms.get(person.name, []))
        if lag is not None:
            longest = max(longest or 0, lag)
    return longest


def lag_ms(
    heals: Iterable[int], said: Mapping[Name, int], read: Mapping[Name, int], starts: Iterable[int]
) -> int | None:
    """Give one reader's longest time from a heal to a post that is older than it; all in ms of virtual time."""
    longest, moments, returned = None, sorted(heals), sorted(starts)
    for name, at_ms in read.items():
        healed = [heal for heal in moments if said[name] <= heal < at_ms]
        if healed and not any(healed[-1] <= start <= at_ms for start in returned):
            longest = max(longest or 0, at_ms - healed[-1])
    return longest
