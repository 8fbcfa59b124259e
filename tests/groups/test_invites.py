"""The papers at the door: what a code's holder sees, how they knock, and what they are handed when they are let in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mesh.commands import Rank, Suite
from mesh.crypto.hashes import h
from mesh.crypto.keys import encrypt, public_key, sign
from mesh.errors import Fault, RemoteError
from mesh.groups.invites import (
    HOUR_MS,
    InviteKeys,
    door_of,
    invite_keys,
    knock_statement,
    open_knock,
    open_preview,
    open_welcome_chunk,
    parse_welcome,
    preview_seed,
    seal_knock,
    seal_preview,
    seal_welcome,
    welcome_of,
)
from mesh.groups.joining import JOIN_LABEL, agreement_hash
from mesh.groups.operations import parse_op
from mesh.ids import GroupId, OpId
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.frames import Frame, FrameType, parse_frame, seal_frame, split_welcome, verify_frame
from mesh.wire.invites import Contact, Door, KnockBody, PreviewBody, WelcomeBody
from mesh.wire.operations import OpType, Setting, SignedOp
from mesh.wire.padding import pad
from tests.groups.joiners import WALL_MS, Code, invite_body, joiner
from tests.groups.people import Person, founds, refusal

ADDRESS = "/ip4/192.0.2.1/tcp/4001/p2p/12D3KooWDave"


class Porch:
    """Alice's group, an open invite of hers, and Dave with the code."""

    def __init__(self, suite: Suite = Suite.CLASSIC) -> None:
        self.alice = founds("Alice", suite=suite)
        self.code = self.alice.invites(uses=2)
        self.dave = joiner("Dave", self.gid, suite)
        self.keys = invite_keys(self.code.seed)

    @property
    def gid(self) -> GroupId:
        return self.alice.group.gid

    def preview(self, door: Door = Door.OPEN) -> Frame:
        """What a member shows."""
        with self.alice.step() as means:
            return parse_frame(seal_preview(self.alice.group, self.alice.group.invites[self.code.op_id], door, means))

    def forged_preview(self, body: PreviewBody, *, key: bytes | None = None) -> Frame:
        """A preview by somebody else who has the code."""
        seed, nonce = preview_seed(self.keys.knock_key), bytes(24)
        sealed = encrypt(key or self.keys.knock_key, nonce, b"\7" + public_key(seed), encode(body))
        return parse_frame(seal_frame(FrameType.PREVIEW, seed, nonce + sealed))

    def honest_preview(self) -> PreviewBody:
        """What an honest member would put into it."""
        create, invite = (self.alice.group.log.ops[k].signed for k in (0, 1))
        return PreviewBody(create=create, agreement=None, settings=[], invite=invite, members=1, door=Door.OPEN)

    def knock(self, body: KnockBody | None = None, keys: InviteKeys | None = None) -> Frame:
        """Dave's knock."""
        said = body or self.dave.knocks(self.gid, self.code, addresses=[ADDRESS])
        with self.alice.step() as means:
            return parse_frame(seal_knock(keys or self.keys, said, means))

    def hears(self, frame: Frame) -> KnockBody:
        """What Alice makes of a knock."""
        verify_frame(frame)
        return open_knock(frame, self.alice.group.invites[self.code.op_id], self.gid)


def test_a_code_opens_two_doors_and_neither_from_the_other() -> None:
    """Members know the knock key and read knocks; only the holder of the code can sign one."""
    keys = invite_keys(bytes(16))
    assert len({keys.invite_seed, keys.knock_key, preview_seed(keys.knock_key), bytes(16)}) == 4
    assert keys.invite_pk == public_key(keys.invite_seed)
    assert keys.knock_key.hex() not in repr(keys)
    assert repr(keys) == "InviteKeys()"
    assert invite_keys(bytes(15) + b"\1") != keys


def test_a_door_says_what_it_is() -> None:
    porch = Porch()
    alice, op_id = porch.alice, porch.code.op_id
    expiry = porch.code.body.expiry_hour * HOUR_MS
    assert door_of(alice.group.invites[op_id], expiry - 1) is Door.OPEN
    assert door_of(alice.group.invites[op_id], expiry) is Door.EXPIRED
    for name in ("Dave", "Erin"):
        alice.lets_in(joiner(name, porch.gid, Suite.CLASSIC), porch.code)
    assert door_of(alice.group.invites[op_id], WALL_MS) is Door.USED_UP
    alice.uninvites(porch.code)
    assert door_of(alice.group.invites[op_id], expiry) is Door.USED_UP, "whoever closed it, they are late"


