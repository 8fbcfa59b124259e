"""Ask what somebody wants to be called in a group."""

from contextlib import suppress

from cli import fields
from cli.ask import ask_line, can_ask
from cli.context import Context
from cli.output import one_line
from cli.words import tell
from mesh.errors import MeshError
from mesh.node.local.api import Api


def ask_alias(context: Context, api: Api, alias: str | None) -> str | None:
    """Give the alias; asked for at a terminal; None stands for the name that `init` was given."""
    if alias is not None or not can_ask():
        return alias
    offered = ""
    with suppress(MeshError):  # a question without an offer is still a question
        offered = one_line(fields.text(fields.record(api.call("id.show", {}), "identity"), "name"))
    context.out.say(tell("Choose an alias. Nothing links it to who you are in other groups."))
    return ask_line("Alias", instead="--alias", default=offered) or None
