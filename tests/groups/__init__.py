"""Tests of mesh.groups."""
