"""The lab: plans carried out by real processes on loopback, with the world's weather between them (level 3)."""
