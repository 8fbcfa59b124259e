"""The hall: one person's mesh as one pure machine. Here the rooms meet, and only here.

`machine` takes inputs and returns effects; `state` is what it remembers. Beside it, one file for each thing that
happens: `asking` (the person wants something), `speaking` and `hearing` (messages), `syncing` (gaps), `door` and
`joining` (people come in), `chores` (what a group needs), and `loading` (the store's rows become state again).
"""

from mesh.peer.machine import Peer

__all__ = ["Peer"]
