"""Which statements are kept follows from the set of all that came, in whatever order and however often."""

from hypothesis import given
from hypothesis import strategies as st

from mesh.ids import DeviceId, MemberPk, MsgId, OpId, PostId
from mesh.peer.records import MessageRecord, OriginRecord
from mesh.peer.stated import Stated, Statements, newest_of
from mesh.support.forms import FORMS
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.messages import Kind, StatementBody
from mesh.wire.statements import FlagValue, Form

UNKNOWN = 9000
ORIGIN = OriginRecord(
    epoch=OpId(bytes(32)), i=0, uid=bytes(16), prev=MsgId(bytes(32)), parents=[], heads=[], sig=bytes(64)
)


def stated(form: int, dev: int, mseq: int, subject: int, copy: int = 0) -> Stated:
    """A statement as it comes in; `copy`: another under the same number, which no honest device signs."""
    value = encode(FlagValue(holds=bool(mseq % 2)))
    body = StatementBody(form=form, subject=subject.to_bytes(16, "big"), lasts_s=0, value=value)
    number = (((form * 256 + dev) * 4096 + mseq) * 4096 + subject) * 2 + copy
    record = MessageRecord(
        post=PostId(bytes(16)),
        msg_id=MsgId(number.to_bytes(32, "little")),
        dev=DeviceId(bytes([dev]) * 16),
        member=MemberPk(bytes(32)),
        kind=Kind.STATEMENT,
        mseq=mseq,
        at_ms=0,
        ts_ms=0,
        seen_ms=0,
        flags=0,
        body=encode(body),
        origin=ORIGIN,
        handed_on=False,
        gone_ms=0,
    )
    return Stated.of(record)


def kept(statements: Statements) -> set[bytes]:
    """The keys of what is kept, which also name the form."""
    return {there.key for there in statements}


def should_be_kept(came: list[Stated]) -> set[bytes]:
    """The rule, said plainly: per device, form and subject the last; of these the newest, as many as may be kept."""
    last: dict[tuple[int, bytes, bytes], Stated] = {}
    for one in sorted(came, key=lambda one: one.age):
        last[one.body.form, one.record.dev, one.body.subject] = one
    shelves: dict[tuple[int, bytes], list[Stated]] = {}
    for one in sorted(last.values(), key=lambda one: one.age, reverse=True):
        form = one.body.form if one.body.form in FORMS else 0
        shelves.setdefault((form, one.record.dev), []).append(one)
    return {one.key for shelf in shelves.values() for one in shelf[: newest_of(shelf[0].body.form)]}


@given(
    st.lists(
        st.builds(
            stated,
            st.sampled_from([UNKNOWN, UNKNOWN + 1]),
            st.integers(1, 2),
            st.integers(1, 60),
            st.integers(1, 50),
            st.integers(0, 1),
        ),
        max_size=120,
    ),
    st.data(),
)
def test_what_is_kept_does_not_depend_on_the_order(came: list[Stated], data: st.DataObject) -> None:
    statements, again = Statements(), Statements()
    for one in came:
        statements.put(one)
    for one in data.draw(st.permutations([*came, *came[::3]])):
        again.put(one)
    assert kept(statements) == kept(again) == should_be_kept(came)


def test_more_than_a_form_allows_takes_the_oldest_away_and_says_which() -> None:
    statements = Statements()
    most = newest_of(Form.FLAG)
    rows: set[bytes] = set()
    for mseq in range(2, most + 5):
        one = stated(Form.FLAG, 1, mseq, mseq)
        gone = statements.put(one)
        assert gone is not None
        rows = (rows | {one.key}) - {there.key for there in gone}
        assert rows == kept(statements), "what a store would hold"
    assert len(rows) == most
    assert statements.put(stated(Form.FLAG, 1, 1, 1)) is None, "too old"
    assert statements.about(Form.FLAG, (1).to_bytes(16, "big")) == []
    assert len(statements.of_form(Form.FLAG)) == most
    assert statements.put(stated(Form.FLAG, 2, 1, 1)) == [], "another device has its own allowance"


def test_forms_that_are_not_known_share_one_allowance() -> None:
    statements = Statements()
    for k in range(100):
        statements.put(stated(UNKNOWN + k, 1, 1 + k, 1))
    assert len(kept(statements)) == limits.STATEMENTS_UNKNOWN_MAX == newest_of(UNKNOWN)
    assert {there.value for there in statements} == {None}
