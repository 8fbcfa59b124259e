"""Thin names over PyNaCl and hashlib, so that each primitive enters the house in one place (protocol.md §2)."""
