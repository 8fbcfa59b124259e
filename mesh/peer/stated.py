"""What was stated in a group, as it is held: of each device and form the newest few, each about another subject.

Which are kept is a function of the set of all that came, whatever the order: of one device's statements of a form about
one subject the one with the highest number; of these the newest, as many as the form allows. What is over leaves its
place without its words, so that nothing older moves up. Forms that are not known here share one allowance.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from mesh.ids import DeviceId, MsgId
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
    def age(self) -> tuple[int, MsgId]:
        """What puts a device's statements in order; of two under one number, which no honest device signs, too."""
        return self.record.mseq, MsgId(self.record.msg_id)


def newest_of(form: int) -> int:
    """Return how many statements of a form are kept of one device."""
    return FORMS[form].newest if form in FORMS else limits.STATEMENTS_UNKNOWN_MAX


@dataclass(slots=True)
class Statements:
    """All that is kept of a group, and by what it is looked for."""

    _about: dict[tuple[int, bytes], dict[bytes, Stated]] = field(default_factory=dict)  # form, subject -> by key
    _said: dict[tuple[int, DeviceId], dict[tuple[int, bytes], Stated]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Stated]:
        return (stated for there in self._about.values() for stated in there.values())

    def about(self, form: int, subject: bytes) -> list[Stated]:
        """Return what was stated of a form about one subject."""
        return list(self._about.get((form, subject), {}).values())

    def of_form(self, form: int) -> list[Stated]:
        """Return all that was stated of a form."""
        return [stated for (kind, _), there in self._about.items() if kind == form for stated in there.values()]

    def has(self, stated: Stated) -> bool:
        """Say whether this very statement is kept, with its words or without."""
        return stated.key in self._about.get((stated.body.form, stated.body.subject), {})

    def put(self, stated: Stated) -> list[Stated] | None:
        """Keep a statement; return those that go for it, or None where it is not kept: newer ones stand.

        One that comes again replaces itself.
        """
        place = stated.body.form, stated.body.subject
        bucket = stated.body.form if stated.body.form in FORMS else UNKNOWN
        shelf = self._said.setdefault((bucket, stated.record.dev), {})
        goes = shelf.get(place)
        if goes is None and len(shelf) >= newest_of(stated.body.form):
            goes = min(shelf.values(), key=lambda there: there.age)
        if goes is not None and goes.age > stated.age:
            return None
        if goes is not None:
            self._drop(goes, shelf)
        shelf[place] = stated
        self._about.setdefault(place, {})[stated.key] = stated
        return [] if goes is None or goes.key == stated.key else [goes]

    def drop(self, stated: Stated) -> None:
        """Forget a statement that is kept, and that it was."""
        form, dev = stated.body.form, stated.record.dev
        self._drop(stated, self._said[form if form in FORMS else UNKNOWN, dev])

    def _drop(self, stated: Stated, shelf: dict[tuple[int, bytes], Stated]) -> None:
        place = stated.body.form, stated.body.subject
        del shelf[place], self._about[place][stated.key]
        if not self._about[place]:
            del self._about[place]
