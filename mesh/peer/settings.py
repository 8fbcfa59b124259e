"""Settings: of a group, which its stewards change by an operation, and our own in it, which stay here."""

from collections.abc import Mapping
from typing import Final

from mesh.commands import Rank, SetSetting
from mesh.errors import LocalError
from mesh.groups.authoring import author
from mesh.groups.dormancy import DORMANT_AFTER, DORMANT_DAYS_MAX, DORMANT_DAYS_MIN
from mesh.groups.forgetting import KEY_WINDOW, WINDOW_DAYS_MAX, WINDOW_DAYS_MIN
from mesh.groups.history import HISTORY, require_window
from mesh.groups.retention import KEEP, require_keep
from mesh.peer.agreeing import AGREEMENT_FIRST
from mesh.peer.beacons import BEACONS
from mesh.peer.fetching import FETCH_FILES
from mesh.peer.listening import LISTENERS
from mesh.peer.modes import LOCK_MODE
from mesh.peer.receipts import plan_receipt
from mesh.peer.rights import require_rank
from mesh.peer.speaking import IN_INVITES, RECEIPTS, publish
from mesh.peer.state import Room, State, Step
from mesh.peer.terms import STEWARD_TERM, TERM_VALUES, require_term
from mesh.phrases import phrase
from mesh.support.posts import MODES
from mesh.wire import limits
from mesh.wire.operations import OpType, Setting, SettingsBody

# Key -> allowed values; beside them stand `history` and `keep`.
GROUP_SETTINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "members-invite": ("on", "off"),
    LOCK_MODE: ("off", *MODES),
    AGREEMENT_FIRST: ("on", "off"),
    STEWARD_TERM: TERM_VALUES,
    LISTENERS: ("on", "off"),
    "approvals": tuple(str(k) for k in range(limits.APPROVALS_MAX + 1)),
}
_NAMED_MAX: Final = 12  # values of a setting that an error lists; ours
MEETING_REMIND: Final = "meeting-remind"  # our own setting: so many minutes before a meeting we are reminded of it
OWN_SETTINGS: Final = {
    MEETING_REMIND: tuple(str(minutes) for minutes in range(24 * 60 + 1)),
    FETCH_FILES: ("on", "off"),
    IN_INVITES: ("on", "off"),
    BEACONS: ("on", "off"),
    RECEIPTS: ("on", "off"),
    KEY_WINDOW: tuple(str(days) for days in range(WINDOW_DAYS_MIN, WINDOW_DAYS_MAX + 1)),
    DORMANT_AFTER: tuple(str(days) for days in range(DORMANT_DAYS_MIN, DORMANT_DAYS_MAX + 1)),
}


def set_setting(state: State, room: Room, command: SetSetting, step: Step) -> None:
    """Change a setting of the group, or one of our own in it. LocalError for one that is none."""
    check_setting(command.key, command.value, OWN_SETTINGS if command.own else GROUP_SETTINGS)
    if command.own:
        own = {**room.group.own.settings_map(), command.key: command.value}
        room.group.set_own(step.journal, settings=[[k, v] for k, v in sorted(own.items())])
        step.set_timer("presence", room.group.gid, 0)
        plan_receipt(room, step)
    else:
        require_rank(room, Rank.STEWARD, "change a setting of the whole group")
        require_term(room, step.now.wall_ms)
        body = SettingsBody(settings=[Setting(key=command.key, value=command.value)])
        publish(state, room, author(room.group, OpType.SETTINGS, body, step.means()), step)


def check_setting(key: str, value: str, known: Mapping[str, tuple[str, ...]]) -> None:
    """LocalError unless there is such a setting among those known, and this is a value of it."""
    if key == HISTORY and known is GROUP_SETTINGS:
        require_window(value)
        return
    if key == KEEP and known is GROUP_SETTINGS:
        require_keep(value)
        return
    allowed = known.get(key)
    if allowed is None:
        names = (*OWN_SETTINGS, *GROUP_SETTINGS, HISTORY, KEEP)
        raise LocalError(
            phrase("there is no setting “{key}”", key=key),
            do=phrase("settings: {names}", names=", ".join(names)),
            code="E-SETTING",
        )
    if value not in allowed:
        raise LocalError(
            phrase("“{key}” cannot be “{value}”", key=key, value=value),
            do=phrase("a number from {least} to {most}", least=allowed[0], most=allowed[-1])
            if len(allowed) > _NAMED_MAX
            else phrase("one of: {names}", names=", ".join(allowed)),
            code="E-SETTING",
        )
