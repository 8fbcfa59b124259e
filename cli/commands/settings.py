"""`group set`: what holds in a group, and what of it is one's own choice."""

from typing import Final

from cli import fields
from cli.ask import confirm
from cli.context import Context
from cli.durations import parse_duration, spoken_duration
from cli.options import Here
from cli.output import one_line
from cli.render import history_seen
from cli.words import tell
from mesh.errors import LocalError
from mesh.phrases import phrase

HOUR_S: Final = 3600


def set_(group: str, key: str, value: str, /, *, context: Here) -> None:
    """Change a setting of a group, or one of your own in it.

    Settings of the whole group, for stewards and founders; the members see a change in `mesh group show`:

    - history none, last:N (1 to 500) or days:N (1 to 90): what newcomers see of what was said before they came, the
      first of them too. What is said under `none` stays unseen whatever comes later.
    - approvals 0 to 8: what codes of more than one use ask for, unless `mesh invite new` says otherwise.
    - members-invite on or off: whether plain members make codes too.
    - lock-mode off, listening, experience, advice or resources: the one mode in which messages are posted here. What
      is posted in another, by a program that does not keep to it, is shown closed; what was said before stays open.
    - agreement-first on or off: whether posts wait for a yes to a new version of the agreement. Without it they do not.
      What a changed program posts all the same is shown closed until its author says yes.
    - steward-term 0 to 366: days that a founder or steward serves; 90 if nothing is set. 0: a term has no end.
    - listeners on or off: whether members may offer to listen, and ask for a listener (`mesh listen`).
    - keep 1h to 3660d, or 0: how long every member's node keeps what is said. It holds for what was said before too:
      what is older goes from all of them, for good. 0: nothing goes by itself. Copies that people made stay, and a
      changed program keeps what it likes.

    Settings of your own, in this group:

    - invite-address on or off: whether the codes of other members may lead to your node.
    - beacons on or off: whether your node says that it is there when you have said nothing for a day.
    - receipts on or off: whether your node confirms to those who post that their posts came here; they are told if not.
    - fetch-files on or off: whether small files (1 MiB a message) are fetched before you ask for them.
    - key-window 3 to 30: days after which a replaced key goes, even if somebody has been silent since.
    - meeting-remind 0 to 1440: minutes before a meeting from which you are reminded; 0 for not at all.
    - dormant-after 14 to 365: days without a new key after which a device gets none of yours until it is back.

    For example:

    mesh group set "Tuesday grief" history last:50
    mesh group set "Tuesday grief" beacons off

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    key
        The setting.
    value
        Its new value.
    """
    asked = _kept(context, value) if key == "keep" else value
    told = context.call("group.set", {"group": group, "key": key, "value": asked})
    context.out.result(told, [tell("{key} is now {value}.", key=one_line(key), value=one_line(value))])
    if key == "history":
        context.out.say(tell("From now on newcomers see {what}.", what=history_seen(value)))
    if not fields.flag(fields.record(told, "setting"), "own"):
        context.say_unheard()


def _kept(context: Context, value: str) -> str:
    """Return how long messages are kept, in hours, as the group has it; asked again first, for what goes is gone."""
    hours, rest = divmod(parse_duration(value), HOUR_S)
    if rest:
        raise LocalError("Messages are kept for whole hours.", do="Say it like 12h or 30d, or 0.", code="E-SETTING")
    if hours and not context.yes:
        question = phrase(
            "What is older than {time} goes from every member's node, for good. Go on?",
            time=spoken_duration(hours * HOUR_S),
        )
        if not confirm(question, instead="--yes"):
            raise LocalError("Nothing was changed.", code="E-NOT-CONFIRMED")
    return str(hours)
