"""The forms of statements, and each form's value as a record (protocol.md §7); what they mean is in `mesh.support`.

A value that does not read as its form's record says nothing: it is not held against whoever passed it on, for they may
not know the form.
"""

from enum import IntEnum
from typing import Annotated

from msgspec import Meta

from mesh.wire import limits, shapes
from mesh.wire.codec import Record


class Form(IntEnum):
    """What a statement is about. Numbers that are not here are kept, and change nothing."""

    FLAG = 1
    PIN = 2
    MEETING = 3
    RESOURCE = 4
    RETIREMENT = 5
    HELPED = 6
    MILESTONE = 7
    CONGRATULATION = 8
    QUIET = 9
    LIFT = 10
    FOLDING = 11
    CONSENT = 13
    CIRCLE = 16
    SEAT = 17
    START = 18
    TURN = 19
    MOVE = 20
    CLOSING = 21
    LISTENER = 23
    TALK_END = 24
    PLEDGE = 27
    DUTY = 28
    TERM = 29


class FlagValue(Record, frozen=True):
    """Form 1, about a post: its author would rather not meet that post unasked (`holds`), or no longer minds."""

    holds: bool


class PinValue(Record, frozen=True):
    """Form 2, about a post: it stands first in the group (`holds`), or no longer."""

    holds: bool


class MeetingValue(Record, frozen=True):
    """Form 3, about nothing: when the group meets. `day`: mon to sun, or a date; empty: there is no meeting."""

    day: Annotated[str, Meta(max_length=10)]
    minute: Annotated[int, Meta(ge=0, lt=24 * 60)]  # of the day, in `zone`
    zone: Annotated[str, Meta(min_length=1, max_length=64)]  # IANA's name
    note: Annotated[str, Meta(max_length=limits.MEETING_NOTE_BYTES_MAX)]


class ResourceValue(Record, frozen=True):
    """Form 4, about a slot of its author's device: what stands on the group's shelf there; a link, a text, or both."""

    made_ms: shapes.Millis  # when it was typed: tells two alike apart
    title: Annotated[str, shapes.text(limits.RESOURCE_TITLE_BYTES_MAX, 1)]
    note: Annotated[str, shapes.text(limits.RESOURCE_NOTE_BYTES_MAX)]
    link: Annotated[str, shapes.text(limits.LINK_BYTES_MAX)]
    text: Annotated[str, shapes.text(limits.RESOURCE_TEXT_BYTES_MAX)]
    language: Annotated[str, shapes.text(limits.LANGUAGE_BYTES_MAX)]  # like en or en-GB; empty: not said
    review_by: shapes.Day  # after it, the resource is overdue; 0: never


class RetirementValue(Record, frozen=True):
    """Form 5, about a resource: it leaves the shelf, for good."""


class HelpedValue(Record, frozen=True):
    """Form 6, about a resource: it helped its author (`holds`), or they take that back."""

    holds: bool


class MilestoneValue(Record, frozen=True):
    """Form 7, about a slot of its author's device: what is counted, since when; with an empty text it is taken down."""

    made_ms: shapes.Millis  # when it was typed: tells two alike apart
    text: Annotated[str, shapes.text(limits.MILESTONE_TEXT_BYTES_MAX)]
    since: shapes.Day
    count: Annotated[int, Meta(ge=0, le=3)]  # days, weeks, months, years
    invited: bool  # others may congratulate


class CongratulationValue(Record, frozen=True):
    """Form 8, about a milestone: its author congratulates (`holds`), with a few words or none, or takes that back."""

    holds: bool
    text: Annotated[str, shapes.text(limits.CONGRATULATION_TEXT_BYTES_MAX)]


class SaidSoFar(Record, frozen=True):
    """The last message of a device that its author had."""

    dev: shapes.Device
    mseq: shapes.MseqOrNone


