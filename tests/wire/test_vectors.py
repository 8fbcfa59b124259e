"""Our own known answers: told again, the story gives the same bytes, and strangers can read them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import RemoteError
from mesh.gossip.shelf import is_own_ticket
from mesh.wire.codec import Record, decode, encode
from mesh.wire.codes import from_uri
from mesh.wire.frames import FrameType, parse_frame, verify_frame
from mesh.wire.tickets import ticket_from_text
from tests.vectors.make import ANSWERS, HERE, HOME, text_of
from tests.wire.records import BYTES_MAX, WIRE_RECORDS, to_fields

RECORDS = json.loads((HERE / "records.json").read_text())
FRAMES = json.loads((HERE / "frames.json").read_text())
CODES = json.loads((HERE / "codes.json").read_text())
BY_NAME = {kind.__name__: kind for kind in WIRE_RECORDS}


@pytest.mark.parametrize("name", ANSWERS)
def test_the_answers_are_byte_for_byte_what_they_were(name: str) -> None:
    """If this fails, what is on the wire has changed: see tests/vectors/make.py."""
    assert text_of(ANSWERS[name]()) == (HERE / f"{name}.json").read_text()


def test_there_is_an_answer_for_each_record_and_each_type_of_frame() -> None:
    assert set(RECORDS) == set(BY_NAME) - {"_Fragment", "_Where"}  # which stand, in base64, in the codes' answers
    assert set(FRAMES) == {kind.name.lower() for kind in FrameType}


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_is_read_from_its_bytes_and_written_to_them(name: str) -> None:
    data = bytes.fromhex(RECORDS[name]["bytes"])
    record = decode(BY_NAME[name], data, bytes_max=BYTES_MAX)
    assert to_fields(record) == RECORDS[name]["fields"]
    assert encode(record) == data


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_verifies(name: str) -> None:
    frame = parse_frame(bytes.fromhex(FRAMES[name]["bytes"]))
    verify_frame(frame)
    assert frame.type.name.lower() == name
    assert frame.id.hex() == FRAMES[name]["id"]


def test_the_code_leads_home() -> None:
    code, addresses = from_uri(CODES["uri"])
    assert code.pack().hex() == CODES["bytes"]
    assert addresses == (HOME,)
    assert CODES["uri"].startswith(CODES["text"] + "#")


def test_the_ticket_leads_to_its_keeper() -> None:
    known = CODES["ticket"]
    ticket = ticket_from_text(known["text"])
    assert (ticket.account.hex(), ticket.quota, ticket.mac.hex()) == (known["account"], known["quota"], known["mac"])
    assert (ticket.addresses, ticket.note) == ((HOME,), known["note"])
    assert is_own_ticket(bytes.fromhex(known["secret"]), ticket.account, ticket.quota, ticket.mac)


@pytest.mark.parametrize("name", RECORDS)
@given(st.data())
def test_a_known_record_with_one_bit_changed_is_refused_or_another(name: str, data: st.DataObject) -> None:
    bent = bytearray.fromhex(RECORDS[name]["bytes"])
    at = data.draw(st.integers(0, 8 * len(bent) - 1))
    bent[at // 8] ^= 1 << at % 8
    kind: type[Record] = BY_NAME[name]
    try:
        record = decode(kind, bytes(bent), bytes_max=BYTES_MAX)
    except RemoteError:
        return
    assert to_fields(record) != RECORDS[name]["fields"]
    assert encode(record) == bytes(bent)
