"""The tree of commands, as data, and the flags that every command takes.

A command is one function in `cli/commands/`, imported when it is called for: `mesh --help` loads none. The
global flags may stand before or after the command: cyclopts' meta app takes them out of the line first. A
lone `-` becomes `/dev/stdin` before parsing, which says the same and is no option; so a mistyped flag is
always an error and never posted as text.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import App, Group, Parameter, Token

from cli.layout import HelpLayout
from cli.words import in_english
from mesh.errors import LocalError
from mesh.phrases import phrase

if TYPE_CHECKING:
    from cli.context import Context

ABOUT: Final = (
    "Small groups that talk end-to-end encrypted, person to person, with no server.\n\n"
    "Start with `mesh init`, then `mesh up`. A name or text that is left out is asked for; what stands on "
    "the command line is seen by the shell's history and by other accounts of this machine.\n\n"
    "`mesh COMMAND --help` says more about one command, `mesh help E-…` about an error."
)

# Group of commands -> (name, where the function or the sub-app is, what it does).
COMMANDS: Final = {
    "You": (
        ("init", "cli.commands.home:init", "Make your keys on this machine: passphrase, recovery words."),
        ("up", "cli.commands.node:up", "Run your node."),
        ("down", "cli.commands.node:down", "Stop your node."),
        ("status", "cli.commands.home:status", "What needs you, then your groups."),
        ("id", "cli.commands.identity:app", "Your keys: show, passphrase, words."),
        ("device", "cli.commands.device:app", "Your devices: add another, list, remove one."),
    ),
    "Groups": (
        ("group", "cli.commands.group:app", "Create, list, show, leave and steward groups."),
        ("invite", "cli.commands.invite:app", "Make, list and revoke invite codes."),
        ("join", "cli.commands.join:join", "Join a group with a code."),
        ("joins", "cli.commands.join:app", "The groups that you are trying to join."),
        ("knocks", "cli.commands.knocks:app", "Who waits at the door: list, admit, decline."),
        ("meeting", "cli.commands.meeting:app", "When a group meets: set, show, remind."),
        ("stewards", "cli.commands.stewards:app", "Who serves, who is on duty, and their private room."),
        ("steward", "cli.commands.steward:app", "For those who serve: off duty, on duty, term, handover."),
        ("log", "cli.commands.log:log", "What was done in a group, by whom and when."),
        ("reports", "cli.commands.report:reports", "What came to you as a steward, and your own: list, show, answer."),
        ("sanction", "cli.commands.sanction:sanction", "A note to a member, a fold, or a while of quiet."),
        ("appeal", "cli.commands.sanction:appeal", "Ask another steward to look at a step again."),
        ("keeper", "cli.commands.keeper:app", "Hold sealed messages for groups, and choose who holds yours."),
        ("verify", "cli.commands.verify:verify", "Compare keys with a member by reading a number to each other."),
    ),
    "Talk": (
        ("post", "cli.commands.talk:post", "Say something in a group."),
        ("read", "cli.commands.reading:read", "Read a group."),
        ("chat", "cli.commands.chat:chat", "Read and write in your groups, line by line."),
        ("talk", "cli.commands.two:talk", "Talk with a member as two; list who asks."),
        ("listen", "cli.commands.listen:app", "Offer to listen, or ask for a listener, one to one."),
        ("introduce", "cli.commands.introduce:app", "Ask one member about a group for something, or answer."),
        ("file", "cli.commands.files:app", "Save what stands beside a message."),
        ("circle", "cli.commands.circle:app", "A round on a question: one speaks, the others listen."),
        ("flag", "cli.commands.flag:flag", "Ask that a message be folded, or no longer."),
        ("report", "cli.commands.report:report", "Show messages to the stewards alone, under seal."),
        ("shelf", "cli.commands.shelf:app", "Links and texts that helped: add, list, show, retire."),
        ("milestone", "cli.commands.milestone:app", "Days that count: add yours, list, congratulate."),
        ("share", "cli.commands.share:app", "Whether words may leave their group: ask, grant, refuse, list."),
        ("export", "cli.commands.export:export", "Take out of a group what may leave it."),
        ("message", "cli.commands.message:app", "Look at one message, or take it back."),
        ("outbox", "cli.commands.message:outbox", "What still waits to leave, for whom, and why."),
    ),
    "For yourself": (
        ("block", "cli.commands.own:block", "Stop seeing what a member says; they are not told."),
        ("unblock", "cli.commands.own:unblock", "See it again."),
        ("mute", "cli.commands.own:mute", "Keep a member, words or topics closed until you open them."),
        ("unmute", "cli.commands.own:unmute", "End that."),
        ("pause", "cli.commands.pace:pause", "Be told of nothing for a while; nothing is lost."),
        ("resume", "cli.commands.pace:resume", "End that."),
        ("quiet", "cli.commands.pace:quiet", "Hours in which you are told of nothing."),
        ("digest", "cli.commands.pace:digest", "Be told of messages once a day."),
        ("reflect", "cli.commands.reflect:app", "Private notes: add, list, delete. They never leave this device."),
        ("hide", "cli.commands.own:hide", "Keep one message closed for yourself."),
    ),
    "For those who build": (
        ("sim", "cli.commands.sim:app", "Simulate networks of real nodes: list, run, replay, shrink, report, lab."),
    ),
    "Help": (
        ("crisis", "cli.commands.crisis:crisis", "Who listens when things are dark: numbers for your country."),
        ("help", "cli.commands.about:help_", "Explain an error code, or a command."),
        ("api", "cli.commands.about:api", "Where the local Api is, and what one can ask of it."),
        ("completion", "cli.commands.about:completion", "Print a completion script for bash, zsh or fish."),
        ("version", "cli.commands.about:version", "Which version this is."),
    ),
}
# What people type without the command above it, and where it is.
ELSEWHERE: Final = {
    word: f"mesh {command} {word}"
    for command, words in {
        "group": "create fork pin leave members remove rank rekey set agreement list show",
        "knocks": "admit decline",
        "invite": "new revoke",
        "joins": "drop",
        "id": "words passphrase",
    }.items()
    for word in words.split()
}
EVERYWHERE: Final = Group("Everywhere", sort_key=len(COMMANDS) + 1)
Everywhere = Annotated[bool, Parameter(negative="", show_default=False, group=EVERYWHERE)]


def build(line: Sequence[str] = ()) -> App:
    """Build the tree, for a command line. Its errors are raised, not printed: `cli.main` says them in our words."""
    app = App(
        name="mesh",
        help=ABOUT,
        help_format="plaintext",
        help_formatter=HelpLayout(),
        version=_version,
        version_flags=["--version"],
        print_error=False,
        exit_on_error=False,
        result_action="return_value",
        suppress_keyboard_interrupt=False,
    )
    for place, (title, commands) in enumerate(COMMANDS.items()):
        group = Group(title, sort_key=place)
        for order, (name, where, does) in enumerate(commands):
            app.command(where, name=name, help=does, group=group, sort_key=order)
            if name in line and app[name].default_command:
                app[name].help = None  # its page shows all that it says of itself, not the list's one line
    app["--help"].group = app["--version"].group = EVERYWHERE
    app.meta.help_flags = app.meta.version_flags = ()  # `dispatch` sees to both, so that --json holds for them too

    @app.meta.default
    def run(
        *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
        home: Annotated[
            Path | None, Parameter(converter=_read_home, env_var="MESH_HOME", metavar="DIR", group=EVERYWHERE)
        ] = None,
        json: Everywhere = False,
        plain: Everywhere = False,
        quiet: Everywhere = False,
        yes: Everywhere = False,
        debug: Everywhere = False,
        passphrase_fd: Annotated[int | None, Parameter(metavar="N", group=EVERYWHERE)] = None,
    ) -> int | None:
        """Run one command.

        Parameters
        ----------
        home
            The folder that holds your identity and your messages.
        json
            One JSON object for each result.
        plain
            No colour, boxes or tables.
        quiet
            Results and errors only.
        yes
            Do not ask for confirmation.
        debug
            Show where in the program an error arose.
        passphrase_fd
            Read the passphrase from this file descriptor; MESH_PASSPHRASE_FILE names a file instead.
        """
        from cli.context import Context
        from cli.output import Output

        del debug  # `cli.main` looks for it, so that it also holds for errors in this line
        context = Context(
            home=_home(home),
            out=Output(json=json, plain=plain, quiet=quiet),
            yes=yes,
            passphrase_fd=passphrase_fd,
        )
        return dispatch(app, list(tokens), context)

    return app


def dispatch(app: App, tokens: list[str], context: "Context") -> int | None:
    """Parse the rest of the line, hand the command its context, and run it; give its exit status."""
    if not tokens:
        from cli.commands.home import nothing_said

        nothing_said(context=context)
        return None
    from cli.ask import STDIN

    end = tokens.index("--") if "--" in tokens else len(tokens)
    tokens = [STDIN if word == "-" else word for word in tokens[:end]] + tokens[end:]
    command, bound, asked = app.parse_args(tokens)
    if context.out.json and getattr(command, "__self__", None) is not None:  # cyclopts' own: a page, or the version
        _give_object(app, tokens, context)
        return None
    answer = command(*bound.args, **bound.kwargs, **dict.fromkeys(asked, context))
    return answer if isinstance(answer, int) else None


def _give_object(app: App, tokens: list[str], context: "Context") -> None:
    """Give as one object what is else a page of text; LocalError where a command is missing, and no page was asked."""
    from cli.commands.about import page, version

    flags = tokens[: tokens.index("--")] if "--" in tokens else tokens
    line = [word for word in flags if word not in {*app.help_flags, *app.version_flags}]
    if not {*app.help_flags}.isdisjoint(flags):
        with in_english():
            context.out.result({"help": page(app, line)})
    elif not {*app.version_flags}.isdisjoint(flags):
        version(context=context)
    else:
        chain, apps, _ = app.parse_commands(line)
        raise LocalError(
            phrase("A command is missing after `{command}`.", command=" ".join(["mesh", *chain])),
            do=phrase("`{command} --help` says what each does.", command=" ".join(["mesh", *chain])),
            code="E-USAGE",
            candidates=tuple(name for name in apps[-1] if not name.startswith("-")),
        )


def _read_home(_type: type, tokens: Sequence[Token]) -> Path:
    """Read a folder's name; LocalError for an empty one, which a script's unset variable leaves."""
    if not tokens[0].value.strip():
        raise LocalError(
            "The folder of the home is named, and the name is empty.",
            why="It would mean the folder that you happen to be in.",
            do="Name a folder with --home or MESH_HOME, or leave both out: then it is the usual one.",
            code="E-USAGE",
        )
    return Path(tokens[0].value)


def _home(given: Path | None) -> Path:
    if given is None:
        from mesh.node.local.paths import default_home

        given = default_home()
    return given.expanduser().absolute()


def _version() -> str:
    from cli.commands.about import version_text

    return version_text()
