"""resolve: from a set of operations to who belongs (protocol.md §4, "resolve").

A pure function of the *set*: no clock, no order of arrival. `resolve` is for a program that brings its own graph of
plain records. `Views` is its incremental form over one growing graph: it keeps the standings it was asked for and
carries the nearest one on, act by act; it gives what a judgement from nothing gives (a property test says so).
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from mesh.commands import Suite
from mesh.errors import Fault, RemoteError
from mesh.ids import OpId
from mesh.membership.acts import Act
from mesh.membership.graph import Entry, Graph
from mesh.membership.rendering import redraw, render
from mesh.membership.standing import Standing, judge
from mesh.membership.structure import check
from mesh.membership.views import View
from mesh.wire.limits import DEVICES_MAX
from mesh.wire.operations import OpType

KEPT: Final = 256  # standings; in a burst of concurrent operations each has a past of its own
_NEAR: Final = 4  # a standing with so few acts missing is near enough: no nearer one is looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What `resolve` found: the view, which acts count in it, and those that were not taken in, and why not."""

    view: View
    valid: frozenset[OpId]
    refused: Mapping[OpId, str]  # structurally invalid, for ever, or building on one that is
    waiting: frozenset[OpId]  # something that they build on is not in the set


class Views:
    """The views of the masks of one graph."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known: OrderedDict[int, tuple[Standing, View]] = OrderedDict()
        self._last: tuple[int, tuple[Standing, View]] | None = None  # the one that was asked for last, as a rule again

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._known)

    def of(self, mask: int) -> View:
        """Return the view of a downward-closed mask that is not empty."""
        return self._find(mask)[1]

    def standing(self, mask: int) -> Standing:
        """Return what is decided about the acts of such a mask."""
        return self._find(mask)[0]

    def forget(self, bit: int) -> None:
        """Drop what rests on an act that was taken back out, the last one of the graph."""
        self._last = None
        for mask in [mask for mask in reversed(self._known) if mask & bit]:
            del self._known[mask]

    def _find(self, mask: int) -> tuple[Standing, View]:
        if self._last is not None and self._last[0] == mask:
            return self._last[1]
        found = self._known.get(mask)
        if found is None:
            found = self._known[mask] = self._work_out(mask)
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(mask)
        self._last = mask, found
        return found

    def _work_out(self, mask: int) -> tuple[Standing, View]:
        base = self._nearest(mask)
        if base is None:
            standing = judge(self._graph, mask)
            return standing, render(standing)
        standing, view = base
        for entry in self._graph.entries(mask & ~standing.mask):
            standing, changed = standing.with_act(entry)
            view = redraw(view, standing, changed)
        return standing, view

    def _nearest(self, mask: int) -> tuple[Standing, View] | None:
        """Return what is known of the largest part of a mask, if few enough acts are missing from it."""
        best, least = None, mask.bit_count() // 2 + 1
        for known, found in reversed(self._known.items()):
            if known & ~mask:
                continue
            missing = (mask & ~known).bit_count()
            if missing < least:
                best, least = found, missing
                if missing <= _NEAR:
                    break
        return best


def take(act: Act, graph: Graph, views: Views, devices_max: int) -> Entry:
    """Add an act to a graph if its author had the right to it, from its own past; RemoteError and no change if not."""
    entry = graph.push(act)
    try:
        if act.type is not OpType.CREATE:
            check(entry, graph, views, devices_max)
    except RemoteError:
        take_back(graph, views)
        raise
    return entry


def take_back(graph: Graph, views: Views) -> None:
    """Take the act that came last back out."""
    views.forget(1 << (len(graph) - 1))
    graph.pop()


def resolve(acts: Iterable[Act], *, devices_max: int = DEVICES_MAX[Suite.CLASSIC]) -> Resolution:
    """Say who belongs after these acts, in whatever order they come.

    Acts whose author had no right to them from all that they had seen are refused for ever, with all that builds on
    them; the others are in, and count or not. An admit to a group of `devices_max` devices is refused. ValueError if
    there is not exactly one create: its id is the group's.
    """
    left = {act.op_id: act for act in acts}
    ready = [act for act in left.values() if act.type is OpType.CREATE]
    if len(ready) != 1:
        raise ValueError(f"a group has one create, and here are {len(ready)}")
    builds_on = {act.op_id: len(set(act.deps)) for act in left.values()}
    above: dict[OpId, list[Act]] = {}
    for act in left.values():
        for dep in set(act.deps):
            above.setdefault(dep, []).append(act)
    graph = Graph()
    views = Views(graph)
    refused: dict[OpId, str] = {}
    while ready:
        act = ready.pop()
        del left[act.op_id]
        try:
            if any(dep in refused for dep in act.deps):
                raise RemoteError(Fault.AGAINST_RULES, "it builds on a refused operation")
            take(act, graph, views, devices_max)
        except RemoteError as error:
            refused[act.op_id] = error.what
        for later in above.get(act.op_id, ()):
            builds_on[later.op_id] -= 1
            if not builds_on[later.op_id]:
                ready.append(later)
    view = views.of(graph.everything)
    valid = frozenset(entry.act.op_id for entry in graph.entries(view.valid))
    return Resolution(view=view, valid=valid, refused=refused, waiting=frozenset(left))
