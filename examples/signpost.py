"""A bot for a support group: to whoever asks where help is, it names a command, once an hour and no more.

What it decides is a plain function of what it heard and when, so that it can be tried without any network; how it is
wired to a simulated person takes three lines. Beside a real node the same function would be called from `mesh events`.
"""

from dataclasses import dataclass

from simulations.api import Heard, Person, hears

ANSWER = "`mesh crisis` shows numbers that answer at any hour, and works without a network."
ASKS = ("where is help", "who can i call", "i need help now")
EVERY_MS = 3_600_000


@dataclass
class Signpost:
    """What the bot remembers: when it last said it."""

    said_ms: int | None = None

    def answers(self, text: str, now_ms: int) -> bool:
        """Say whether to answer, and remember it."""
        asked = any(words in text.casefold() for words in ASKS)
        if not asked or (self.said_ms is not None and now_ms - self.said_ms < EVERY_MS):
            return False
        self.said_ms = now_ms
        return True


def put_up(person: Person) -> Signpost:
    """Have somebody's node run the bot."""
    bot = Signpost()

    def heard(post: Heard) -> None:
        if bot.answers(post.text, person.world.now_ms):
            person.post(post.group, ANSWER)

    hears(person, heard)
    return bot
