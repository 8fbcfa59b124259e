"""Consent: what somebody said stays in the group where they said it, unless they let it leave.

A post leaves by quoting it in another group, or by exporting it. Its author consents to that as a statement, about
that post and these words alone, or beforehand by leaving the flag *stay here* out of the post. The last word of a
member about a post holds, from whichever device of theirs; it counts as long as they are in, for who is out could take
it back no more.

It is said for everyone in the group, or for those who asked. Who asks does so in a sealed note, whose id nobody else
knows; who consents names H(group, post, id, asker). So each can find themself in what all can see, and nobody else
learns who asked or who may. To refuse is to say nothing.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from mesh.commands import Rank
from mesh.crypto.hashes import h
from mesh.errors import Fault, LocalError, RemoteError
from mesh.ids import GroupId, MemberPk, PostId
from mesh.phrases import phrase
from mesh.support.flags import check_post
from mesh.support.notes import NoteRules
from mesh.support.statements import Rules, Said, later
from mesh.wire import limits
from mesh.wire.codec import Record
from mesh.wire.messages import Flag
from mesh.wire.notes import NoteTag, ShareQuestion
from mesh.wire.statements import ConsentValue, Form
from mesh.wire.text import check_text, require_text

QUESTION_MS: Final = 14 * 86_400_000  # one question about a post in so long, and a no holds for as long; ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A post as far as consent is concerned: whose it is, and the hash of what it says (32 B)."""

    post: PostId
    author: MemberPk
    hash: bytes
    stays: bool  # its author kept it in the group when they said it

    @staticmethod
    def of(gid: GroupId, post: PostId, author: MemberPk, flags: int, body: bytes) -> "Words":
        """Return it for a post with this encoded body and these flags."""
        return Words(
            post=post,
            author=author,
            hash=h(b"mesh1/words", gid, post, body),
            stays=bool(flags & Flag.STAY_HERE),
        )


def asker_hash(gid: GroupId, post: PostId, note_id: bytes, asker: MemberPk) -> bytes:
    """Return by which one who asked for a post, by the note with this id (16 B), is named in its author's consent."""
    return h(b"mesh1/asker", gid, post, note_id, asker)[:16]


def standing(words: Words, said: Iterable[Said]) -> ConsentValue:
    """Return what its author lets be done with a post, by what was stated of it.

    Without a word of theirs the flag says it. A word about other words consents to nothing.
    """
    last = max((word for word in said if _is_on(word, words)), key=later, default=None)
    if last is None:
        return ConsentValue(words=words.hash, everyone=not words.stays, to=[])
    assert isinstance(last.value, ConsentValue), "statements of this form alone are folded here"
    return last.value if last.value.words == words.hash else nobody(words)


def _is_on(word: Said, words: Words) -> bool:
    return word.member == words.author and word.subject == words.post


def nobody(words: Words) -> ConsentValue:
    """Return the word by which a post stays in the group again."""
    return ConsentValue(words=words.hash, everyone=False, to=[])


def allows(consent: ConsentValue, ours: Collection[bytes]) -> bool:
    """Say whether a post may leave by the hand of one who goes by these hashes."""
    return consent.everyone or not set(consent.to).isdisjoint(ours)


def widen(consent: ConsentValue, *, everyone: bool, to: Collection[bytes]) -> ConsentValue:
    """Return a consent for more people; LocalError where it names too many."""
    named = sorted({*consent.to, *to})
    if len(named) > limits.CONSENTS_OF_POST_MAX:
        raise LocalError(
            phrase(
                "as many members as can be named may take this message already: {most}",
                most=limits.CONSENTS_OF_POST_MAX,
            ),
            why="each is named in what everybody's node keeps",
            do="let everyone take it (--to all), or `mesh share withdraw` it and name others",
            code="E-TOO-MANY",
        )
    return ConsentValue(words=consent.words, everyone=consent.everyone or everyone, to=named)


def require_purpose(text: str) -> str:
    """Return what a post is wanted for, as it was typed; LocalError for what cannot be sent."""
    return require_text("purpose", text, limits.PURPOSE_BYTES_MAX, empty=True)


def check_question(value: Record) -> None:
    """RemoteError for a question that no honest client sends."""
    assert isinstance(value, ShareQuestion)
    check_text(value.purpose, limits.PURPOSE_BYTES_MAX)


def check_consent(subject: bytes, value: Record) -> None:
    """RemoteError unless this is a consent about a post."""
    check_post(subject, value)
    assert isinstance(value, ConsentValue)
    if value.to != sorted(set(value.to)):
        raise RemoteError(Fault.MALFORMED, "askers that are not sorted and distinct")


RULES: Final = Rules(
    form=Form.CONSENT,
    value=ConsentValue,
    check=check_consent,
    deed="say what may leave the group",
    least=Rank.NEWCOMER,
    only_in=True,
    newest=256,
    standing=True,
    fades=True,
)
QUESTIONS: Final = NoteRules(
    tag=NoteTag.QUESTION,
    value=ShareQuestion,
    check=check_question,
    author=Rank.NEWCOMER,
    reader=Rank.NEWCOMER,
    newest=limits.QUESTIONS_OF_MEMBER_MAX,
    holds_ms=QUESTION_MS,
)
