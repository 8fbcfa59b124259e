"""What stands inside a sealed note (protocol.md §7, kind 9), once it is opened: a tag, an id, and the record for it."""

from enum import IntEnum
from typing import Annotated

from msgspec import Meta

from mesh.wire import limits, shapes
from mesh.wire.codec import Record
from mesh.wire.messages import SignedMessage


class NoteTag(IntEnum):
    """What a note says. One with another number is passed over: a later version says it."""

    TALK = 1
    REPORT = 2
    WORD = 3
    APPEAL = 4
    QUESTION = 5
    LISTEN = 7
    SEEKING = 8
    INTRODUCTION = 9
    ROOM = 10
    RECALL = 11


class NoteText(Record, frozen=True):
    """The plain text of a note. `id` is drawn by its author: what is said to several in several notes has one."""

    tag: Annotated[int, Meta(ge=1, le=65535)]
    id: shapes.Bytes16
    value: Annotated[bytes, Meta(max_length=limits.NOTE_VALUE_BYTES_MAX)]


class TalkOffer(Record, frozen=True):
    """Tag 1: an offer to talk as two. `preview` is the preview frame of the group that stands ready for it."""

    code: Annotated[bytes, Meta(min_length=38, max_length=38)]
    gid: shapes.Group
    preview: Annotated[bytes, Meta(max_length=limits.NOTE_PLAIN_BYTES)]
    addresses: Annotated[list[shapes.AddressText], Meta(max_length=limits.NOTE_ADDRESSES_MAX)]


class ReportedPost(Record, frozen=True):
    """A post in a report: as its author signed it; where that is too long, as the reporter has it, cut (`text`)."""

    post: shapes.PostRef
    member: shapes.Member
    ts_ms: shapes.Millis
    text: Annotated[str, shapes.text(limits.REPORTED_TEXT_BYTES_MAX)]  # empty where it is signed
    signed: SignedMessage | None


class ReportNote(Record, frozen=True):
    """Tag 2: a report to stewards and founders; the first post is the one that it is about."""

    text: Annotated[str, shapes.text(limits.WORD_TEXT_BYTES_MAX)]
    posts: Annotated[list[ReportedPost], Meta(min_length=1, max_length=limits.REPORTED_POSTS_MAX)]


class WordKind(IntEnum):
    """What a word of a moderator, steward or founder is said for. Other numbers are passed over."""

    NOTE = 0  # the first step of the ladder: it changes nothing
    FOLD = 1  # why a post of theirs was folded
    QUIET = 2  # why they are asked to be quiet for a while
    LIFT = 3  # that they need not be quiet any more
    REPORT = 4  # an answer to their report
    APPEAL = 5  # an answer to their appeal


class WordNote(Record, frozen=True):
    """Tag 3: a word to one member. `about`: the post, the sanction, the report or the appeal; empty: none of these."""

    kind: WordKind
    about: Annotated[bytes, Meta(max_length=16)]
    text: Annotated[str, shapes.text(limits.WORD_TEXT_BYTES_MAX)]


class RecallNote(Record, frozen=True):
    """Tag 11: its author takes a report or an appeal of theirs back (`about`: its note's id)."""

    about: shapes.Bytes16


class AppealNote(Record, frozen=True):
    """Tag 4: one asks stewards or founders who had no part in it to look at a sanction again (`about`: which)."""

    about: Annotated[bytes, Meta(max_length=16)]
    text: Annotated[str, shapes.text(limits.WORD_TEXT_BYTES_MAX)]


class ShareQuestion(Record, frozen=True):
    """Tag 5: may this post of yours leave the group by my hand? Who says yes names this note's id under a hash.

    (`mesh.support.consent`: nobody else learns who asked.)
    """

    post: shapes.PostRef
    purpose: Annotated[str, shapes.text(limits.PURPOSE_BYTES_MAX)]  # what it is wanted for; may be empty


class RoomNote(Record, frozen=True):
    """Tag 10: stewards are asked into their room: the group, and a code of it with addresses, as text."""

    gid: shapes.Group
    code: Annotated[str, shapes.text(limits.ROOM_CODE_BYTES_MAX, 1)]


class ListenAsk(Record, frozen=True):
    """Tag 7: its author asks for a listener. All its readers read this; each opens a slip of their own, and no other.

    `kept`: keepers of the group carry the talk, and no address is said; else `addresses` are the asker's.
    """

    topic: Annotated[str, shapes.text(limits.TOPIC_BYTES_MAX)]
    mode: Annotated[int, Meta(ge=0, le=3)]
    minutes: Annotated[int, Meta(ge=limits.LISTEN_MINUTES_MIN, le=limits.LISTEN_MINUTES_MAX)]
    kept: bool
    addresses: Annotated[list[shapes.AddressText], Meta(max_length=limits.LISTEN_ADDRESSES_MAX)]
    slips: Annotated[
        list[Annotated[bytes, Meta(max_length=limits.LISTEN_SLIP_BYTES_MAX)]],
        Meta(min_length=limits.NOTE_WRAPS, max_length=limits.NOTE_WRAPS),
    ]


class ListenSlip(Record, frozen=True):
    """What a slip says: the way into a group for two that stands ready for its reader alone."""

    code: Annotated[bytes, Meta(min_length=38, max_length=38)]
    gid: shapes.Group
    invite: shapes.Op


class SeekingNote(Record, frozen=True):
    """Tag 8: do you know a group for this? One member is asked, and nobody else sees it."""

    text: Annotated[str, shapes.text(limits.INTRODUCTION_BYTES_MAX, 1)]


class IntroductionNote(Record, frozen=True):
    """Tag 9: an answer to such a question (`about`: its note's id): an invite's code, a few words, or both."""

    about: shapes.Bytes16
    code: Annotated[str, shapes.text(limits.ROOM_CODE_BYTES_MAX)]
    text: Annotated[str, shapes.text(limits.INTRODUCTION_BYTES_MAX)]
