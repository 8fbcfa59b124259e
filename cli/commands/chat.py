"""`chat`: one conversation after another at one terminal, line by line."""

from cli.commands.home import require_identity
from cli.options import Flag, Here
from mesh.errors import Exit, LocalError


def chat(group: str | None = None, /, *, line: Flag = False, context: Here) -> None:
    """Read and write in your groups, line by line: for a screen reader, a slow terminal or a script.

    What others say comes as it is said. What you type goes to the group that you are in. A line that begins with a
    slash is a command: /help lists them, and every mesh command works so, as in /flag 3. Each message has a number.
    A line that ends in a backslash goes on in the next one. //text posts a line that begins with a slash. Ctrl-D ends
    it.

    mesh chat "Tuesday grief" --line

    Parameters
    ----------
    group
        The group's name, or the beginning of its id; left out, the first in which something is unread.
    line
        Line by line. The full screen is not built yet.
    """
    if not line:
        raise LocalError(
            "The full screen of `mesh chat` is not built yet.",
            why="Line by line it does all that it will do.",
            do="`mesh chat --line`, with the name of a group if you like.",
            code="E-USAGE",
            exit=Exit.USAGE,
        )
    require_identity(context)
    from cli.chat.conversation import Conversation

    Conversation(context).run(group)
