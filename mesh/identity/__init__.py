"""Who someone is: the root seed and what follows from it, words to keep it, numbers to compare, slots to
lock it.

Nothing here reads a clock, draws dice or touches a disk: salts, nonces and seeds come in as bytes or
`Entropy`.
"""
