"""Tests of mesh.peer: machines that meet in a small world, and machines that meet a liar."""
