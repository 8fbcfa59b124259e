"""Links: proved, framed, bounded conversations with other nodes, whatever transport carries them
(network.md §2).

`network` is the door that the runner uses; `switchboard` owns the links, `dialer` goes after wanted peers,
`link` is one of them. `framing`, `hello`, `outbox` and `budget` are sans-I/O: bytes and milliseconds in,
values out.
"""
