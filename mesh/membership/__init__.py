"""Who belongs: from a set of operations to members, ranks and devices (protocol.md §4), without keys, texts or clocks.

Everything here works on `Act`s: what an operation says about belonging, as plain data. `resolve` is the front door for
a program that brings its own graph; `Views` is the incremental form that the groups of this house use.
"""
