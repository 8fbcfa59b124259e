"""Tests of the command: what a person types, what a script reads, what neither may see."""
