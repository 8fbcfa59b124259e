"""The agreement that ships with the program, and what a steward may truly promise newcomers, in plain words.

Both are texts for people, told in the reader's language piece by piece. The agreement becomes the group's own text when
its founder takes it, and is no longer ours then: it stays in the language in which it was taken. What the program
itself does is said in the second one, each line as the tests show it.
"""

from typing import Final

from cli.words import tell, to_tell

_TEMPLATE: Final = (
    to_tell("What we agree on"),
    "",
    to_tell(
        "1. What is said here stays here. We do not repeat it, copy it or show it to others.\n"
        "   There is one limit. If somebody is in danger, we may look for help, and we try to say so first."
    ),
    to_tell(
        "2. A pledge binds people, not software. Nobody can stop a screenshot. So we share what we can bear to share."
    ),
    to_tell("3. We listen first. We give advice only to those who ask for it. We speak of ourselves."),
    to_tell("4. Each of us takes part at our own pace. Nobody has to speak, and nobody has to say why they were away."),
    to_tell("5. We put a warning on what may be hard to read."),
    to_tell("6. This group is for people of 18 and over. (Change this line, or take it out.)"),
    to_tell(
        "7. If we learn that a child, or an adult who cannot keep themself safe, may be at risk, we tell a steward.\n"
        "   A steward may have a duty to pass that on. If so, they say it here: (name the duty, or write: none)."
    ),
    to_tell(
        "8. This is not an emergency service, and nobody has to be here at all hours.\n"
        "   In a crisis we call for help first: `mesh crisis` shows who listens."
    ),
    to_tell("9. If something is wrong between us, we tell a steward. Stewards serve for a time, and then others do."),
    to_tell("10. Any of us may leave at any time, without a reason."),
)

_SHEET: Final = (
    to_tell("What may I promise newcomers?"),
    "",
    to_tell("You may say:"),
    to_tell("- Only the devices of members can open what is posted. No company and no server in the middle can."),
    to_tell("- You go by an alias here. In another group you have another, and other keys."),
    to_tell("- You can read at your own pace. Nobody is told what you open."),
    to_tell("- You can leave when you like, and you need not say why."),
    to_tell("- What you post, you can take back. Programs that keep to the rules then forget it."),
    to_tell("- The card of `mesh crisis` is there at all times, with no network too."),
    "",
    to_tell("You may not say:"),
    to_tell('- "Nobody else will ever see it." Each member can copy, tell or photograph what they read.'),
    to_tell('- "It is gone." Others may have kept what was taken back, or what ran out.'),
    to_tell('- "We know who everybody is." The program knows keys. People can compare them with `mesh verify`.'),
    to_tell(
        '- "Nobody can find out that you are here." Members\' nodes see your network address, and '
        "when you are online.\n"
        "  Whoever is in two groups with you may know you again by it."
    ),
    to_tell('- "Somebody is always there." A steward may be off duty: `mesh stewards GROUP` shows who is on.'),
    to_tell('- "It is reviewed and safe." Nobody from outside has reviewed how it is sealed.'),
    to_tell(
        '- "We will come if you are in danger." This is no emergency service. No message is looked at for signs of one.'
    ),
    "",
    to_tell("Say it in your own words, and before they join. A kept small promise is worth more than a large one."),
)


def template() -> str:
    """Give an agreement to begin with."""
    return "".join(f"{tell(piece)}\n" for piece in _TEMPLATE)


def sheet() -> str:
    """Give what a steward may promise, and what not."""
    return "".join(f"{tell(piece)}\n" for piece in _SHEET)
