"""A sealed note, and what each tag says."""

from mesh.ids import Address, GroupId, MemberPk, OpId, PostId
from mesh.wire import notes
from mesh.wire.codec import Record
from mesh.wire.messages import NoteBody, SignedMessage


def note_records(gid: GroupId, home: Address, member: MemberPk, signed: SignedMessage) -> list[Record]:
    """One of each record that notes are made of."""
    whole = notes.ReportedPost(
        post=PostId(b"\x99" * 16), member=member, ts_ms=1_700_000_000_000, text="", signed=signed
    )
    cut = notes.ReportedPost(
        post=PostId(b"\x98" * 16), member=member, ts_ms=1_700_000_000_001, text="It began…", signed=None
    )
    return [
        NoteBody(wraps=[bytes(80)] * 4, sealed=bytes(24 + 8192 + 16)),
        notes.NoteText(tag=notes.NoteTag.TALK, id=bytes(16), value=b"an offer"),
        notes.TalkOffer(code=bytes(38), gid=gid, preview=b"a preview", addresses=[home]),
        whole,
        cut,
        notes.ReportNote(text="This goes too far.", posts=[whole, cut]),
        notes.WordNote(kind=notes.WordKind.QUIET, about=b"\x97" * 16, text="Take a day to breathe."),
        notes.ListenAsk(topic="sleep", mode=0, minutes=30, kept=False, addresses=[home], slips=[bytes(157)] * 4),
        notes.SeekingNote(text="a group for carers"),
        notes.IntroductionNote(about=b"\x95" * 16, code="", text="I know of none."),
        notes.ListenSlip(code=bytes(38), gid=gid, invite=OpId(b"\x96" * 32)),
        notes.AppealNote(about=b"\x97" * 16, text="Please look again."),
        notes.RecallNote(about=b"\x97" * 16),
        notes.RoomNote(gid=gid, code="mesh1qy…#kZHZ"),
    ]
