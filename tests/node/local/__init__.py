"""Tests of the local Api: its bytes, its socket, both ends of it."""
