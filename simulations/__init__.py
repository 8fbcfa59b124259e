"""The weather house: many peers of the real code, one seed, virtual time. A claim about the mesh is a thing one can run."""
