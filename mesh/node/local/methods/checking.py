"""`check`: would a method be refused now? Asked before a person types words for it, which would be typed in vain.

The method itself is gone through, with a word in place of what is not typed yet, up to where the machine would be asked
to do something. What the machine refuses in those commands is looked at here too; then it ends, and nothing is changed.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final, NoReturn, cast

from mesh.commands import Command, MakeStatement, Post, Rank, SayNote, SetAgreement
from mesh.node.local.api import unknown_method
from mesh.node.local.methods import (
    agreements,
    circles,
    given,
    introduce,
    milestones,
    reflect,
    sanctions,
    shelf,
    talk,
)
from mesh.node.local.methods.desk import Desk
from mesh.node.local.protocol import JsonObject
from mesh.peer.asking import require_may_post
from mesh.peer.rights import require_in, require_rank
from mesh.peer.stating import require_sayable
from mesh.peer.terms import require_term

Method = Callable[[Desk, JsonObject], Awaitable[JsonObject]]

# What takes words that a person may be asked for, and the parameters in which these stand.
CHECKED: Final[Mapping[str, tuple[Method, tuple[str, ...]]]] = {
    "circle.open": (circles.open_circle, ("question",)),
    "circle.say": (circles.say, ("text",)),
    "group.agreement": (agreements.agreement, ("text",)),
    "introduce.ask": (introduce.ask, ("text",)),
    "milestone.add": (milestones.add, ("text",)),
    "post": (talk.post, ("text",)),
    "reflect.add": (reflect.add, ("text",)),
    "sanction": (sanctions.sanction, ("reason",)),
    "shelf.add": (shelf.add, ("title", "text")),
}
_NOT_TYPED_YET: Final = "…"


async def check(desk: Desk, params: JsonObject) -> JsonObject:
    """Go through a method as far as it can be refused before its words are there. Changes nothing; MeshError."""
    name, asked = given.text(params, "method"), params.get("asked")
    if name not in CHECKED or not isinstance(asked, dict):
        raise unknown_method(name)
    method, words = CHECKED[name]
    missing: JsonObject = {word: _NOT_TYPED_YET for word in words if asked.get(word) is None}
    with suppress(_EnoughError):
        await method(cast(Desk, _LookingDesk(desk)), {**asked, **missing})
    return {"may": True}


class _EnoughError(Exception):
    """The machine would be asked now."""


class _LookingDesk:
    """A desk at which nothing is done: it looks as the one behind it does, and stops before the first command."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def __getattr__(self, name: str) -> object:
        return getattr(self._desk, name)

    async def ask(self, command: Command) -> NoReturn:
        """Look whether the machine would refuse it."""
        state, wall_ms = self._desk.state, self._desk.now().wall_ms
        match command:
            case MakeStatement():
                require_sayable(state.rooms[command.group], command, wall_ms)
            case Post():
                require_may_post(state, state.rooms[command.group], command.mode, wall_ms)
            case SayNote():
                require_in(state.rooms[command.group])
            case SetAgreement():
                require_rank(state.rooms[command.group], Rank.STEWARD, "change the agreement")
                require_term(state.rooms[command.group], wall_ms)
            case _:
                pass
        raise _EnoughError
