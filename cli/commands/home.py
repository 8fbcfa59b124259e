"""`init` and `status`, and what `mesh` says when nothing is said to it."""

import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from cli import fields
from cli.ask import ask_line, ask_new_passphrase, ask_words, can_ask, check_words, weak_hint
from cli.context import TYPED_MAX, Context, read_line_of
from cli.errors import said
from cli.join_lines import join_lines
from cli.options import Flag, Here, Locale
from cli.output import Output
from cli.pace import pace_lines
from cli.render import catching_up_line, problem_lines, shown_id, standing
from cli.words import tell, tell_each, tell_many
from mesh.errors import LocalError
from mesh.node.local.protocol import JsonObject, phrased
from mesh.phrases import phrase

if TYPE_CHECKING:
    from mesh.node.local.setup import NewIdentity

CHECKED_WORDS = 3  # enough that a photograph not taken shows; ours
KNOCKED = {"knocking", "awaiting-approval"}  # states of an attempt to join in which one can only wait
WELCOME: Final = (
    "This is Support Mesh: small groups that talk end-to-end encrypted, person to person.",
    "You run a node of your own and join a group with a code that somebody gives you. There is no company",
    "and no server in the middle.",
    "",
    "There is no identity here yet. Make one:",
    "  mesh init        choose a passphrase and write down 24 recovery words",
    "  mesh up          run your node",
    "  mesh join        join a group with a code, or: mesh group create NAME",
    "",
    "`mesh --help` lists all commands; `mesh crisis` shows who listens when things are dark.",
)


def init(
    *,
    name: str = "",
    locale: Locale = "",
    words: Flag = False,
    words_fd: Annotated[int | None, Parameter(metavar="N")] = None,
    context: Here,
) -> None:
    """Make your identity on this machine.

    You choose a passphrase, which opens what is stored here, and are shown 24 recovery words, once. Write
    them on paper: with them your identity comes back if this machine is lost. Nobody else has them.

    With --words you type the 24 words that you have, and this becomes a further home of the same identity. It is in no
    group yet: `mesh device add` on your other device shows a code that brings it in. If you have no other, an invite
    does; then you come in as somebody new.

    Parameters
    ----------
    name
        The alias that is offered when you create or join a group; it stays on this machine until then.
    locale
        Your language and country, like en-GB. It is kept here; no command uses it yet.
    words
        Ask for the recovery words of an identity that there is. They are not shown while you type.
    words_fd
        Read these words from this file descriptor, on one line.
    """
    from mesh.node.local import setup

    if setup.has_identity(context.home):
        raise LocalError(
            phrase("There already is an identity in {folder}", folder=str(context.home)),
            why="Making another in its place would destroy it.",
            do="Use it as it is, or choose another folder with --home.",
            code="E-HOME-EXISTS",
        )
    known = _known_words(words_fd) if words or words_fd is not None else None
    given = context.given_passphrase()
    if given and (hint := weak_hint(given)):
        context.out.say(hint)
    passphrase = ask_new_passphrase() if given is None else given
    with context.unseen:
        made = setup.create_identity(context.home, passphrase, name=name, locale=locale, words=known)
    told: JsonObject = {
        "identity": {"fingerprint": made.fingerprint},
        "recovery_words": list(made.words),
        "home": str(context.home),
    }
    if known is not None:
        context.out.result(
            told, [tell("A further home of {id}, in {folder}", id=made.fingerprint, folder=str(context.home))]
        )
        context.out.say(
            tell("Next: `mesh up`; then `mesh device add` on your other device, and `mesh device join` here.")
        )
        return
    if asks_back(context):
        _show_and_check(context, told, made)
    else:
        context.out.result(told, word_lines(made.words))
    context.out.say(
        tell("Your identity is {id}, and lies in {folder}", id=made.fingerprint, folder=str(context.home)),
        tell("Next: `mesh up` runs your node."),
    )


def _known_words(descriptor: int | None) -> str:
    """Give the 24 words: from a descriptor, or from the person, who may try three times."""
    from mesh.node.local import setup

    if descriptor is not None:
        given = read_line_of(descriptor)
        setup.check_words(given)
        return given
    for _ in range(TYPED_MAX - 1):
        given = ask_words()
        try:
            setup.check_words(given)
        except LocalError as error:
            sys.stderr.write("\n".join(said(error)) + "\n")
        else:
            return given
    given = ask_words()
    setup.check_words(given)
    return given


def word_lines(words: tuple[str, ...]) -> list[str]:
    """Lay the 24 words out in rows of four, numbered, with what to do about them."""
    cells = [f"{place:2} {word:<9}" for place, word in enumerate(words, 1)]
    rows = ["  " + "  ".join(cells[start : start + 4]).rstrip() for start in range(0, len(cells), 4)]
    return [
        tell("Your 24 recovery words. Write them down on paper, in this order, and keep it safe:"),
        "",
        *rows,
        "",
        tell("Whoever has them is you, in every group. Nobody else has them, and nobody can bring them back."),
    ]


def asks_back(context: Context) -> bool:
    """Say whether somebody is there who reads the words and can say that they have them."""
    return not context.yes and not context.out.json and can_ask()


def show_apart(context: Context, told: JsonObject, words: tuple[str, ...]) -> None:
    """Show the words on a screen of their own, until they are on paper; where there is none, say that they stay."""
    with context.out.apart() as is_apart:
        context.out.result(told, word_lines(words))
        if is_apart:
            ask_line("Press Return once they are on paper; then they leave the screen", instead="--yes")
    if is_apart:
        context.out.insist(tell("The words are off the screen. If you find them further up, close this terminal."))
    else:
        context.out.insist("", tell("The words stay on this screen. Clear it once they are on paper."))


