"""One device's symmetric ratchet in one epoch (protocol.md §6–7).

CK_i gives MK_i and CK_{i+1}, and is then forgotten, so that a key in hand opens nothing earlier. Messages may come
out of order: keys that were passed over wait, at most 4,096 of a chain. Chains are values: opening works on a copy,
and only what verified is kept, so a forged message cannot move the ratchet.
"""

from dataclasses import dataclass, field

from mesh.errors import Fault, RemoteError
from mesh.groups.records import ChainRecord, SkippedKey
from mesh.groups.schedule import message_key, next_chain_key
from mesh.wire import limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A ratchet: `key` is CK_i (32 B) for the next `i`; `skipped` maps passed-over i to MK_i.

    `counted`: its messages that count towards the epoch's replacement; whoever takes a key says whether it did.
    """

    i: int = 0
    key: bytes = field(repr=False)
    skipped: dict[int, bytes] = field(default_factory=dict, repr=False)
    counted: int = 0

    def take(self, i: int) -> "tuple[bytes, Chain]":
        """Return MK_i (32 B) and the chain without it.

        RemoteError(UNASKED) if that key is gone: the message was opened before, or dropped as too old.
        RemoteError(OVER_LIMIT) past the end of a chain.
        """
        if i >= limits.CHAIN_LENGTH_MAX:
            raise RemoteError(Fault.OVER_LIMIT, "a message number past the end of its chain")
        if i < self.i:
            if i not in self.skipped:
                raise RemoteError(Fault.UNASKED, "a message that was opened before")
            rest = {k: mk for k, mk in self.skipped.items() if k != i}
            return self.skipped[i], Chain(i=self.i, key=self.key, skipped=rest, counted=self.counted)
        key, skipped = self.key, self.skipped
        if i > self.i:
            skipped = dict(skipped)
            for k in range(self.i, i):
                skipped[k] = message_key(key, k)
                key = next_chain_key(key)
        return message_key(key, i), Chain(i=i + 1, key=next_chain_key(key), skipped=skipped, counted=self.counted)

    def with_one_more(self) -> "Chain":
        """Return it with the message whose key was taken last counted towards the epoch's replacement."""
        return Chain(i=self.i, key=self.key, skipped=self.skipped, counted=self.counted + 1)

    def to_record(self) -> ChainRecord:
        """Return it as it is stored."""
        skipped = [SkippedKey(i=i, key=mk) for i, mk in self.skipped.items()]
        return ChainRecord(i=self.i, key=self.key, skipped=skipped, counted=self.counted)

    @staticmethod
    def from_record(record: ChainRecord) -> "Chain":
        """Read it back."""
        skipped = {s.i: s.key for s in record.skipped}
        return Chain(i=record.i, key=record.key, skipped=skipped, counted=record.counted)
