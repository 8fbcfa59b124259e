"""Tests of mesh.node.links."""
