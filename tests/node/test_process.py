"""What a node asks of its process."""

import gc

from mesh.node.process import settle


def test_the_collector_leaves_alone_what_was_there_at_the_start() -> None:
    kept = [{"k": k} for k in range(1000)]
    try:
        settle()
        assert gc.get_freeze_count() > len(kept)
        known = len(gc.get_objects())
        assert known < len(kept)
        kept.append({"k": -1})
        gc.collect()
        assert len(gc.get_objects()) < known + len(kept)
    finally:
        gc.unfreeze()