class QuietValue(Record, frozen=True):
    """Form 9, about itself: a member is asked to be quiet, for so long from when it was said."""

    made_ms: shapes.Millis  # when it was typed: tells two alike apart
    member: shapes.Member
    for_s: Annotated[int, Meta(ge=limits.QUIET_S_MIN, le=limits.QUIET_S_MAX)]
    cuts: Annotated[list[SaidSoFar], Meta(max_length=limits.DEVICES_PER_MEMBER_MAX)]


class LiftValue(Record, frozen=True):
    """Form 10, about a quiet: it ends here."""


class FoldingValue(Record, frozen=True):
    """Form 11, about a post: it is folded for all (`holds`), or no longer by this word."""

    holds: bool


class CircleValue(Record, frozen=True):
    """Form 16, about a slot of its author's device: a circle is open, on a question."""

    made_ms: shapes.Millis  # when it was typed: tells two alike apart
    question: Annotated[str, shapes.text(limits.CIRCLE_QUESTION_BYTES_MAX, 1)]
    turn_s: Annotated[int, Meta(ge=limits.CIRCLE_TURN_S_MIN, le=limits.CIRCLE_TURN_S_MAX)]  # then others move it on
    rounds: Annotated[int, Meta(ge=1, le=limits.CIRCLE_ROUNDS_MAX)]
    lasts_s: Annotated[int, Meta(ge=limits.CIRCLE_LASTS_S_MIN, le=limits.CIRCLE_LASTS_S_MAX)]  # then it ends by itself


class SeatValue(Record, frozen=True):
    """Form 17, about a circle: its author takes part (`holds`), or not any more."""

    holds: bool


class StartValue(Record, frozen=True):
    """Form 18, about a circle: it begins, and these speak first, in this order: the first 16 B of their member keys."""

    order: Annotated[list[shapes.Bytes16], Meta(max_length=limits.CIRCLE_SEATS_MAX)]


class TurnValue(Record, frozen=True):
    """Form 19, about a circle and a round: its author has said this post (16 B), or passes (empty)."""

    post: Annotated[bytes, Meta(max_length=16)]


class MoveValue(Record, frozen=True):
    """Form 20, about one turn in a circle: it is over, whether its speaker said something or not."""


class ClosingValue(Record, frozen=True):
    """Form 21, about a circle: it is over, with closing words or none."""

    text: Annotated[str, shapes.text(limits.CIRCLE_CLOSING_BYTES_MAX)]


class ListenerValue(Record, frozen=True):
    """Form 23, about nothing: its author offers to listen (`holds`) or no longer; to which topics (none: any); when.

    `start` and `end`: minutes of the day in UTC; equal: at any time. An offer that is taken back says nothing more.
    """

    holds: bool
    topics: Annotated[list[shapes.TopicName], Meta(max_length=limits.LISTENER_TOPICS_MAX)]
    start: Annotated[int, Meta(ge=0, lt=24 * 60)]
    end: Annotated[int, Meta(ge=0, lt=24 * 60)]


class TalkEndValue(Record, frozen=True):
    """Form 24, about nothing, in a talk with a listener: its author has ended it."""


class PledgeValue(Record, frozen=True):
    """Form 27, about the hash of an agreement's text: its author says yes to it."""


class DutyValue(Record, frozen=True):
    """Form 28, about nothing: a moderator or senior is on duty, or off duty until then (0: until they say so)."""

    on: bool
    until_ms: shapes.Millis


class TermValue(Record, frozen=True):
    """Form 29, about the grant that gave its author their rank: until when they serve as a steward or founder."""

    until_ms: Annotated[int, Meta(ge=1, le=2**53 - 1)]


class ConsentValue(Record, frozen=True):
    """Form 13, about a post of its author's: these words may leave the group, by everyone's hand or by some askers'."""

    words: shapes.Bytes32  # hash of the post as it was said (`mesh.support.consent`)
    everyone: bool
    to: Annotated[list[shapes.Bytes16], Meta(max_length=limits.CONSENTS_OF_POST_MAX)]  # sorted, distinct; see there
