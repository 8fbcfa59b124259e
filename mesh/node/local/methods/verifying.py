"""`verify`: what two people compare over another channel, whether it is the same, and what is kept of it.

A safety number is made of member keys, so a match says: what this node takes for your keys and theirs is what their
node takes for them. It says nothing of who they are; that they know from the voice or the face. A state hash is made
of operations, so a match says that both nodes see one group.
"""

import re
from typing import Final

from mesh.commands import ConfirmMember
from mesh.errors import Exit, LocalError
from mesh.identity.fingerprints import DIGIT_GROUPS, DIGITS_PER_GROUP, group_words, safety_number, state_hash
from mesh.ids import MemberPk
from mesh.node.local.methods import given
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.names import group_named, member_named
from mesh.node.local.methods.shown import alias_of, each, members_like, person
from mesh.node.local.protocol import JsonObject
from mesh.peer.rights import require_in
from mesh.peer.state import Room
from mesh.phrases import phrase
from mesh.support.aliases import any_like

DIGITS: Final = DIGIT_GROUPS * DIGITS_PER_GROUP
HASH_CHARACTERS: Final = (16, 64)  # of a state hash: as it is shown, and in full; hex
_BETWEEN: Final = re.compile(r"[\s,.:·-]+")  # what people put between groups of digits


async def verify(desk: Desk, params: JsonObject) -> JsonObject:
    """Give the numbers of a group, or of the two: ourselves and a member. Compare what was read out; keep a yes.

    LocalError with exit status 6 if what was read out is not what this node has; then nothing is kept.
    """
    room = group_named(desk.state, given.text(params, "group"))
    require_in(room)
    group = room.group
    name, confirm = given.maybe_text(params, "member"), given.flag(params, "confirm")
    target = None if name is None else member_named(room, name)
    if target == group.own.member_pk:
        raise LocalError("that is yourself", why="a number is compared by two", do="name another member")
    if confirm and target is None:
        raise LocalError(
            "whose key did you compare?",
            why="what is kept is one member's key, compared with that member",
            do="name the member too; `mesh verify GROUP MEMBER` shows the number of the two of you",
        )
    number = safety_number(group.gid, group.view.members if target is None else [group.own.member_pk, target])
    state = state_hash(group.gid, group.view.members, group.log.heads).hex()
    said = given.maybe_text(params, "compare")
    compared = None if said is None else _compare(room, said, number=number, state=state, target=target)
    if confirm and target is not None:
        if compared == "state":
            raise LocalError(
                "a state hash does not show whose key is whose",
                why="two nodes can hold the same operations with somebody else's key in them",
                do="compare the safety number of the two of you, then confirm",
            )
        await desk.ask(ConfirmMember(group=group.gid, member=target))
    others = group.others
    return {
        "group": {"id": group.gid.hex(), "name": group.founding.name},
        "member": None if target is None else person(room, target),
        "alike": []
        if target is None
        else each(person(room, pk) | {"departed": pk in room.group.view.departed} for pk in _alike(room, target)),
        "safety_number": number,
        "fingerprint_words": list(group_words(group.gid)),
        "state_hash": state,
        "compared": compared,
        "verified": target in room.verified if target else bool(others) and all(pk in room.verified for pk in others),
        "members": len(group.view.members),
        "members_verified": sum(pk in room.verified for pk in others),
    }


def _alike(room: Room, target: MemberPk) -> list[MemberPk]:
    """Return who is or was in under an alias that looks like this member's: the wrong one is easily compared with."""
    alias = alias_of(room, target)
    gone = [pk for pk in room.group.view.departed if any_like(alias, [alias_of(room, pk)])]
    return [*members_like(room, alias, but=target), *gone]


def _compare(room: Room, said: str, *, number: str, state: str, target: MemberPk | None) -> str:
    """Return which of the two was read out, and is the same here; LocalError with exit status 6 if it is not."""
    plain = _BETWEEN.sub("", said).lower()
    if len(plain) == DIGITS and plain.isascii() and plain.isdecimal():
        if plain == number.replace(" ", ""):
            return "number"
        if plain == safety_number(room.group.gid, room.group.view.members).replace(" ", ""):
            raise LocalError(
                "that is the number of the whole group",
                why="it shows that you two see the same members, and not which key is whose",
                do="have them read the number of the two of you: `mesh verify GROUP MEMBER`",
                code="E-COMPARE",
            )
        raise _other_number(room, target)
    if len(plain) in HASH_CHARACTERS and re.fullmatch("[0-9a-f]+", plain):
        if not state.startswith(plain):
            raise _other_state()
        return "state"
    raise LocalError(
        "what was read out is no safety number and no state hash",
        why=phrase(
            "a number has {digits} digits, a hash {short} characters or all {long}; this has {count}",
            digits=DIGITS,
            short=HASH_CHARACTERS[0],
            long=HASH_CHARACTERS[1],
            count=len(plain),
        ),
        do="write it out again, in quotation marks where there are spaces in it",
        code="E-COMPARE",
    )


def _other_number(room: Room, target: MemberPk | None) -> LocalError:
    if target is None:
        return LocalError(
            "the numbers differ: you two do not see the same members in this group",
            why="one of you may not have heard yet of somebody who came or went; or a digit was misheard; or somebody "
            "shows one of you another group",
            do="read it out once more when both nodes are up to date, and compare the group's words and `mesh group "
            "members`; if it stays so, trust neither list until you know why",
            code="E-MISMATCH",
            exit=Exit.MISMATCH,
        )
    return LocalError(
        phrase(
            "the numbers differ: what is here is not the key that {member} has, or not the key that they have of you",
            member=alias_of(room, target),
        ),
        why="a digit may have been misheard, or one of you looks at another group or member; if neither is so, "
        "somebody stands between you, or sits in the group under that name",
        do="read it out once more, and compare the group's words; if it stays so, do not confirm, say nothing here "
        "that is meant for them alone, and tell a steward in another way",
        code="E-MISMATCH",
        exit=Exit.MISMATCH,
    )


def _other_state() -> LocalError:
    return LocalError(
        "the state hashes differ: your nodes do not hold the same operations of this group",
        why="mostly one of them has not caught up yet; else somebody keeps changes of the group from one of you, or "
        "the network is in two parts",
        do="let both nodes run until they are linked, or linked with the same member, and compare once more",
        code="E-MISMATCH",
        exit=Exit.MISMATCH,
    )
