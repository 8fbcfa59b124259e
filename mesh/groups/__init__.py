"""Who belongs, and under which keys: operations, views, epochs, ratchets, invites (protocol.md §4–7, §12)."""
