"""Tests of mesh.wire."""
