"""What a feature cannot do is said where one uses it: each row of docs/support.md has its limit in a page of help."""

import re
from pathlib import Path

import pytest

from cli.app import build
from cli.commands.about import page

ROOT = Path(__file__).parents[2]
LIMITS: dict[str, dict[str, tuple[str, ...]]] = {
    # row -> command -> phrases of its limit that the command's page holds
    "crisis card": {"crisis": ("This is not an emergency service",)},
    "tips beside a warning": {"post": ("Tips come by the label alone: your text is not looked at",)},
    "content warning": {
        "post": ("The label is your own word, and a changed program may show all at once.",),
        "read": ("A warning is its author's own word", "A changed program may show all at once."),
    },
    "delete and expiry": {
        "message withdraw": ("People remember what they read, and a program that was changed keeps it.",),
        "post": ("from every node that keeps to the rules; a changed one keeps it.",),
        "group set": ("Copies that people made stay, and a changed program keeps what it likes.",),
        "group create": ("Copies that people made stay, and a changed program keeps what it likes.",),
    },
    "contact hint": {"post": ("That is a guess: it misses some, and at times it is wrong.",)},
    "block, mute, hide": {
        "block": ("They may come back under another key, as somebody new",),
        "mute": ("What people write in other words, or in a picture, is not met.",),
    },
    "flag, collapse": {"flag": ("a changed program can show whose it is", "can also show what is folded")},
    "pins": {"group pin": ("demoted by another takes their pins along", "the 64 newest words on pins count")},
    "meeting": {
        "meeting set": ("the later word holds, by their clocks", "It stays when the group's `keep` has passed"),
        "meeting remind": ("nothing rings",),
    },
    "support mode": {"post": ("It is your word: a changed program may send anything under it.",)},
    "who can see": {"post": ("who is linked with your node now", "Whoever sees your words can copy them.")},
    "pause, quiet hours, digest": {
        "pause": ("Another device of yours has a pace of its own.",),
        "quiet": ("Another device of yours has hours of its own.",),
        "digest": ("Another device of yours has a pace of its own.",),
    },
    "reflection": {"reflect add": ("It is lost with the device; whoever has its passphrase reads it.",)},
    "shelf": {
        "shelf add": ("Nobody checks what is put up", "Of one device 32 stand at a time.", "the newest 256 count")
    },
    "milestones": {
        "milestone add": ("Nobody checks the date.", "There is no private counting yet."),
        "milestone reset": ("A changed program may keep what it saw.",),
    },
    "agreement and pledge": {"group agreement accept": ("It binds people, not software.",)},
    "steward terms": {"steward term": ("A changed program may never end its term.",)},
    "off duty": {"stewards": ("A changed program can say what it likes of itself.",)},
    "handover": {"steward handover": ("Only a founder can make stewards.",)},
    "stewards' room": {"stewards open": ("It does not follow who serves by itself.",)},
    "stewards gone": {"group fork": ("One whose beacons are off may look gone and be there.",)},
    "what to promise": {"group agreement sheet": ("It is a text", "binds no program")},
    "exit without trace": {"group leave": ("Others remember what they read, and a program that was changed keeps it",)},
    "consent to share": {
        "share ask": ("a changed program, or a screenshot, asks nobody",),
        "export": ("A changed one takes what it likes, and anyone can copy a screen.",),
    },
    "report": {
        "report": ("A steward who is left out can open none of them, and may guess.", "A steward may tell others.")
    },
    "sanctions ladder": {"sanction": ("A changed program shows it.", "Who is out reads no note any more")},
    "appeal": {"appeal": ("Nobody can make them", "Who was removed has no key to appeal with")},
    "log": {"log": ("Changes of the group bear no time",)},
    "ask for a listener": {
        "listen ask": (
            "A listener is a member, not a helpline.",
            "both programs know it, and a changed one can show it",
            "You are shown to the same people four times within three hours, and no more.",
        )
    },
    "circle": {"circle open": ("A changed program may not wait.",)},
    "introductions": {"introduce ask": ("a person can still tell others",)},
    "newcomers": {"group rank": ("also ends the time of a newcomer", "Honest nodes keep a newcomer's limits")},
}
COMMANDLESS = {
    # row -> why no command's help can say it
    "plain words": "it is about what all commands say",
}


def rows() -> list[str]:
    """Name the rows of the first table of docs/support.md."""
    text = (ROOT / "docs" / "support.md").read_text(encoding="utf-8").partition("|---|")[2].partition("\n\n")[0]
    return re.findall(r"^\| ([^|]+) \|", text, flags=re.MULTILINE)


def said_in_help(command: str) -> str:
    """Give a command's page of help on one line."""
    return " ".join(page(build(tuple(command.split())), command.split()).split())


def test_each_row_of_the_table_names_what_its_help_says_of_its_limit() -> None:
    assert len(rows()) > 30
    assert sorted(rows()) == sorted([*LIMITS, *COMMANDLESS])


@pytest.mark.parametrize("row", LIMITS)
def test_the_limit_is_said_in_the_commands_own_help(row: str) -> None:
    assert LIMITS[row]
    for command, phrases in LIMITS[row].items():
        assert phrases
        shown = said_in_help(command)
        assert [phrase for phrase in phrases if phrase not in shown] == [], f"mesh {command} --help"
