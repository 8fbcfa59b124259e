"""What a process holds is counted: each task and each open file shows."""

import tempfile

import trio
import trio.testing

from mesh.node.health import measured


async def test_a_task_and_an_open_file_show_while_they_are_there() -> None:
    before = measured()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep_forever)
        with tempfile.TemporaryFile():
            await trio.testing.wait_all_tasks_blocked()
            during = measured()
        nursery.cancel_scope.cancel()
    after = measured()
    assert during.tasks == before.tasks + 1
    assert during.open_files == before.open_files + 1
    assert (after.tasks, after.open_files) == (before.tasks, before.open_files)
    assert 10_000_000 < before.memory_bytes < 2_000_000_000
    assert before.objects > 1000
