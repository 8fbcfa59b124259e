"""Bytes to frozen records and back, and every limit in one table (`mesh.wire.limits`).

A decoder here raises `RemoteError` or nothing, whatever the bytes; a record that leaves it has been checked for
shape, lengths and canonical encoding, so that the rooms above trust the type.
"""
