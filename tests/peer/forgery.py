"""Mallory's workshop: a member with a real node who knows all that it knows, and says what it would never say.

What is forged here is sealed and signed with Mallory's own keys and no others, as any member could, and goes straight
to the machine it is meant for.
"""

from mesh.events import FrameReceived, LinkKind
from mesh.gossip.sessions import pack
from mesh.groups.epochs import Draft, draft_epoch
from mesh.groups.group import Means
from mesh.groups.messaging import Wording, seal_message
from mesh.groups.operations import sign_op
from mesh.ids import DeviceId, GroupId, LinkId, OpId
from mesh.journal import Journal
from mesh.peer.links import Link
from mesh.wire.codec import encode
from mesh.wire.messages import Kind
from mesh.wire.operations import Body, OpTbs, OpType, SignedOp
from mesh.wire.sessions import SessionBody
from simulations.chance import SeededEntropy, SeededSealer
from simulations.people import Person
from simulations.world import START_WALL_MS


class Forger:
    """A member's keys in the hands of one who does not keep to the protocol."""

    def __init__(self, person: Person, gid: GroupId) -> None:
        self.person = person
        self.group = person.group(gid)
        self.entropy = SeededEntropy(person.world.seed, f"forger/{person.name}")
        self.sealer = SeededSealer(self.entropy)

    # ------------------------------------------------------------ handing over

    def tells(self, victim: Person, body: SessionBody) -> None:
        """Say something under the seal of the session with a victim."""
        link, far = self._link_to(victim)
        half = link.session(self.group.gid).out
        assert half is not None, "they have not proved themselves to each other"
        self._give(victim, far, LinkKind.SEALED, half.seal(self.entropy.draw(24), pack(body)))

    def hands(self, victim: Person, frame: bytes) -> None:
        """Push a frame to a victim."""
        self._give(victim, self._link_to(victim)[1], LinkKind.FRAME, frame)

    def _link_to(self, victim: Person) -> tuple[Link, LinkId]:
        peer = self.person.node.peer
        assert peer is not None
        ends = [(near, far) for near, (name, far) in self.person.node.links.items() if name == victim.name]
        assert ends, "they are not linked"
        near, far = ends[0]
        return peer.state.links[near], far

    def _give(self, victim: Person, link: LinkId, kind: LinkKind, payload: bytes) -> None:
        victim.world._give(victim.node, FrameReceived(link=link, kind=kind, payload=payload))

    # ------------------------------------------------------------ making

    def message(
        self,
        kind: Kind,
        body: bytes,
        *,
        epoch: OpId | None = None,
        uid: bytes = b"",
        ts_ms: int = START_WALL_MS,
    ) -> bytes:
        """Seal a message of any kind and content, under the epoch in use or an older one."""
        wording = Wording(uid=uid or self.entropy.draw(16), kind=kind, parents=(), ts_ms=ts_ms, flags=0, body=body)
        under = epoch or self.group.epoch
        assert under is not None
        return seal_message(self.group, under, wording, self.means()).frame

    def means(self) -> Means:
        """Return what sealing takes; what it would write goes nowhere."""
        return Means(entropy=self.entropy, sealer=self.sealer, journal=Journal(), wall_ms=START_WALL_MS)

    def draft(self, *recipients: DeviceId) -> Draft:
        """Make an epoch for these devices, or for all who are in."""
        devices = recipients or tuple(self.group.view.devices)
        return draft_epoch(
            gid=self.group.gid,
            suite=self.group.suite,
            recipients={dev: self.group.kem_of[dev][1] for dev in devices},
            kem_number=self.group.own.kem_number + 1,
            kem_pk=self.sealer.generate(self.group.suite)[1],
            entropy=self.entropy,
            sealer=self.sealer,
        )

    def operation(self, kind: OpType, body: Body) -> SignedOp:
        """Sign an operation on what Mallory has, without keeping it: the next one forks from it."""
        group, me = self.group, self.group.me
        assert me is not None
        gens = [op.tbs.gen for op in group.log.ops if op.op_id in group.log.heads]
        tbs = OpTbs(
            version=1,
            gid=group.gid,
            type=kind,
            dev=group.own.dev,
            dseq=group.own.dseq + 1,
            dprev=group.own.dprev,
            deps=sorted(group.log.heads),
            auth=me.grant,
            gen=1 + max(gens),
            body=encode(body),
        )
        return sign_op(tbs, group.own.dev_seed)
