"""The ladder: a moderator, or somebody more senior, folds a post, or asks a member to be quiet for a while.

Its first step, a note, is said under seal and changes nothing; its last, a removal, is an operation. What lies between
is stated, so that all nodes keep it alike: everybody sees that somebody is asked to be quiet, until when, and by whom.
The reason is said to that member alone (`mesh.support.words`). One acts on those alone who are strictly junior, by the
ranks that both have now; any senior of a member ends what another began. A quiet lasts two weeks at most; longer ones
are stated anew, where all can see it.

What was said meanwhile. A quiet names the last message of each device that its author had (`cuts`). As long as it
lasts, what lies beyond stays closed, whatever time it claims: nobody gets around it by setting back their clock. After
it there remains closed what claims to be from its time, and was beyond the cuts. It is a rule for showing, and whoever
wants to opens it: somebody may have said it before they could know. A lift, whenever it comes, opens all of it: so what
a changed program closed, by a quiet that is dated back, does not stay closed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from mesh.commands import Rank
from mesh.errors import Fault, RemoteError
from mesh.ids import DeviceId, MemberPk
from mesh.support.flags import check_post
from mesh.support.slots import check_thing, thing_id
from mesh.support.statements import Rules, Said, later, whole
from mesh.wire.codec import Record
from mesh.wire.statements import FoldingValue, Form, LiftValue, QuietValue

LOGGED_S: Final = 30 * 86_400  # a quiet, and its end, are shown in the log for so long afterwards; ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """A member is asked to be quiet until `asked_ms`; `end_ms` is when it ends, or was ended by `lift`. `id`: 16 B."""

    id: bytes
    said: Said
    member: MemberPk
    start_ms: int
    asked_ms: int
    end_ms: int
    cuts: Mapping[DeviceId, int]
    lift: Said | None
    former: frozenset[DeviceId] = frozenset()  # of the member, and out when this was said: all they said was before it

    def lasts(self, wall_ms: int) -> bool:
        """Say whether it holds at this moment."""
        return wall_ms < self.end_ms

    def closes(self, dev: DeviceId, mseq: int, ts_ms: int, wall_ms: int) -> bool:
        """Say whether what a device of the member said under this number stays closed now."""
        if self.lift is not None or (dev in self.former and dev not in self.cuts):
            return False
        claimed = self.start_ms <= ts_ms < self.end_ms
        return mseq > self.cuts.get(dev, 0) and (self.lasts(wall_ms) or claimed)


def fold(quiets: Iterable[Said], lifts: Iterable[Said], ranks: Mapping[MemberPk, Rank]) -> list[Quiet]:
    """Return who was asked to be quiet, in the order in which that was said; `ranks`: of all who are in."""
    ended: dict[bytes, list[Said]] = {}
    for word in sorted(lifts, key=later):
        ended.setdefault(word.subject, []).append(word)
    found: dict[bytes, Quiet] = {}
    for word in sorted(quiets, key=later):
        value = word.value
        if not isinstance(value, QuietValue) or word.subject != quiet_id(word.member, value):
            continue
        rank = ranks.get(value.member, Rank.NEWCOMER)
        if word.rank >= rank or word.subject in found:
            continue
        end_ms = word.ts_ms + value.for_s * 1000
        lift = next((said for said in ended.get(word.subject, ()) if said.rank < rank), None)
        found[word.subject] = Quiet(
            id=word.subject,
            said=word,
            member=value.member,
            start_ms=word.ts_ms,
            asked_ms=end_ms,
            end_ms=end_ms if lift is None else min(max(lift.ts_ms, word.ts_ms), end_ms),
            cuts={cut.dev: cut.mseq for cut in value.cuts},
            lift=lift,
        )
    return list(found.values())


def quiet_id(author: MemberPk, value: QuietValue) -> bytes:
    """Return by which id people know a quiet, 16 B: it is the subject of its statement too."""
    return thing_id(Form.QUIET, author, value)


def kept_s(value: Record) -> int:
    """Return for how long a quiet is kept and handed on: no longer than any lift of it, or it would come back."""
    assert isinstance(value, QuietValue)
    return value.for_s + LOGGED_S


def is_folded(said: Iterable[Said], author: Rank) -> Said | None:
    """Return by whose word one post is folded, of these words on it; None: by nobody's. `author`: its author's rank."""
    heard = [word for word in said if isinstance(word.value, FoldingValue) and word.rank < author]
    last = max(heard, key=later, default=None)
    return last if last is not None and isinstance(last.value, FoldingValue) and last.value.holds else None


def check_quiet(subject: bytes, value: Record) -> None:
    """RemoteError unless this names what was said, and each device once."""
    check_thing(subject, value)
    assert isinstance(value, QuietValue)
    if len({cut.dev for cut in value.cuts}) != len(value.cuts):
        raise RemoteError(Fault.MALFORMED, "a device that is named twice")


QUIETS: Final = Rules(
    form=Form.QUIET,
    value=QuietValue,
    check=check_quiet,
    deed="ask somebody to be quiet",
    least=Rank.MODERATOR,
    only_in=True,
    newest=64,
    standing=True,
    fades=False,
    lasts_s=kept_s,
)
LIFTS: Final = Rules(
    form=Form.LIFT,
    value=LiftValue,
    check=check_thing,
    deed="end somebody's quiet",
    least=Rank.MODERATOR,
    only_in=False,
    newest=64,
    standing=True,
    fades=False,
    stays=whole,
)
FOLDINGS: Final = Rules(
    form=Form.FOLDING,
    value=FoldingValue,
    check=check_post,
    deed="fold a message for all",
    least=Rank.MODERATOR,
    only_in=False,
    newest=64,
    standing=True,
    fades=True,
)
