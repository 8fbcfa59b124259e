"""What one link was asked for and has not answered yet."""

from dataclasses import dataclass

from mesh.ids import DeviceId, GroupId, LinkId


@dataclass(slots=True, kw_only=True)
class Asking:
    """Messages that were asked of one link and have not been answered yet."""

    link: LinkId
    gid: GroupId
    spans: tuple[tuple[DeviceId, int, int], ...]


@dataclass(slots=True, kw_only=True)
class AskingOn:
    """One member is asked to hand on what others said."""

    link: LinkId
    gid: GroupId
    before: bytes
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AskingStated:
    """Somebody is being asked what stands; `asked_ms` is mono."""

    link: LinkId
    ticket: int
    after: bytes
    pages: int
    asked_ms: int
