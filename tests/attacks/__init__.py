"""Each attack that the design lists (1 to 60), and those on the support layer, as one test that names it:
`test_attack_NN_what_is_tried`.

Beside each test lies a patch, `defences/NN.patch`, which takes the defence out. `make attacks` applies one after the
other to a copy of the tree and demands that the attack's test fails there: a test that passes without the defence shows
nothing. Those of `NOT_YET` would be aimed at what is not built, and have neither; there are none.

To make a patch: take the defence out, `git diff -U2`, and write the function's name behind the second @@. When the code
around it changes, `test_index.py` says so, and the patch is made anew.
"""

from typing import Final

SUPPORT: Final = 61  # from here on: the support layer, which the design's list knows nothing of
ATTACKS: Final = range(1, 74)
NOT_YET: Final[dict[int, tuple[str, str]]] = {}
