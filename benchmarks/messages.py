"""Sealing and opening 256 B beside vodozemac's Megolm and mls-rs, round by round in one sitting.

Three ways of ours: `bare` is what Megolm does too (a step of the ratchet, the author's signature, an AEAD); `with
everything` is a message as it goes out and comes in, with its record, padding, header, outer signature and what is
written of it; `its Ed25519 alone` is what the library needs for the signatures of the latter, so that one sees how much
could be won at all. The peer is run as a process of its own and never becomes part of this program. Times are of the
processor, not of the wall: others may use this machine. Ratios are of rates, the median of the rounds.
"""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from benchmarks.report import Figure
from benchmarks.timing import busy_ms
from mesh.commands import CreateGroup, Suite
from mesh.crypto.keys import NONCE_BYTES, SIGNATURE_BYTES, decrypt, encrypt, public_key, sign, verify, verify_shared
from mesh.groups.authoring import found
from mesh.groups.group import Group, Means
from mesh.groups.messaging import OpenedMessage, Wording, open_message, seal_message, take_in
from mesh.groups.ratchet import Chain
from mesh.journal import Journal
from mesh.node.chance import HpkeSealer, OsEntropy
from mesh.secret import Secret
from mesh.wire.frames import parse_frame, verify_frame
from mesh.wire.messages import Kind

TEXT: Final = b"x" * 256
ROUNDS: Final = 31
MESSAGES: Final = 250  # a round is long enough to get warm, and short enough that a busy moment spoils few
SEED: Final = bytes(range(32))
VODOZEMAC: Final = """
import sys, time, vodozemac
text = b"x" * 256
for line in sys.stdin:
    out = vodozemac.GroupSession()
    into = vodozemac.InboundGroupSession(out.session_key)
    began = time.process_time()
    sealed = [out.encrypt(text) for _ in range(int(line))]
    half = time.process_time()
    for message in sealed:
        into.decrypt(message)
    print(1000 * (half - began), 1000 * (time.process_time() - half), flush=True)
"""
MLS: Final = """
import sys, time, mls_rs_uniffi as mls
text, suite = b"x" * 256, list(mls.CipherSuite)[0]
def client(name):
    keys = mls.generate_signature_keypair(suite)
    return mls.Client(name, keys, mls.client_config_default())
clients = [client(b"node %d" % k) for k in range(8)]
out = clients[0].create_group(None)
added = out.add_members([one.generate_key_package_message() for one in clients[1:]])
out.process_incoming_message(added.commit_message)
welcome = added.welcome_messages[0] if hasattr(added, "welcome_messages") else added.welcome_message
into = clients[1].join_group(getattr(added, "ratchet_tree", None), welcome).group
for line in sys.stdin:
    began = time.process_time()
    sealed = [out.encrypt_application_message(text) for _ in range(int(line))]
    half = time.process_time()
    for message in sealed:
        into.process_incoming_message(message)
    print(1000 * (half - began), 1000 * (time.process_time() - half), flush=True)
"""
PEERS: Final = {"Megolm": VODOZEMAC, "mls-rs": MLS}
MLS_BAR: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way of sealing and opening `MESSAGES` texts, and the bars that it is held against (None: none)."""

    name: str
    seal: Callable[[], list[bytes]]
    open: Callable[[list[bytes]], None]
    bars: tuple[float | None, float | None] = (None, None)  # parts of Megolm's rates, to be reached
    mls_bar: float | None = None  # of mls-rs's


@dataclass(slots=True, kw_only=True)
class Taken:
    """How long each round took in ms, ours and each peer's that was there in the same round; `bars`: by peer."""

    what: str
    bars: dict[str, float]
    ours: list[float]
    theirs: dict[str, list[float]]

    def figures(self) -> list[Figure]:
        """Return its figures: texts in a second, and that as a part of each peer's in the same round."""
        found = [Figure(name=self.what, unit="/s", values=[1000 * MESSAGES / ms for ms in self.ours])]
        for peer, theirs in self.theirs.items():
            ratios = [their_ms / our_ms for our_ms, their_ms in zip(self.ours, theirs, strict=True)]
            found.append(Figure(name=f"{self.what}, of {peer}'s", unit="×", values=ratios, bar=self.bars.get(peer)))
        return found


def means() -> Means:
    """What a step needs, with the real sealer."""
    return Means(entropy=OsEntropy(), sealer=HpkeSealer(), journal=Journal(), wall_ms=1)


def founded() -> Group:
    """A group of one."""
    command = CreateGroup(
        name="bench",
        about="",
        topics=(),
        agreement="",
        alias="wren",
        suite=Suite.CLASSIC,
        settings=(),
        join_nonce=bytes(32),
        member_seed=Secret(b"m" * 32),
    )
    return found(command, means())


