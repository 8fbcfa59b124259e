"""One group as one member holds it: the log, the views, the epochs whose keys are here, and our own counters.

The state and the questions about it; what changes it stands beside it: `authoring` (what we write), `receiving` (what
others write) and `messaging` (what is said).
"""

from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from mesh.commands import Rank, Suite
from mesh.crypto.keys import public_key
from mesh.errors import Fault, RemoteError
from mesh.events import Space
from mesh.groups.epochs import choose_epoch, is_complete
from mesh.groups.operations import Operation, card_device, parse_op
from mesh.groups.oplog import OpLog
from mesh.groups.ratchet import Chain
from mesh.groups.records import (
    STRANDED_KEPT,
    ChainRecord,
    DeviceRecord,
    EpochRecord,
    KemRecord,
    OwnState,
    damaged,
    load,
)
from mesh.groups.waiting import Waiting
from mesh.ids import DeviceId, Entropy, GroupId, MemberPk, OpId, Sealer, TopicId
from mesh.journal import Journal
from mesh.membership.resolve import Views
from mesh.membership.views import Member, View
from mesh.wire.codec import encode
from mesh.wire.frames import topic_of
from mesh.wire.limits import KEM_NUMBER_RISE_MAX, SKIPPED_KEYS_GROUP_MAX
from mesh.wire.operations import AgreementBody, CreateBody, InviteBody, SignedOp, epoch_block


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a group needs from outside for one step: secrets, sealing, the journal, and the time on the wall."""

    entropy: Entropy
    sealer: Sealer
    journal: Journal
    wall_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """An invite that counts, with its terms. `joiners` are the distinct members that came in by it.

    `formers`: who of those that it names came in, by their key in the other group, and as whom.
    """

    op_id: OpId
    body: InviteBody
    issuer: MemberPk
    open: bool
    joiners: frozenset[MemberPk]
    let_in: frozenset[MemberPk]  # those of them whose admit counts
    formers: Mapping[MemberPk, MemberPk]

    @property
    def over_uses(self) -> bool:
        """Whether more came in by it than it was for: members who could not hear of each other admitted at once."""
        return len(self.let_in) > self.body.max_uses


class Group:
    """The state of one group. Built by `found`, `enter` (a welcome) or `restore` (the store)."""

    def __init__(self, own: OwnState) -> None:
        self.own = own
        self.log = OpLog()
        self.views = Views(self.log.graph)
        self.epochs: dict[OpId, EpochRecord] = {}
        self.forgotten: set[OpId] = set()
        self.chains: dict[tuple[OpId, DeviceId], Chain] = {}
        self.kems: dict[int, KemRecord] = {}
        self.kem_of: dict[DeviceId, tuple[int, bytes]] = {}
        self.devices: dict[DeviceId, DeviceRecord] = {}
        self.proved_ms: dict[DeviceId, int] = {}  # our clock when a device last proved itself over a link
        self.seen_by: dict[DeviceId, int] = {}  # mask of the operations that something a device signed builds on
        self.settings_at: OrderedDict[tuple[str, int], str] = OrderedDict()  # by key and mask: `groups.settings`
        self.agreement_at: OrderedDict[int, OpId] = OrderedDict()  # by mask: `groups.settings`
        self.pending = Waiting()
        self._skipped = 0  # keys that wait for messages that have not come, in all chains
        self._counted: Counter[OpId] = Counter()  # messages under each epoch, towards its replacement
        self._chosen: tuple[int, int, OpId | None] = (0, 0, None)
        self._invites: tuple[View, Mapping[OpId, Invite]] | None = None
        self._topics: dict[TopicId, OpId] = {}

    # ------------------------------------------------------------ restoring

    @staticmethod
    def restore(own: OwnState, rows: Mapping[Space, Mapping[bytes, bytes]]) -> "Group":
        """Build a group from its rows in the store; keys begin with the gid. StoreError if they are damaged."""
        group = Group(own)
        try:
            ops = [parse_op(load(SignedOp, value)) for value in rows[Space.OPS].values()]
            for op in sorted(ops, key=lambda o: (o.tbs.gen, o.op_id)):
                if group.log.missing(op):
                    raise RemoteError(Fault.AGAINST_RULES, "an operation without what it builds on")
                group.log.push(op)
                group.note_operation(op)
        except RemoteError as error:
            raise damaged("an operation") from error
        if not group.log.ops:
            raise damaged("a group without its first operation")
        for value in rows[Space.EPOCHS].values():
            record = load(EpochRecord, value)
            if record.pub_seed:
                group.hold_epoch(record)
            else:
                group.forgotten.add(record.op_id)
        for key, value in rows[Space.CHAINS].items():
            chain = Chain.from_record(load(ChainRecord, value))
            group.chains[OpId(key[32:64]), DeviceId(key[64:80])] = chain
            group._skipped += len(chain.skipped)
            group._counted[OpId(key[32:64])] += chain.counted
        for key, value in rows[Space.KEMS].items():
            group.kems[int.from_bytes(key[32:36], "big")] = load(KemRecord, value)
        for key, value in rows.get(Space.DEVICES, {}).items():
            group.devices[DeviceId(key[32:48])] = load(DeviceRecord, value)
        return group

    # ------------------------------------------------------------ questions

    @property
    def gid(self) -> GroupId:
        """The group's id, 32 B."""
        return self.own.gid

    @property
    def suite(self) -> Suite:
        """How epoch secrets are sealed here."""
        return self.own.suite

    @property
    def founding(self) -> CreateBody:
        """The body of the operation that made the group."""
        body = self.log.ops[0].body
        assert isinstance(body, CreateBody)
        return body

    @property
    def agreement(self) -> tuple[int, str]:
        """The agreement in force: its version and text."""
        body = self.log.operation(self.view.agreement).body
        if isinstance(body, AgreementBody):
            return body.version, body.text
        return 1, self.founding.agreement

    @property
    def view(self) -> View:
        """The group as all known operations have it."""
        return self.views.of(self.log.graph.everything)

    def view_of(self, mask: int) -> View:
        """Return the view of a downward-closed mask, from the cache where it was asked for before."""
        return self.views.of(mask)

    @property
    def me(self) -> Member | None:
        """Ourselves as the group sees us now, or None if we are not in, or this device of ours is not."""
        return None if self.own.dev not in self.view.devices else self.view.members.get(self.own.member_pk)

    @property
    def rank(self) -> Rank:
        """Our rank now; NEWCOMER also where we are not in, which allows nothing by itself."""
        me = self.me
        return Rank.NEWCOMER if me is None else me.rank

    @property
    def others(self) -> list[MemberPk]:
        """Everybody in the group but ourselves, sorted."""
        return sorted(pk for pk in self.view.members if pk != self.own.member_pk)

    @property
    def invites(self) -> Mapping[OpId, Invite]:
        """The invites that count, open or closed, oldest first."""
        view = self.view
        if self._invites is None or self._invites[0] is not view:
            self._invites = view, {op_id: self._invite(op_id) for op_id in view.invites}
        return self._invites[1]

    def _invite(self, op_id: OpId) -> Invite:
        shown, body = self.view.invites[op_id], self.log.operation(op_id).body
        assert isinstance(body, InviteBody)
        graph = self.log.graph
        admits = [entry.act for entry in graph.entries(graph.admits_under(op_id, self.log.everything))]
        return Invite(
            op_id=op_id,
            body=body,
            issuer=shown.issuer,
            let_in=graph.joiners(op_id, self.view.valid),
            open=shown.open,
            joiners=frozenset(act.subject for act in admits),
            formers={act.former: act.subject for act in admits if act.former is not None},
        )

    @property
    def epoch(self) -> OpId | None:
        """The epoch to send under now, or None if one must be made first."""
        known = self.log.everything, len(self.epochs)
        if self._chosen[:2] != known:
            speakable = [op_id for op_id, record in self.epochs.items() if not record.is_retired]
            self._chosen = *known, choose_epoch(self.log, self.view, speakable, self.stranded)
        return self._chosen[2]

    @property
    def epoch_is_complete(self) -> bool:
        """Whether the epoch to send under leaves nobody out."""
        chosen = self.epoch
        return chosen is not None and is_complete(self.log, self.view, chosen, self.stranded)

    @property
    def stranded(self) -> frozenset[OpId]:
        """The epochs of which a device that is in says that it cannot open them."""
        devices = self.view.devices
        return frozenset(op_id for dev, known in self.devices.items() if dev in devices for op_id in known.stranded)

    @property
    def topics(self) -> Mapping[TopicId, OpId]:
        """The topics of all epochs whose keys are here, and their epochs."""
        return self._topics

    def newest_epochs(self) -> list[EpochRecord]:
        """Return the epochs held here, the one with the highest gen first."""

        def age(record: EpochRecord) -> tuple[int, OpId]:
            op = self.log.get(record.op_id)
            return (0 if op is None else -op.tbs.gen, record.op_id)

        return sorted(self.epochs.values(), key=age)

    def recipients(self, epoch: OpId) -> frozenset[DeviceId]:
        """Return the devices that were given the secret of an epoch."""
        entry = self.log.graph.entry(epoch)
        return frozenset() if entry is None else frozenset(entry.act.recipients or ())

    def counted(self, epoch: OpId) -> int:
        """Return how many messages seen under an epoch count towards its replacement."""
        return self._counted[epoch]

    # ------------------------------------------------------------ shared changes

    def hold_epoch(self, record: EpochRecord) -> None:
        """Keep an epoch's keys and listen on its topic."""
        self.epochs[record.op_id] = record
        self._topics[topic_of(public_key(record.pub_seed))] = record.op_id

    def note_operation(self, op: Operation) -> None:
        """Learn what its author had seen, and the KEM keys that it brings: the highest number wins (protocol.md §3).

        However far it leaps: operations reach everybody, each after its device's earlier ones, so what they say of a
        device's keys is the same on every node.
        """
        self.note_seen(op.tbs.dev, [op.op_id])
        if op.card is not None:
            self._learn_kem(card_device(op.card), 0, op.card.kem_pk)
        block = epoch_block(op.body)
        if block is not None:
            self._learn_kem(op.tbs.dev, block.kem_number, block.kem_pk)

    def note_seen(self, dev: DeviceId, heads: Sequence[OpId]) -> None:
        """Learn from something that a device signed which operations it has; unknown ones say nothing."""
        self.seen_by[dev] = self.seen_by.get(dev, 0) | (self.log.closure(heads) or 0)

    def note_kem(self, dev: DeviceId, number: int, kem_pk: bytes) -> bool:
        """Learn a device's KEM key from a message; return whether it is believed.

        A number that leaps is not: one who held the device for a moment could use all numbers up.
        """
        known = self.kem_of.get(dev)
        if known is not None and number > known[0] + KEM_NUMBER_RISE_MAX:
            return False
        self._learn_kem(dev, number, kem_pk)
        return True

    def _learn_kem(self, dev: DeviceId, number: int, kem_pk: bytes) -> None:
        known = self.kem_of.get(dev)
        if known is None or number > known[0] or (number == known[0] and kem_pk < known[1]):
            self.kem_of[dev] = (number, kem_pk)

    def date_kem(self, dev: DeviceId, means: Means) -> None:
        """Note that a device's newest KEM key is here from now on, if it is another than before."""
        number = self.kem_of[dev][0]
        known = self.devices.get(dev)
        if known is None or known.kem_number != number:
            stranded = [] if known is None else known.stranded
            record = DeviceRecord(
                since_ms=means.wall_ms if known is None else known.since_ms,
                kem_number=number,
                kem_ms=means.wall_ms,
                stranded=stranded,
            )
            self._save_device(dev, record, means.journal)

    def note_stranded(self, dev: DeviceId, epoch: OpId, journal: Journal) -> None:
        """Note that a device says that it cannot open an epoch; of many, only its newest words are kept."""
        known = self.devices.get(dev) or DeviceRecord(since_ms=0, kem_number=0, kem_ms=0, stranded=[])
        words = [*(op_id for op_id in known.stranded if op_id != epoch), epoch][-STRANDED_KEPT:]
        self._save_device(dev, replace(known, stranded=words), journal)
        self._chosen = (0, 0, None)

    def _save_device(self, dev: DeviceId, record: DeviceRecord, journal: Journal) -> None:
        self.devices[dev] = record
        journal.put(Space.DEVICES, self.gid + dev, encode(record))

    def save_kem(self, number: int, record: KemRecord, journal: Journal) -> None:
        """Keep a KEM key of ours."""
        self.kems[number] = record
        journal.put(Space.KEMS, self.gid + number.to_bytes(4, "big"), encode(record))
        journal.make_durable()

    def drop_kem(self, number: int, journal: Journal) -> None:
        """Forget a KEM key of ours for good."""
        del self.kems[number]
        journal.delete(Space.KEMS, self.gid + number.to_bytes(4, "big"))

    def kem_pairs(self) -> list[tuple[bytes, bytes]]:
        """Return our KEM keys as (public, private), newest first."""
        return [(k.public, k.private) for _, k in sorted(self.kems.items(), reverse=True)]

    def set_own(self, journal: Journal, **changes: object) -> None:
        """Replace fields of our own state and write it, to survive a power cut."""
        self.own = replace(self.own, **changes)
        journal.put(Space.GROUPS, self.gid, encode(self.own))
        journal.make_durable()

    def save_chain(self, epoch: OpId, dev: DeviceId, chain: Chain, journal: Journal) -> None:
        """Keep a ratchet as it now stands."""
        self._put_chain(epoch, dev, chain, journal)
        while self._skipped > SKIPPED_KEYS_GROUP_MAX:
            self._drop_skipped(journal)

    def _put_chain(self, epoch: OpId, dev: DeviceId, chain: Chain, journal: Journal) -> None:
        before = self.chains.get((epoch, dev))
        self._skipped += len(chain.skipped) - (0 if before is None else len(before.skipped))
        self._counted[epoch] += chain.counted - (0 if before is None else before.counted)
        self.chains[epoch, dev] = chain
        journal.put(Space.CHAINS, self.gid + epoch + dev, encode(chain.to_record()))

    def _drop_skipped(self, journal: Journal) -> None:
        """Give up the keys that wait for the device of which most are waited for, in its oldest epoch (protocol.md §7).

        Whoever leaps over thousands of numbers loses their own messages by it, and nobody else's.
        """
        ages = {record.op_id: place for place, record in enumerate(reversed(self.newest_epochs()))}
        waiting = [key for key, chain in self.chains.items() if chain.skipped]
        held: Counter[DeviceId] = Counter()
        for key in waiting:
            held[key[1]] += len(self.chains[key].skipped)
        epoch, dev = min(waiting, key=lambda key: (-held[key[1]], key[1], ages.get(key[0], -1)))
        chain = self.chains[epoch, dev]
        self._put_chain(epoch, dev, Chain(i=chain.i, key=chain.key, counted=chain.counted), journal)

    def retire_epoch(self, epoch: OpId, journal: Journal) -> None:
        """Forget what opens an epoch's operations and messages; what is left finds members and opens nothing."""
        self.epochs[epoch] = replace(self.epochs[epoch], op_key=b"", hdr_key=b"")
        self._chosen = (0, 0, None)
        self.save_epoch(self.epochs[epoch], journal)
        for key in [key for key in self.chains if key[0] == epoch]:
            self._skipped -= len(self.chains.pop(key).skipped)
            journal.delete(Space.CHAINS, self.gid + key[0] + key[1])
        self._counted.pop(epoch, None)

    def drop_epoch(self, epoch: OpId, journal: Journal) -> None:
        """Forget an epoch but for its name, so that we do not ask for its keys again."""
        record = self.epochs.pop(epoch)
        self._topics.pop(topic_of(public_key(record.pub_seed)), None)
        self.forgotten.add(epoch)
        self.save_epoch(replace(record, pub_seed=b"", sync_key=b""), journal)

    def lacks_epoch(self, epoch: OpId) -> bool:
        """Say whether an epoch's keys are not here and were not forgotten either."""
        return epoch not in self.epochs and epoch not in self.forgotten

    def save_epoch(self, record: EpochRecord, journal: Journal) -> None:
        """Write an epoch's keys."""
        journal.put(Space.EPOCHS, self.gid + record.op_id, encode(record))
