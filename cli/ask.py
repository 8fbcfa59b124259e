"""Ask a person: a line, several lines, yes or no, a passphrase that nobody sees.

Questions go to the terminal, never to stdout, where results are read by scripts. Where no terminal is there
to answer, the error says which flag would have answered. A question is a sentence of ours, told here in the reader's
language; what it names stands in it as a value.
"""

import getpass
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cli.words import tell, tell_phrase, to_tell
from mesh.errors import Exit, LocalError, LockedError
from mesh.phrases import Value, Words, own, phrase

STDIN: Final = "/dev/stdin"  # what `-` is turned into before parsing (`cli.app`)
TEXT_BYTES_MAX: Final = 1 << 20  # of stdin; what is longer would not pass the local Api either
YES: Final = to_tell("y yes")  # what is typed for yes, with spaces between
ASKED: Final = to_tell("Passphrase")
HINT_CHARS: Final = 12  # NIST SP 800-63B-4 §3.1.1.2 asks for 15 where nothing else protects; a hint, no rule


class ValueNeeded(LocalError):
    """Something is needed that was not given, and no terminal is there to ask."""

    code = "E-VALUE-NEEDED"


class PassphraseNeeded(LockedError):
    """The passphrase is needed and there is no way to ask for it."""

    code = "E-PASSPHRASE-NEEDED"


class TwoPassphrases(LockedError):
    """The two passphrases that were typed are not the same."""

    code = "E-PASSPHRASE-DIFFERS"


class EmptyPassphrase(LockedError):
    """Nothing was typed where a new passphrase was asked for."""

    code = "E-PASSPHRASE-FORM"


def can_ask() -> bool:
    """Say whether a person sits at the terminal: they see what is asked and can type."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask_line(question: Words, *, instead: Value, default: str = "") -> str:
    """Ask for one line; `instead` is the flag or argument that answers without a terminal."""
    if not can_ask():
        raise _needed(question, instead)
    asked = tell_phrase(own(question))
    mark = "" if asked.endswith("?") else ":"
    answer = _read(f"{asked}{f' [{default}]' if default else ''}{mark} ")
    if answer is None:
        raise _needed(question, instead)
    return answer.strip() or default


def ask_text(question: Words, *, instead: Value) -> str:
    """Ask for several lines, ended by a line with a single dot or by Ctrl-D."""
    if not can_ask():
        raise _needed(question, instead)
    sys.stderr.write(tell("{question} (a line with a single dot, or Ctrl-D, ends it)", question=own(question)) + "\n")
    lines = []
    while (line := _read("> ")) is not None and line.strip() != ".":
        lines.append(line)
    return "\n".join(lines).strip("\n")


def confirm(question: Words, *, instead: Value) -> bool:
    """Ask yes or no, in the reader's language or in English; anything but yes is no."""
    if not can_ask():
        raise ValueNeeded(
            phrase("This needs your yes first: {question}", question=own(question)),
            why="You would be asked, but no terminal is there.",
            do=phrase("Say yes with {instead}.", instead=instead),
            exit=Exit.USAGE,
        )
    answer = (_read(tell("{question} [y/N]", question=own(question)) + " ") or "").strip().lower()
    return answer in {"y", "yes", *tell(YES).split()}


def given_text(value: str | None, question: Words, *, instead: Value) -> str:
    """Give the text that was given, or what stdin holds for `-`, or ask for it."""
    if value is None:
        return ask_text(question, instead=instead)
    return read_stdin() if value == STDIN else value


def given_line(value: str | None, question: Words, *, instead: Value) -> str:
    """Give the line that was given, or stdin's for `-`, or ask for it; without white space around it."""
    if value is None:
        return ask_line(question, instead=instead)
    return read_stdin().strip() if value == STDIN else value.strip()


def read_stdin() -> str:
    """Read all of stdin as text, up to 1 MiB, without its last line end."""
    held = sys.stdin.buffer.read(TEXT_BYTES_MAX + 1)
    if len(held) > TEXT_BYTES_MAX:
        raise LocalError("That is longer than 1 MiB.", do="Send less at once.", code="E-TOO-LONG")
    try:
        text = held.decode()
    except UnicodeDecodeError:
        raise LocalError("What came by stdin is not UTF-8 text.", code="E-TEXT") from None
    return text.removesuffix("\n").removesuffix("\r")


def read_file(path: Path) -> str:
    """Read a file that was named, or stdin for `-`, as text."""
    if str(path) == STDIN:
        return read_stdin()
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why: Value = phrase("it is not UTF-8 text")
        if isinstance(error, OSError):
            why = error.strerror or ""
        raise LocalError(
            phrase("This file cannot be read: {path} ({why}).", path=str(path), why=why), code="E-FILE"
        ) from None