def bare() -> Way:
    """The product's own ratchet, signature and AEAD over the text, and nothing around them."""
    public, entropy = public_key(SEED), OsEntropy()

    def seal() -> list[bytes]:
        chain, sealed = Chain(key=SEED), []
        for _ in range(MESSAGES):
            key, chain = chain.take(chain.i)
            nonce = entropy.draw(NONCE_BYTES)
            sealed.append(nonce + encrypt(key, nonce, b"", TEXT + sign(SEED, TEXT)))
        return sealed

    def opening(sealed: list[bytes]) -> None:
        chain = Chain(key=SEED)
        for one in sealed:
            key, chain = chain.take(chain.i)
            signed = decrypt(key, one[:NONCE_BYTES], b"", one[NONCE_BYTES:])
            verify(public, signed[:-SIGNATURE_BYTES], signed[-SIGNATURE_BYTES:])

    return Way(name="bare", seal=seal, open=opening, bars=(0.8, 0.65), mls_bar=MLS_BAR)


def everything() -> Way:
    """Posts of a group of one, as they go out and come in."""
    group = founded()
    epoch = group.epoch
    assert epoch is not None
    place, seed = (epoch, group.own.dev), group.epochs[epoch].pub_seed
    first = group.chains[place]

    def seal() -> list[bytes]:
        group.chains[place], step = first, means()
        return [
            seal_message(
                group,
                epoch,
                Wording(uid=k.to_bytes(16, "big"), kind=Kind.POST, parents=(), ts_ms=1, flags=0, body=TEXT),
                step,
            ).frame
            for k in range(MESSAGES)
        ]

    def opening(frames: list[bytes]) -> None:
        group.chains[place], step = first, means()
        for raw in frames:
            frame = parse_frame(raw)
            verify_frame(frame, seed)
            opened = open_message(group, frame, epoch)
            assert isinstance(opened, OpenedMessage)
            take_in(group, opened, step)

    return Way(name="with everything", seal=seal, open=opening, bars=(0.4, 0.35))


def signatures_alone(inner: int, outer: int) -> Way:
    """The two signatures of a message over as many bytes as it has, and their checks."""
    texts = bytes(inner), bytes(outer)
    public = public_key(SEED)

    def seal() -> list[bytes]:
        return [sign(SEED, text) for _ in range(MESSAGES) for text in texts]

    def opening(made: list[bytes]) -> None:
        for k in range(0, len(made), 2):
            verify(public, texts[0], made[k])
            verify_shared(SEED, texts[1], made[k + 1])

    return Way(name="its Ed25519 alone", seal=seal, open=opening)


def measure(ways: list[Way], pythons: dict[str, str]) -> list[Taken]:
    """Let each way take its turn in each round, and each peer for which there is a Python that has it."""
    taken = [
        Taken(what=f"256 B {act}, {way.name}", bars=_bars(bar, way.mls_bar), ours=[], theirs={p: [] for p in pythons})
        for way in ways
        for act, bar in zip(("sealed", "opened"), way.bars, strict=True)
    ]
    peers = {
        name: subprocess.Popen([python, "-c", PEERS[name]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name, python in pythons.items()
    }
    for _ in range(ROUNDS):
        for k, way in enumerate(ways):
            ours = _round(way)
            theirs = {name: _round_of(peer) for name, peer in peers.items()}
            for one in range(2):
                taken[2 * k + one].ours.append(ours[one])
                for name, times in theirs.items():
                    taken[2 * k + one].theirs[name].append(times[one])
    for peer in peers.values():
        peer.communicate()
    return taken


def _bars(megolm: float | None, mls: float | None) -> dict[str, float]:
    return {name: bar for name, bar in (("Megolm", megolm), ("mls-rs", mls)) if bar is not None}


def _round(way: Way) -> tuple[float, float]:
    sealed: list[bytes] = []
    return busy_ms(lambda: sealed.extend(way.seal())), busy_ms(lambda: way.open(sealed))


def _round_of(peer: "subprocess.Popen[str]") -> tuple[float, float]:
    assert peer.stdin is not None
    assert peer.stdout is not None
    peer.stdin.write(f"{MESSAGES}\n")
    peer.stdin.flush()
    seal, opening = map(float, peer.stdout.readline().split())
    return seal, opening


def measure_messages(pythons: dict[str, str]) -> list[Figure]:
    """Measure all three ways; `pythons`: an interpreter for each peer of `PEERS` that is there."""
    full = everything()
    outer = len(full.seal()[0])
    taken = measure([bare(), full, signatures_alone(len(TEXT) + 256, outer)], pythons)
    return [figure for one in taken for figure in one.figures()]