def test_a_closed_door_is_revoked_until_its_time_is_over() -> None:
    porch = Porch()
    alice, op_id = porch.alice, porch.code.op_id
    alice.uninvites(porch.code)
    expiry = porch.code.body.expiry_hour * HOUR_MS
    assert door_of(alice.group.invites[op_id], expiry - 1) is Door.REVOKED
    assert door_of(alice.group.invites[op_id], expiry) is Door.EXPIRED


# ------------------------------------------------------------------------------------- preview


def test_who_holds_the_code_sees_the_group_before_knocking() -> None:
    porch = Porch()
    porch.alice.agrees_on("Nothing leaves this room.", version=3)
    porch.alice.sets(tone="calm")
    frame = porch.preview()
    verify_frame(frame)
    seen = open_preview(frame, porch.keys, porch.gid[:16])
    assert (seen.gid, seen.create.name, seen.members, seen.door) == (porch.gid, "Tuesday circle", 1, Door.OPEN)
    assert (seen.agreement_version, seen.agreement) == (3, "Nothing leaves this room.")
    assert seen.settings == {"tone": "calm"}
    assert (seen.invite, seen.invite_body) == (porch.code.op_id, porch.code.body)


def test_behind_a_closed_door_nothing_new_is_seen() -> None:
    """Whoever was in knows the knock keys of that time."""
    porch = Porch()
    porch.alice.agrees_on("Said later.", version=2)
    porch.alice.sets(tone="later")
    for door in (Door.REVOKED, Door.EXPIRED, Door.USED_UP, Door.DECLINED):
        seen = open_preview(porch.preview(door), porch.keys, porch.gid[:16])
        assert (seen.door, seen.members, seen.settings) == (door, 0, {})
        assert seen.agreement != "Said later."


def test_a_preview_of_something_else_is_refused() -> None:
    porch = Porch()
    honest = porch.honest_preview()
    assert open_preview(porch.forged_preview(honest), porch.keys, porch.gid[:16]).gid == porch.gid
    other = founds("Mallory")
    others_code = other.invites()
    create, invite = (op.signed for op in other.group.log.ops)
    second = porch.alice.invites()
    own_second = porch.alice.group.log.get(second.op_id)
    assert own_second is not None
    rubbish = SignedOp(tbs=b"\x90", sig=bytes(64))
    setting = Setting(key="\x1b[2J", value="x")
    for bad in (
        replace(honest, create=create, invite=invite),
        replace(honest, create=create),
        replace(honest, create=honest.invite),
        replace(honest, invite=invite),
        replace(honest, invite=honest.create),
        replace(honest, invite=own_second.signed),
        replace(honest, agreement=invite),
        replace(honest, agreement=honest.create),
        replace(honest, create=rubbish),
        replace(honest, invite=rubbish),
        replace(honest, agreement=rubbish),
        replace(honest, settings=[setting]),
        replace(honest, settings=[Setting(key="a", value="1"), Setting(key="a", value="2")]),
    ):
        with pytest.raises(RemoteError):
            open_preview(porch.forged_preview(bad), porch.keys, porch.gid[:16])
    for keys, prefix in (
        (invite_keys(others_code.seed), porch.gid[:16]),
        (porch.keys, other.group.gid[:16]),
    ):
        with pytest.raises(RemoteError):
            open_preview(porch.preview(), keys, prefix)


@pytest.mark.parametrize("field", ["name", "about", "agreement", "alias"])
def test_a_preview_shows_no_text_that_drives_a_terminal(field: str) -> None:
    """The founder chose it, and the code's prefix fits: still it is a stranger who will read it."""
    alice = founds("Alice")
    body = replace(alice.group.founding, **{field: "\x1b]0;mine\x07"})
    forged = alice.tbs(OpType.CREATE, body, gid=GroupId(bytes(32)), deps=[], auth=OpId(bytes(32)), dseq=1, gen=1)
    create = SignedOp(tbs=encode(forged), sig=bytes(64))
    gid = parse_op(create).gid
    seed = bytes(16)
    invite = alice.forges(OpType.INVITE, invite_body(seed), gid=gid)
    porch = Porch()
    porch.keys = invite_keys(seed)
    shown = PreviewBody(create=create, agreement=None, settings=[], invite=invite, members=1, door=Door.OPEN)
    assert refusal(lambda: open_preview(porch.forged_preview(shown), porch.keys, gid[:16])) is Fault.MALFORMED


