"""What this process holds: tasks, open files, memory. A soak compares it at equal links, and so finds what leaks."""

import gc
import resource
import sys
from dataclasses import dataclass
from pathlib import Path

import trio

STATM = Path("/proc/self/statm")
OPEN_FILES = Path("/dev/fd")


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How much there is of each; memory is what the system keeps in RAM for us (macOS: the most that it ever kept)."""

    tasks: int
    open_files: int
    memory_bytes: int
    objects: int  # that the collector knows


def measured() -> Health:
    """Let the collector run, and count; within trio."""
    gc.collect()
    return Health(
        tasks=_tasks(),
        open_files=len(list(OPEN_FILES.iterdir())),
        memory_bytes=_memory_bytes(),
        objects=len(gc.get_objects()),
    )


def _tasks() -> int:
    count, left = 0, [trio.lowlevel.current_root_task()]
    while left:
        task = left.pop()
        if task is not None:
            count += 1
            left += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
    return count


def _memory_bytes() -> int:
    if STATM.exists():
        return int(STATM.read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
