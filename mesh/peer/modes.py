"""Modes of support: a group may lock one, and every honest node holds to it, in what it sends and in what it shows.

A lock binds what its author could know of it: a post is judged by the operations that stand behind its heads, which
every node has alike. So what was said before a lock stays as it was, whatever order things come in. Who leaves the lock
out of what they claim to have seen gains little: the next epoch builds on it, and nothing is sealed under one without.
"""

from typing import Final

from mesh.errors import RefusedError
from mesh.groups.group import Group
from mesh.groups.settings import setting_at
from mesh.peer.records import DraftRecord, MessageRecord
from mesh.phrases import phrase
from mesh.support.posts import MODES, interpret
from mesh.wire.messages import Kind, Mode

LOCK_MODE: Final = "lock-mode"  # the setting: the name of a mode, or "off"


def locked_mode(group: Group) -> Mode | None:
    """Return the mode that a group has locked now; None: any. What is no mode locks nothing."""
    return MODES.get(group.view.settings.get(LOCK_MODE, ""))


def require_mode(group: Group, mode: str) -> None:
    """RefusedError for a post in another mode than the one that the group has locked."""
    locked = locked_mode(group)
    if locked is not None and MODES.get(mode) is not locked:
        name = locked.name.lower()
        raise RefusedError(
            phrase("this group takes posts in the mode “{name}” alone, and this one is “{mode}”", name=name, mode=mode),
            why="its stewards have locked the mode; other nodes would show your words closed",
            do=phrase("say it in the mode “{name}”, or leave --mode out", name=name),
            code="E-MODE-LOCKED",
        )


def breaks_lock(group: Group, record: MessageRecord, mode: Mode) -> bool:
    """Say whether a post is in another mode than was locked when its author wrote it."""
    if record.origin is None:
        return False  # our own, which waits; or nothing of it is here
    mask = group.log.closure(record.origin.heads)
    locked = None if mask is None else MODES.get(setting_at(group, LOCK_MODE, mask) or "")
    return locked is not None and mode is not locked


def is_held_back(group: Group, draft: DraftRecord) -> bool:
    """Say whether a post of our own waits for good: the mode was locked after it was written."""
    locked = locked_mode(group)
    return draft.kind == Kind.POST and locked is not None and interpret(draft.body).mode is not locked
