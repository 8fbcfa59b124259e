"""Tests of mesh.node.transports."""
