"""What two homes of one root tell each other: whoever has not root and code opens and makes none of it."""

import pytest

from mesh.errors import Fault, LocalError, RemoteError
from mesh.groups.pairing import (
    PairingKeys,
    open_answer,
    open_ask,
    pairing_check,
    pairing_keys,
    seal_answer,
    seal_ask,
)
from mesh.identity.keys import pairing_key
from mesh.ids import HomeId
from mesh.secret import Secret
from mesh.wire import limits
from mesh.wire.codec import Record
from mesh.wire.frames import FrameType, join_welcome, parse_frame, seal_frame, verify_frame
from mesh.wire.pairing import HomeEntry, PairAskBody, PairListBody, PairStep
from tests.groups.people import Person, founds

ROOT, OTHER = Secret(bytes(range(32))), Secret(bytes(range(1, 33)))
SEED = bytes(range(16))


def entry(name: str = "phone") -> HomeEntry:
    return HomeEntry(home=HomeId(b"h" * 16), name=name, since_ms=1, devices=[])


def question(alice: Person, *, ticket: bytes = b"t" * 16, name: str = "phone") -> tuple[PairAskBody, bytes]:
    """A question, and the private key that opens its answer."""
    private, public = alice.sealer.generate(2)
    ask = PairAskBody(step=PairStep.LIST, ticket=ticket, want=b"", kem_pk=public, own=entry(name), others=[])
    return ask, private


def keys_of(root: Secret = ROOT, seed: bytes = SEED) -> PairingKeys:
    return pairing_keys(pairing_key(root, seed))


def asked(alice: Person, keys: PairingKeys, ask: PairAskBody) -> bytes:
    with alice.step() as means:
        return seal_ask(keys, ask, means)


def given(alice: Person, keys: PairingKeys, body: Record, ask: PairAskBody) -> list[bytes]:
    with alice.step() as means:
        return seal_answer(keys, body, ask, means)


def test_root_and_code_give_the_key_and_either_alone_gives_another() -> None:
    assert keys_of() == keys_of()
    assert len({keys_of().topic, keys_of(OTHER).topic, keys_of(seed=bytes(16)).topic}) == 3
    assert len(pairing_check(pairing_key(ROOT, SEED))) == 4
    assert pairing_check(pairing_key(ROOT, SEED)) != pairing_check(pairing_key(OTHER, SEED))


def test_a_question_and_its_answer_come_through() -> None:
    alice, keys = founds("Alice"), keys_of()
    ask, private = question(alice)
    frame = parse_frame(asked(alice, keys, ask))
    verify_frame(frame)
    assert open_ask(frame, keys) == ask
    body = PairListBody(own=entry("laptop"), others=[], name="phone", groups=[])
    (raw,) = given(alice, keys, body, ask)
    found = open_answer(parse_frame(raw), keys, ticket=ask.ticket, kem_private=private, sealer=alice.sealer)
    assert found is not None
    assert found[:2] == (0, 1)


def test_whoever_lacks_the_root_makes_and_opens_nothing() -> None:
    alice = founds("Alice")
    ask, private = question(alice)
    (raw,) = given(alice, keys_of(), PairListBody(own=entry(), others=[], name="", groups=[]), ask)
    for keys in (keys_of(OTHER), keys_of(seed=bytes(16))):
        with pytest.raises(RemoteError):
            open_ask(parse_frame(asked(alice, keys, ask)), keys_of())
        with pytest.raises(RemoteError):
            open_answer(parse_frame(raw), keys, ticket=ask.ticket, kem_private=private, sealer=alice.sealer)


def test_an_answer_is_for_one_question_and_one_asker() -> None:
    """Replayed to another question it is passed over; root and code do not open it without the asker's fresh key."""
    alice, keys = founds("Alice"), keys_of()
    ask, private = question(alice)
    _, strange = question(alice)
    (raw,) = given(alice, keys, PairListBody(own=entry(), others=[], name="", groups=[]), ask)
    frame = parse_frame(raw)
    assert open_answer(frame, keys, ticket=b"u" * 16, kem_private=private, sealer=alice.sealer) is None
    assert open_answer(frame, keys, ticket=ask.ticket, kem_private=strange, sealer=alice.sealer) is None


def test_an_answer_comes_in_parts_and_no_more_than_the_limit() -> None:
    alice, keys = founds("Alice"), keys_of()
    ask, private = question(alice)
    homes = [entry("n" * 64) for _ in range(limits.HOMES_MAX)]
    long = PairListBody(own=entry(), others=homes, name="", groups=[])

    class Long(Record, frozen=True):
        data: bytes

    frames = given(alice, keys, Long(data=bytes(2 * limits.WELCOME_CHUNK_BYTES_MAX)), ask)
    parts = [
        open_answer(parse_frame(raw), keys, ticket=ask.ticket, kem_private=private, sealer=alice.sealer)
        for raw in frames
    ]
    assert [part[:2] for part in parts if part] == [(0, 3), (1, 3), (2, 3)]
    assert len(given(alice, keys, long, ask)) == 1
    with pytest.raises(LocalError):
        given(alice, keys, Long(data=bytes(65 * limits.WELCOME_CHUNK_BYTES_MAX)), ask)


def test_parts_cannot_change_places_or_be_cut_short() -> None:
    alice, keys = founds("Alice"), keys_of()
    ask, private = question(alice)
    (raw,) = given(alice, keys, PairListBody(own=entry(), others=[], name="", groups=[]), ask)
    middle = parse_frame(raw).middle
    for bent in (
        join_welcome(1, 2, middle[4:]),
        join_welcome(0, 2, middle[4:]),
        join_welcome(0, limits.WELCOME_CHUNKS_MAX + 1, middle[4:]),
        middle[:-1],
        middle[:30],
        b"",
    ):
        frame = parse_frame(seal_frame(FrameType.PAIR_ANSWER, keys.pub_seed, bent or b"\0"))
        with pytest.raises(RemoteError):
            open_answer(frame, keys, ticket=ask.ticket, kem_private=private, sealer=alice.sealer)


def test_a_question_with_a_name_that_drives_a_terminal_is_refused() -> None:
    alice, keys = founds("Alice"), keys_of()
    ask, _ = question(alice, name="\x1b[2J")
    with pytest.raises(RemoteError) as caught:
        open_ask(parse_frame(asked(alice, keys, ask)), keys)
    assert caught.value.fault is Fault.MALFORMED
