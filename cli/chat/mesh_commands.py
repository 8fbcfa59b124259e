"""Any `mesh` command, said within a conversation."""

from collections.abc import Sequence
from typing import Final

from cyclopts import CycloptsError

from cli.app import ELSEWHERE, build, dispatch
from cli.chat.filling import Here, fill, resolve, shape_of
from cli.context import Context
from mesh.errors import LocalError
from mesh.phrases import phrase

# What would wait for ever, or read what is typed here to its end.
_NOT_HERE: Final = {
    "chat": "You are in it. /go GROUP goes to another group.",
    "init": "You have an identity here. In a terminal, `mesh --home DIR init` makes another.",
}


def run_command(context: Context, name: str, words: Sequence[str], here: Here) -> None:
    """Run one command, with group and message filled in. MeshError."""
    line = [*ELSEWHERE[name].split()[1:], *words] if name in ELSEWHERE else [name, *words]
    _require_here(line)
    yes, line = _without_yes(line)
    app = build(line)
    try:
        if {"--help", "-h"} & set(line):
            dispatch(app, line, context)
            return
        chain, command = resolve(app, line)
        if not chain:
            raise LocalError(
                phrase("There is no command /{name}.", name=name[:40]),
                do="/help lists them. A text that begins with a slash is typed with two: //.",
                code="E-USAGE",
            )
        rest = line[len(chain) :]
        filled = rest if command is None else fill(rest, shape_of(command), here)
        before, context.yes = context.yes, context.yes or yes
        try:
            dispatch(app, [*chain, *filled], context)
        finally:
            context.yes = before
    except CycloptsError as error:
        from cli.usage import usage_error

        raise usage_error(error) from error


def _require_here(line: list[str]) -> None:
    """LocalError for what makes no sense within a conversation."""
    do = _NOT_HERE.get(line[0])
    if line[0] == "up" and "--detach" not in line and "--help" not in line:
        do = "/up --detach starts your node beside this."
    if line[0] == "read" and "--follow" in line:
        do = "What comes is told here as it comes."
    if "-" in line[1:]:
        do = "Type the text itself, or begin it with /text."
    if do is not None:
        raise LocalError(
            phrase("/{command} does not work so within a conversation.", command=line[0]), do=do, code="E-USAGE"
        )


def _without_yes(line: list[str]) -> tuple[bool, list[str]]:
    """Take out --yes, which stands before the commands' own words everywhere else."""
    end = line.index("--") if "--" in line else len(line)
    return "--yes" in line[:end], [word for at, word in enumerate(line) if word != "--yes" or at >= end]
