"""Tests of mesh.node: real sockets, real processes, nothing past loopback."""
