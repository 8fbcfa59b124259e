"""Loads libp2p without its noise, and sets what we need otherwise: two constants and two manners of its muxer.

Importing libp2p takes a second, so this module is imported by those who use it and by nobody else. libp2p's
loggers say at WARNING and ERROR what is daily life here (a peer hung up), with Python's last-resort handler
they would land on a person's terminal, they name peers and addresses, and one of its modules logs through
the root logger, which configures logging for the whole process as a side effect. All of it is turned off;
what we want to know we log ourselves.
"""

import importlib
import logging
import os
import warnings
from typing import Final

# A ping each 3 s keeps a link's silence meaningful (`raw.SILENT_S_MAX`); libp2p's own 30 s is for measuring
# alone.
PING_S: Final = 3
# What a peer may have on its way to us unread. libp2p would grow it to 16 MiB for each stream that is read
# quickly.
WINDOW_BYTES_MAX: Final = 1024 * 1024
# The one module that calls logging.debug() and friends instead of a logger of its own.
_LOGS_THROUGH_ROOT: Final = "libp2p.network.connection.swarm_connection"

_GIVES_CREDIT: Final = "_auto_tune_and_send_window_update"  # the method of a stream that `credit` replaces
_WRITES: Final = "_write_frame"  # the method of a connection that `writing` replaces


def load() -> None:
    """Import libp2p, silence it and set its constants, before anything else of it; as often as you like."""
    os.environ.pop("LIBP2P_DEBUG", None)  # with it libp2p keeps a diary of every peer in the temporary folder
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module("libp2p")
        yamux = importlib.import_module("libp2p.stream_muxer.yamux.yamux")
        loud = importlib.import_module(_LOGS_THROUGH_ROOT)
    root = logging.getLogger("libp2p")
    for handler in list(root.handlers):
        root.removeHandler(handler)
    root.addHandler(logging.NullHandler())
    root.setLevel(logging.CRITICAL + 1)
    root.propagate = False
    vars(loud)["logging"] = logging.getLogger(_LOGS_THROUGH_ROOT)
    vars(yamux)["RTT_MEASURE_INTERVAL"] = PING_S
    vars(yamux)["MAX_WINDOW_SIZE"] = WINDOW_BYTES_MAX
    credit = importlib.import_module("mesh.node.transports.credit")
    setattr(yamux.YamuxStream, _GIVES_CREDIT, credit.give_credit)
    writing = importlib.import_module("mesh.node.transports.writing")
    setattr(yamux.Yamux, _WRITES, writing.write_frame)
