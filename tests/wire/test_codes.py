"""Alice reads Bob a code over the telephone, mails it, prints it: what arrives is read, or the slip is named."""

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import LocalError
from mesh.ids import Address
from mesh.wire import bech32m, limits
from mesh.wire.codec import Record, encode
from mesh.wire.codes import (
    CODE_BYTES,
    DeviceCode,
    InviteCode,
    device_from_uri,
    device_to_uri,
    from_uri,
    to_text,
    to_uri,
)

CODE = InviteCode(seed=bytes(range(16)), gid_prefix=bytes(range(16, 32)), expiry_hour=500_000)
TEXT = "mesh1qyqqqqgzqvzq2ps8pqys5zcvp58q7yq3zgf3g9gkzuvpjxsmrsw3u8cqq7sjqxxsr6c"
HOME = Address("/ip4/192.0.2.1/tcp/4001/p2p/12D3KooWAlice")
AWAY = Address("/dns4/example.org/tcp/443/p2p/12D3KooWAlice")

CODES = st.builds(
    InviteCode,
    seed=st.binary(min_size=16, max_size=16),
    gid_prefix=st.binary(min_size=16, max_size=16),
    expiry_hour=st.integers(0, 2**32 - 1),
)
ADDRESSES = st.lists(
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=80), max_size=16
)


class Fragment(Record, frozen=True):
    """What stands after the #, without its limits."""

    addresses: list[str]


def fragment(*addresses: str) -> str:
    """A fragment as someone else's program might write it."""
    return base64.urlsafe_b64encode(encode(Fragment(addresses=list(addresses)))).rstrip(b"=").decode()


def told(text: str) -> LocalError:
    """What a person is told."""
    with pytest.raises(LocalError) as caught:
        from_uri(text)
    return caught.value


def test_the_code_is_the_known_one() -> None:
    assert to_text(CODE) == TEXT
    assert from_uri(TEXT) == (CODE, ())


@given(CODES, ADDRESSES)
def test_a_code_comes_back_with_its_addresses(code: InviteCode, addresses: list[str]) -> None:
    places = tuple(map(Address, addresses))
    assert InviteCode.unpack(code.pack()) == code
    assert len(to_text(code)) == 72
    assert from_uri(to_uri(code, places)) == (code, places)


def test_capitals_spaces_and_line_breaks_are_no_slips() -> None:
    for text in (TEXT.upper(), f"  {TEXT}\n", f"{TEXT[:30]}\r\n  {TEXT[30:]}", "\u00a0".join([TEXT[:9], TEXT[9:]])):
        assert from_uri(text) == (CODE, ())
    uri = to_uri(CODE, (HOME, AWAY))
    assert from_uri(f"{uri[:100]} \n{uri[100:]} ") == (CODE, (HOME, AWAY))
    assert from_uri(TEXT.upper() + uri[72:]) == (CODE, (HOME, AWAY))


def test_an_empty_fragment_is_none() -> None:
    assert from_uri(TEXT + "#") == (CODE, ())
    assert to_uri(CODE, ()) == TEXT


@pytest.mark.parametrize("change", [(0, 2), (0, 0), (1, 1), (1, 0x80)])
def test_a_newer_code_is_called_newer(change: tuple[int, int]) -> None:
    data = bytearray(CODE.pack())
    data[change[0]] = change[1]
    assert told(bech32m.encode("mesh", bytes(data))).code == "E-CODE-NEWER"


@given(st.binary(max_size=60))
def test_bytes_of_another_length_are_no_code(data: bytes) -> None:
    if len(data) != CODE_BYTES:
        with pytest.raises(LocalError):
            InviteCode.unpack(data)


@pytest.mark.parametrize(
    "damage",
    [
        "!!!!",
        "é",
        "AAAA",
        "A",
        "kQ",
        fragment(HOME)[:-4],
        fragment(HOME) + "AA",
        fragment(*["/a"] * (limits.ADDRESSES_MAX + 1)),
        fragment("x" * (limits.ADDRESS_BYTES_MAX + 1)),
        fragment(""),
        fragment("/ip4/192.0.2.1\n/tcp/1"),
        fragment("/dns4/\u202egro.elpmaxe"),
        fragment("/ip4/192.0.2.1 rm"),
        fragment("\x1b[2J"),
        "A" * 100_000,
    ],
)
def test_a_damaged_fragment_is_named_and_the_way_round_it(damage: str) -> None:
    error = told(f"{TEXT}#{damage}")
    assert error.code == "E-CODE"
    assert "“#”" in error.what
    assert "#" in error.do


@given(st.text(max_size=120))
def test_whatever_is_pasted_is_a_code_or_refused_in_words(text: str) -> None:
    for pasted in (text, TEXT + "#" + text, TEXT[:40] + text):
        with suppress(LocalError):
            from_uri(pasted)


def test_a_code_does_not_show_its_seed() -> None:
    assert str(CODE.seed) not in repr(CODE)
    assert CODE.seed.hex() not in repr(CODE)


# ---------------------------------------------------------------- device codes

DEVICE = DeviceCode(seed=bytes(range(16)), check=b"abcd", expiry_minute=30_000_000)


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=4, max_size=4), st.integers(0, 2**32 - 1), ADDRESSES)
def test_a_device_code_comes_back_with_its_addresses(
    seed: bytes, check: bytes, minute: int, addresses: list[str]
) -> None:
    code, places = DeviceCode(seed=seed, check=check, expiry_minute=minute), tuple(map(Address, addresses))
    assert device_from_uri(device_to_uri(code, places)) == (code, places)
    assert len(device_to_uri(code, ())) == 54
    assert device_from_uri(device_to_uri(code, ()).upper()) == (code, ())


def test_each_kind_of_code_is_told_from_the_other() -> None:
    with pytest.raises(LocalError, match="not an invite"):
        from_uri(device_to_uri(DEVICE, (HOME,)))
    with pytest.raises(LocalError, match="not a code for a device"):
        device_from_uri(TEXT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "meshdev1",
        device_to_uri(DEVICE, ())[:-1],
        device_to_uri(DEVICE, ())[:-1] + "b",
        device_to_uri(DEVICE, ()) + "q",
        device_to_uri(DEVICE, ()) + "#%%",
        bech32m.encode("meshdev", b"\x02" + DEVICE.pack()[1:]),
        bech32m.encode("meshdev", DEVICE.pack() + b"\0"),
    ],
)
def test_a_device_code_that_is_damaged_is_refused_in_words(text: str) -> None:
    with pytest.raises(LocalError) as caught:
        device_from_uri(text)
    assert caught.value.code in {"E-CODE", "E-CODE-NEWER"}
    assert caught.value.do
