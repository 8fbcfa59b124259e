"""Real processes on loopback, driven through the `mesh` command."""
