"""Support Mesh: an end-to-end encrypted mesh for peer-support groups, one node per person.

Start reading at `mesh.peer`, the hall: everything below it is pure, everything above it is a door.
"""

__version__ = "0.1.0"
