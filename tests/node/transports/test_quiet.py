"""libp2p says nothing to the person, and leaves the process's logging alone."""

import logging
import os
import subprocess
import sys

from mesh.node.transports import quiet


def test_a_bad_day_is_silent() -> None:
    command = [sys.executable, "-W", "default", "-m", "tests.node.transports.busy_process"]
    environment = {**os.environ, "LIBP2P_DEBUG": "DEBUG"}
    ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env=environment)
    assert (ran.stdout, ran.stderr, ran.returncode) == ("", "", 0)


def test_no_logger_of_libp2p_can_speak() -> None:
    quiet.load()
    quiet.load()
    logger = logging.getLogger("libp2p")
    assert not logger.propagate
    assert not logging.getLogger("libp2p.network.swarm").isEnabledFor(logging.CRITICAL)
    assert [type(handler) for handler in logger.handlers] == [logging.NullHandler]
