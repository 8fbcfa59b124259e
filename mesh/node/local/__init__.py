"""The local Api: what the command, or a bot on the same machine, may ask of a node. No libp2p here.

One `Api` has two bodies: `client` speaks over the home's Unix socket to the node that runs, `inprocess` opens
the home itself when none does. So a command does the same whether the node is up or down.
"""
