"""What was stated in a group, as it is held: of each device and form the newest few, each about another subject.

Which are kept is a function of the set of all that came, whatever the order: of one device's statements of a form about
one subject the one with the highest number; of these the newest, as many as the form allows. What is over leaves its
place without its words, so that nothing older moves up. Forms that are not known here share one allowance, and are kept
without their words. So do all devices of a member that are out: who takes devices in and out fills no more for it.

When somebody is removed, what they said past the cut counts no more, and what it had replaced here counts again. So the
words past a cut yield to all that count; and of what gave way its name stays, so that it is taken in again from those
who never heard the later word, and nothing else under its number is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from mesh.ids import DeviceId, MemberPk, MsgId
from mesh.peer.records import MessageRecord
from mesh.support.forms import FORMS, read_value
from mesh.wire import limits
from mesh.wire.codec import Record, decode
from mesh.wire.messages import StatementBody

UNKNOWN: Final = 0  # stands for all forms that are not known here


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """A statement as it is kept. `value` None: it says nothing here, or not any more."""

    record: MessageRecord
    body: StatementBody
    value: Record | None

    @staticmethod
    def of(record: MessageRecord) -> "Stated":
        """Read a row; RemoteError if its body is no statement."""
        body = decode(StatementBody, record.body, bytes_max=limits.MESSAGE_BYTES_MAX)
        return Stated(record=record, body=body, value=None if record.origin is None else read_value(body))

    @property
    def key(self) -> bytes:
        """Its key in the store, after the group's id: 34 B."""
        record = self.record
        return self.body.form.to_bytes(2, "big") + record.dev + record.mseq.to_bytes(8, "big") + record.msg_id[:8]

    @property
    def place(self) -> "_Place":
        """What it is about, by form, and by which device."""
        return self.body.form, self.body.subject, DeviceId(self.record.dev)

    @property
    def name(self) -> bytes:
        """By which it is known, among those of its device, that it was here: 16 B."""
        return self.record.mseq.to_bytes(8, "big") + self.record.msg_id[:8]

    @property
    def age(self) -> tuple[int, MsgId]:
        """What puts a device's statements in order; of two under one number, which no honest device signs, too."""
        return self.record.mseq, MsgId(self.record.msg_id)


def newest_of(form: int) -> int:
    """Return how many statements of a form are kept of one device."""
    return FORMS[form].newest if form in FORMS else limits.STATEMENTS_UNKNOWN_MAX


_Place: TypeAlias = tuple[int, bytes, DeviceId]  # form, subject, device: one statement stands there


def _no_cut(dev: DeviceId) -> int:
    """No device has a cut."""
    del dev
    return limits.MSEQ_MAX


@dataclass(slots=True)
class Statements:
    """All that is kept of a group, and by what it is looked for."""

    _about: dict[int, dict[bytes, dict[bytes, Stated]]] = field(default_factory=dict)  # form -> subject -> by key
    _said: dict[tuple[int, bytes], dict[_Place, Stated]] = field(default_factory=dict)  # by form and allowance
    _shared: dict[DeviceId, MemberPk] = field(default_factory=dict)  # devices that are out share one of their member's
    _gave_way: dict[DeviceId, dict[bytes, None]] = field(default_factory=dict)  # what was here: mseq, msg id[:8]

    def __iter__(self) -> Iterator[Stated]:
        return (stated for subjects in self._about.values() for there in subjects.values() for stated in there.values())

    def about(self, form: int, subject: bytes) -> list[Stated]:
        """Return what was stated of a form about one subject."""
        return list(self._about.get(form, {}).get(subject, {}).values())

    def of_form(self, form: int) -> list[Stated]:
        """Return all that was stated of a form."""
        return [stated for there in self._about.get(form, {}).values() for stated in there.values()]

    def devices(self) -> set[DeviceId]:
        """Return the devices of which anything is kept."""
        return {dev for shelf in self._said.values() for _, _, dev in shelf}

    def kept(self, stated: Stated) -> Stated | None:
        """Return this very statement as it is kept, with its words or without; None where it is not."""
        return self._about.get(stated.body.form, {}).get(stated.body.subject, {}).get(stated.key)

    def put(self, stated: Stated, cut_of: Callable[[DeviceId], int] = _no_cut) -> list[Stated] | None:
        """Keep a statement; return those that go for it, or None where it is not kept: others stand.

        One that comes again replaces itself. `cut_of`: the last number that counts of a device. What lies past it
        yields to whatever counts, as if it came before.
        """

        def order(there: Stated) -> tuple[bool, int, MsgId]:
            return (there.record.mseq <= cut_of(DeviceId(there.record.dev)), *there.age)

        shelf, place = self._shelf(stated), stated.place
        goes = shelf.get(place)
        if goes is None and len(shelf) >= newest_of(stated.body.form):
            goes = min(shelf.values(), key=order)
        if goes is not None and order(goes) > order(stated):
            return None
        if goes is not None:
            self.drop(goes)
        shelf[place] = stated
        self._about.setdefault(stated.body.form, {}).setdefault(stated.body.subject, {})[stated.key] = stated
        return [] if goes is None or goes.key == stated.key else [goes]

    def drop(self, stated: Stated) -> None:
        """Forget a statement that is kept, and that it was."""
        subjects = self._about[stated.body.form]
        there = subjects[stated.body.subject]
        del self._shelf(stated)[stated.place], there[stated.key]
        if not there:
            del subjects[stated.body.subject]

    def _shelf(self, stated: Stated) -> dict[_Place, Stated]:
        """Return all that is kept by the allowance that a statement falls under."""
        bucket, dev = stated.body.form if stated.body.form in FORMS else UNKNOWN, DeviceId(stated.record.dev)
        return self._said.setdefault((bucket, self._shared.get(dev, dev)), {})

    def share(self, out: dict[DeviceId, MemberPk], cut_of: Callable[[DeviceId], int]) -> list[Stated]:
        """Have these devices, and no others, share one allowance of their member's; return what goes for it."""
        moved = [there for there in self if out.get(dev := DeviceId(there.record.dev)) != self._shared.get(dev)]
        for there in moved:
            self.drop(there)
        self._shared = dict(out)
        gone: dict[bytes, Stated] = {}
        for there in moved:
            went = self.put(there, cut_of)
            gone |= {one.key: one for one in ([there] if went is None else went)}
        return list(gone.values())

    # ------------------------------------------------------------ what was here, and is not

    def gave_way(self, stated: Stated) -> bool:
        """Say whether this very statement was here, and went for another."""
        return stated.name in self._gave_way.get(stated.record.dev, {})

    def note_gave_way(self, dev: DeviceId, name: bytes) -> list[bytes]:
        """Note that a statement was here and went for another; return the names that are forgotten for it."""
        names = self._gave_way.setdefault(dev, {})
        names[name] = None
        over = sorted(names)[: max(0, len(names) - limits.GAVE_WAY_MAX)]
        for gone in over:
            del names[gone]
        return over

    def forget_gave_way(self, dev: DeviceId) -> None:
        """Forget what was here of a device."""
        self._gave_way.pop(dev, None)
