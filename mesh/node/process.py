"""What a node asks of its process: no core dumps, no debugger of another process, and a collector with less to do."""

import contextlib
import ctypes
import gc
import resource
import sys
from typing import Final

PR_SET_DUMPABLE: Final = 4  # prctl(2)


def harden() -> None:
    """Keep keys out of core dumps and away from other processes of this account, as far as the system lets us."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def settle() -> None:
    """Let the collector leave alone what is here now, once everything has been read in.

    It looks through all there is now and then, and nothing else happens meanwhile: a tenth of a second, and more on a
    small machine. What came with the start stays until the end, so there is nothing to find.
    """
    gc.collect()
    gc.freeze()
