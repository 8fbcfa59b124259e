"""What a person decided for themself, as it bears on what they are shown: read from the store, for each look anew."""

from mesh.events import Space
from mesh.groups.records import load
from mesh.ids import GroupId, MemberPk, PostId
from mesh.peer.records import MessageRecord
from mesh.store.base import Store
from mesh.support.own import EVERYWHERE, About, Choices, own_prefix


def choices_of(store: Store, gid: GroupId) -> Choices:
    """Return what holds in a group."""
    prefixes = [own_prefix(About.WORD), own_prefix(About.TOPIC), *([] if gid == EVERYWHERE else [gid])]
    return Choices.of(key for prefix in prefixes for key, _ in store.scan(Space.OWN, prefix))


def unread_in(store: Store, gid: GroupId) -> int:
    """Return how many messages of a group are unread, without those of which one wants to hear nothing."""
    choices = choices_of(store, gid)
    if not choices.silences:
        return store.count(Space.UNREAD, gid)
    values = (store.get(Space.MESSAGES, key) for key, _ in store.scan(Space.UNREAD, gid))
    return sum(value is not None and not is_silenced(choices, value) for value in values)


def is_blocked(choices: Choices, value: bytes) -> bool:
    """Say whether a message (its row) is of somebody whom one has blocked."""
    return bool(choices.blocked) and MemberPk(load(MessageRecord, value).member) in choices.blocked


def is_silenced(choices: Choices, value: bytes) -> bool:
    """Say whether of this message (its row) one wants to hear nothing unasked."""
    record = load(MessageRecord, value)
    return choices.is_silenced(MemberPk(record.member), PostId(record.post))
