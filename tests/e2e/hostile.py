"""What a hostile node sends over a real link: generated cases, each of some kind, from one seed.

It has an invite code, as anybody may have who was handed one, so that it can speak on a topic on which members listen.
"""

import random
from collections.abc import Callable, Iterator

from mesh.events import LinkKind
from mesh.groups.invites import invite_keys
from mesh.node.links.framing import encode
from mesh.wire.codes import from_uri
from mesh.wire.frames import FrameType, seal_frame
from mesh.wire.limits import LINK_PAYLOAD_BYTES_MAX

KINDS = [kind for kind in LinkKind if kind is not LinkKind.HELLO]


class Hostile:
    """Makes cases. What is *odd* holds no fault that costs more than a little; what is *wrong* does."""

    def __init__(self, code: str, seed: int) -> None:
        self._dice = random.Random(seed)
        self._invite = invite_keys(from_uri(code)[0].seed)
        self._said: list[bytes] = []

    def odd(self, count: int) -> Iterator[bytes]:
        """Give frames such as a strange, a newer or a forgetful node might send, over and over."""
        makers = (self._newer_kind, self._foreign_topic, self._unknown_session, self._topics, self._stored)
        for _ in range(count):
            again = self._said and self._dice.random() < 0.2
            case = self._dice.choice(self._said) if again else self._dice.choice(makers)()
            self._said = [*self._said[-50:], case]
            yield case

    def wrong(self) -> Iterator[bytes]:
        """Give frames that no honest node sends, without end."""
        makers: tuple[Callable[[], bytes], ...] = (
            self._cut_short,
            self._bad_signature,
            self._bad_lists,
            self._wrong_type,
            self._garbage_of_each_kind,
            self._sealed_rubbish,
        )
        while True:
            yield self._dice.choice(makers)()

    def breaks_framing(self) -> bytes:
        """Give bytes after which nothing can follow: a length that is none, or is over the limit, or a frame's half."""
        return self._dice.choice(
            [
                b"\0\0\0\0",
                (2 + LINK_PAYLOAD_BYTES_MAX).to_bytes(4, "big") + self._bytes(1000),
                b"\xff\xff\xff\xff" + self._bytes(1000),
                encode(LinkKind.FRAME, self._bytes(5000))[:-100],
            ]
        )

    # ------------------------------------------------------------ odd

    def _newer_kind(self) -> bytes:
        return encode(self._dice.randrange(200, 256), self._bytes(self._dice.randrange(2000)))

    def _foreign_topic(self) -> bytes:
        return encode(
            LinkKind.FRAME, bytes([self._dice.randrange(1, 4)]) + self._bytes(self._dice.randrange(200, 3000))
        )

    def _unknown_session(self) -> bytes:
        return encode(LinkKind.SEALED, self._bytes(self._dice.randrange(64, 2000)))

    def _topics(self) -> bytes:
        count = self._dice.randrange(8)
        return encode(LinkKind.TOPICS, count.to_bytes(2, "big") + self._bytes(8 * count))

    def _stored(self) -> bytes:
        return encode(LinkKind.STORED, self._bytes(32 * self._dice.randrange(1, 20)))

    # ------------------------------------------------------------ wrong

    def _cut_short(self) -> bytes:
        return encode(LinkKind.FRAME, bytes([self._dice.randrange(1, 10)]) + self._bytes(self._dice.randrange(60)))

    def _bad_signature(self) -> bytes:
        knock = bytearray(self._knock())
        knock[-1 - self._dice.randrange(64)] ^= 1 << self._dice.randrange(8)
        return encode(LinkKind.FRAME, bytes(knock))

    def _bad_lists(self) -> bytes:
        kind = self._dice.choice([LinkKind.TOPICS, LinkKind.STORED])
        return encode(kind, self._bytes(8 * self._dice.randrange(5) + 1 + 2 * self._dice.randrange(3)))

    def _wrong_type(self) -> bytes:
        return encode(LinkKind.FRAME, bytes([self._dice.randrange(10, 256)]) + self._bytes(300))

    def _garbage_of_each_kind(self) -> bytes:
        return encode(self._dice.choice(KINDS), self._bytes(self._dice.randrange(40)))

    def _sealed_rubbish(self) -> bytes:
        return encode(LinkKind.FRAME, self._knock())

    def _knock(self) -> bytes:
        """A knock that is signed as it should be, with rubbish where the sealed part stands."""
        return seal_frame(FrameType.KNOCK, self._invite.invite_seed, self._bytes(24 + 4096 + 16))

    def _bytes(self, count: int) -> bytes:
        return self._dice.randbytes(count)
