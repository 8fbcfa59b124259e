"""Which statements are kept follows from the set of all that came, in whatever order and however often."""

from hypothesis import given
from hypothesis import strategies as st

from mesh.events import Space
from mesh.ids import DeviceId, MemberPk, MsgId, OpId, PostId
from mesh.peer.records import MessageRecord, OriginRecord
from mesh.peer.stated import Stated, Statements, newest_of
from mesh.support.forms import FORMS
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.messages import Kind, StatementBody
from mesh.wire.statements import FlagValue, Form
from simulations.people import Person
from tests.peer.forgery import Forger
from tests.peer.test_stating import flag_of, four, states

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


@given(
    st.lists(
        st.builds(stated, st.just(Form.MEETING), st.just(1), st.integers(1, 8), st.integers(1, 3), st.integers(0, 1)),
        max_size=20,
    ),
    st.integers(0, 9),
    st.data(),
)
def test_what_is_past_a_cut_yields_to_all_that_counts_in_whatever_order(
    came: list[Stated], cut: int, data: st.DataObject
) -> None:
    """When a cut comes, those who never heard a later word hand on what it had replaced: then all have the same."""
    within = [one for one in came if one.record.mseq <= cut]
    statements = Statements()
    for one in data.draw(st.permutations(came)):
        for gone in [one] if (out := statements.put(one)) is None else out:
            statements.note_gave_way(DeviceId(gone.record.dev), gone.name)
    for one in data.draw(st.permutations(within)):
        assert statements.kept(one) or statements.gave_way(one), "it is known to be what was heard"
        statements.put(one, lambda _: cut)
    counts = {there.key for there in statements if there.record.mseq <= cut}
    assert counts == should_be_kept(within)


def test_of_what_gave_way_so_many_names_are_kept_and_no_words() -> None:
    statements = Statements()
    dev = DeviceId(bytes([1]) * 16)
    forgotten = [
        gone for k in range(limits.GAVE_WAY_MAX + 3) for gone in statements.note_gave_way(dev, k.to_bytes(16, "big"))
    ]
    assert forgotten == [k.to_bytes(16, "big") for k in range(3)]
    assert not statements.gave_way(stated(Form.PIN, 1, 5, 5)), "another under the number of one that was here"
    statements.forget_gave_way(dev)
    assert statements.note_gave_way(dev, bytes(16)) == []


def test_looking_for_a_form_does_not_look_at_others() -> None:
    statements = Statements()
    for k in range(60):
        statements.put(stated(Form.FLAG, 1, k + 1, k))
    statements.put(stated(Form.MEETING, 1, 100, 0))
    assert [one.record.mseq for one in statements.of_form(Form.MEETING)] == [100]
    statements.drop(statements.of_form(Form.MEETING)[0])
    assert statements.of_form(Form.MEETING) == statements.about(Form.MEETING, bytes(16)) == []
    assert len(list(statements)) == 60


def test_devices_that_are_out_share_one_allowance_of_their_members() -> None:
    most = newest_of(Form.FLAG)
    came = [stated(Form.FLAG, dev, 10 * k + dev, k) for dev in (1, 2, 3) for k in range(most)]
    statements = Statements()
    for one in came:
        statements.put(one)
    assert len(kept(statements)) == 3 * most
    member = MemberPk(bytes(32))
    out = {DeviceId(bytes([dev]) * 16): member for dev in (1, 2)}
    gone = statements.share(out, lambda _: limits.MSEQ_MAX)
    assert len(gone) == most
    assert min(one.age for one in statements if one.record.dev in out) > max(one.age for one in gone), "the newest stay"
    late = Statements()
    for one in reversed(came):
        late.put(one)
        late.share(out, lambda _: limits.MSEQ_MAX)
    assert kept(late) == kept(statements), "whenever they went"
    assert statements.share({}, lambda _: limits.MSEQ_MAX) == []
    assert statements.put(stated(Form.FLAG, 1, 5, 1000)) == [], "one that is in again has its own"


def test_one_who_takes_devices_in_and_out_fills_no_more_for_it() -> None:
    world, gid, people, _ = four(16)
    wren, _, _, tansy = people
    for k in range(2):
        laptop = Person(world, f"laptop{k}")
        laptop.enter_groups_of(tansy)
        world.run(20)
        forger = Forger(laptop, gid)
        for number in range(newest_of(Form.FLAG)):
            states(forger, [wren], flag_of(bytes([k]) + number.to_bytes(15, "big")))
        tansy.remove_device(gid, laptop.device(gid))
        laptop.off()
        world.run(20)
    assert wren.node.store.count(Space.STATEMENTS, gid) == newest_of(Form.FLAG)
    wren.off()
    wren.on()
    assert len(list(wren.room(gid).statements)) == newest_of(Form.FLAG)
