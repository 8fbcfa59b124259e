"""Statements: what members say that is not shown as a message and changes something that all of them see.

A form's rules say who may state it, of what, and how much of it is kept. Its meaning is a *fold*: a pure function from
the set of statements that count to what holds, so that whoever has the same statements and operations sees the same,
in whatever order they came. Of two words on the same thing the later one holds, by their authors' clocks, and of equal
times the one with the greater message id; a word that is dated ahead counts when its time has come.

Whether a statement counts (its author's rank when they said it, their removal, its end) is judged for all forms in one
place, `mesh.peer.statements`: a fold is given nothing that does not.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from mesh.commands import Rank
from mesh.ids import DeviceId, MemberPk, MsgId
from mesh.wire.codec import Record

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A statement that counts. `waits`: it is our own, and nobody has been told of it yet."""

    member: MemberPk
    dev: DeviceId
    rank: Rank  # with which it was said
    ts_ms: int
    msg_id: MsgId  # zeros while it waits
    subject: bytes
    value: Record
    waits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What holds for all statements of a form."""

    form: int
    value: type[Record]
    check: Callable[[bytes, Record], None]  # RemoteError if subject and value do not go together, or hold bad text
    deed: str  # what it is to state it, after "can": for whoever may not
    least: Rank  # with which it must be said. MEMBER: newcomers cannot
    only_in: bool  # it counts as long as its author is in, with that rank at the least
    newest: int  # how many of one device are kept, each about another subject: the newest
    standing: bool  # members hand it on to those who did not hear it, whatever `history` says
    fades: bool  # it goes as messages go, by the group's `keep`
    speaks: bool = False  # it shows others words of its author: it does not while they are asked to be quiet
    lingers: bool = False  # one that is over is handed on: who missed it would have an older one that lasts longer
    lasts_s: Callable[[Record], int] | None = None  # for how long it counts, by its value: whatever its author says
    stays: Callable[[Record], Record] | None = None  # what is left of it when its author leaves without a trace


def whole(value: Record) -> Record:
    """Return what is left of a statement without any words of its author: all of it."""
    return value


def later(said: Said) -> tuple[int, MsgId]:
    """Return what puts statements in order, the same for everybody."""
    return said.ts_ms, said.msg_id


def newest(said: Iterable[Said], key: Callable[[Said], T]) -> dict[T, Said]:
    """Return the last word for each key, in the order of the keys' last words."""
    found: dict[T, Said] = {}
    for word in sorted(said, key=later):
        found.pop(key(word), None)  # it stands where its last word does
        found[key(word)] = word
    return found
