"""What `mesh help E-…` says of one kind of error."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """What happened, why it matters, what to do."""

    what: str
    why: str
    do: str
