"""Pairing, on the device that shows the code: bring another home of ours into our groups (protocol.md §18).

The key of a pairing is in memory alone, for fifteen minutes: a store that is seized open can bring nobody in. What goes
out opens nothing that was said: operations, which every member has, and what it takes to be found. The other home adds
itself, by the member key that only the root gives.
"""

from typing import Final

from mesh.errors import LocalError
from mesh.events import LinkKind, Notice, SendClass
from mesh.groups.discreet import is_listening
from mesh.groups.pairing import open_ask, pairing_keys, seal_answer
from mesh.peer import homes
from mesh.peer.links import Link
from mesh.peer.paired import Pairing
from mesh.peer.state import Room, State, Step
from mesh.peer.welcoming import frontier_before, keyups
from mesh.upkeep import OpenPairing
from mesh.wire import limits
from mesh.wire.codec import Record
from mesh.wire.frames import Frame, topic_of
from mesh.wire.invites import Contact, OpBundle
from mesh.wire.pairing import PairAskBody, PairEpoch, PairGroupBody, PairGroupName, PairListBody, PairStep
from mesh.wire.text import require_text

TIMER: Final = "pairing"


def open_pairing(state: State, command: OpenPairing, step: Step) -> None:
    """Let a home that has root and code ask for our groups, from now on. LocalError for a name that is taken."""
    name, own_name = (
        require_text("device's name", text, limits.DEVICE_NAME_BYTES_MAX, empty=True)
        for text in (command.name, command.own_name)
    )
    own = homes.own_entry(state)
    if name:
        homes.require_free(state, name)
    if own_name:
        homes.require_free(state, own_name, but=None if own is None else own.home)
    if name and own_name.casefold() == name.casefold():
        raise LocalError("two devices cannot have one name", do="choose another", code="E-DEVICE-NAME")
    homes.name_own(state, own_name or homes.require_own(state, step).name, step)
    keys = pairing_keys(command.key)
    state.pairing = Pairing(keys=keys, name=name, until_ms=step.now.mono_ms + limits.PAIRING_MS)
    step.topics_changed = True
    step.set_timer(TIMER, b"", limits.PAIRING_MS)


def close_pairing(state: State, step: Step) -> None:
    """The code is used, or its time is over."""
    state.pairing = None
    step.topics_changed = True
    step.set_timer(TIMER, b"", None)


def hear_ask(state: State, link: Link, frame: Frame, step: Step) -> None:
    """A home with our root and the code asks. RemoteError if it has them not; one code brings in one home."""
    pairing = state.pairing
    if pairing is None or topic_of(frame.pk) != pairing.keys.topic or step.now.mono_ms >= pairing.until_ms:
        return
    ask = open_ask(frame, pairing.keys)
    own = homes.require_own(state, step)
    if ask.own.home == own.home or pairing.home not in (None, ask.own.home):
        return
    pairing.home = ask.own.home
    homes.learn_homes(state, [ask.own, *ask.others], step)
    if ask.step is PairStep.DONE:
        close_pairing(state, step)
        step.notify(Notice.DEVICE, None, ask.own.home)
        return
    if pairing.answer is None or pairing.answer[0] != ask.ticket:
        body = _answer(state, pairing, ask)
        frames = [] if body is None else _sealed(pairing, body, ask, step)
        pairing.answer = (ask.ticket, frames)
    for raw in pairing.answer[1]:
        step.send(link.link, LinkKind.FRAME, raw, SendClass.OPERATIONS)


def _sealed(pairing: Pairing, body: Record, ask: PairAskBody, step: Step) -> list[bytes]:
    try:
        return seal_answer(pairing.keys, body, ask, step.means())
    except LocalError:
        return []  # a log too long: the other home goes on without this group


def _answer(state: State, pairing: Pairing, ask: PairAskBody) -> Record | None:
    if ask.step is PairStep.LIST:
        own = homes.own_entry(state)
        assert own is not None, "it was made before"
        others = [entry for entry in homes.other_entries(state) if entry.home != ask.own.home]
        shared = [room for _, room in sorted(state.rooms.items()) if _is_given(room)]
        groups = [PairGroupName(gid=room.group.gid, join_nonce=room.group.own.join_nonce) for room in shared]
        return PairListBody(own=own, others=others, name=pairing.name, groups=groups)
    room = next((room for room in state.rooms.values() if room.group.gid == ask.want and _is_given(room)), None)
    return None if room is None else _describe(state, room)


def _is_given(room: Room) -> bool:
    """Say whether a group is brought to another home: one that we are in. A talk with a listener stays where it is."""
    return room.group.me is not None and not room.group.own.left and not is_listening(room.group)


def _describe(state: State, room: Room) -> PairGroupBody:
    """Return all that a further device of ours needs in a group; no key that opens what was said."""
    group = room.group
    epochs = [
        PairEpoch(op_id=record.op_id, pub_seed=record.pub_seed, sync_key=record.sync_key, since_ms=record.since_ms)
        for record in group.newest_epochs()[: limits.PAIR_EPOCHS_MAX]
    ]
    contacts = [Contact(dev=dev, addresses=c.addresses) for dev, c in sorted(room.contacts.items())]
    here: list[str] = list(state.addresses[: limits.ADDRESSES_MAX])
    return PairGroupBody(
        gid=group.gid,
        ops=[OpBundle(op=op.signed, wraps=[]) for op in group.log.ops],
        epochs=epochs,
        frontier=frontier_before(room, b""),
        contacts=[*contacts, Contact(dev=group.own.dev, addresses=here)],
        keyups=keyups(room),
        confirmed=group.own.confirmed,
        settings=[list(pair) for pair in group.own.settings],
    )
