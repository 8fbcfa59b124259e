"""What the author of a post is told who warns of suicide or self-harm: on their own screen, and nowhere else.

Only the label of the warning counts, which the author chose. The text is not an argument of anything here: messages
are never scanned. The sentences are ours. They follow what safe-messaging advice has in common: no detail of how and
where, room for hope, and where to turn. Read for it on 23 November 2026, in stored copies: the overview of the WHO's
"Preventing suicide: a resource for media professionals", update 2023 (paho.org/en/node/92857), not the booklet itself.
"""

import re
import unicodedata
from typing import Final

from cli.words import tell

TIPS: Final = (
    "You warn of suicide or self-harm. It is good that you say it, and that you warn.",
    "- Say how you feel, as it is. Leave out how it is done, with what and where: that can hurt a reader.",
    "- Say what would help you now, so that others can answer you well.",
    "- No one watches what is said here. If you may not stay safe, speak to a person now: `mesh crisis` shows where.",
)
_MEANT: Final = re.compile(
    r"\b(suicid(e|es|al|ality)|parasuicide|(auto|self)[- ]?(harm(s|ed|ing)?|injur(y|ies|ing)|mutilat(ion|ing)))\b"
)


def tips_for(label: str) -> tuple[str, ...]:
    """Return the lines for the author of a post that bears this warning; none for any other label."""
    folded = unicodedata.normalize("NFKC", label).casefold()
    plain = " ".join(re.sub(r"[^\w\s-]|_", " ", re.sub(r"[\u2010-\u2015]", "-", folded)).split())
    return tuple(tell(line) for line in TIPS) if _MEANT.search(plain) else ()
