"""Names that people type: a group's name, a member's alias, the beginning of an id. What is ambiguous is asked back."""

from collections.abc import Iterable, Mapping
from typing import Final, NoReturn, TypeVar

from mesh.errors import LocalError
from mesh.events import Space
from mesh.ids import GroupId, JoinId, MemberPk, OpId, PostId
from mesh.node.local.methods.shown import alias_of
from mesh.peer.forking import forks_of
from mesh.peer.homes import strays
from mesh.peer.keepers import keepers_of
from mesh.peer.state import Room, State
from mesh.phrases import Words, own, phrase
from mesh.store.base import Store
from mesh.support.aliases import look_alike
from mesh.support.reflections import NOTE_ID_BYTES, NOTES
from mesh.wire.tickets import Ticket

T = TypeVar("T", bound=bytes)
PREFIX_CHARACTERS_MIN: Final = 6  # commands.md, "Rules"
_SHOWN_CHARACTERS: Final = 8  # of an id, where that is enough
_CANDIDATES_MAX: Final = 20
_BY_ID: Final = phrase("the first characters of its id, at least {least} of them", least=PREFIX_CHARACTERS_MIN)
_BY_NAME_OR_ID: Final = phrase("its name, or by {id}", id=_BY_ID)


def group_named(state: State, name: str, *, any_standing: bool = False) -> Room:
    """Return the group of this name or id prefix; LocalError with candidates if there is none or more than one.

    A name means a group that one is in, if there is one; with `any_standing` one that one is out of means as much.
    """
    named = {room.group.gid: room.group.founding.name for room in state.rooms.values()}
    if not any_standing:
        current = {gid: shown for gid, shown in named.items() if _is_in(state.rooms[gid])}
        if any(shown.casefold() == name.casefold() for shown in current.values()):
            named = current
    gid = _resolve("group", "E-NO-GROUP", name, named, "`mesh group list` shows your groups")
    return state.rooms[GroupId(gid)]


def _is_in(room: Room) -> bool:
    return room.group.me is not None and not room.group.own.left


def member_named(room: Room, name: str) -> MemberPk:
    """Return the member of this alias or id prefix; LocalError with candidates, also where aliases look alike."""
    named = {pk: member.alias for pk, member in room.group.view.members.items()}
    found = _person("member", "E-NO-MEMBER", name, named, "`mesh group members` shows who is in")
    return MemberPk(found)


def anybody_named(room: Room, name: str) -> MemberPk:
    """Return who of this alias or id prefix is or was in; LocalError with candidates, also where aliases look alike."""
    known = (*room.group.view.members, *room.group.view.departed)
    named = {pk: alias_of(room, pk) for pk in known}
    return MemberPk(_person("member", "E-NO-MEMBER", name, named, "`mesh group members` shows who is in, and was"))


def invite_named(room: Room, name: str) -> OpId:
    """Return the invite with this id prefix."""
    found = _by_prefix("invite", "E-NO-INVITE", name, room.group.invites, "`mesh invite list` shows them")
    return OpId(found)


def keeper_named(room: Room, name: str) -> Ticket:
    """Return the keeper of a group with this note or id prefix."""
    known = {ticket.keeper: ticket for ticket in keepers_of(room.group).values()}
    notes = {keeper: ticket.note for keeper, ticket in known.items()}
    return known[_resolve("keeper", "E-KEEPER", name, notes, "`mesh keeper list` shows them")]


def fork_named(room: Room, name: str) -> OpId:
    """Return the offer of a successor with this id prefix."""
    offered = [fork.op_id for fork in forks_of(room.group)]
    return OpId(_by_prefix("offer", "E-NO-OFFER", name, offered, "`mesh group show` lists them"))


def knock_named(room: Room, name: str) -> bytes:
    """Return the knock with this id prefix or alias; LocalError with candidates, also where aliases look alike."""
    named = {knock: record.alias for knock, record in room.knocks.items()}
    return _person("knock", "E-NO-KNOCK", name, named, "`mesh knocks list` shows who waits")


def device_named(state: State, name: str) -> bytes:
    """Return the home of ours with this name or id prefix, or the device of ours with this id that has none known."""
    named: dict[bytes, str] = {home: record.entry.name for home, record in state.homes.items()}
    named |= {dev: "" for _, dev in strays(state)}
    return _resolve("device", "E-NO-DEVICE", name, named, "`mesh device list` shows yours")


def join_named(state: State, name: str) -> JoinId:
    """Return the attempt to join with this id prefix."""
    found = _by_prefix("join", "E-NO-JOIN", name, state.joins, "`mesh joins list` shows them")
    return JoinId(found)


