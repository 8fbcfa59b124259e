"""The operator of a keeper gives a ticket away: what arrives is read, or the slip is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import LocalError
from mesh.ids import AccountId, Address
from mesh.wire import limits
from mesh.wire.tickets import Ticket, read_ticket, ticket_from_text, ticket_to_text

PI = Address("/ip4/192.0.2.1/tcp/4001/p2p/12D3KooWPi")
LAN = Address("/ip6/2001:db8::1/tcp/4001/p2p/12D3KooWPi")
OTHER = Address("/ip4/192.0.2.9/tcp/4001/p2p/12D3KooWOther")


def ticket(*addresses: Address, note: str = "pi-kitchen", quota: int = 2**27) -> Ticket:
    """Give a ticket at these addresses."""
    return Ticket(account=AccountId(b"a" * 16), quota=quota, mac=b"m" * 16, addresses=addresses, note=note)


@given(st.integers(1, limits.QUOTA_BYTES_MAX), st.text("abc äö", max_size=20).map(str.strip))
def test_what_is_written_is_read(quota: int, note: str) -> None:
    given_away = ticket(PI, LAN, note=note, quota=quota)
    assert ticket_from_text(ticket_to_text(given_away)) == given_away


def test_it_fits_a_setting_of_the_group_however_many_addresses_there_are() -> None:
    far = [Address(f"/dns4/{'x' * 180}{k}/tcp/4001/p2p/12D3KooWPi") for k in range(16)]
    text = ticket_to_text(ticket(*far, note="n" * limits.TICKET_NOTE_BYTES_MAX))
    assert len(text) <= limits.SETTING_VALUE_BYTES_MAX
    assert 1 <= len(ticket_from_text(text).addresses) < len(far)


def test_it_leads_to_one_node_only() -> None:
    assert ticket_from_text(ticket_to_text(ticket(PI, OTHER, LAN))).addresses == (PI, LAN)
    assert ticket_from_text(ticket_to_text(ticket(PI))).peer == "12D3KooWPi"
    with pytest.raises(LocalError):
        ticket_to_text(ticket(Address("/ip4/192.0.2.1/tcp/4001")))


def test_slips_are_named_and_nothing_else_happens() -> None:
    text = ticket_to_text(ticket(PI))
    slip = text[:40] + ("q" if text[40] != "q" else "p") + text[41:]
    for broken in (text[:-3], text.split("#", maxsplit=1)[0], slip, "mesh1qqq", "", text + "é"):
        with pytest.raises(LocalError):
            ticket_from_text(broken)
        assert read_ticket(broken) is None


@given(st.text(max_size=200))
def test_whatever_stands_in_a_setting_is_a_ticket_or_none(value: str) -> None:
    assert read_ticket(value) is None
    assert read_ticket("meshkeep1" + value) is None
