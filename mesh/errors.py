"""The tree of errors, and the sentences that people read.

An error in words says what happened, why it matters and what to do, and carries a code for `mesh help E-…`.
`LocalError`: the caller can mend it, nothing has changed. `RemoteError`: a peer misbehaved; it becomes a
`Blame` effect and never unwinds further, and the peer never learns which check failed. `StoreError`: the
disk or its lock. `TransportError`: the network. A bug is an assertion, never one of these.
"""

from enum import IntEnum, StrEnum
from typing import NamedTuple

from mesh.phrases import Phrase, Words, own


class Exit(IntEnum):
    """Exit codes of the command (commands.md, "Rules")."""

    OK = 0
    FAILED = 1
    USAGE = 2
    LOCKED = 3
    QUEUED = 4
    REFUSED = 5
    MISMATCH = 6


class Phrases(NamedTuple):
    """The three parts of an error as phrases; an empty one has an empty template."""

    what: Phrase
    why: Phrase
    do: Phrase


class MeshError(Exception):
    """Something went wrong that can be said in words.

    `what` happened, `why` it matters, what to `do`, each in English, and in `phrases` as it can be said in another
    language; `code` names the entry in the catalogue (`cli`); `exit` is the exit status. `candidates` lists the names
    that an ambiguous one may have meant. A `str` is a whole sentence of the source: whatever stands in one that was
    not written there is a value of a `Phrase` (tests/test_phrases.py reads the source for it).
    """

    code = "E-FAILED"
    exit = Exit.FAILED

    def __init__(
        self,
        what: Words,
        *,
        why: Words = "",
        do: Words = "",
        code: str | None = None,
        exit: Exit | None = None,
        candidates: tuple[str, ...] = (),
    ) -> None:
        super().__init__(str(what))
        self.what, self.why, self.do = str(what), str(why), str(do)
        self.phrases = Phrases(own(what), own(why), own(do))
        self.code = code or type(self).code
        self.exit = exit or type(self).exit
        self.candidates = candidates


class LocalError(MeshError):
    """The caller asked for something that cannot be done as asked; nothing has changed."""

    code = "E-USAGE"
    exit = Exit.USAGE


class RefusedError(LocalError):
    """The group's rules do not allow it."""

    code = "E-REFUSED"
    exit = Exit.REFUSED


class LockedError(LocalError):
    """The passphrase is missing or wrong."""

    code = "E-PASSPHRASE"
    exit = Exit.LOCKED


class StoreError(MeshError):
    """The store cannot be opened, read or written."""

    code = "E-STORE"


class TransportError(MeshError):
    """The network cannot be used as asked."""

    code = "E-NETWORK"


class Fault(StrEnum):
    """What a peer did wrong; the weight of each is in `mesh.node.links.budget`."""

    MALFORMED = "malformed"
    BAD_SIGNATURE = "bad-signature"
    UNREADABLE = "unreadable"
    OVER_LIMIT = "over-limit"
    AGAINST_RULES = "against-rules"
    UNASKED = "unasked"
    BROKEN_PROMISE = "broken-promise"


class RemoteError(MeshError):
    """A peer sent something that no honest node sends."""

    code = "E-REMOTE"

    def __init__(self, fault: Fault, what: str) -> None:
        super().__init__(what)
        self.fault = fault


def in_words(error: BaseException) -> MeshError | None:
    """Return the error in words that a group of exceptions comes to; None if there is anything else among them."""
    if isinstance(error, MeshError):
        return error
    if not isinstance(error, BaseExceptionGroup):
        return None
    told = [in_words(part) for part in error.exceptions]
    return None if None in told else told[0]
