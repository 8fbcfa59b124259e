"""Agreeing: who has said yes to a group's agreement, and what waits for that where the group wants it to.

One says yes at the door (the admit names the text's hash), by a pledge (`mesh.support.pledges`), or by being the one
who wrote it. All three name the text itself, so whoever has said yes to the same words before has said yes to these.

Where the setting `agreement-first` is on, a post is shown closed until its author has said yes to the agreement that
held where they stood (`heads`), or to one that came after it. So all who have the same operations and statements judge
alike, in whatever order these came.
"""

from collections.abc import Iterable
from typing import Final

from mesh.errors import RefusedError
from mesh.groups.group import Group
from mesh.groups.joining import agreement_hash
from mesh.groups.settings import agreement_at, setting_at
from mesh.ids import MemberPk, OpId
from mesh.peer.records import DraftRecord, MessageRecord
from mesh.peer.state import Room
from mesh.peer.statements import counting
from mesh.support import pledges
from mesh.wire.messages import Kind
from mesh.wire.operations import AdmitBody, AgreementBody, CreateBody, OpType
from mesh.wire.statements import Form

AGREEMENT_FIRST: Final = "agreement-first"  # the setting: "on" or "off"


def agreed(room: Room, wall_ms: int) -> frozenset[MemberPk]:
    """Return which of those who are in have said yes to the agreement that holds; all of them where there is none."""
    text = room.group.agreement[1]
    members = frozenset(room.group.view.members)
    return members & _said_yes(room, [text], members, wall_ms) if text else members


def lacks_own_yes(room: Room, wall_ms: int) -> bool:
    """Say whether we are in, and have not said yes to the agreement that holds."""
    own, text = room.group.own.member_pk, room.group.agreement[1]
    return room.group.me is not None and bool(text) and not _said_yes(room, [text], [own], wall_ms)


def agreed_before(room: Room, wall_ms: int) -> str:
    """Return the newest other text of the agreement that we have said yes to; empty: none, and nothing before us."""
    own, now = room.group.own.member_pk, room.group.agreement[1]
    for text in reversed(_texts(room.group, room.group.log.everything)):
        if text != now and _said_yes(room, [text], [own], wall_ms):
            return text
    return ""


def _texts(group: Group, mask: int) -> list[str]:
    """Return the texts that the agreement had by the operations of a mask, oldest first."""
    entries = group.log.graph.entries(group.log.graph.of_type(OpType.AGREEMENT, mask & group.view.valid))
    bodies = (group.log.operation(entry.act.op_id).body for entry in entries)
    return [group.founding.agreement, *(body.text for body in bodies if isinstance(body, AgreementBody))]


def _said_yes(room: Room, texts: list[str], who: Iterable[MemberPk], wall_ms: int) -> frozenset[MemberPk]:
    """Return which of these have said yes to one of these texts."""
    keys = {agreement_hash(text): text for text in texts}
    pledged: set[MemberPk] = set()
    for key in keys:
        pledged |= pledges.fold(counting(room, Form.PLEDGE, wall_ms, subject=key)).get(key, frozenset())
    group, graph = room.group, room.group.log.graph
    written = graph.entries(graph.of_type(OpType.AGREEMENT, group.view.valid))
    for entry in written:
        body = group.log.operation(entry.act.op_id).body
        if isinstance(body, AgreementBody) and body.text in texts:
            pledged.add(entry.author)
    return frozenset(pk for pk in who if pk in pledged or _at_the_door(group, pk, keys))


def _at_the_door(group: Group, pk: MemberPk, keys: dict[bytes, str]) -> bool:
    """Say whether somebody came in with a pledge to one of these texts, or founded the group with it."""
    for entry in group.log.graph.entries(group.log.graph.granted_to(pk, group.log.everything)):
        body = group.log.operation(entry.act.op_id).body
        if isinstance(body, AdmitBody) and body.agreement_hash in keys:
            return True
        if isinstance(body, CreateBody) and body.agreement in keys.values():
            return True
    return False


# ---------------------------------------------------------------- where posting waits for it


def is_first(group: Group) -> bool:
    """Say whether the group wants a yes to its agreement before posts are shown."""
    return group.view.settings.get(AGREEMENT_FIRST) == "on"


def require_yes(room: Room, wall_ms: int) -> None:
    """RefusedError for a post by one who has not said yes, where the group wants that first."""
    if is_first(room.group) and lacks_own_yes(room, wall_ms):
        raise RefusedError(
            "the agreement of this group has a new version that you have not said yes to",
            why="this group wants that first; other nodes would show your words closed until then",
            do="`mesh group agreement show GROUP` shows what changed, `mesh group agreement accept GROUP` says yes",
            code="E-AGREE-FIRST",
        )


def waits_for_yes(room: Room, draft: DraftRecord, wall_ms: int) -> bool:
    """Say whether a post of our own waits until we have said yes."""
    return draft.kind == Kind.POST and is_first(room.group) and lacks_own_yes(room, wall_ms)


def lacks_yes(room: Room, record: MessageRecord, wall_ms: int) -> bool:
    """Say whether a post is closed for want of its author's yes: judged by what they had seen when they wrote it."""
    mask = None if record.origin is None else room.group.log.closure(record.origin.heads)
    if mask is None or setting_at(room.group, AGREEMENT_FIRST, mask) != "on":
        return False
    held = agreement_at(room.group, mask)
    texts = [_text(room.group, held), *_after(room.group, held)]
    return bool(texts[0]) and not _said_yes(room, texts, [record.member], wall_ms)


def _text(group: Group, op_id: OpId) -> str:
    body = group.log.operation(op_id).body
    return body.text if isinstance(body, AgreementBody) else group.founding.agreement


def _after(group: Group, op_id: OpId) -> list[str]:
    """Return the texts that were written by those who knew of this one."""
    graph = group.log.graph
    first = graph.entry(op_id)
    later = graph.entries(graph.of_type(OpType.AGREEMENT, group.view.valid))
    return [_text(group, entry.act.op_id) for entry in later if first is not None and first.is_before(entry)]
