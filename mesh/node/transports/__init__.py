"""Ways to reach a peer: each a class that listens, dials and proves who is at the other end
(architecture.md, doors).
"""
