"""Make our own known answers anew: `python -m tests.vectors.make`, from the root of the repository.

A small story under the seeded chance, so that the same code gives the same bytes: Alice founds a group, invites Bob,
Bob knocks and is let in, they talk, Alice closes the door. `tests/wire/test_vectors.py` tells it again and compares
byte for byte. Whoever sees a difference has changed what is on the wire, and says so in docs/protocol.md.

The HPKE answers are another matter: the library draws its own randomness, so they were made once (`--hpke`) and are
only ever opened again.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mesh.commands import Rank, Suite
from mesh.crypto.keys import public_key, sign
from mesh.gossip.shelf import ticket_mac
from mesh.groups.authoring import author, rekey
from mesh.groups.invites import (
    invite_keys,
    knock_statement,
    preview_seed,
    seal_knock,
    seal_preview,
    seal_welcome,
)
from mesh.groups.joining import APPROVAL_LABEL, approval_statement
from mesh.groups.pairing import pairing_check, pairing_keys, seal_answer, seal_ask
from mesh.groups.returns import seal_return
from mesh.groups.schedule import commitment, envelope_key, expand, message_key, next_chain_key, wrap_hint, wrap_info
from mesh.identity.keys import pairing_key
from mesh.ids import AccountId, Address, DeviceId, GroupId, HomeId, MsgId, OpId, PostId, TopicId
from mesh.node.chance import HpkeSealer
from mesh.secret import Secret
from mesh.support.posts import Wish, compose
from mesh.wire import invites, keepers, messages, operations, pairing, ranges, returns, sessions
from mesh.wire.codec import Record, decode, encode
from mesh.wire.codes import DeviceCode, InviteCode, device_to_uri, to_text, to_uri
from mesh.wire.frames import DAY_MS, parse_frame, rendezvous_topic, topic_of
from mesh.wire.pairing import PairStep
from mesh.wire.tickets import Ticket, ticket_to_text
from simulations.chance import SeededEntropy, SeededSealer
from tests.groups.joiners import HOUR, WALL_MS, Code, Joiner, joiner
from tests.groups.people import Person, arrive, founds
from tests.vectors.files import a_file, file_records
from tests.vectors.links import ids
from tests.vectors.notes import note_records
from tests.vectors.sets import sets
from tests.vectors.statements import statement_records
from tests.wire.records import to_fields

HERE: Final = Path(__file__).parent
HOME: Final = Address("/ip4/192.0.2.1/tcp/4001/p2p/12D3KooWAlice")
ROOT: Final = Secret(bytes(range(32)))
MSG: Final = MsgId(b"\x77" * 32)
KEEPER_SECRET: Final = bytes(range(32))
ACCOUNT: Final = AccountId(bytes(range(16)))
KEPT: Final = Ticket(
    account=ACCOUNT,
    quota=2**27,
    mac=ticket_mac(KEEPER_SECRET, ACCOUNT, 2**27),
    addresses=(HOME,),
    note="pi",
)
Json = dict[str, object]


def schedule() -> Json:
    """The key schedule: from an epoch secret to message keys, and what binds a wrap (protocol.md §5–6)."""
    es, gid, op_id, dev = bytes(range(32)), GroupId(b"\x11" * 32), OpId(b"\x22" * 32), DeviceId(b"\x33" * 16)
    keys = expand(es, gid, op_id, (dev,))
    chain = [keys.chains[dev]]
    for _ in range(2):
        chain.append(next_chain_key(chain[-1]))
    named = {
        "es": es,
        "gid": gid,
        "op_id": op_id,
        "dev": dev,
        "env": envelope_key(es, gid),
        "commit": commitment(es, gid),
        "op": keys.op,
        "hdr": keys.hdr,
        "pub": keys.pub_seed,
        "sync": keys.sync,
        "epk": public_key(keys.pub_seed),
        "topic": topic_of(public_key(keys.pub_seed)),
        "ck0": chain[0],
        **{f"mk{i}": message_key(key, i) for i, key in enumerate(chain)},
        "wrap_info": wrap_info(gid, b"\x44" * 32, dev),
        "wrap_hint": wrap_hint(b"\x55" * 32, b"\x44" * 32),
    }
    return {name: value.hex() for name, value in named.items()}


@dataclass(frozen=True, kw_only=True)
class Story:
    """Who is in it, and what they say at the door."""

    alice: Person
    bob: Person
    code: Code
    guest: Joiner
    knock: invites.KnockBody

    @staticmethod
    def told() -> "Story":
        """Tell it from the beginning."""
        alice = founds("Alice", settings=(("members-invite", "on"),))
        code = alice.invites()
        guest = joiner("Bob", alice.group.gid, Suite.CLASSIC)
        knock = guest.knocks(alice.group.gid, code, addresses=[HOME])
        alice.lets_in(guest, code, Rank.MEMBER)
        return Story(alice=alice, bob=arrive(guest, alice), code=code, guest=guest, knock=knock)


# ------------------------------------------------------------------------------------- records


def records() -> Json:
    """One of each record, as bytes and as fields."""
    found: dict[str, Record] = {}
    for record in _all_records(Story.told()):
        found.setdefault(type(record).__name__, record)
    return {name: {"bytes": encode(found[name]).hex(), "fields": to_fields(found[name])} for name in sorted(found)}


def _all_records(story: Story) -> list[Record]:
    create, _, admit = story.alice.group.log.ops
    statement = knock_statement(story.knock, create.gid)
    approval = operations.Approval(
        grant=create.op_id,
        dev=story.alice.dev,
        sig=sign(story.alice.dev_seed, APPROVAL_LABEL + approval_statement(create.gid, story.code.op_id, statement)),
    )
    assert isinstance(create.body, operations.CreateBody)
    assert isinstance(admit.body, operations.AdmitBody)
    return [
        create.signed,
        create.tbs,
        create.body,
        create.body.card,
        create.body.epoch,
        create.body.settings[0],
        admit.body,
        approval,
        story.code.body,
        story.knock,
        *_further_operations(story),
        *_papers(story),
        *_messages(story),
        *_sessions(story),
        *file_records(),
        *_ranges(),
        _call(story),
        returns.SignedReturn(tbs=encode(_call(story)), sig=b"\xdd" * 64),
        *_pairing(story),
        *_keeping(),
    ]


def _keeping() -> list[Record]:
    topics = [TopicId(b"\x99" * 32)]
    ask = keepers.KeepAsk(KEPT.account, quota=KEPT.quota, mac=KEPT.mac, days=30, aside=False, topics=topics)
    held = {"topics": 1, "frames": 2, "size": 1200, "quota": KEPT.quota, "oldest_ms": WALL_MS}
    return [ask, keepers.KeptSaid(account=KEPT.account, aside=False, accepted=True, **held)]


def _further_operations(story: Story) -> list[Record]:
    create = story.alice.group.founding
    cut = operations.Cut(dev=story.bob.dev, mseq=3, msg_id=MSG)
    op_cut = operations.OpCut(dseq=1, op_id=story.code.op_id)
    return [
        operations.RankBody(target=story.bob.pk, rank=Rank.MODERATOR),
        cut,
        operations.RemoveBody(target=story.bob.pk, cuts=[cut], reason="It was time.", epoch=create.epoch),
        operations.LeaveBody(erase=False),
        operations.UninviteBody(invite=story.code.op_id),
        operations.SettingsBody(settings=create.settings),
        operations.AgreementBody(version=2, text="Nothing leaves this room."),
        operations.RekeyBody(epoch=create.epoch),
        operations.DeviceAddBody(card=create.card, epoch=None),
        op_cut,
        operations.DeviceRemoveBody(
            member=story.bob.pk, dev=story.bob.dev, op_cut=op_cut, message_cut=cut, epoch=create.epoch
        ),
        operations.ForkBody(
            new_gid=story.alice.group.gid,
            invite=story.code.op_id,
            seed=bytes(16),
            expiry_hour=HOUR,
            allow=[story.bob.pk],
        ),
        operations.Former(member=story.bob.pk, sig=bytes(64)),
    ]


def _papers(story: Story) -> list[Record]:
    create, invite, _ = story.alice.group.log.ops
    entry = invites.FrontierEntry(dev=story.alice.dev, contiguous=7, beyond=[[9, 12]])
    contact = invites.Contact(dev=story.alice.dev, addresses=[HOME])
    return [
        invites.PreviewBody(
            create=create.signed,
            agreement=None,
            settings=story.alice.group.founding.settings,
            invite=invite.signed,
            members=1,
            door=invites.Door.OPEN,
        ),
        entry,
        contact,
        story.alice.bundle(create.op_id),
        _welcome(story),
    ]


def _welcome(story: Story) -> invites.WelcomeBody:
    return invites.WelcomeBody(
        door=invites.Door.OPEN,
        ops=story.alice.bundles,
        frontier=[invites.FrontierEntry(dev=story.alice.dev, contiguous=7, beyond=[[9, 12]])],
        contacts=[invites.Contact(dev=story.alice.dev, addresses=[HOME])],
        keyups=[messages.SignedMessage(tbs=b"\x90", sig=bytes(64))],
    )


def _messages(story: Story) -> list[Record]:
    wish = Wish(text="Not a good night.", mode="listening", cw="sleep", topics=("sleep",), reply_to=b"\x88" * 16)
    post = decode(messages.PostBody, compose(wish), bytes_max=1000)
    group = story.alice.group
    tbs = messages.MessageTbs(
        version=1,
        gid=group.gid,
        epoch=group.log.ops[2].op_id,
        dev=story.alice.dev,
        i=0,
        mseq=1,
        uid=b"\x99" * 16,
        kind=messages.Kind.POST,
        prev=MsgId(bytes(32)),
        parents=[MSG],
        heads=group.log.heads,
        ts_ms=WALL_MS,
        flags=messages.Flag.NO_HISTORY,
        body=encode(post),
    )
    signed = messages.SignedMessage(tbs=encode(tbs), sig=sign(story.alice.dev_seed, b"mesh1/msg\0" + encode(tbs)))
    reached = messages.Reached(dev=story.bob.dev, spans=[[1, 4], [6, 6]], mseq=6, name=bytes(range(16)))
    return [
        post,
        messages.Extra(tag=messages.ExtraTag.EXPIRES, value=(3600).to_bytes(4, "big")),
        tbs,
        signed,
        messages.StrandedBody(nonce=group.founding.epoch.nonce),
        messages.ApprovalBody(invite=story.code.op_id, statement=bytes(32), grant=story.code.op_id, sig=bytes(64)),
        messages.ObjectionBody(target=story.bob.pk, holds=True),
        *note_records(group.gid, HOME, story.alice.pk, signed),
        messages.KeyupBody(kem_number=2, kem_pk=b"\xaa" * 32),
        reached,
        messages.ReceiptBody(reached=[reached]),
        messages.PresenceBody(addresses=[HOME], in_invites=True, receipts=False),
        messages.BeaconBody(),
        messages.WithdrawalBody(dev=story.alice.dev, mseq=1, uid=b"\x99" * 16, ts_ms=WALL_MS, epoch=tbs.epoch),
        *statement_records(),
    ]


def _sessions(story: Story) -> list[Record]:
    span = sessions.Span(dev=story.alice.dev, first=2, last=5)
    closed = sessions.ClosedSpan(dev=story.alice.dev, first=1, last=1)
    heads = story.alice.group.log.heads
    return [
        sessions.ProofBody(dev=story.alice.dev, sig=b"\xbb" * 64),
        sessions.StateBody(heads=heads, frontier=[]),
        sessions.WantOpsBody(heads=heads),
        sessions.OpsBody(ops=[story.alice.bundle(story.code.op_id)]),
        span,
        sessions.WantMessagesBody(ticket=1, spans=[span]),
        closed,
        sessions.AnsweredBody(ticket=1, closed=[closed]),
        sessions.WantHistoryBody(ticket=2, before=b"", have=[]),
        sessions.NotInBody(nonce=bytes(24)),
        sessions.WantChunksBody(ticket=3, post=PostId(b"\x99" * 16), chunks=[b"\xcc" * 32]),
        sessions.ChunksSentBody(ticket=3),
        sessions.KeyupsBody(keyups=[messages.SignedMessage(tbs=b"\x90", sig=bytes(64))]),
        sessions.HistoryBody(
            ticket=2, before=b"\xcc" * 32, messages=[messages.SignedMessage(tbs=b"\x90", sig=bytes(64))]
        ),
    ]


def _ranges() -> list[Record]:
    same = ranges.Same(upto=b"\0\0\0\7")
    printed = ranges.Printed(upto=b"\0\0\0\x08\xab", count=300, fingerprint=b"\xf0" * 8)
    listed = ranges.Listed(upto=b"", shorts=b"\xf1" * 8)
    return [
        same,
        printed,
        listed,
        ranges.RangeQuestion(ticket=2, start=b"\0\0\0\6", ranges=[same, printed]),
        ranges.RangeAnswer(ticket=2, ranges=[same, printed, listed]),
    ]


def _pairing(story: Story) -> list[Record]:
    group = story.alice.group
    device = pairing.HomeDevice(gid=group.gid, dev=story.alice.dev)
    first = pairing.HomeEntry(home=HomeId(b"\x66" * 16), name="laptop", since_ms=WALL_MS, devices=[device])
    named = pairing.PairGroupName(gid=group.gid, join_nonce=b"\xcc" * 32)
    newest = group.epochs[group.log.ops[2].op_id]
    epoch = pairing.PairEpoch(op_id=newest.op_id, pub_seed=newest.pub_seed, sync_key=newest.sync_key, since_ms=WALL_MS)
    return [
        device,
        first,
        named,
        epoch,
        _pair_ask(PairStep.LIST),
        pairing.PairListBody(own=first, others=[], name="phone", groups=[named]),
        pairing.PairGroupBody(
            gid=group.gid,
            ops=[invites.OpBundle(op=op.signed, wraps=[]) for op in group.log.ops],
            epochs=[epoch],
            frontier=[invites.FrontierEntry(dev=story.alice.dev, contiguous=7, beyond=[[9, 12]])],
            contacts=[invites.Contact(dev=story.alice.dev, addresses=[HOME])],
            keyups=[messages.SignedMessage(tbs=b"\x90", sig=bytes(64))],
            confirmed=True,
            settings=[["key-window", "7"]],
        ),
    ]


def _pair_ask(step: PairStep) -> pairing.PairAskBody:
    _, kem_pk = SeededSealer(SeededEntropy(1, "pairing")).generate(2)
    own = pairing.HomeEntry(home=HomeId(b"\x55" * 16), name="device 1", since_ms=WALL_MS, devices=[])
    return pairing.PairAskBody(step=step, ticket=b"\xdd" * 16, want=b"", kem_pk=kem_pk, own=own, others=[])


# ------------------------------------------------------------------------------------- frames and codes


def frames() -> Json:
    """A frame of each type, with the keys that open it."""
    story = Story.told()
    alice, code = story.alice, story.code
    keys = invite_keys(code.seed)
    record = alice.group.epochs[alice.group.log.ops[2].op_id]
    chain = alice.group.chains[record.op_id, alice.dev]
    with alice.step() as means:
        invite = alice.group.invites[code.op_id]
        preview = seal_preview(alice.group, invite, invites.Door.OPEN, means)
        knock = seal_knock(keys, story.knock, means)
    message = alice.says("Not a good night.")
    with alice.step() as means:
        operation = author(alice.group, operations.OpType.UNINVITE, operations.UninviteBody(invite=code.op_id), means)
    with alice.step() as means:
        envelope = rekey(alice.group, means)
    statement = knock_statement(story.knock, alice.group.gid)
    (welcome,) = seal_welcome(
        _welcome(story),
        reply_seed=story.knock.reply_seed,
        kem_pk=story.guest.card.kem_pk,
        suite=Suite.CLASSIC,
        statement=statement,
        sealer=alice.sealer,
    )
    epoch = {"pub": record.pub_seed.hex(), "sync": record.sync_key.hex()}
    return {
        "message": _frame(message, hdr=record.hdr_key.hex(), ck0=chain.key.hex(), dev=alice.dev.hex(), **epoch),
        "envelope": _frame(envelope.frames[0][1], dev=story.bob.dev.hex(), kem=story.guest.kem[0].hex(), **epoch),
        "operation": _frame(operation.frames[0][1], op=record.op_key.hex(), **epoch),
        "knock": _frame(knock, code_seed=code.seed.hex(), knock_key=keys.knock_key.hex()),
        "return": _frame(seal_return(alice.group, record.op_id, _call(story), bytes(range(24))), **epoch),
        "welcome": _frame(welcome, kem=story.guest.kem[0].hex(), statement=statement.hex()),
        **_pair_frames(story),
        "preview": _frame(preview, preview_seed=preview_seed(keys.knock_key).hex(), knock_key=keys.knock_key.hex()),
    }


def _call(story: Story) -> returns.ReturnBody:
    return returns.ReturnBody(
        dev=story.alice.dev,
        kem_number=4,
        kem_pk=story.alice.group.kem_of[story.alice.dev][1],
        addresses=[HOME],
        heads=story.alice.group.log.heads,
        epoch=OpId(b"\x22" * 32),
    )


def _pair_frames(story: Story) -> Json:
    keys = pairing_keys(pairing_key(ROOT, bytes(range(16))))
    ask = _pair_ask(PairStep.LIST)
    answer = next(record for record in _pairing(story) if isinstance(record, pairing.PairListBody))
    kem, _ = SeededSealer(SeededEntropy(1, "pairing")).generate(2)
    with story.alice.step() as means:
        asked = seal_ask(keys, ask, means)
        (given,) = seal_answer(keys, answer, ask, means)
    return {
        "pair_ask": _frame(asked, key=keys.ask_key.hex()),
        "pair_answer": _frame(given, key=keys.give_key.hex(), kem=kem.hex(), ticket=ask.ticket.hex()),
    }


def _frame(raw: bytes, **keys: str) -> Json:
    frame = parse_frame(raw)
    return {"bytes": raw.hex(), "id": frame.id.hex(), "topic": topic_of(frame.pk).hex(), "keys": keys}


def codes() -> Json:
    """An invite code, with and without its addresses, and the rest that follows from its seed; and a device code."""
    code = InviteCode(seed=bytes(range(16)), gid_prefix=bytes(range(16, 32)), expiry_hour=HOUR)
    keys = invite_keys(code.seed)
    return {
        "seed": code.seed.hex(),
        "gid_prefix": code.gid_prefix.hex(),
        "expiry_hour": code.expiry_hour,
        "bytes": code.pack().hex(),
        "text": to_text(code),
        "address": HOME,
        "uri": to_uri(code, (HOME,)),
        "invite_pk": keys.invite_pk.hex(),
        "knock_key": keys.knock_key.hex(),
        "preview_topic": topic_of(public_key(preview_seed(keys.knock_key))).hex(),
        "rendezvous_topic": rendezvous_topic(keys.invite_pk, WALL_MS // DAY_MS).hex(),
        "device": _device_code(),
        "ticket": _ticket(),
    }


def _ticket() -> Json:
    return {
        "secret": KEEPER_SECRET.hex(),
        "account": ACCOUNT.hex(),
        "quota": KEPT.quota,
        "mac": KEPT.mac.hex(),
        "note": KEPT.note,
        "text": ticket_to_text(KEPT),
    }


def _device_code() -> Json:
    seed = bytes(range(16))
    key = pairing_key(ROOT, seed)
    code = DeviceCode(seed=seed, check=pairing_check(key), expiry_minute=HOUR * 60)
    return {
        "root": ROOT.reveal().hex(),
        "seed": seed.hex(),
        "key": key.reveal().hex(),
        "check": code.check.hex(),
        "expiry_minute": code.expiry_minute,
        "bytes": code.pack().hex(),
        "uri": device_to_uri(code, (HOME,)),
        "topic": pairing_keys(key).topic.hex(),
    }


# ------------------------------------------------------------------------------------- HPKE, once


def hpke() -> list[Json]:
    """Secrets that the real library sealed, to keys that it made: drawn anew each time."""
    sealer = HpkeSealer()
    answers: list[Json] = []
    for suite in Suite:
        for plain in (bytes(range(32)), b""):
            private, public = sealer.generate(suite)
            info = wrap_info(bytes(32), b"\x44" * 32, DeviceId(b"\x33" * 16))
            sealed = sealer.seal(suite, public, info, plain)
            named = {"private": private, "public": public, "info": info, "sealed": sealed, "plain": plain}
            answers.append({"suite": int(suite), **{name: value.hex() for name, value in named.items()}})
    return answers


ANSWERS: Final = {
    "schedule": schedule,
    "records": records,
    "frames": frames,
    "codes": codes,
    "sets": sets,
    "file": a_file,
    "ids": ids,
}


def text_of(answers: object) -> str:
    """Return answers as they stand in their file."""
    return json.dumps(answers, indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    if "--hpke" in sys.argv:
        (HERE / "hpke.json").write_text(text_of(hpke()))
    for name, make in ANSWERS.items():
        (HERE / f"{name}.json").write_text(text_of(make()))
