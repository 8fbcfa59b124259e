"""`group set`: what holds in a group, and what of it is one's own choice."""

from cli import fields
from cli.options import Here
from cli.output import one_line
from cli.render import newcomers_see


def set_(group: str, key: str, value: str, /, *, context: Here) -> None:
    """Change a setting of a group, or one of your own in it.

    Settings of the whole group, for stewards and founders; the members see a change in `mesh group show`:

    - history none, last:N (1 to 500) or days:N (1 to 90): what newcomers see of what was said before they came, the
      first of them too. What is said under `none` stays unseen whatever comes later.
    - approvals 0 to 8: what codes of more than one use ask for, unless `mesh invite new` says otherwise.
    - members-invite on or off: whether plain members make codes too.

    Settings of your own, in this group:

    - invite-address on or off: whether the codes of other members may lead to your node.
    - beacons on or off: whether your node says that it is there when you have said nothing for a day.
    - receipts on or off: whether your node confirms to those who post that their posts came here.
    - key-window 3 to 30: days after which a replaced key goes, even if somebody has been silent since.
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
    told = context.call("group.set", {"group": group, "key": key, "value": value})
    context.out.result(told, [f"{one_line(key)} is now {one_line(value)}."])
    if key == "history":
        seen = newcomers_see(value)
        context.out.say(f"From now on {seen if value != 'none' else 'newcomers see nothing of what was said before'}.")
    if not fields.flag(fields.record(told, "setting"), "own"):
        context.say_unheard()
