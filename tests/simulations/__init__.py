"""Sweeps: many seeds of small worlds, under weather that nobody would choose."""
