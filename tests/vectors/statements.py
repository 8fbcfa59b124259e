"""A statement, and a value of each form."""

from mesh.ids import DeviceId, MemberPk, PostId
from mesh.wire import notes, sessions, statements
from mesh.wire.codec import Record, encode
from mesh.wire.messages import QuoteValue, SignedMessage, StatementBody


def statement_records() -> list[Record]:
    """One of each record that statements are made of."""
    flag = statements.FlagValue(holds=True)
    return [
        StatementBody(form=statements.Form.FLAG, subject=b"\x88" * 16, lasts_s=0, value=encode(flag)),
        flag,
        statements.PinValue(holds=False),
        statements.SaidSoFar(dev=DeviceId(b"\x96" * 16), mseq=7),
        statements.QuietValue(
            made_ms=1_700_000_000_000,
            member=MemberPk(b"\x95" * 32),
            for_s=86_400,
            cuts=[statements.SaidSoFar(dev=DeviceId(b"\x96" * 16), mseq=7)],
        ),
        statements.LiftValue(),
        statements.FoldingValue(holds=True),
        statements.MeetingValue(day="tue", minute=19 * 60, zone="Europe/London", note="Tea first."),
        sessions.WantStatementsBody(ticket=4, after=b"\xcc" * 34, have=b"\xcd" * 32),
        sessions.StatementsBody(ticket=4, after=b"", messages=[SignedMessage(tbs=b"\x90", sig=bytes(64))]),
        statements.ResourceValue(
            made_ms=1_760_000_000_000,
            title="What helps at night",
            note="short",
            link="https://example.org/night",
            text="In for four.\nOut for six.",
            language="en",
            review_by=740_000,
        ),
        statements.RetirementValue(),
        statements.HelpedValue(holds=True),
        statements.MilestoneValue(
            made_ms=1_760_000_000_000, text="without a drink", since=739_853, count=0, invited=True
        ),
        statements.CongratulationValue(holds=True, text="Well done."),
        statements.CircleValue(
            made_ms=1_760_000_000_000, question="What helped you this week?", turn_s=600, rounds=1, lasts_s=86_400
        ),
        statements.SeatValue(holds=True),
        statements.StartValue(order=[b"\x11" * 16, b"\x12" * 16]),
        statements.TurnValue(post=b"\x88" * 16),
        statements.MoveValue(),
        statements.ClosingValue(text="Go well."),
        statements.ListenerValue(holds=True, topics=["sleep"], start=18 * 60, end=22 * 60),
        statements.TalkEndValue(),
        statements.PledgeValue(),
        statements.DutyValue(on=False, until_ms=1_770_000_000_000),
        statements.TermValue(until_ms=1_770_000_000_000),
        statements.ConsentValue(words=b"\xce" * 32, everyone=False, to=[b"\xcf" * 16, b"\xd0" * 16]),
        notes.ShareQuestion(post=PostId(b"\x88" * 16), purpose="for our other group"),
        QuoteValue(post=b"\x88" * 16, text=""),
        QuoteValue(post=b"", text="What helped me was to walk."),
    ]