def _show_and_check(context: Context, told: JsonObject, made: "NewIdentity") -> None:
    out = context.out
    try:
        show_apart(context, told, made.words)
        out.insist("", tell("Have you written them down? Three of them, please, from your paper."))
        good = _come_back(made.words)
    except KeyboardInterrupt:
        out.insist(
            tell("Your identity {id} is made, and lies in {folder}", id=made.fingerprint, folder=str(context.home)),
            tell("Your words were not checked. `mesh id words` shows the words again: compare them with your paper."),
            tell("Next: `mesh up` runs your node."),
        )
        raise
    if good:
        out.insist(tell("Good. That is all."))
    else:
        out.insist(tell("Something is not as it should be on your paper. `mesh id words` shows the words again."))


def _come_back(words: tuple[str, ...]) -> bool:
    places = sorted(secrets.SystemRandom().sample(range(len(words)), CHECKED_WORDS))
    return check_words(words, places)


# ---------------------------------------------------------------- status


def status(*, context: Here) -> None:
    """Show what needs you first, then your groups and what waits to leave."""
    require_identity(context)
    show_status(context, locked=_locked(context) and not can_ask())


def nothing_said(*, context: Context) -> None:
    """Say what this is and what to do first; where there is an identity, say how it stands."""
    from mesh.node.local import setup

    if not _answers(context.home) and not setup.has_identity(context.home):
        context.out.result({"identity": None, "home": str(context.home)}, [tell(line) for line in WELCOME])
        return
    show_status(context, locked=_locked(context))


def show_status(context: Context, *, locked: bool) -> None:
    """Show the status; `locked`: only what can be said without the passphrase."""
    if locked:
        told: JsonObject = {
            "running": False,
            "problems": [phrased(what="Your node is not running.", do="Start it with `mesh up`.")],
            "links": [],
            "refused": [],
            "groups": None,
            "joins": None,
            "pace": None,
            "addresses": [],
            "outbox": None,
            "keeper": None,
        }
    else:
        told = context.call("status")
    context.out.result(told, status_lines(told))
    if context.out.json:
        return
    show_groups(context.out, told)
    if not any(fields.text(problem, "do") for problem in fields.records(told, "problems")):
        context.out.result({}, [tell("Next: {step}", step=next_step(told))])


def status_lines(told: JsonObject) -> list[str]:
    """Say health: problems first, then whether the node runs and with whom it is linked."""
    lines = [*pace_lines(fields.record(told, "pace")), *problem_lines(told)]
    if fields.flag(told, "running"):
        links = len(fields.records(told, "links"))
        lines.append(
            tell_many(
                "Your node is running, with {count} link to others.",
                "Your node is running, with {count} links to others.",
                count=links,
            )
        )
        if refused := len(fields.records(told, "refused")):
            lines.append(
                tell_many(
                    "{count} node is refused for a while: no honest node sends what came.",
                    "{count} nodes are refused for a while: no honest node sends what came.",
                    count=refused,
                )
            )
    elif not fields.records(told, "problems"):
        lines.append(tell("Your node is not running."))
    for join in fields.records(told, "joins"):
        lines += join_lines(join)
    if waiting := _waiting(told):
        lines.append(
            tell_many(
                "{count} message of yours waits to leave.", "{count} messages of yours wait to leave.", count=waiting
            )
        )
    return lines


def show_groups(out: Output, told: JsonObject) -> None:
    """Show one row for each group."""
    groups = fields.records(told, "groups")
    if not groups:
        return
    out.heading(tell("Groups"))
    out.table(
        tell_each("name", "members", "unread", "id", "note"),
        [
            (
                fields.text(group, "name"),
                str(fields.number(group, "members")),
                str(fields.number(group, "unread") or ""),
                shown_id(fields.text(group, "id")),
                standing(group)
                or catching_up_line(fields.record(group, "catching_up"))
                or ("" if group.get("complete") is not False else tell("not all members can read yet")),
            )
            for group in groups
        ],
    )


def next_step(told: JsonObject) -> str:
    """Name the one step that is most useful now."""
    if not fields.flag(told, "running"):
        return tell("`mesh up` runs your node.")
    groups = fields.records(told, "groups")
    if not groups and any(fields.text(join, "state") in KNOCKED for join in fields.records(told, "joins")):
        return tell("you wait to be let in; `mesh joins list` shows how that stands.")
    if not groups and fields.flag(told, "keeper"):
        return tell("this node is a keeper; `mesh keeper status` shows what it holds.")
    if not groups:
        return tell("`mesh join` with a code, or `mesh group create NAME`.")
    for group in groups:
        if fields.number(group, "unread"):
            return f'`mesh read "{fields.text(group, "name")}" --unread`.'
    return tell("`mesh outbox` shows what waits.") if _waiting(told) else tell("nothing needs you.")


def require_identity(context: Context) -> None:
    """LocalError if there is no identity here: before anything else is asked."""
    from mesh.node.local import setup

    if not _answers(context.home) and not setup.has_identity(context.home):
        raise no_identity(context)


def no_identity(context: Context) -> LocalError:
    """Make the error for a home in which there is no identity."""
    return LocalError(
        phrase("There is no identity in {folder} yet.", folder=str(context.home)),
        do="Make one with `mesh init`, or name the right folder with --home.",
        code="E-HOME-MISSING",
    )


def _waiting(told: JsonObject) -> int:
    outbox = told.get("outbox")
    return len(outbox) if isinstance(outbox, list) else fields.number(told, "outbox")


def _locked(context: Context) -> bool:
    return not _answers(context.home) and not context.can_unlock_silently()


def _answers(home: Path) -> bool:
    from mesh.node.local.api import reach_node

    node = reach_node(home)
    if node is None:
        return False
    node.close()
    return True
