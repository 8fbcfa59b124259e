"""py-libp2p's swarm with one door for each direction: a raw connection goes in, a proved stream comes out.

libp2p does what must never be written by hand: the Noise handshake that proves PeerIds, multistream-select,
Yamux. We enter its swarm by two public methods, `upgrade_outbound_raw_conn` and `upgrade_inbound_raw_conn`;
its own dialling, listening, connecting and pruning are left alone. No host stands around the swarm, so
identify, which tells strangers our addresses and version, does not exist here; nor do ping and the health
monitor, which cost a stream for each look (Yamux pings, and `raw` hears whether anything comes back). Noise
alone is offered, for libp2p's defaults would take plaintext too.

The first stream of an inbound connection that asks for `/support-mesh/1` is the one; any other is reset. What
peers make libp2p raise is caught here, for an exception in one of its tasks would end the whole swarm;
links never run inside its tasks.
"""

import logging
from typing import Final, cast
from weakref import WeakKeyDictionary

import trio
from libp2p.abc import IMuxedConn, INetStream
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.x25519 import X25519PrivateKey
from libp2p.custom_types import TProtocol
from libp2p.io.abc import ReadWriteCloser
from libp2p.network.config import ConnectionConfig, RetryConfig
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.network.stream.net_stream import NetStream
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.peer.peerstore import PeerStore
from libp2p.protocol_muxer.multiselect import Multiselect
from libp2p.protocol_muxer.multiselect_client import MultiselectClient
from libp2p.protocol_muxer.multiselect_communicator import MultiselectCommunicator
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from libp2p.security.noise.transport import Transport as Noise
from libp2p.stream_muxer.yamux.yamux import PROTOCOL_ID as YAMUX
from libp2p.stream_muxer.yamux.yamux import Yamux
from libp2p.tools.anyio_service import background_trio_service
from libp2p.transport.upgrader import TransportUpgrader
from multiaddr import Multiaddr

from mesh.errors import TransportError
from mesh.ids import Entropy, PeerId
from mesh.node.transports.base import BadAddress
from mesh.node.transports.quiet import WINDOW_BYTES_MAX
from mesh.node.transports.raw import RawStream
from mesh.phrases import phrase
from mesh.secret import Secret

log = logging.getLogger(__name__)

PROTOCOL: Final = TProtocol("/support-mesh/1")  # network.md §2
NEGOTIATE_S_MAX: Final = 10  # libp2p's own default for streams
NEGOTIATING_MAX: Final = 4  # streams that a caller may open in all: other software asks for identify first
CONNECTIONS_MAX: Final = 4096  # out of the way: our own limits are lower
HELD_BYTES_MAX: Final = 4 * WINDOW_BYTES_MAX  # a peer that keeps to its credit holds a quarter
STOP_S_MAX: Final = 2.0
_SOMEWHERE: Final = "/ip4/0.0.0.0/tcp/0"  # libp2p names its listener in logs; ours are not its own


class _Arrival:
    """Where the stream of an inbound connection is waited for. Holds it no longer than that, or both would stay."""

    def __init__(self) -> None:
        self.negotiating = 0
        self.over = False
        self.stream: NetStream | None = None
        self.here = trio.Event()


def libp2p_id(peer: PeerId) -> ID:
    """Return a PeerId as libp2p holds it; BadAddress if it is none."""
    try:
        return ID.from_string(peer)
    except ValueError as error:
        raise BadAddress(
            phrase("this does not name a node: {peer}", peer=peer),
            why="so nobody can be asked for",
            do="copy the address whole",
        ) from error


