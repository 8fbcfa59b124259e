"""The registries: what has a number on the wire, so that an addition shows and nothing is renumbered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.commands import Rank, Suite
from mesh.support.forms import FORMS
from mesh.support.tags import TAGS
from mesh.wire.frames import FRAME_BYTES_MAX, FrameType
from mesh.wire.invites import Door
from mesh.wire.messages import Flag, Kind, Mode
from mesh.wire.notes import NoteTag
from mesh.wire.operations import BODIES, OpType, epoch_block
from mesh.wire.pairing import PairStep
from mesh.wire.sessions import SESSION_BODIES, SessionType
from mesh.wire.statements import Form
from tests.wire.records import strategy


def test_nothing_is_renumbered() -> None:
    assert [(kind.name, kind.value) for kind in OpType] == [
        ("CREATE", 1),
        ("ADMIT", 2),
        ("PROMOTE", 3),
        ("DEMOTE", 4),
        ("REMOVE", 5),
        ("LEAVE", 6),
        ("INVITE", 7),
        ("UNINVITE", 8),
        ("SETTINGS", 9),
        ("AGREEMENT", 10),
        ("REKEY", 11),
        ("DEVICE_ADD", 12),
        ("DEVICE_REMOVE", 13),
        ("FORK", 14),
    ]
    assert {kind.name: kind.value for kind in FrameType} == {
        "MESSAGE": 1,
        "ENVELOPE": 2,
        "OPERATION": 3,
        "KNOCK": 4,
        "RETURN": 5,
        "WELCOME": 6,
        "PREVIEW": 7,
        "PAIR_ASK": 8,
        "PAIR_ANSWER": 9,
    }
    names = "POST KEYUP RECEIPT PRESENCE BEACON STRANDED APPROVAL OBJECTION NOTE WITHDRAWAL STATEMENT"
    assert [kind.name for kind in sorted(Kind)] == names.split()
    assert sorted(Kind) == list(range(1, 12))
    assert {mode.name: mode.value for mode in Mode} == {"LISTENING": 0, "EXPERIENCE": 1, "ADVICE": 2, "RESOURCES": 3}
    assert [door.name for door in sorted(Door)] == ["OPEN", "REVOKED", "USED_UP", "EXPIRED", "DECLINED"]
    told = "STATE WANT_OPS OPS WANT_MESSAGES ANSWERED WANT_HISTORY HISTORY KEYUPS NOT_IN WANT_CHUNKS CHUNKS_SENT"
    told += " WANT_STATEMENTS STATEMENTS"
    assert [kind.name for kind in sorted(SessionType)] == told.split()
    assert sorted(SessionType) == list(range(1, 14))
    assert {step.name: step.value for step in PairStep} == {"LIST": 1, "GROUP": 2, "DONE": 3}
    assert (int(Flag.NO_HISTORY), int(Flag.STAY_HERE)) == (1, 2)
    assert [rank.value for rank in Rank] == [0, 10, 20, 100, 110]
    assert [suite.value for suite in Suite] == [1, 2]


def test_no_form_and_no_tag_is_renumbered() -> None:
    assert {form.name: form.value for form in Form} == {
        "FLAG": 1,
        "PIN": 2,
        "MEETING": 3,
        "RESOURCE": 4,
        "RETIREMENT": 5,
        "HELPED": 6,
        "MILESTONE": 7,
        "CONGRATULATION": 8,
        "QUIET": 9,
        "LIFT": 10,
        "FOLDING": 11,
        "CONSENT": 13,
        "CIRCLE": 16,
        "SEAT": 17,
        "START": 18,
        "TURN": 19,
        "MOVE": 20,
        "CLOSING": 21,
        "LISTENER": 23,
        "TALK_END": 24,
        "PLEDGE": 27,
        "DUTY": 28,
        "TERM": 29,
    }
    assert {tag.name: tag.value for tag in NoteTag} == {
        "TALK": 1,
        "REPORT": 2,
        "WORD": 3,
        "APPEAL": 4,
        "QUESTION": 5,
        "LISTEN": 7,
        "SEEKING": 8,
        "INTRODUCTION": 9,
        "ROOM": 10,
        "RECALL": 11,
    }


def test_each_number_has_a_record() -> None:
    assert set(FORMS) == set(Form)
    assert {*TAGS, NoteTag.TALK, NoteTag.LISTEN} == set(NoteTag), "what asks for a talk is kept among the talks"
    assert set(BODIES) == set(OpType)
    assert set(SESSION_BODIES) == set(SessionType)
    assert set(FRAME_BYTES_MAX) == set(FrameType)


@pytest.mark.parametrize("kind", sorted(BODIES))
@given(st.data())
def test_each_body_that_can_hold_an_epoch_is_asked_for_it(kind: OpType, data: st.DataObject) -> None:
    body = data.draw(strategy(BODIES[kind]))
    assert isinstance(body, BODIES[kind])
    assert epoch_block(body) is getattr(body, "epoch", None)


def test_the_operations_that_start_an_epoch_are_these() -> None:
    with_epoch = {kind for kind in OpType if "epoch" in BODIES[kind].__struct_fields__}
    started = {OpType.CREATE, OpType.ADMIT, OpType.REMOVE, OpType.REKEY, OpType.DEVICE_ADD, OpType.DEVICE_REMOVE}
    assert with_epoch == started
