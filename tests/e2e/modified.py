"""The `mesh` of one who changed their program: the real node, which also pushes frames of its own making to everybody.

Run it as one runs the command. `MODIFIED_FRAMES` names a file with one frame in hex a line.
"""

import os
import sys
from pathlib import Path
from typing import Final

import mesh.node.live
from cli.main import main
from mesh.events import Effect, Input, Instant, LinkKind, Send, SendClass
from mesh.ids import Dice, Entropy, LinkId, Sealer
from mesh.peer import Peer
from mesh.peer.state import State

FRAMES: Final = "MODIFIED_FRAMES"


class Mallory:
    """The machine of an honest node, and a bag of frames beside it."""

    def __init__(self, *, dice: Dice, entropy: Entropy, sealer: Sealer) -> None:
        self.peer = Peer(dice=dice, entropy=entropy, sealer=sealer)
        self.given: set[LinkId] = set()

    @property
    def state(self) -> State:
        """What the honest machine knows."""
        return self.peer.state

    def handle(self, event: Input, now: Instant) -> list[Effect]:
        """Do what an honest node does; then push all that is in the bag, once over each link with a member."""
        effects = self.peer.handle(event, now)
        for link in self.state.links.values():
            if link.topics.shared and link.link not in self.given:
                self.given.add(link.link)
                effects.extend(
                    Send(link=link.link, kind=LinkKind.FRAME, payload=raw, send_class=SendClass.OPERATIONS)
                    for raw in bag()
                )
        return effects


def bag() -> list[bytes]:
    """Return the frames to be pushed."""
    return [bytes.fromhex(line) for line in Path(os.environ[FRAMES]).read_text(encoding="ascii").splitlines()]


if __name__ == "__main__":
    mesh.node.live.Peer = Mallory  # type: ignore[assignment, attr-defined] # this is what is modified
    sys.exit(main())
