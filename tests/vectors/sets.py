"""Known answers about reconciling sets (protocol.md §10)."""

from mesh.gossip.reconcile import Asking, Index, Items, answer, session_key
from mesh.ids import TopicId


def sets() -> dict[str, object]:
    """Two sets that differ by one item each, and what is said until that is known (protocol.md §10)."""
    key = session_key(TopicId(b"\x11" * 32), b"\x22" * 32, b"\x33" * 32)
    pairs = [(k, bytes([k]) * 32) for k in range(4)]
    asker, answerer = (Index(Items.of(some), key) for some in (pairs[:3], pairs[1:]))
    asking = Asking(asker)
    question = asking.begin()
    given = answer(answerer, question)
    found = asking.take(given)
    return {
        "key": key.hex(),
        "ids": [one.hex() for _, one in pairs],
        "shorts": [asker.shorts(0, 3).hex(), answerer.shorts(2, 3).hex()],
        "question": question.hex(),
        "answer": given.hex(),
        "have": [one.hex() for one in found.have],
        "want": [one.hex() for one in found.want],
    }
