"""Tests of mesh.support."""
