"""`id`: look at one's identity, change its passphrase, see the recovery words again."""

from contextlib import closing
from typing import Annotated

from cyclopts import App, Parameter

from cli import fields
from cli.ask import ask_new_passphrase, weak_hint
from cli.commands.home import asks_back, no_identity, show_apart, word_lines
from cli.context import Context, read_line_of
from cli.options import Here
from cli.render import facts
from cli.words import tell
from mesh.node.local.api import reach_node
from mesh.node.local.protocol import JsonObject

app = App(name="id", help="Your keys: show, passphrase, words.")


@app.command
def show(*, context: Here) -> None:
    """Show your identity's fingerprint and where it lies."""
    told = context.call("id.show")
    identity = fields.record(told, "identity")
    context.out.result(
        told,
        facts(
            (
                (tell("fingerprint"), fields.text(identity, "fingerprint")),
                (tell("name"), fields.text(identity, "name")),
                (tell("home"), fields.text(told, "home") or str(context.home)),
            )
        ),
    )


@app.command
def passphrase(*, new_passphrase_fd: Annotated[int | None, Parameter(metavar="N")] = None, context: Here) -> None:
    """Change your passphrase.

    What it opens stays as it is. An old copy of the home still opens with the old one.

    Parameters
    ----------
    new_passphrase_fd
        Read the new passphrase from this file descriptor; --passphrase-fd is for the present one.
    """
    from mesh.node.local import setup

    _need_identity(context)
    context.passphrase()
    if new_passphrase_fd is None:
        new = ask_new_passphrase()
    else:
        new = read_line_of(new_passphrase_fd)
        if hint := weak_hint(new):
            context.out.say(hint)
    node = reach_node(context.home)
    if node is None:
        context.with_passphrase(lambda: setup.change_passphrase(context.home, context.passphrase(), new))
    else:  # it holds the home's lock
        with closing(node):
            context.with_passphrase(
                lambda: node.call("id.passphrase", {"passphrase": context.passphrase(), "new_passphrase": new})
            )
    context.out.result({"changed": True}, [tell("Your passphrase is changed.")])


@app.command
def words(*, context: Here) -> None:
    """Show the 24 recovery words again; your passphrase is asked for.

    At a terminal they leave the screen when you press Return. One that has no second screen (`--plain`, or TERM=dumb)
    keeps them: clear it yourself.
    """
    from mesh.node.local import setup

    _need_identity(context)
    shown = context.with_passphrase(lambda: setup.recovery_words(context.home, context.passphrase()))
    told: JsonObject = {"recovery_words": list(shown)}
    if asks_back(context):
        show_apart(context, told, shown)
    else:
        context.out.result(told, word_lines(shown))


def _need_identity(context: Context) -> None:
    from mesh.node.local import setup

    if not setup.has_identity(context.home):
        raise no_identity(context)
