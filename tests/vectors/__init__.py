"""Known answers: from the standards, and our own for everything that goes over the wire."""
