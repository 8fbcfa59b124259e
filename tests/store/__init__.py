"""Durable memory: one contract asked of both stores, and what a disk can do to the one in a file."""
