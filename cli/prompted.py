"""Words that a person is asked for: what would be refused is refused before, and none that were typed are lost."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from cli.ask import can_ask
from cli.context import Context
from cli.words import tell, to_tell
from mesh.errors import MeshError
from mesh.node.local.api import Api
from mesh.node.local.protocol import JsonObject

ONCE_MORE: Final = to_tell("Here is your text once more, so that you can take it from here:")
Asking = Mapping[str, tuple[str | None, Callable[[], str]]]  # by parameter: what was given, and how to get the words


def call_with_words(context: Context, method: str, asked: JsonObject, words: Asking) -> JsonObject:
    """Ask the node for something that takes words, at which those that were left out are typed."""
    if not can_ask() or all(value is not None for value, _ in words.values()):  # nothing is typed for it
        return context.call(method, asked | {name: get() for name, (_, get) in words.items()})
    with context.api() as api:
        return ask_with_words(context, api, method, asked, words)


def ask_with_words(context: Context, api: Api, method: str, asked: JsonObject, words: Asking) -> JsonObject:
    """Do that at an Api that is open."""
    if any(value is None for value, _ in words.values()):
        require_welcome(api, method, asked | {name: value for name, (value, _) in words.items()})
    typed: list[str] = []
    with given_back(context, typed):
        for name, (value, get) in words.items():
            asked[name] = get()
            typed += [str(asked[name])] if value is None else []
        return api.call(method, asked)


def require_welcome(api: Api, method: str, asked: JsonObject) -> None:
    """MeshError for what would be refused now, before a person types words for it; without a terminal nobody types."""
    if not can_ask():
        return
    try:
        api.call("check", {"method": method, "asked": asked})
    except MeshError as error:
        if error.code != "E-METHOD":  # a node that is older than the command
            raise


@contextmanager
def given_back(context: Context, typed: list[str]) -> Iterator[None]:
    """Show words that were typed once more where what they were typed for fails."""
    try:
        yield
    except MeshError:
        if any(typed):
            context.out.insist(tell(ONCE_MORE), *filter(None, typed))
        raise
