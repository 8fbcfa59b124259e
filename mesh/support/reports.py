"""Reports: a member shows posts to the stewards and founders, under seal, with a word of their own.

Neither whom it is about nor the author of any post in it is among its readers. A post goes as its author signed it,
where that fits, so that a steward who lacks it can see that it was said; else as the reporter has it, cut, which is
their word for it. Who reported or appealed may take it back: those who were told see that, and keep what they know.
"""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from mesh.commands import Rank
from mesh.errors import Fault, RemoteError
from mesh.ids import MemberPk
from mesh.membership.views import Member
from mesh.support.notes import NoteRules
from mesh.wire import limits
from mesh.wire.codec import Record, encode
from mesh.wire.notes import NoteTag, RecallNote, ReportedPost, ReportNote
from mesh.wire.text import check_text


def readers_of(members: Iterable[Member], own: MemberPk, about: Iterable[MemberPk]) -> list[MemberPk]:
    """Return who is told of a report about posts of these members: stewards and founders, and none of them."""
    left_out = {own, *about}
    return sorted(member.pk for member in members if member.rank <= Rank.STEWARD and member.pk not in left_out)


def fit(text: str, posts: Iterable[tuple[ReportedPost, str]]) -> ReportNote:
    """Return a report that fits a note: each post as it was signed (with what it says, for where there is no room).

    The first posts come first: of the room that is left each takes what it can use, and what is cut gets an equal part.
    """
    given = list(posts)
    assert 1 <= len(given) <= limits.REPORTED_POSTS_MAX, "whoever asks counts them"
    report = ReportNote(text=text, posts=[_bare(post) for post, _ in given])
    for k, (post, said) in enumerate(given):
        share = (limits.NOTE_VALUE_BYTES_MAX - len(encode(report)) - _SLACK) // (len(given) - k)
        whole = _with(report, k, post)
        if post.signed is None or len(encode(whole)) > limits.NOTE_VALUE_BYTES_MAX - _SLACK:
            whole = _with(report, k, replace(_bare(post), text=_cut(said, min(share, limits.REPORTED_TEXT_BYTES_MAX))))
        report = whole
    return report


_SLACK: Final = 64  # lengths of texts and lists grow by a few bytes with what they hold


def _bare(post: ReportedPost) -> ReportedPost:
    return replace(post, text="", signed=None)


def _with(report: ReportNote, place: int, post: ReportedPost) -> ReportNote:
    return replace(report, posts=[post if k == place else there for k, there in enumerate(report.posts)])


def _cut(text: str, size: int) -> str:
    """Return the beginning of a text, in so many bytes of UTF-8 at most; … at its end says that it was cut."""
    raw = text.encode()
    if len(raw) <= size:
        return text
    return raw[: max(0, size - len("…".encode()))].decode(errors="ignore") + "…"


def check_report(value: Record) -> None:
    """RemoteError unless this is what an honest program reports."""
    assert isinstance(value, ReportNote)
    check_text(value.text, limits.WORD_TEXT_BYTES_MAX, lines=True)
    if len({post.post for post in value.posts}) != len(value.posts):
        raise RemoteError(Fault.MALFORMED, "a post that is reported twice in one")
    for post in value.posts:
        check_text(post.text, limits.REPORTED_TEXT_BYTES_MAX, lines=True)


REPORTS: Final = NoteRules(
    tag=NoteTag.REPORT,
    value=ReportNote,
    check=check_report,
    author=Rank.NEWCOMER,
    reader=Rank.STEWARD,
    newest=32,
)


def check_recall(value: Record) -> None:
    """Any id may be named: one that is not here takes nothing back."""
    assert isinstance(value, RecallNote)


RECALLS: Final = NoteRules(
    tag=NoteTag.RECALL,
    value=RecallNote,
    check=check_recall,
    author=Rank.NEWCOMER,
    reader=Rank.STEWARD,
    newest=48,  # as many as there may be reports and appeals of one author
)
