"""What fits an answer: a line of the local Api has an end, and what people wrote takes up to three times its bytes."""

from collections.abc import Iterable
from typing import Final

from mesh.node.local.protocol import LINE_BYTES_MAX, JsonObject, encoded_bytes, phrased

ANSWER_BYTES_MAX: Final = LINE_BYTES_MAX - 64 * 1024  # of what an answer lists; the rest is for what stands beside it
PINNED_BYTES_MAX: Final = 64 * 1024  # of one message among those that stand first: eight of them leave room for a page
_PEOPLE: Final = ("held_by", "reached_by", "receipts_off", "waiting_for")


def newest(
    told: Iterable[JsonObject], *, most: int, bytes_max: int = ANSWER_BYTES_MAX
) -> tuple[list[JsonObject], bool]:
    """Return the last of these that fit, in their order, and whether some came before; one at least, if there is one.

    `most`: so many of them; `bytes_max`: as JSON, together.
    """
    found = list(told)
    kept, size = 0, 0
    for one in reversed(found[-most:]):
        size += encoded_bytes(one) + 1
        if kept and size > bytes_max:
            break
        kept += 1
    return found[len(found) - kept :], kept < len(found)


def shortened(message: JsonObject, bytes_max: int) -> JsonObject:
    """Return a message as it is where it takes so many bytes at the most, as JSON; else without the names of those who
    have it; and where that is too long as well, without its words.
    """
    if encoded_bytes(message) <= bytes_max:
        return message
    short = message | {key: [] for key in _PEOPLE if key in message}
    if encoded_bytes(short) <= bytes_max:
        return short
    why = phrased(why="it is too long to be shown among others; open it by its id")
    return short | {"text": None, "quote": None, **why}
