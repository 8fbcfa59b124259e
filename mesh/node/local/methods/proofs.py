"""`group.proof`: what shows that one device signed two things in one place, for people and for other programs.

A proof is two signed texts with the key that both verify under: Ed25519 over `prefix` ‖ `tbs`. Whoever has it needs to
trust nobody who hands it on. It does not say why: an old copy of a home that was put back signs twice, too.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from mesh.groups.equivocation import Fork, forks
from mesh.groups.messaging import MESSAGE_LABEL, message_id
from mesh.groups.operations import OP_LABEL
from mesh.ids import DeviceId
from mesh.node.local.methods import given
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.names import group_named, member_named
from mesh.node.local.methods.shown import each, iso, person
from mesh.node.local.protocol import JsonObject, phrased
from mesh.peer.records import ProofRecord
from mesh.peer.state import Room
from mesh.phrases import phrase
from mesh.wire import limits
from mesh.wire.codec import decode
from mesh.wire.messages import MessageTbs, SignedMessage
from mesh.wire.operations import SignedOp

DAY_MS: Final = 86_400_000
TOLD_MS: Final = 7 * DAY_MS  # so long `status` tells of two messages; they cost nobody else anything. Ours


async def proof(desk: Desk, params: JsonObject) -> JsonObject:
    """Give the two signed operations, and the two messages, of each of a member's devices that has such."""
    room = group_named(desk.state, given.text(params, "group"))
    pk = member_named(room, given.text(params, "member"))
    return {"member": person(room, pk), "proofs": each(_proofs(room, room.group.view.members[pk].devices))}


def _proofs(room: Room, devices: Iterable[DeviceId]) -> Iterable[JsonObject]:
    forked = forks(room.group.log)
    for dev in devices:
        if dev in forked:
            yield _operations(forked[dev])
        if dev in room.proofs:
            yield _messages(room, dev, room.proofs[dev])


def _operations(fork: Fork) -> JsonObject:
    first, second = (_part(op.op_id, key, op.signed) for op, key in zip(fork.ops, fork.keys, strict=True))
    return {
        "kind": "operation",
        "shows": "same-number",
        "device": fork.dev.hex(),
        "number": fork.dseq,
        "prefix": OP_LABEL.hex(),
        "first": first,
        "second": second,
        "at": None,
    }


def _messages(room: Room, dev: DeviceId, proof: ProofRecord) -> JsonObject:
    card = room.group.log.card(dev)
    assert card is not None, "its signature was checked"
    tbs = decode(MessageTbs, proof.second.tbs, bytes_max=limits.MESSAGE_BYTES_MAX)
    return {
        "kind": "message",
        "shows": "same-number" if tbs.mseq == proof.mseq else "other-predecessor",
        "device": dev.hex(),
        "number": proof.mseq,
        "prefix": MESSAGE_LABEL.hex(),
        "first": None if proof.first is None else _part(message_id(proof.first.tbs), card.dev_pk, proof.first),
        "second": _part(message_id(proof.second.tbs), card.dev_pk, proof.second),
        "at": iso(proof.at_ms),
    }


def _part(name: bytes, key: bytes, signed: SignedOp | SignedMessage) -> JsonObject:
    return {"id": name.hex(), "key": key.hex(), "tbs": signed.tbs.hex(), "sig": signed.sig.hex()}


def signed_twice(room: Room, forked: Mapping[DeviceId, Fork], devices: Iterable[DeviceId]) -> list[JsonObject]:
    """Name by their ids the two operations, or messages, of each of these devices; `first` None: not kept."""
    found: list[JsonObject] = []
    for dev in devices:
        if dev in forked:
            first, second = (op.op_id.hex() for op in forked[dev].ops)
            found.append({"kind": "operation", "device": dev.hex(), "first": first, "second": second})
        if dev in room.proofs:
            kept = room.proofs[dev]
            one = None if kept.first is None else message_id(kept.first.tbs).hex()
            other = message_id(kept.second.tbs).hex()
            found.append({"kind": "message", "device": dev.hex(), "first": one, "second": other})
    return found


# ---------------------------------------------------------------- status


def proof_problems(room: Room, now_ms: int) -> list[JsonObject]:
    """Say who of those who are in has signed twice, what it may be, and what to do. It accuses nobody."""
    group, forked = room.group, forks(room.group.log)
    if group.me is None or group.own.left:
        return []
    found: list[JsonObject] = []
    for dev, pk in group.view.devices.items():
        own, alias = dev == group.own.dev, group.view.members[pk].alias
        if dev in forked:
            found.append(_own_fork(room) if own else _fork(room, alias))
        elif dev in room.proofs and now_ms - room.proofs[dev].at_ms < TOLD_MS:
            found.append(_own_messages(room) if own else _two_messages(room, alias))
    return found


def _own_fork(room: Room) -> JsonObject:
    return phrased(
        what=phrase(
            "This device has signed two different changes of “{group}” in one place. What it "
            "changes there from now on does not count, and what you post may wait without end.",
            group=room.group.founding.name,
        ),
        do="It happens where an old copy of a home was put back, or two copies run: run one only. To be whole "
        "in the group again, ask a moderator, steward or founder to remove you and to send you a new code; where "
        "nobody may, another member can found a successor (`mesh group fork`).",
    )


def _own_messages(room: Room) -> JsonObject:
    return phrased(
        what=phrase(
            "Two different messages in “{group}” came from this device under one number.",
            group=room.group.founding.name,
        ),
        do="It happens where an old copy of a home was put back, or two copies run: run one only. Others see the "
        "one that reached them first; say again what matters to you.",
    )


def _fork(room: Room, alias: str) -> JsonObject:
    name = room.group.founding.name
    return phrased(
        what=phrase(
            "{name}'s device has signed two different changes of “{group}” in one place. What it changes "
            "there from now on does not count.",
            name=alias,
            group=name,
        ),
        do=phrase(
            "It happens where an old copy of a home was put back, or two copies run; it can also be done on purpose. "
            "Ask {name} in another way. To be whole again they have to be removed and come in by a new code. "
            '`mesh group show "{group}" --proof "{name}"` shows both.',
            name=alias,
            group=name,
        ),
    )


def _two_messages(room: Room, alias: str) -> JsonObject:
    name = room.group.founding.name
    return phrased(
        what=phrase(
            "Two different messages of {name} in “{group}” bear one number; here stands the one that came "
            "first, and others may have read the other.",
            name=alias,
            group=name,
        ),
        do=phrase(
            "It happens where an old copy of a home was put back, or two copies run; it can also be done on purpose. "
            'Ask {name}. `mesh group show "{group}" --proof "{name}"` shows what is here of both.',
            name=alias,
            group=name,
        ),
    )
