"""Known answers of what links say without any key of a group: frames by their short ids."""

from mesh.events import LinkKind
from mesh.ids import FrameId
from mesh.wire.gossip import Pace, Rank, pack_ids, short

Json = dict[str, object]


def ids() -> Json:
    """What links say of two frames (protocol.md §8): one payload of each kind."""
    two = [short(FrameId(bytes([k]) * 32)) for k in (1, 2)]
    said = {
        "ihave_ask": (LinkKind.IHAVE, Pace.ASK),
        "ihave_wait": (LinkKind.IHAVE, Pace.WAIT),
        "want": (LinkKind.WANT, 0),
        "prune": (LinkKind.PRUNE, Rank.LAZY),
        "graft_first": (LinkKind.GRAFT, Rank.FIRST),
        "graft_spare": (LinkKind.GRAFT, Rank.SPARE),
    }
    return {name: {"kind": int(kind), "bytes": pack_ids(flag, two)[0].hex()} for name, (kind, flag) in said.items()}
