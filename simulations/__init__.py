"""The weather house: many peers of the real code, one seed, virtual time. A claim is a thing one can run."""
