"""Whom to link with: small groups whole, large ones a few, and so that nobody is cut off.

A small network of views, without frames: who is dialled is linked at once if both are there, and who ends a link ends
it for both.
"""

from random import Random

from mesh.gossip.views import (
    ACTIVE,
    LINKED_MAX,
    OWN,
    ROTATE_MS,
    ROTATE_SPREAD_MS,
    TRIED_MAX,
    TRY_MS,
    WIDEN_MS,
    Choice,
    View,
)
from mesh.ids import MemberPk, PeerId

HOSTILE = "x"  # names of hostile nodes begin with it


def key(name: str) -> MemberPk:
    """Give the member key behind a node's name; `name/2` is the second device of `name`."""
    return MemberPk(name.partition("/")[0].encode().rjust(32, b"\0"))


class Net:
    """Nodes with views, and their links."""

    def __init__(self, names: list[str], seed: int = 1) -> None:
        self.dice = Random(seed)
        self.now_ms = 0
        self.views = {PeerId(name): View() for name in names}
        self.alive = dict.fromkeys(self.views, True)
        self.links: dict[PeerId, dict[PeerId, None]] = {peer: {} for peer in self.views}
        self.dialled: dict[PeerId, int] = dict.fromkeys(self.views, 0)
        self.members: dict[MemberPk, list[PeerId]] = {}
        for peer in self.views:
            self.members.setdefault(key(peer), []).append(peer)

    def tend(self, peer: PeerId) -> None:
        """Tend one node's view, and do what it wants."""
        candidates = dict(self.members)
        del candidates[key(peer)]
        linked = {other: key(other) for other in self.links[peer]}
        before = list(self.views[peer].chosen)
        for other in self.views[peer].tend(candidates, linked, (), self.now_ms, self.dice):
            self.part(peer, other)
        self.dialled[peer] += sum(other not in before for other in self.views[peer].chosen)
        for other in self.views[peer].chosen:
            if self.alive[other] and other not in self.links[peer]:
                self.links[peer][other] = self.links[other][peer] = None

    def part(self, one: PeerId, other: PeerId) -> None:
        """End a link."""
        self.links[one].pop(other, None)
        self.links[other].pop(one, None)

    def kill(self, peer: PeerId) -> None:
        """Switch a node off."""
        self.alive[peer] = False
        for other in list(self.links[peer]):
            self.part(peer, other)

    def run(self, ms: int, step_ms: int = 1_000) -> None:
        """Let time pass; in each step all honest nodes look, in an order by dice."""
        for _ in range(ms // step_ms):
            self.now_ms += step_ms
            order = [peer for peer in self.views if self.alive[peer] and not peer.startswith(HOSTILE)]
            self.dice.shuffle(order)
            for peer in order:
                self.tend(peer)

    def honest(self) -> list[PeerId]:
        """Return the honest nodes that are there."""
        return [peer for peer in self.views if self.alive[peer] and not peer.startswith(HOSTILE)]

    def connected(self) -> bool:
        """Say whether all honest nodes reach each other over honest nodes alone."""
        honest = dict.fromkeys(self.honest())
        first, *_ = honest
        found, edge = {first: None}, [first]
        while edge:
            for other in self.links[edge.pop()]:
                if other in honest and other not in found:
                    found[other] = None
                    edge.append(other)
        return len(found) == len(honest)


def names(count: int, prefix: str = "n") -> list[str]:
    """Give so many names."""
    return [f"{prefix}{k}" for k in range(count)]


def test_up_to_eight_are_a_full_mesh_also_where_some_are_off() -> None:
    net = Net(names(8))
    net.kill(PeerId("n7"))
    net.run(60_000)
    assert all(len(net.links[PeerId(name)]) == 6 for name in names(7))
    assert PeerId("n7") in net.views[PeerId("n0")].chosen, "it is dialled for ever"
    assert net.views[PeerId("n0")].full_mesh
    assert net.views[PeerId("n0")].wait_ms(net.now_ms) is None


def test_two_hundred_hold_together_with_a_few_links_each() -> None:
    for seed in (1, 2):
        net = Net(names(200), seed)
        net.run(12_000, WIDEN_MS)
        assert net.connected()
        degrees = [len(links) for links in net.links.values()]
        assert min(degrees) >= ACTIVE - 2
        assert max(degrees) <= LINKED_MAX + 2, "some were dialled since they looked last"
        assert sum(degrees) / len(degrees) <= ACTIVE + 2


def test_with_thirty_percent_dead_at_once_the_rest_hold_together_and_fill_up_again() -> None:
    for seed in (1, 2):
        net = Net(names(200), seed)
        net.run(12_000, WIDEN_MS)
        for peer in Random(seed).sample(list(net.views), 60):
            net.kill(peer)
        net.run(2_000)
        assert net.connected()
        net.run(20_000, WIDEN_MS)
        assert min(len(net.links[peer]) for peer in net.honest()) >= ACTIVE - 2


def test_few_who_are_there_among_many_who_are_not_find_each_other() -> None:
    net = Net(names(100))
    for name in names(100)[3:]:
        net.kill(PeerId(name))
    net.run(2 * 60_000)
    assert net.connected()
    assert len(net.links[PeerId("n0")]) == 2


def test_one_who_is_alone_slows_down() -> None:
    net = Net(names(100))
    for name in names(100)[1:]:
        net.kill(PeerId(name))
    one = PeerId("n0")
    net.run(10 * TRY_MS)
    first = net.dialled[one]
    assert first <= TRIED_MAX * 11
    net.run(3600_000, WIDEN_MS)
    before = net.dialled[one]
    net.run(10 * TRY_MS, WIDEN_MS)
    assert net.dialled[one] - before <= TRIED_MAX
    assert len(net.views[one].chosen) <= TRIED_MAX


def test_one_who_lacks_links_looks_again_soon() -> None:
    """All who were tried answered, and they were too few: nobody is waited for, and yet there is much to do."""
    view, dice = View(), Random(1)
    candidates = {key(f"n{k}"): [PeerId(f"n{k}")] for k in range(20)}
    view.tend(candidates, {}, (), 0, dice)
    linked = {peer: key(peer) for peer in view.chosen}
    assert len(linked) < ACTIVE
    view.tend(candidates, linked, (), WIDEN_MS // 2, dice)
    assert all(choice.linked for choice in view.chosen.values())
    assert view.wait_ms(WIDEN_MS // 2) == WIDEN_MS
    view.tend(candidates, linked, (), WIDEN_MS, dice)
    assert len(view.chosen) == ACTIVE


def test_a_link_that_fails_is_replaced() -> None:
    net = Net(names(40))
    net.run(20_000)
    one = PeerId("n0")
    lost = list(net.links[one])[:3]
    for peer in lost:
        net.kill(peer)
    net.run(TRY_MS + 2 * WIDEN_MS)
    assert len(net.links[one]) >= ACTIVE
    assert not any(peer in net.views[one].chosen for peer in lost)


def test_who_is_refused_asks_somebody_else() -> None:
    view, dice = View(), Random(1)
    candidates = {key(name): [PeerId(name)] for name in names(40)}
    view.tend(candidates, {}, (), 0, dice)
    chosen, *_ = view.chosen
    view.tend(candidates, {chosen: key(chosen)}, (), 100, dice)
    view.tend(candidates, {}, (), 200, dice)
    assert chosen not in view.chosen


def test_a_link_that_flaps_is_kept_for_a_while() -> None:
    view, dice = View(), Random(1)
    candidates = {key(name): [PeerId(name)] for name in names(40)}
    view.tend(candidates, {}, (), 0, dice)
    chosen, *_ = view.chosen
    view.tend(candidates, {chosen: key(chosen)}, (), 100, dice)
    view.tend(candidates, {}, (), 60_000, dice)
    assert chosen in view.chosen
    view.tend(candidates, {}, (), 60_000 + TRY_MS, dice)
    assert chosen not in view.chosen


def test_what_another_group_or_a_person_wants_is_not_ended() -> None:
    view, dice = View(), Random(1)
    candidates = {key(name): [PeerId(name)] for name in names(60)}
    linked = {PeerId(name): key(name) for name in names(30)}
    kept = [PeerId(name) for name in names(25)]
    ended = view.tend(candidates, linked, kept, 0, dice)
    assert ended
    assert not set(ended) & set(kept)


# ---------------------------------------------------------------- hostile members


def test_hostile_eclipse_all_inbound_links_from_hostile_members_leave_three_of_our_own_choice() -> None:
    """Thirty hostile members dial one victim all the time and let nobody else in: it still has links of its own."""
    net = Net([*names(170), *names(30, HOSTILE)])
    victim = PeerId("n0")
    for name in names(30, HOSTILE):
        net.links[victim][PeerId(name)] = net.links[PeerId(name)][victim] = None
    for _ in range(15):
        for name in names(30, HOSTILE):
            net.links[victim][PeerId(name)] = net.links[PeerId(name)][victim] = None
        net.run(WIDEN_MS, WIDEN_MS)
    own = [peer for peer in net.links[victim] if peer in net.views[victim].chosen]
    assert len(own) >= OWN
    assert len(net.links[victim]) <= LINKED_MAX
    assert net.connected()


def test_hostile_eclipse_one_whose_own_choices_are_all_hostile_escapes_by_rotation() -> None:
    net = Net([*names(60), *names(20, HOSTILE)])
    net.run(20_000)
    victim = PeerId("n0")
    for peer in list(net.links[victim]):
        net.part(victim, peer)
    view = net.views[victim]
    view.chosen.clear()
    hostile = [PeerId(name) for name in names(ACTIVE, HOSTILE)]
    linked = {peer: key(peer) for peer in hostile}
    for peer in hostile:
        view.chosen[peer] = Choice(net.now_ms, linked=True)
        net.links[victim][peer] = net.links[peer][victim] = None
    assert view.tend({key(p): [p] for p in net.views if p != victim}, linked, (), net.now_ms, net.dice) == []
    net.run(3 * (ROTATE_MS + ROTATE_SPREAD_MS), 20_000)
    assert any(not peer.startswith(HOSTILE) for peer in net.links[victim])


def test_hostile_sybil_four_devices_of_a_member_have_one_voice() -> None:
    """Hostile members bring four devices each: they are drawn no more often, and hold one link each."""
    hostile = [f"{name}/{k}" for name in names(20, HOSTILE) for k in range(4)]
    net = Net([*names(80), *hostile])
    net.run(20_000, WIDEN_MS)
    chosen = [peer for honest in net.honest() for peer in net.views[honest].chosen]
    share = sum(peer.startswith(HOSTILE) for peer in chosen) / len(chosen)
    assert share <= 0.3, "80 of 160 nodes, and 20 of 100 members"
    victim = PeerId("n0")
    for k in range(4):
        peer = PeerId(f"x0/{k}")
        net.links[victim][peer] = net.links[peer][victim] = None
    net.tend(victim)
    assert sum(key(peer) == key("x0") for peer in net.links[victim]) == 1
    assert net.connected()


def test_hostile_cold_boot_with_a_quarter_hostile_from_the_start_the_honest_hold_together() -> None:
    for seed in (1, 2, 3):
        net = Net([*names(90), *names(30, HOSTILE)], seed)
        net.run(20_000, WIDEN_MS)
        assert net.connected()
