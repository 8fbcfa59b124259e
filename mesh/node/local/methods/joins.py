"""Attempts to join as JSON: exactly the keys of the commands' contract."""

from mesh.groups.history import HISTORY, shown_window
from mesh.groups.invites import Preview, knock_statement
from mesh.groups.retention import kept_ms
from mesh.identity.fingerprints import group_words
from mesh.ids import GroupId, JoinId
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.shown import SUITE_NAMES, iso, members_like, person, state_of
from mesh.node.local.protocol import JsonObject, JsonValue, phrased
from mesh.peer.forking import forks_of
from mesh.peer.joining import preview_of
from mesh.peer.records import JoinRecord, JoinStage, KnockKeys
from mesh.peer.routing import JOINING
from mesh.peer.state import Room
from mesh.phrases import Words, own, phrase
from mesh.wire import limits
from mesh.wire.codec import decode
from mesh.wire.invites import Door, KnockBody

_REFUSALS = {
    Door.OPEN: "",
    Door.REVOKED: "The invite was revoked.",
    Door.USED_UP: "The code has been used up.",
    Door.EXPIRED: "The code has run out.",
    Door.DECLINED: "A member declined.",
}
_OFFER_REFUSALS = {
    **_REFUSALS,
    Door.REVOKED: "The offer was closed.",
    Door.USED_UP: "The offer has been used up.",
    Door.EXPIRED: "The offer has run out.",
}


def _refusal(join: JoinRecord) -> Words | None:
    """Say why somebody is not let in; None while they may be."""
    if join.stage is JoinStage.REFUSED and join.door is Door.OPEN:
        return "You are in this group already: whoever answered counts you in, and you stay who you were."
    said = _REFUSALS[join.door] if join.offer is None else _OFFER_REFUSALS[join.door]
    if said and join.offer is not None and join.stage in JOINING:
        return phrase("Somebody at that door says so, and anybody whom it was offered to can: {why}", why=own(said))
    return said or None


def join_json(desk: Desk, join: JoinRecord) -> JsonObject:
    """Describe an attempt to join; what the preview showed is there as soon as there was one.

    `addresses` counts those that came with the code; `key_words` are what members see beside the knock; `approvals` is
    what the code asks for, null while that is not known; `standing` is how one stands in the group now, null while this
    node does not hold it; `follows` is the offer of a successor that it came from, null for a code; `offered` is true
    for each that came from an offer, to talk as two among them; `at_keeper` where a keeper says that it has the knock.
    """
    preview = preview_of(join)
    told: JsonObject = {
        "id": join.join.hex(),
        "state": join_state(join, preview),
        "group": None,
        "agreement": None,
        "inviter": None,
        "since": iso(join.started_ms),
        **phrased(why=_refusal(join)),
        "addresses": len(join.addresses),
        "key_words": [],
        "approvals": None,
        "standing": None,
        "alike": [],
        "follows": _follows(desk, join),
        "offered": join.offer is not None,
        "at_keeper": JoinId(join.join) in desk.state.resting,
    }
    if preview is None:
        return told
    room = desk.state.rooms.get(preview.gid)
    return told | {
        "group": _previewed(preview),
        "agreement": {"version": preview.agreement_version, "text": preview.agreement},
        "inviter": None if room is None or join.stage is not JoinStage.JOINED else _inviter(room),
        "approvals": preview.invite_body.approvals,
        "standing": None if room is None else state_of(room),
        "alike": [] if room is None or join.stage is not JoinStage.JOINED else _like_me(room),
        "key_words": [] if join.keys is None else list(key_words(knock_statement(_knock(join.keys), preview.gid))),
    }


def _follows(desk: Desk, join: JoinRecord) -> JsonObject | None:
    """Name the successor's offer that an attempt to join follows, renewed ones too, and its group."""
    room = None if join.offer is None else desk.state.rooms.get(join.offer.parent)
    if join.offer is None or room is None:
        return None
    for fork in forks_of(room.group):
        if fork.body.new_gid == join.offer.gid:
            return {"id": fork.op_id.hex(), "group": {"id": room.group.gid.hex(), "name": room.group.founding.name}}
    return None


def _like_me(room: Room) -> list[JsonValue]:
    """Name those who are in under an alias that people may take for ours."""
    me = room.group.me
    return [] if me is None else [person(room, pk) for pk in members_like(room, me.alias, but=me.pk)]


def key_words(statement: bytes) -> tuple[str, ...]:
    """Return the six words of a knock, the same for who knocks and for who may admit them."""
    return group_words(GroupId(statement))


def _knock(keys: KnockKeys) -> KnockBody:
    return decode(KnockBody, keys.knock, bytes_max=limits.KNOCK_PADDED_BYTES)


def join_state(join: JoinRecord, preview: Preview | None) -> str:
    """Return the state as people hear it."""
    if join.stage is JoinStage.KNOCKING and preview is not None and preview.invite_body.approvals:
        return "awaiting-approval"
    return join.stage.value


def _previewed(preview: Preview) -> JsonObject:
    return {
        "id": preview.gid.hex(),
        "name": preview.create.name,
        "about": preview.create.about,
        "topics": list(preview.create.topics),
        "members": preview.members,
        "suite": SUITE_NAMES[preview.create.suite],
        "history": shown_window(preview.settings.get(HISTORY, "none")),
        "keep": kept_ms(preview.settings) // 1000 or None,
        "fingerprint_words": list(group_words(preview.gid)),
    }


def _inviter(room: Room) -> JsonObject | None:
    me = room.group.me
    return None if me is None or me.invited_by is None else person(room, me.invited_by)
