"""Tests of mesh.crypto."""
