"""A hand-driven end of a link: says whatever a test wants it to say, and reads what the other end answers.

The victim is a real node in a world; the liar stands outside, with as many true keys as the test gives it.
"""

from collections.abc import Sequence

from mesh.crypto.keys import sign
from mesh.errors import Fault
from mesh.events import Blame, Effect, FrameReceived, Input, LinkDown, LinkKind, LinkUp, Send, SendStored
from mesh.gossip.sessions import Ends, HalfSession, half_session, pack, proof_statement, unpack
from mesh.gossip.topics import TopicTable
from mesh.groups.group import Group
from mesh.ids import DeviceId, LinkId, OpId, PeerId, TopicId
from mesh.wire.codec import encode
from mesh.wire.sessions import ProofBody, SessionBody
from simulations.people import Person
from simulations.world import Node

_FIRST_LINK = 1_000_000


class Liar:
    """Somebody on a link to `victim`; `effects` is all that the victim did since the link stands, in order."""

    def __init__(self, victim: Person, number: int = 0) -> None:
        self.victim = victim
        self.link = LinkId(_FIRST_LINK + number)
        own_nonce, peer_nonce = bytes([number]) * 31 + b"l", bytes([number]) * 31 + b"v"
        self.ends = Ends(
            speaker_nonce=own_nonce,
            hearer_nonce=peer_nonce,
            speaker=PeerId(f"liar-{number}"),
            hearer=victim.node.peer_id,
        )
        self.table = TopicTable(own_nonce, peer_nonce)
        self.effects: list[Effect] = []
        self.out: HalfSession | None = None
        victim.world.watchers.append(self._watch)
        self._give(
            LinkUp(
                link=self.link,
                peer=self.ends.speaker,
                own=victim.node.peer_id,
                own_nonce=peer_nonce,
                peer_nonce=own_nonce,
                outbound=False,
            )
        )

    def _watch(self, node: Node, event: Input, effects: list[Effect]) -> None:
        del event
        if node is self.victim.node:
            self.effects.extend(effects)

    def _give(self, event: Input) -> None:
        self.victim.world._give(self.victim.node, event)

    # ------------------------------------------------------------ saying

    def say(self, kind: int, payload: bytes) -> list[Effect]:
        """Send one frame; return what the victim did at once."""
        before = len(self.effects)
        self._give(FrameReceived(link=self.link, kind=kind, payload=payload))
        return self.effects[before:]

    def hang_up(self) -> None:
        """End the link."""
        self._give(LinkDown(link=self.link))

    def announce(self, topics: Sequence[TopicId]) -> list[Effect]:
        """Say that we listen on these topics too."""
        payload, _ = self.table.announce(topics)
        assert payload is not None
        return self.say(LinkKind.TOPICS, payload)

    def half(self, group: Group, epoch: OpId) -> HalfSession:
        """Derive what we seal with, from an epoch whose keys `group` holds."""
        topic = next(topic for topic, known in group.topics.items() if known == epoch)
        return half_session(self.table.own_tag(topic), group.epochs[epoch].sync_key, self.ends)

    def prove(
        self, group: Group, epoch: OpId, *, dev: DeviceId | None = None, seed: bytes | None = None
    ) -> list[Effect]:
        """Prove that we know an epoch, and claim to be a device: by default `group`'s own, truly."""
        self.out = self.half(group, epoch)
        statement = proof_statement(group.gid, self.ends)
        proof = ProofBody(dev=dev or group.own.dev, sig=sign(seed or group.own.dev_seed, statement))
        return self.say(LinkKind.PROOF, self.out.seal(b"n" * 24, encode(proof)))

    def tell(self, body: SessionBody) -> list[Effect]:
        """Say something under the session's seal."""
        assert self.out is not None, "prove something first"
        return self.say(LinkKind.SEALED, self.out.seal(b"m" * 24, pack(body)))

    # ------------------------------------------------------------ reading

    @property
    def heard(self) -> list[Send]:
        """What the victim sent us."""
        return [effect for effect in self.effects if isinstance(effect, Send) and effect.link == self.link]

    @property
    def frames(self) -> list[bytes]:
        """The frames that the victim sent us, stored ones included by their keys' count."""
        return [send.payload for send in self.heard if send.kind is LinkKind.FRAME]

    @property
    def offered(self) -> list[bytes]:
        """The keys of stored frames that the victim sent us."""
        stored = [e for e in self.effects if isinstance(e, SendStored) and e.link == self.link]
        return [key for effect in stored for key in effect.keys]

    def said(self, group: Group) -> list[SessionBody]:
        """Open what the victim told us under the seals that `group` can derive."""
        halves: dict[bytes, HalfSession] = {}
        for topic, epoch in group.topics.items():
            victim = TopicTable(self.ends.hearer_nonce, self.ends.speaker_nonce)
            tag = victim.own_tag(topic)
            halves[tag] = half_session(tag, group.epochs[epoch].sync_key, self.ends.turned())
        sealed = [send.payload for send in self.heard if send.kind is LinkKind.SEALED]
        return [unpack(halves[payload[:8]].open(payload)) for payload in sealed]

    @property
    def faults(self) -> list[Fault]:
        """What the victim held against us."""
        return [effect.fault for effect in self.effects if isinstance(effect, Blame) and effect.link == self.link]
