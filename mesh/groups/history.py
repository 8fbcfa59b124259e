"""History for newcomers: what the setting `history` says, and who may have what that was not sealed for them.

`none` (the default), `last:N` or `days:D`, each up to a limit. What stands there otherwise counts as none: it may come
from any steward's program (protocol.md §11).
"""

from dataclasses import dataclass
from typing import Final

from mesh.errors import LocalError
from mesh.groups.group import Group
from mesh.groups.settings import setting_at
from mesh.ids import DeviceId, MemberPk, OpId
from mesh.membership.views import Member
from mesh.phrases import phrase
from mesh.wire.limits import HISTORY_DAYS_MAX, HISTORY_LAST_MAX

HISTORY: Final = "history"  # the setting
DAY_MS: Final = 86_400_000
_LIMITS: Final = {"last": HISTORY_LAST_MAX, "days": HISTORY_DAYS_MAX}


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """How far back newcomers see: so many posts, or so many days; neither: nothing."""

    last: int = 0
    days: int = 0

    def reaches(self, place: int, age_ms: int) -> bool:
        """Say whether it covers a post: the `place`th from the end (from 1), `age_ms` old when the newcomer came."""
        return place <= self.last or (self.days > 0 and age_ms <= self.days * DAY_MS)

    @property
    def is_open(self) -> bool:
        """Whether newcomers see anything at all."""
        return bool(self.last or self.days)


def read_window(value: str) -> Window | None:
    """Read the setting's value; None for what is none of the forms that a person may set."""
    if value == "none":
        return Window()
    kind, _, count = value.partition(":")
    most = _LIMITS.get(kind, 0)
    if not (count.isascii() and count.isdecimal() and len(count) <= len(str(most)) and str(int(count)) == count):
        return None
    if not 1 <= int(count) <= most:
        return None
    return Window(last=int(count)) if kind == "last" else Window(days=int(count))


def shown_window(value: str) -> str:
    """Return the setting as it counts, whatever stands there."""
    return "none" if read_window(value) is None else value


def require_window(value: str) -> None:
    """LocalError for a value that is no window."""
    if read_window(value) is None:
        raise LocalError(
            phrase("what newcomers see cannot be “{value}”", value=value),
            why=phrase(
                "it is none, the last 1 to {count} messages, or those of the last 1 to {days} days",
                count=HISTORY_LAST_MAX,
                days=HISTORY_DAYS_MAX,
            ),
            do="one of: none, last:50, days:7",
            code="E-SETTING",
        )


def window_of(group: Group, mask: int) -> Window:
    """Return what newcomers see as the operations of a mask have it."""
    return read_window(setting_at(group, HISTORY, mask) or "none") or Window()


def windows_for(group: Group, member: Member) -> tuple[Window, Window]:
    """Return what was in force at a member's admit, and what is now: both have to cover what they are to have."""
    log = group.log
    admitted = log.past(member.admitted) | log.bit(member.admitted)
    return window_of(group, admitted), window_of(group, log.everything)


def was_for(group: Group, devices: frozenset[DeviceId], epoch: OpId) -> bool:
    """Say whether an epoch was made for any of these devices, dormant ones included."""
    entry = group.log.graph.entry(epoch)
    if entry is None or entry.act.recipients is None:
        return False
    return not devices.isdisjoint(entry.act.recipients) or not devices.isdisjoint(entry.act.dormant)


def devices_of(group: Group, member: MemberPk) -> frozenset[DeviceId]:
    """Return all devices that a member has or had."""
    graph = group.log.graph
    brought = graph.entries(graph.brought_for(member, group.log.everything))
    return frozenset(entry.act.device for entry in brought if entry.act.device is not None)


def came_ms(group: Group, devices: frozenset[DeviceId]) -> int | None:
    """Return when the first epoch for any of these devices came here; None where none is known any more.

    Operations bear no time, so each member judges by when it heard of the newcomer.
    """
    return min((e.since_ms for op_id, e in group.epochs.items() if was_for(group, devices, op_id)), default=None)
