"""What a group keeps in the store, as records: our own state in it, epochs, ratchets, KEM keys.

They are encoded like wire records but come from our own disk: one that does not decode is damage, not an attack.
"""

from typing import Annotated, Final, TypeVar

from msgspec import Meta

from mesh.commands import Rank, Suite
from mesh.errors import RemoteError, StoreError
from mesh.phrases import Words, own, phrase
from mesh.wire import shapes
from mesh.wire.codec import Record, decode

T = TypeVar("T")
_RECORD_BYTES_MAX = 16 * 1024 * 1024
STRANDED_KEPT: Final = 8  # epochs at the edge of a log that one device cannot open; ours


def load(kind: type[T], data: bytes) -> T:
    """Decode a record from the store; StoreError if it is damaged."""
    try:
        return decode(kind, data, bytes_max=_RECORD_BYTES_MAX)
    except RemoteError as error:
        raise damaged(phrase("a {record}", record=kind.__name__)) from error


def damaged(what: Words) -> StoreError:
    """Return the error for something in the store that cannot be what was written."""
    return StoreError(
        phrase("the store holds {what} that cannot be read", what=own(what)),
        why="the file was damaged, or written by another version of this program",
        do="use the version that wrote it, restore a copy of the home, or start anew and ask for an invite",
        code="E-STORE-DAMAGED",
    )


class OwnState(Record, frozen=True):
    """Ourselves in one group. The member key is not here: only its public half, and what derives it."""

    gid: shapes.Group
    suite: Suite
    join_nonce: shapes.Bytes32
    member_pk: shapes.Member
    dev: shapes.Device
    dev_seed: shapes.Bytes32
    kem_number: shapes.KemNumber  # of our newest KEM key
    dseq: shapes.MseqOrNone  # our last operation's number; 0: none yet
    dprev: shapes.Op
    mseq: shapes.MseqOrNone  # our last message's number
    prev: shapes.Msg
    spoke_ms: shapes.Millis  # when we last signed anything (wall clock); 0: not yet
    draft: shapes.MseqOrNone  # number of the last draft
    left: bool  # we left; the group is only history
    wipe: bool  # forget it all once one member has our leave
    cut_off: bool  # an epoch was made that we were given no key for
    rank_seen: Rank  # what the person was last told
    settings: list[Annotated[list[str], Meta(min_length=2, max_length=2)]]  # our own, for this group
    confirmed: bool  # whoever let us in is not the only one who has said who is in
    wants_history: bool  # members are asked to hand on what we hold no key for
    handed_by: list[shapes.Member]  # who has given all that they may
    declined: list[shapes.Op]  # offers of a successor of which the person does not want to be reminded
    granted: Annotated[bytes, Meta(max_length=32)]  # the grant that gives our rank; empty: none counted yet
    granted_ms: shapes.Millis  # when it first counted here, by our clock
    erased: list[shapes.Member]  # who left without a trace, and of whom nothing that was said is here any more

    def settings_map(self) -> dict[str, str]:
        """Return our own settings by key."""
        return dict(self.settings)


class EpochRecord(Record, frozen=True):
    """An epoch's long-lived keys; chains are kept apart, one record a device."""

    op_id: shapes.Op
    op_key: Annotated[bytes, Meta(max_length=32)]  # this and the next are empty once the epoch is retired
    hdr_key: Annotated[bytes, Meta(max_length=32)]
    pub_seed: Annotated[bytes, Meta(max_length=32)]  # and these two, too, once it is forgotten
    sync_key: Annotated[bytes, Meta(max_length=32)]
    since_ms: shapes.Millis  # wall clock when it came here

    @property
    def is_retired(self) -> bool:
        """Whether what was said under it can be opened here no more."""
        return not self.hdr_key


class SkippedKey(Record, frozen=True):
    """The key of a message that has not come yet."""

    i: shapes.Count
    key: shapes.Bytes32


class ChainRecord(Record, frozen=True):
    """A device's ratchet in an epoch: CK_i for the next `i`, and the keys of those that were skipped."""

    i: shapes.Count
    key: shapes.Bytes32
    skipped: list[SkippedKey]
    counted: shapes.Count  # its messages that count towards the epoch's replacement


class KemRecord(Record, frozen=True):
    """A KEM private key. Times are of the wall clock; 0: not yet."""

    private: bytes
    public: shapes.KemPk
    made_ms: shapes.Millis
    used_ms: shapes.Millis  # when a secret first came to us since it was the newest
    replaced_ms: shapes.Millis  # when its successor was published


class DeviceRecord(Record, frozen=True):
    """What is known of a device beside what it wrote: times are of our clock: it, and its newest KEM key, came here."""

    since_ms: shapes.Millis
    kem_number: shapes.KemNumber
    kem_ms: shapes.Millis
    stranded: Annotated[
        list[shapes.Op], Meta(max_length=STRANDED_KEPT)
    ]  # epochs that it says it cannot open, newest last


class InviteRecord(Record, frozen=True):
    """An invite of our own: the code's seed lets us show the code again."""

    seed: shapes.Bytes16
    note: str
    addresses: list[str]
