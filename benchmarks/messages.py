"""Sealing and opening 256 B beside vodozemac's Megolm, round by round in one sitting.

Three ways of ours: `bare` is what Megolm does too (a step of the ratchet, the author's signature, an AEAD); `with
everything` is a message as it goes out and comes in, with its record, padding, header, outer signature and what is
written of it; `its Ed25519 alone` is what the library needs for the signatures of the latter, so that one sees how much
could be won at all. The peer is run as a process of its own and never becomes part of this program. Times are of the
processor, not of the wall: others may use this machine. Ratios are of rates, the median of the rounds.
"""

import statistics
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from benchmarks.figures import busy_ms
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way of sealing and opening `MESSAGES` texts, and the bars that it is held against (None: none)."""

    name: str
    seal: Callable[[], list[bytes]]
    open: Callable[[list[bytes]], None]
    bars: tuple[float | None, float | None] = (None, None)


@dataclass(slots=True, kw_only=True)
class Taken:
    """How long each round took in ms, and Megolm's in the same round (empty: it was not there)."""

    what: str
    bar: float | None
    ours: list[float]
    megolm: list[float]

    @property
    def rate(self) -> float:
        """Texts in a second."""
        return 1000 * MESSAGES / statistics.median(self.ours)

    @property
    def ratio(self) -> float | None:
        """Our rate as a part of Megolm's."""
        if not self.megolm:
            return None
        return statistics.median(theirs / ours for ours, theirs in zip(self.ours, self.megolm, strict=True))

    def kept(self) -> dict[str, str | float | None]:
        """Return what is written down of it."""
        ratio = None if self.ratio is None else round(self.ratio, 2)
        return {"name": self.what, "rate_per_s": round(self.rate), "of_megolm": ratio, "bar": self.bar}

    def line(self) -> str:
        """Say it in one line."""
        said = f"{self.what:<40} {self.rate:9,.0f}/s"
        if self.ratio is not None:
            said += f"   {self.ratio:.2f} of Megolm's"
        if self.ratio is not None and self.bar is not None:
            said += f"   bar {self.bar:.2f}  {'met' if self.ratio >= self.bar else 'MISSED'}"
        return said


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

    return Way(name="bare", seal=seal, open=opening, bars=(0.8, 0.65))


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


def measure(ways: list[Way], python: str | None) -> list[Taken]:
    """Let each way, and Megolm where there is a Python that has vodozemac, take its turn in each round."""
    taken = [
        Taken(what=f"256 B {act}, {way.name}", bar=bar, ours=[], megolm=[])
        for way in ways
        for act, bar in zip(("sealed", "opened"), way.bars, strict=True)
    ]
    peer = (
        None
        if python is None
        else subprocess.Popen([python, "-c", VODOZEMAC], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    )
    for _ in range(ROUNDS):
        for k, way in enumerate(ways):
            ours = _round(way)
            theirs = None if peer is None else _round_of(peer)
            for one in range(2):
                taken[2 * k + one].ours.append(ours[one])
                if theirs is not None:
                    taken[2 * k + one].megolm.append(theirs[one])
    if peer is not None:
        peer.communicate()
    return taken


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


def measure_messages(python: str | None) -> list[Taken]:
    """Measure all three ways."""
    full = everything()
    outer = len(full.seal()[0])
    return measure([bare(), full, signatures_alone(len(TEXT) + 256, outer)], python)
