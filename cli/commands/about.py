"""`help`, `api`, `completion` and `version`: about the program itself; none of them needs a passphrase."""

import platform
from typing import Literal

from cyclopts import App

from cli.catalogue import CATALOGUE
from cli.context import Context
from cli.layout import WIDTH_MAX
from cli.options import Here
from cli.words import tell, tell_each
from mesh.errors import LocalError
from mesh.node.local.api import METHODS, STREAMS
from mesh.node.local.paths import socket_path
from mesh.node.local.protocol import JsonObject
from mesh.phrases import phrase


def help_(*subject: str, context: Here) -> None:
    """Explain an error code, or a command.

    Parameters
    ----------
    subject
        An error's code, like E-PASSPHRASE, or a command, like `group create`.
    """
    if len(subject) == 1 and subject[0].upper().startswith("E-"):
        _explain(subject[0].upper(), context)
        return
    from cli.app import build, dispatch

    dispatch(build(subject), [*subject, "--help"], context)


def page(app: App, tokens: list[str]) -> str:
    """Give the page that `--help` shows of a command."""
    import io

    from rich.console import Console

    held = io.StringIO()
    app.help_print(tokens, console=Console(file=held, width=WIDTH_MAX))
    return held.getvalue().rstrip()


def api(*, context: Here) -> None:
    """Show where the local Api is, and what one can ask of it.

    It is JSON-RPC 2.0 over a Unix socket, one object a line. Only this account can open it.
    """
    told: JsonObject = {
        "socket": str(socket_path(context.home)),
        "methods": [
            {"name": name, "params": list(params), "stream": name in STREAMS} for name, params in METHODS.items()
        ],
    }
    context.out.result(told, [tell("The socket of your node, while it runs: {path}", path=str(told["socket"]))])
    context.out.table(
        tell_each("method", "params", "answers"),
        [
            (name, ", ".join(params), tell("a stream of events") if name in STREAMS else tell("once"))
            for name, params in METHODS.items()
        ],
    )


def completion(shell: Literal["bash", "zsh", "fish"], /, *, context: Here) -> None:
    """Print a completion script for your shell. It completes names of commands and flags, nothing of yours.

    For bash: mesh completion bash > ~/.local/share/bash-completion/completions/mesh

    Parameters
    ----------
    shell
        Which shell it is for.
    """
    from cli.app import build

    script = build().generate_completion(shell=shell)
    if context.out.json:
        context.out.result({"shell": shell, "script": script})
    else:
        print(script)  # ours alone, and it may hold control characters on purpose


def version(*, context: Here) -> None:
    """Show which version this is."""
    told: JsonObject = {"version": installed_version(), "python": platform.python_version()}
    context.out.result(told, [version_text()])


def version_text() -> str:
    """Say which version this is, in a line."""
    return f"mesh {installed_version()} (Python {platform.python_version()})"


def installed_version() -> str:
    """Give the installed version; a checkout that was not installed says so."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as version_of

    try:
        return version_of("support-mesh")
    except PackageNotFoundError:
        return "0+checkout"


def _explain(code: str, context: Context) -> None:
    entry = CATALOGUE.get(code)
    if entry is None:
        close = tuple(known for known in CATALOGUE if code[:6] in known)
        raise LocalError(phrase("There is no error {code}.", code=code), candidates=close, code="E-USAGE")
    told: JsonObject = {"code": code, "what": entry.what, "why": entry.why, "do": entry.do}
    context.out.result(told, [f"{code}: {tell(entry.what)}", f"  {tell(entry.why)}", f"  {tell(entry.do)}"])
