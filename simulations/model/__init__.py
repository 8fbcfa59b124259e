"""Level 2: a numeric model of `mesh.gossip`, for more nodes than can be run one by one. Needs numpy (`[model]`)."""
