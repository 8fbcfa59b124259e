"""Each attack that the design lists, as one test that names it: `test_attack_NN_what_is_tried`.

Beside each test lies a patch, `defences/NN.patch`, which takes the defence out. `make attacks` applies one after the
other to a copy of the tree and demands that the attack's test fails there: a test that passes without the defence shows
nothing. Those of `NOT_YET` are aimed at what is not built; they have neither, and the reason stands here.

To make a patch: take the defence out, `git diff -U2`, and write the function's name behind the second @@. When the code
around it changes, `test_index.py` says so, and the patch is made anew.
"""

from typing import Final

ATTACKS: Final = range(1, 61)
NOT_YET: Final = {
    47: ("keeper filled with invented topics", "there are no keepers yet"),
}
