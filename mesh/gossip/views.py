"""Whom to link with: in a small group everybody, in a large one a few, drawn by dice and changed slowly.

HyParView (Leitão, Pereira and Rodrigues, DSN 2007) keeps a small *active* view of links and a larger *passive* one to
replace them from, and fills the passive view with what neighbours send. Here the passive view is the group itself:
sealed, signed presence has told every member every other's addresses, so there is nothing to shuffle and nothing to
poison (docs/decisions/0021).

- Up to 8 nodes are a full mesh.
- Beyond it a node keeps at least 3 links of its own choice, whoever else links with it, and 8 in all. Members are
  counted and drawn, not devices: who has four has one voice, and one link.
- Own choices are drawn from a deck of all members, shuffled, and drawn again when it is empty: so each is tried once
  before any is tried twice. While too few answer, more are tried at once, up to 24.
- It lets others link with it up to 12; above that a link that it did not choose goes, by dice.
- Every ten minutes or so one own choice is replaced by a new draw, so that who has come to be surrounded escapes.

Pure: it is told who can be reached and who is linked, and says whom to dial and whose link to end.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mesh.gossip.spread import FULL_MESH
from mesh.ids import Dice, MemberPk, PeerId

OWN: Final = 3  # links of our own choice, as a random graph of out-degree 3 holds together; ours
ACTIVE: Final = 8  # links in all; with 6, one lost segment in twenty delays five times as many branches (0021)
LINKED_MAX: Final = 12  # links in all, with those that others chose; GossipSub's D_high
TRIED_MAX: Final = 24  # dials at once while too few answer; ours
TRY_MS: Final = 10_000  # then somebody else is tried; twice as long once all have been, and so on; ours
TRY_DOUBLINGS_MAX: Final = 5
FLEETING_MS: Final = 5_000  # a link that the other end ended so soon was refused; ours
WIDEN_MS: Final = 2_000  # after so long twice as many are tried; ours
ROTATE_MS: Final = 8 * 60_000
ROTATE_SPREAD_MS: Final = 4 * 60_000

Candidates = Mapping[MemberPk, Sequence[PeerId]]


@dataclass(slots=True)
class Choice:
    """One whom we chose to link with; times are mono."""

    since_ms: int  # of the link, or of trying
    linked: bool = False


class View:
    """Whom we are linked with in one group, and by whose choice."""

    def __init__(self) -> None:
        self.chosen: dict[PeerId, Choice] = {}
        self.full_mesh = True  # the group is so small that all are linked with each other
        self._deck: list[MemberPk] = []
        self._width = 0  # how many are tried at once, while too few are linked; 0: none are lacking
        self._came = False  # a link came since more were tried last
        self._next_ms = 0  # when more are tried
        self._rotate_ms: int | None = None  # when the next own choice is replaced
        self._coming: PeerId | None = None  # who is to replace the oldest
        self._rounds = 0  # how often the deck was tried in vain

    def tend(
        self,
        candidates: Candidates,
        linked: Mapping[PeerId, MemberPk],
        kept: Collection[PeerId],
        now_ms: int,
        dice: Dice,
    ) -> list[PeerId]:
        """Bring the choice up to date; return whose links are to be ended.

        `linked`: who is linked and proved to be a member. `kept`: whose links are not to be ended whatever happens.
        """
        peers = dict.fromkeys(peer for some in candidates.values() for peer in some)
        if len(peers) < FULL_MESH:
            self.chosen = {peer: self.chosen.get(peer, Choice(now_ms)) for peer in peers}
            self.full_mesh, self._rotate_ms = True, None
            return []
        self.full_mesh = False
        self._note_links(peers, linked, now_ms)
        ended = self._rotate(candidates, linked, now_ms, dice)
        self._fill(candidates, linked, now_ms, dice)
        ended += self._trim({p: m for p, m in linked.items() if p not in ended}, kept, dice)
        return [peer for peer in ended if peer not in kept]

    def wait_ms(self, now_ms: int) -> int | None:
        """Return after how long to look again; None where there is nothing to choose."""
        if self._rotate_ms is None:
            return None
        waiting = self._width > 0 or any(not choice.linked for choice in self.chosen.values())
        return WIDEN_MS if waiting else max(WIDEN_MS, self._rotate_ms - now_ms)

    # ---------------------------------------------------------------- own choices

    def _note_links(self, peers: Collection[PeerId], linked: Mapping[PeerId, MemberPk], now_ms: int) -> None:
        try_ms = TRY_MS << min(self._rounds, TRY_DOUBLINGS_MAX)
        for peer, choice in list(self.chosen.items()):
            if peer in linked and not choice.linked:
                choice.linked, choice.since_ms = True, now_ms
                self._came, self._rounds = True, 0
            elif peer not in linked and choice.linked:
                refused = now_ms - choice.since_ms < FLEETING_MS
                choice.linked, choice.since_ms = False, now_ms - (try_ms if refused else 0)
            if peer not in peers or (not choice.linked and now_ms - choice.since_ms >= try_ms):
                del self.chosen[peer]

    def _fill(self, candidates: Candidates, linked: Mapping[PeerId, MemberPk], now_ms: int, dice: Dice) -> None:
        """Try as many as are lacking, and twice as many each time that did not help; none where none are lacking."""
        live = dict.fromkeys(linked.values())
        own = dict.fromkeys(linked[peer] for peer, choice in self.chosen.items() if choice.linked)
        free = sum(member not in live for member in candidates)
        lacking = min(free, max(OWN - len(own), ACTIVE - len(live)))
        tried = [peer for peer, choice in self.chosen.items() if not choice.linked and peer != self._coming]
        if lacking <= 0:
            self._width = 0
            own_links = [peer for peer, choice in self.chosen.items() if choice.linked and peer != self._coming]
            for peer in [*tried, *own_links[OWN:]]:  # a link that stands is kept without being dialled
                del self.chosen[peer]
            return
        if now_ms < self._next_ms:
            return
        # At first only as many as others cannot choose for us; then as many as are lacking; where none came, ever more.
        width = min(OWN, lacking) if self._width == 0 else max(lacking, 0 if self._came else 2 * self._width)
        self._width, self._came, self._next_ms = min(width, TRIED_MAX), False, now_ms + WIDEN_MS
        for _ in range(self._width - len(tried)):
            if self._draw(candidates, linked, now_ms, dice) is None:
                break

    def _draw(
        self, candidates: Candidates, linked: Mapping[PeerId, MemberPk], now_ms: int, dice: Dice
    ) -> PeerId | None:
        """Choose one more: the next member of the deck who is neither linked nor tried, and one of their devices."""
        taken = set(linked.values())
        taken.update(m for m, peers in candidates.items() if any(peer in self.chosen for peer in peers))
        for shuffled_anew in (False, True):
            if shuffled_anew:
                self._deck = _shuffled(list(candidates), dice)
                self._rounds += 1
            while self._deck:
                member = self._deck.pop()
                if member in candidates and member not in taken:
                    peers = candidates[member]
                    peer = peers[dice.randrange(len(peers))]
                    self.chosen[peer] = Choice(now_ms)
                    return peer
        return None

    def _rotate(
        self, candidates: Candidates, linked: Mapping[PeerId, MemberPk], now_ms: int, dice: Dice
    ) -> list[PeerId]:
        """From time to time, link with one more, and when that has come about let the oldest own choice go."""
        if self._rotate_ms is None:
            self._rotate_ms = now_ms + ROTATE_MS + dice.randrange(ROTATE_SPREAD_MS)
        if self._coming is not None and self._coming not in self.chosen:
            self._coming = None
        if self._coming is not None and self.chosen[self._coming].linked:
            self._coming = None
            self._rotate_ms = now_ms + ROTATE_MS + dice.randrange(ROTATE_SPREAD_MS)
            oldest = min((p for p, c in self.chosen.items() if c.linked), key=lambda p: self.chosen[p].since_ms)
            del self.chosen[oldest]
            return [oldest]
        if self._coming is None and now_ms >= self._rotate_ms and sum(c.linked for c in self.chosen.values()) >= OWN:
            self._coming = self._draw(candidates, linked, now_ms, dice)
        return []

    # ---------------------------------------------------------------- what others chose

    def _trim(self, linked: Mapping[PeerId, MemberPk], kept: Collection[PeerId], dice: Dice) -> list[PeerId]:
        """Return which links that we did not choose go: second ones of a member, then any, by dice."""
        ended: list[PeerId] = []
        links: dict[MemberPk, list[PeerId]] = {}
        for peer, member in linked.items():
            links.setdefault(member, []).append(peer)
        for some in links.values():
            free = [peer for peer in some if peer not in self.chosen and peer not in kept]
            ended += free[len(free) - (len(some) - 1) :] if len(some) > 1 else []
        free = [peer for peer in linked if peer not in self.chosen and peer not in kept and peer not in ended]
        while len(linked) - len(ended) > LINKED_MAX and free:
            ended.append(free.pop(dice.randrange(len(free))))
        return ended


def _shuffled(members: list[MemberPk], dice: Dice) -> list[MemberPk]:
    """Return the members in an order by dice (Fisher and Yates)."""
    for k in range(len(members) - 1, 0, -1):
        j = dice.randrange(k + 1)
        members[k], members[j] = members[j], members[k]
    return members
