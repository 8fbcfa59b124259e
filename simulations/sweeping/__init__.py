"""Sweeps: many runs at once, each of which leaves one file, so that what is there already is not run again."""
