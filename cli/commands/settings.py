"""`group set`: what holds in a group, and what of it is one's own choice."""

from cli.options import Here
from cli.output import one_line
from cli.render import newcomers_see


def set_(group: str, key: str, value: str, /, *, context: Here) -> None:
    """Change a setting of a group, or one of your own in it.

    Of the whole group (stewards and founders): `history`, what newcomers see (none, last:50, days:7); `approvals`;
    `members-invite`. Your own: `invite-address`, `key-window`. For example: mesh group set "Tuesday grief" history
    last:50. The members see a change in `mesh group show`; what was said before it under `none` stays unseen.

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
