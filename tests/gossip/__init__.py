"""Tests of mesh.gossip."""