def thing_named(thing: str, name: str, ids: Iterable[bytes], do: str) -> bytes:
    """Return the id that begins so, of what members put up."""
    return _by_prefix(thing, "E-NO-THING", name, ids, do)


def message_named(store: Store, name: str, gid: GroupId | None = None) -> tuple[PostId, GroupId, bytes]:
    """Return (post id, group, key in Space.MESSAGES) of the message with this id prefix; LocalError."""
    prefix = _hex(name)
    groups = [key for key, _ in store.scan(Space.GROUPS)] if gid is None else [gid]
    rows = (
        []
        if prefix is None
        else [row for g in groups for row in store.scan(Space.POSTS, g + prefix[0], limit=_CANDIDATES_MAX * 16)]
    )
    found = {key: value for key, value in rows if key[32:].hex().startswith(name.lower())}
    if len(found) != 1:
        _not_one("message", "E-NO-MESSAGE", name, {key[32:].hex(): "" for key in found}, "`mesh read` shows ids")
    key, value = next(iter(found.items()))
    return PostId(key[32:]), GroupId(key[:32]), value


def note_named(store: Store, name: str) -> bytes:
    """Return the key in Space.OWN of the private note with this id prefix."""
    notes = {key[-NOTE_ID_BYTES:]: key for key, _ in store.scan(Space.OWN, NOTES)}
    return notes[_by_prefix("note", "E-NO-NOTE", name, notes, "`mesh reflect list` shows them")]


def _person(thing: str, code: str, name: str, named: Mapping[T, str], do: str) -> T:
    """Return whose alias or id prefix this is; an alias that another's looks like names nobody by itself."""
    found = _resolve(thing, code, name, named, do)
    if named[found].casefold() == name.casefold():  # else it was an id
        alike = {key.hex(): alias for key, alias in named.items() if look_alike(alias, named[found])}
        if len(alike) > 1:
            _not_one(thing, code, name, alike, do)
    return found


def _resolve(thing: str, code: str, name: str, named: Mapping[T, str], do: str) -> T:
    """Return the one whose name this is, else the one whose id begins so."""
    exact = [key for key, shown in named.items() if shown == name]
    folded = exact or [key for key, shown in named.items() if shown.casefold() == name.casefold()]
    if len(folded) == 1:
        return folded[0]
    if folded:
        _not_one(thing, code, name, {key.hex(): named[key] for key in folded}, do)
    return _by_prefix(thing, code, name, named, do, by=_BY_NAME_OR_ID)


def _by_prefix(thing: str, code: str, name: str, keys: Iterable[T], do: str, *, by: Words = _BY_ID) -> T:
    found = [key for key in keys if _hex(name) is not None and key.hex().startswith(name.lower())]
    if len(found) != 1:
        _not_one(thing, code, name, {key.hex(): "" for key in found}, do, by=by)
    return found[0]


def _apart(ids: list[str]) -> list[str]:
    """Shorten ids as far as each can still be typed and means one of them."""
    length = next(k for k in range(_SHOWN_CHARACTERS, 65) if len({key[:k] for key in ids}) == len(ids))
    return [key[:length] for key in ids]


def _hex(name: str) -> tuple[bytes] | None:
    """Return the whole bytes of an id prefix, if it can be one."""
    if len(name) < PREFIX_CHARACTERS_MIN or not all(c in "0123456789abcdef" for c in name.lower()):
        return None
    return (bytes.fromhex(name[: len(name) // 2 * 2]),)


def _not_one(
    thing: str, code: str, name: str, candidates: Mapping[str, str], do: str, *, by: Words = _BY_ID
) -> NoReturn:
    """Raise the error for a name that means none, or several; `candidates`: what each id goes by."""
    ids = list(candidates)[:_CANDIDATES_MAX]
    if ids:
        shown = _apart(ids)
        raise LocalError(
            phrase("“{name}” can mean more than one {thing}", name=name, thing=own(thing)),
            why="the wrong one must not be taken by accident",
            do=phrase("type one of these ids instead: {ids}", ids=", ".join(shown)),
            code="E-AMBIGUOUS",
            candidates=tuple(
                f"{short} ({called})" if called else short
                for short, called in zip(shown, (candidates[key] for key in ids), strict=True)
            ),
        )
    raise LocalError(
        phrase("there is no {thing} “{name}” here", thing=own(thing), name=name),
        why=phrase("it is found by {by}", by=own(by)),
        do=do,
        code=code,
    )