class SwarmDoors:
    """A swarm of our own identity. `run` it while its doors are used."""

    def __init__(self, seed: Secret, entropy: Entropy) -> None:
        keys = create_new_key_pair(seed.reveal())
        noise = Noise(keys, noise_privkey=X25519PrivateKey.from_bytes(entropy.draw(32)))
        self._id = ID.from_pubkey(keys.public_key)
        self._swarm = Swarm(
            self._id,
            PeerStore(),
            TransportUpgrader({NOISE: noise}, {TProtocol(YAMUX): Yamux}),
            transports=[],
            retry_config=RetryConfig(max_retries=0),
            connection_config=ConnectionConfig(
                min_connections=0,
                low_watermark=0,
                high_watermark=CONNECTIONS_MAX,
                max_connections=CONNECTIONS_MAX,
                max_connections_per_peer=CONNECTIONS_MAX,
            ),
        )
        self._swarm.notifees.clear()
        self._swarm.set_stream_handler(self._on_stream)
        self._multiselect = Multiselect({PROTOCOL: None})
        self._arrivals: WeakKeyDictionary[IMuxedConn, _Arrival] = WeakKeyDictionary()
        self._stop = trio.Event()

    @property
    def peer_id(self) -> PeerId:
        """Our PeerId, in base58."""
        return PeerId(self._id.to_base58())

    @property
    def connections(self) -> int:
        """How many connections the swarm believes that it has."""
        return len(self._swarm.get_connections())

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run the swarm until `stop`; TransportError if it ends before."""
        try:
            with trio.CancelScope() as scope:
                async with background_trio_service(self._swarm):
                    task_status.started()
                    await self._stop.wait()
                    scope.deadline = trio.current_time() + STOP_S_MAX
        except Exception as error:
            if not self._stop.is_set():
                raise TransportError(
                    "the network part of the node has failed",
                    why="so it can neither reach others nor be reached",
                    do="start the node again; if it comes back, please report it",
                ) from error
            log.debug("libp2p did not stop cleanly: %s", type(error).__name__)

    def stop(self) -> None:
        """End `run`. Cut the connections first: libp2p's farewells can wait for peers that are gone."""
        self._stop.set()

    async def outbound(self, raw: RawStream, peer: ID) -> NetStream:
        """Prove that `peer` is at the other end, and open the stream. Raises whatever libp2p does."""
        connection = await self._swarm.upgrade_outbound_raw_conn(_as_libp2p(raw, initiator=True), peer)
        self._guard(raw, connection.muxed_conn)
        stream = await connection.new_stream()
        await MultiselectClient().select_one_of([PROTOCOL], MultiselectCommunicator(stream), NEGOTIATE_S_MAX)
        return stream

    async def inbound(self, raw: RawStream) -> tuple[PeerId, NetStream]:
        """Learn who calls, and wait for the stream that they open. Raises whatever libp2p does."""
        muxed = await self._swarm.upgrade_inbound_raw_conn(_as_libp2p(raw, initiator=False), Multiaddr(_SOMEWHERE))
        self._guard(raw, muxed)
        arrival = self._arrival(muxed)
        try:
            await arrival.here.wait()
            assert arrival.stream is not None, "it is here"
            return PeerId(muxed.peer_id.to_base58()), arrival.stream
        finally:
            arrival.over = True
            arrival.stream = None

    async def _on_stream(self, stream: INetStream) -> None:
        """Take the first stream of a caller that asks for our protocol; never raise, for libp2p calls this."""
        arrival = self._arrival(stream.muxed_conn)
        try:
            if not stream.muxed_conn.is_initiator and arrival.negotiating < NEGOTIATING_MAX:
                arrival.negotiating += 1
                await self._multiselect.negotiate(MultiselectCommunicator(stream), NEGOTIATE_S_MAX)
                if not (arrival.over or arrival.here.is_set()):
                    arrival.stream = cast("NetStream", stream)  # the swarm makes no other
                    arrival.here.set()
                    return
            await stream.reset()
        except Exception as error:  # noqa: BLE001 - the edge to libp2p: one exception would end its swarm
            log.debug("a stream came to nothing: %s", type(error).__name__)

    def _arrival(self, muxed: IMuxedConn) -> _Arrival:
        return self._arrivals.setdefault(muxed, _Arrival())

    def _guard(self, raw: RawStream, muxed: IMuxedConn) -> None:
        """Let the raw connection see how much libp2p still holds: it takes all that a peer sends."""
        buffers = cast("Yamux", muxed).stream_buffers  # Yamux is the only muxer that we offer
        raw.overfull = lambda: sum(map(len, buffers.values())) > HELD_BYTES_MAX
        self._swarm.auto_connector.clear_all_cooldowns()  # it remembers everybody who ever left, for nothing


def _as_libp2p(raw: RawStream, *, initiator: bool) -> RawConnection:
    return RawConnection(cast("ReadWriteCloser", raw), initiator)  # it has the methods, and inherits nothing
