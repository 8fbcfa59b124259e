"""Consent, as far as a group and its notes decide it: who asked for a post, what its author said, what may leave.

It is asked here by whoever quotes or exports, each time anew, and once more when a quote goes out that had to wait. The
words themselves are in `mesh.support.consent`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from mesh.commands import Quoted
from mesh.ids import GroupId, MemberPk, PostId
from mesh.peer.records import DraftRecord, MessageRecord, NoteRecord, SourceRecord
from mesh.peer.state import Room, State
from mesh.peer.statements import counting
from mesh.support import consent
from mesh.support.consent import Words, allows, asker_hash
from mesh.support.quotes import quote_from_elsewhere
from mesh.support.tags import read_note_value
from mesh.wire.messages import QuoteValue
from mesh.wire.notes import NoteTag, ShareQuestion
from mesh.wire.statements import ConsentValue, Form

_MEMBER_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Whether a post may leave the group by the hand of whoever asks; `key`: author 32 B and id 16 B of the note."""

    key: bytes
    post: PostId
    purpose: str
    note: NoteRecord

    @property
    def asker(self) -> MemberPk:
        """Who asks."""
        return MemberPk(self.key[:_MEMBER_BYTES])

    def named(self, room: Room) -> bytes:
        """Return by which its author names whoever asks, 16 B."""
        return asker_hash(room.group.gid, self.post, self.key[_MEMBER_BYTES:], self.asker)


def questions(room: Room, *, mine: bool, post: PostId | None = None) -> Iterator[Question]:
    """Give the questions that we asked, or that were asked of us; about one post or about all, oldest first."""
    for key, note in room.sealed.items():
        value = read_note_value(note.tag, note.value) if note.tag == NoteTag.QUESTION and note.mine is mine else None
        if isinstance(value, ShareQuestion) and post in (None, value.post):
            yield Question(key=key, post=value.post, purpose=value.purpose, note=note)


def words_of(room: Room, record: MessageRecord) -> Words:
    """Return a post as far as consent is concerned."""
    return Words.of(room.group.gid, record.post, record.member, record.flags, record.body)


def consent_to(room: Room, words: Words, wall_ms: int) -> ConsentValue:
    """Return what a post's author lets be done with it; nothing where they are out, and could take it back no more."""
    if words.author not in room.group.view.members:
        return consent.nobody(words)
    return consent.standing(words, counting(room, Form.CONSENT, wall_ms, subject=words.post))


def may_leave(room: Room, words: Words, wall_ms: int) -> bool:
    """Say whether a post may leave its group by our hand: it is our own, or its author lets it.

    Whoever is out hears no more of what is taken back, and so takes nothing of others.
    """
    own = room.group.own
    if words.author == own.member_pk or words.post in room.deliveries:  # said under a former key of ours, too
        return True
    if room.group.me is None or own.left:
        return False
    found = consent_to(room, words, wall_ms)
    asked = questions(room, mine=True, post=words.post) if found.to else ()
    return allows(found, [question.named(room) for question in asked])


def quote_value(quoted: Quoted, into: GroupId) -> QuoteValue:
    """Return how a post in a group names what it quotes: by its id, or as words from elsewhere. LocalError."""
    if quoted.group == into:
        return QuoteValue(post=quoted.post, text="")
    return quote_from_elsewhere(quoted.text)


def source_of(quoted: Quoted, into: GroupId) -> SourceRecord | None:
    """Return what is kept here of words from elsewhere, as long as the post that quotes them waits."""
    if quoted.group == into:
        return None
    return SourceRecord(
        gid=quoted.group,
        post=quoted.post,
        author=quoted.author,
        words=quoted.hash,
        stays=quoted.stays,
        dev=quoted.dev,
        mseq=quoted.mseq,
    )


def quote_waits(state: State, draft: DraftRecord, wall_ms: int) -> bool:
    """Say whether a post of ours is kept back: what it quotes was taken back meanwhile, or may leave no more."""
    source = draft.source
    if source is None:
        return False
    room = state.rooms.get(source.gid)
    if room is None:
        return True
    track = room.tracks.get(source.dev)
    is_gone = source.mseq > 0 and track is not None and source.mseq in track.gone
    words = Words(post=source.post, author=source.author, hash=source.words, stays=source.stays)
    return is_gone or not may_leave(room, words, wall_ms)
