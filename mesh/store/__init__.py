"""Durable memory: what a person's node keeps, by space and key, encrypted on disk (`sqlite`) or not at all.

`base` says what a store is; `sqlite` keeps one in a file; `memory` keeps one for the simulator and for tests.
"""
