"""The part of the catalogue that is about the node, the socket to it, and the network."""

from collections.abc import Mapping
from typing import Final

from cli.entry import Entry

NODE_ERRORS: Final[Mapping[str, Entry]] = {
    # ---- the node, and the socket to it
    "E-NODE-RUNNING": Entry(
        "A node already runs on this home.",
        "Two nodes on one home would use the same keys twice.",
        "Use it as it is, or stop it with `mesh down`.",
    ),
    "E-NODE-DOWN": Entry(
        "Your node is not running, and what you asked for needs it.",
        "Without it nothing new can come.",
        "Start it with `mesh up`, in another terminal or with --detach.",
    ),
    "E-NODE-SILENT": Entry(
        "The node is there and does not answer in time.",
        "It may be busy or suspended; what you asked for may still happen.",
        "Try again in a moment. If it stays so, end its process and start it with `mesh up`.",
    ),
    "E-NODE-STOPPED": Entry(
        "The node stopped, or hung up, before it had answered or was ready.",
        "What you asked for may or may not have happened; what was acknowledged is kept.",
        "Start it with `mesh up`, then look with `mesh status`.",
    ),
    "E-BUSY": Entry(
        "Too many commands are talking to the node at once.",
        "A limit keeps the node able to answer.",
        "End some of them, such as forgotten `read --follow`, and try again.",
    ),
    "E-API": Entry(
        "What came over the node's socket is not the local Api.",
        "Either a script sent a wrong line, or something that is no node of ours listens there.",
        "`mesh api` shows where the socket is and what one can ask. Start the node again with `mesh up`.",
    ),
    "E-METHOD": Entry(
        "The local Api has no method of that name, or it was called in a way that it does not know.",
        "Nothing was done.",
        "`mesh api` lists the methods and their parameters.",
    ),
    "E-SOCKET-FOLDER": Entry(
        "The folder of the node's socket is another account's, or others can open it.",
        "Your passphrase passes through that socket.",
        "If the folder is yours, close it with `chmod 700`; if not, set XDG_RUNTIME_DIR to a folder of yours.",
    ),
    "E-SOCKET-PATH": Entry(
        "Every place for the node's socket has a path that is too long for this system.",
        "Paths of sockets end at about a hundred bytes.",
        "Set XDG_RUNTIME_DIR to a folder of yours with a shorter path.",
    ),
    # ---- the network
    "E-NETWORK": Entry(
        "The network cannot be used as it was asked.",
        "Nobody is reached until it can.",
        "Look at the connection and at the addresses that you gave.",
    ),
    "E-PORT-TAKEN": Entry(
        "Another program on this machine uses your node's port.",
        "Others look for you at that port, so another is not taken in silence.",
        "Stop the other program, or choose an address with `mesh up --listen`.",
    ),
    "E-LISTEN": Entry(
        "This machine does not let the node listen at that address.",
        "Nobody could reach you there.",
        "Name one of this machine's own addresses, and a port above 1023.",
    ),
    "E-ADDRESS": Entry(
        "That is not an address of a node.",
        "It would lead nowhere.",
        "Copy it whole; it looks like /ip4/192.0.2.7/tcp/4001/p2p/12D3….",
    ),
    "E-UNREACHABLE": Entry(
        "Nobody answered at that address.",
        "That node may be off, or its address may have changed.",
        "Nothing: it is tried again by itself.",
    ),
    "E-WRONG-PEER": Entry(
        "Another node answered than the one that the address names.",
        "It may be somebody else's by now; nothing was told to it.",
        "Ask the person for a fresh address.",
    ),
    "E-VERSION": Entry(
        "That node and yours speak no common version.",
        "They cannot talk until one of the two is updated.",
        "Whoever has the older mesh updates it.",
    ),
    "E-SLOW-READER": Entry(
        "A node did not read what it was sent, and the link to it was closed.",
        "It would have filled this node's memory.",
        "Nothing: what is missing is repaired on the next link.",
    ),
    "E-REMOTE": Entry(
        "A node sent something that no honest node sends.",
        "It was dropped, and the link may be closed.",
        "Nothing: your node deals with it.",
    ),
}