# ---------------------------------------------------------------- passphrases


def ask_passphrase(question: Words = ASKED) -> str:
    """Ask for a passphrase without showing it."""
    if not _can_hide():
        raise PassphraseNeeded(
            "Your passphrase is needed, and no terminal is there to ask for it.",
            do="Use --passphrase-fd N, or set MESH_PASSPHRASE_FILE to a file that holds it.",
        )
    try:
        return getpass.getpass(f"{tell_phrase(own(question))}: ", stream=sys.stderr)
    except KeyboardInterrupt:
        _end_line()
        raise
    except EOFError:
        raise PassphraseNeeded("No passphrase was typed.", do="Run the command again.") from None


def ask_new_passphrase() -> str:
    """Ask for a new passphrase twice; after three attempts TwoPassphrases, or EmptyPassphrase if the last was empty."""
    passphrase = ""
    for _ in range(3):
        passphrase = ask_passphrase("New passphrase")
        if not passphrase:
            sys.stderr.write(tell("It is empty. Choose one.") + "\n")
            continue
        if hint := weak_hint(passphrase):
            sys.stderr.write(hint + "\n")
        if ask_passphrase("The same again") == passphrase:
            return passphrase
        sys.stderr.write(tell("They are not the same.") + "\n")
    if not passphrase:
        raise EmptyPassphrase(
            "The passphrase was empty.",
            why="It is what keeps others out of what is stored here.",
            do="Run the command again, and choose at least one character; several words are good.",
        )
    raise TwoPassphrases(
        "The two passphrases were not the same.",
        why="One with a slip in it would lock you out.",
        do="Run the command again.",
    )


def ask_words() -> str:
    """Ask for the 24 recovery words without showing them."""
    if not _can_hide():
        raise ValueNeeded(
            "The recovery words are needed, and no terminal is there to ask for them.",
            why="They are never taken from the command line, which other accounts can see.",
            do="Use --words-fd N.",
        )
    try:
        return getpass.getpass(tell("Your 24 words, with spaces between them:") + " ", stream=sys.stderr)
    except KeyboardInterrupt:
        _end_line()
        raise
    except EOFError:
        raise ValueNeeded("No words were typed.", do="Run the command again.") from None


def weak_hint(passphrase: str) -> str:
    """Say why a passphrase is easy to guess, or nothing; a hint that stays on this machine."""
    if len(passphrase) < HINT_CHARS:
        return tell(
            "Hint: it has fewer than {least} characters. Four or more unrelated words are stronger.", least=HINT_CHARS
        )
    if len(set(passphrase.casefold())) < 6:
        return tell("Hint: it repeats a few characters. Four or more unrelated words are stronger.")
    if passphrase.isdigit():
        return tell("Hint: it has digits alone. Four or more unrelated words are stronger.")
    return ""


def check_words(words: Sequence[str], places: Sequence[int]) -> bool:
    """Ask for the words at these places (from 0), three times each at most; say whether all came."""
    for place in places:
        for _ in range(3):
            if (_read(tell("Word {number}:", number=place + 1) + " ") or "").strip().lower() == words[place]:
                break
            sys.stderr.write(tell("That is not it. Look at what you wrote down.") + "\n")
        else:
            return False
    return True


# ---------------------------------------------------------------- the terminal


def _needed(question: Words, instead: Value) -> ValueNeeded:
    return ValueNeeded(
        phrase("One thing is still missing: {question}", question=own(question)),
        why="You would be asked for it, but no terminal is there.",
        do=phrase("Give it with {instead}.", instead=instead),
        exit=Exit.USAGE,
    )


def _can_hide() -> bool:
    if not sys.stderr.isatty():
        return False
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _read(prompt: str) -> str | None:
    """Read a line; None at the end of input. A prompt on stdout would end up in a script's results."""
    if sys.stdout.isatty():
        import readline  # noqa: F401 - lifts the kernel's 4,095 bytes a line (termios(3)) and edits

        try:
            return input(prompt)
        except EOFError:
            return None
        except KeyboardInterrupt:
            _end_line()
            raise
    sys.stderr.write(prompt)
    sys.stderr.flush()
    try:
        line = sys.stdin.readline()
    except KeyboardInterrupt:
        _end_line()
        raise
    return line.removesuffix("\n") if line else None


def _end_line() -> None:
    """End the line of a question that was interrupted, so that what follows stands on its own."""
    sys.stderr.write("\n")
    sys.stderr.flush()