@given(st.data())
def test_a_preview_that_was_touched_is_refused(data: st.DataObject) -> None:
    porch = PORCH
    frame = FRAMES["preview"]
    middle = bytearray(frame.middle)
    at = data.draw(st.integers(0, 8 * len(middle) - 1))
    middle[at // 8] ^= 1 << at % 8
    bent = parse_frame(seal_frame(FrameType.PREVIEW, preview_seed(porch.keys.knock_key), bytes(middle)))
    assert refusal(lambda: open_preview(bent, porch.keys, porch.gid[:16])) is Fault.UNREADABLE


# ------------------------------------------------------------------------------------- knock


@pytest.mark.parametrize("suite", Suite)
def test_a_knock_says_who_is_there_and_has_one_size(suite: Suite) -> None:
    porch = Porch(suite)
    said = porch.dave.knocks(porch.gid, porch.code, addresses=[ADDRESS])
    frame = porch.knock(said)
    assert porch.hears(frame) == said
    for count in (0, 1, 5):
        other = porch.knock(porch.dave.knocks(porch.gid, porch.code, addresses=[ADDRESS] * count))
        assert len(other.raw) == len(frame.raw) == 4_233


@pytest.mark.parametrize("suite", Suite)
def test_addresses_that_do_not_fit_into_a_knock_stay_at_home(suite: Suite) -> None:
    """Sixteen long ones filled it in suite 2, and the joiner's node fell over its own padding."""
    porch = Porch(suite)
    long = [f"/dns4/{'a' * 230}{k:02}.example/tcp/1/p2p/x"[:250] for k in range(limits.ADDRESSES_MAX)]
    said = porch.dave.knocks(porch.gid, porch.code, addresses=long)
    heard = porch.hears(porch.knock(said))
    assert heard.addresses == long[: len(heard.addresses)]
    assert len(heard.addresses) >= 8
    assert replace(heard, addresses=long) == said


def test_a_knock_for_another_door_or_by_another_hand_is_refused() -> None:
    """A proof that was seen, knocked with again in other hands."""
    porch = Porch()
    said = porch.dave.knocks(porch.gid, porch.code, addresses=[])
    mallory = joiner("Mallory", porch.gid, Suite.CLASSIC)
    other_code = porch.alice.invites()
    for bad in (
        replace(said, invite=other_code.op_id),
        replace(said, invite=OpId(bytes(32))),
        replace(said, alias="David"),
        replace(said, alias="\x1b[1m"),
        replace(said, join_nonce=bytes(32)),
        replace(said, agreement_hash=agreement_hash("")),
        replace(said, card=mallory.card),
        replace(said, card=replace(said.card, kem_pk=mallory.card.kem_pk)),
        replace(said, card=replace(said.card, dev_pk=mallory.card.dev_pk)),
        replace(said, card=replace(said.card, cert=mallory.card.cert)),
        replace(said, sig_invite=bytes(64)),
        replace(said, sig_member=said.sig_dev),
        replace(said, sig_dev=said.sig_member),
    ):
        with pytest.raises(RemoteError):
            porch.hears(porch.knock(bad))
    elsewhere = joiner("Dave", GroupId(porch.gid[:16] + bytes(16)), Suite.CLASSIC)
    with pytest.raises(RemoteError):  # the same prefix, another group: the certificate names the whole
        porch.hears(porch.knock(elsewhere.knocks(porch.gid, porch.code, addresses=[])))


def test_a_member_who_reads_knocks_cannot_make_one() -> None:
    """They know the knock key and not the invite's."""
    porch = Porch()
    said = porch.dave.knocks(porch.gid, porch.code, addresses=[])
    theirs = InviteKeys(invite_seed=bytes(32), knock_key=porch.keys.knock_key)
    with pytest.raises(RemoteError):
        porch.hears(porch.knock(replace(said, sig_invite=sign(bytes(32), JOIN_LABEL)), theirs))


@given(st.binary(max_size=limits.KNOCK_PADDED_BYTES))
def test_rubbish_under_the_knock_key_is_refused(plain: bytes) -> None:
    """The holder of a code can seal what they like."""
    porch = PORCH
    sealed = encrypt(porch.keys.knock_key, bytes(24), b"\4" + porch.keys.invite_pk, plain)
    frame = parse_frame(seal_frame(FrameType.KNOCK, porch.keys.invite_seed, bytes(24) + sealed))
    with pytest.raises(RemoteError):
        porch.hears(frame)
    if len(plain) < limits.KNOCK_PADDED_BYTES:
        padded = encrypt(porch.keys.knock_key, bytes(24), b"\4" + porch.keys.invite_pk, pad(plain, 4_096))
        with pytest.raises(RemoteError):
            porch.hears(parse_frame(seal_frame(FrameType.KNOCK, porch.keys.invite_seed, bytes(24) + padded)))


# ------------------------------------------------------------------------------------- welcome


def welcome(porch: Porch, body: WelcomeBody) -> list[bytes]:
    """The frames of a welcome for Dave."""
    said = porch.dave.knocks(porch.gid, porch.code, addresses=[])
    return seal_welcome(
        body,
        reply_seed=said.reply_seed,
        kem_pk=said.card.kem_pk,
        suite=porch.alice.group.suite,
        statement=knock_statement(said, porch.gid),
        sealer=porch.alice.sealer,
    )


def opened(porch: Porch, raw: bytes) -> bytes:
    """One chunk, opened by Dave."""
    frame = parse_frame(raw)
    verify_frame(frame)
    index, total, sealed = split_welcome(frame.middle)
    return open_welcome_chunk(
        index,
        total,
        sealed,
        kem_private=porch.dave.kem[0],
        suite=porch.alice.group.suite,
        statement=knock_statement(porch.dave.knocks(porch.gid, porch.code, addresses=[]), porch.gid),
        sealer=porch.alice.sealer,
    )


def long_welcome(porch: Porch, name: str, chunks: int = 3) -> WelcomeBody:
    """A welcome that takes several chunks."""
    contact = Contact(dev=porch.alice.dev, addresses=[f"/dns4/{name}.{'a' * 200}/tcp/1/p2p/x"] * 16)
    contacts = [contact] * (65 * chunks)
    return WelcomeBody(door=Door.OPEN, ops=porch.alice.bundles, frontier=[], contacts=contacts, keyups=[])


def test_a_welcome_brings_the_log_in_one_chunk_or_several() -> None:
    porch = Porch()
    short = WelcomeBody(door=Door.OPEN, ops=porch.alice.bundles, frontier=[], contacts=[], keyups=[])
    for body, least in ((short, 1), (long_welcome(porch, "alice"), 3)):
        frames = welcome(porch, body)
        assert len(frames) >= least
        assert all(len(raw) <= limits.WELCOME_CHUNK_BYTES_MAX + 2048 for raw in frames)
        chunks = [opened(porch, raw) for raw in frames]
        assert len({welcome_of(chunk) for chunk in chunks}) == 1
        assert parse_welcome(b"".join(chunks)) == body


def test_a_refusal_says_why_and_nothing_else() -> None:
    porch = Porch()
    for door in (Door.REVOKED, Door.USED_UP, Door.EXPIRED, Door.DECLINED):
        body = WelcomeBody(door=door, ops=[], frontier=[], contacts=[], keyups=[])
        (raw,) = welcome(porch, body)
        assert parse_welcome(opened(porch, raw)) == body


def test_chunks_of_two_welcomes_are_not_put_together() -> None:
    """Two members answer one knock at once: mixed, their chunks made a log that nobody had sent."""
    porch = Porch()
    one = [opened(porch, raw) for raw in welcome(porch, long_welcome(porch, "alice"))]
    two = [opened(porch, raw) for raw in welcome(porch, long_welcome(porch, "bobby"))]
    assert len(one) == len(two)
    assert welcome_of(one[0]) != welcome_of(two[0])
    for mixed in ([one[0], *two[1:]], [*one[:-1], two[-1]], [one[1], one[0], *one[2:]], one[:-1], [*one, two[-1]], []):
        with pytest.raises(RemoteError) as caught:
            parse_welcome(b"".join(mixed))
        assert caught.value.fault is Fault.MALFORMED


def test_a_chunk_of_the_wrong_length_is_refused() -> None:
    porch = Porch()
    said = porch.dave.knocks(porch.gid, porch.code, addresses=[])
    frames = welcome(porch, long_welcome(porch, "alice"))
    index, total, _ = split_welcome(parse_frame(frames[0]).middle)
    info = h(b"mesh1/welcome", knock_statement(said, porch.gid), bytes(2), total.to_bytes(2, "big"))
    for plain in (b"", bytes(16), bytes(100), opened(porch, frames[0]) + b"\0"):
        sealed = porch.alice.sealer.seal(1, said.card.kem_pk, info, plain)
        with pytest.raises(RemoteError) as caught:
            open_welcome_chunk(
                index,
                total,
                sealed,
                kem_private=porch.dave.kem[0],
                suite=1,
                statement=knock_statement(said, porch.gid),
                sealer=porch.alice.sealer,
            )
        assert caught.value.fault is Fault.MALFORMED


@given(st.binary(max_size=600))
def test_rubbish_is_no_welcome(data: bytes) -> None:
    with pytest.raises(RemoteError):
        parse_welcome(data)


def test_t_of_a_knock_is_t_of_the_admit_that_follows() -> None:
    porch = Porch()
    said = porch.dave.knocks(porch.gid, porch.code, addresses=[])
    asked = porch.dave.asks(porch.gid, porch.code, rank=Rank.MEMBER)
    assert (said.sig_invite, said.sig_member, said.sig_dev) == (asked.sig_invite, asked.sig_member, asked.sig_dev)
    assert len(knock_statement(said, porch.gid)) == 32
    host: Person = porch.alice
    code: Code = porch.code
    host.lets_in(porch.dave, code, Rank.MEMBER)
    assert host.names == {"Alice", "Dave"}


PORCH = Porch()
FRAMES = {"preview": PORCH.preview()}
