"""The shelf: resources that members put up for each other, each with a link or a text, and the day to look at it again.

Any member puts one up; its author or a moderator retires it, for good. Members may say that one helped them. That is
counted and nothing follows from it: resources stand in the order in which they were put up, and nobody ranks them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mesh.commands import Rank
from mesh.errors import Fault, LocalError, RemoteError
from mesh.ids import MemberPk
from mesh.phrases import phrase
from mesh.support.slots import check_slot, check_thing, is_own_slot, thing_id
from mesh.support.statements import Rules, Said, later, newest
from mesh.wire import limits
from mesh.wire.codec import Record
from mesh.wire.statements import Form, HelpedValue, ResourceValue, RetirementValue
from mesh.wire.text import check_text, require_text

_ANYBODYS: Final = MemberPk(b"")
_LINK: Final = re.compile(r"https?://[\x21-\x7e]+")
_LANGUAGE: Final = re.compile("[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")  # RFC 5646, as far as people use it
SHOWN_MAX: Final = 256  # in a list, the newest, without their texts: they fit the socket's line; ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Something that stands on the shelf; `id`: 16 B."""

    id: bytes
    said: Said
    value: ResourceValue
    helped: frozenset[MemberPk]  # whom it helped, by their own word

    def is_overdue(self, today: int) -> bool:
        """Say whether it should have been looked at before this day (1: 1 January of the year 1)."""
        return 0 < self.value.review_by < today


def fold(resources: Iterable[Said], retirements: Iterable[Said], helped: Iterable[Said]) -> list[Resource]:
    """Return what stands on the shelf, in the order in which it was put up."""
    retired: dict[bytes, set[MemberPk]] = {}  # resource -> whose it must be, for the retirement to count
    for word in retirements:
        retired.setdefault(word.subject, set()).add(_ANYBODYS if word.rank <= Rank.MODERATOR else word.member)
    by = _helped(helped)
    stands: dict[bytes, Resource] = {}
    here = newest(filter(is_own_slot, resources), lambda word: word.subject)
    for word in sorted(here.values(), key=later):
        if isinstance(word.value, ResourceValue):
            key = thing_id(Form.RESOURCE, word.member, word.value)
            if key not in stands and retired.get(key, frozenset()).isdisjoint((word.member, _ANYBODYS)):
                stands[key] = Resource(id=key, said=word, value=word.value, helped=by.get(key, frozenset()))
    return list(stands.values())


def _helped(said: Iterable[Said]) -> dict[bytes, frozenset[MemberPk]]:
    """Return whom each resource helped: the last word of each member on each."""
    found: dict[bytes, set[MemberPk]] = {}
    for (key, member), word in newest(said, lambda word: (word.subject, word.member)).items():
        if isinstance(word.value, HelpedValue) and word.value.holds:
            found.setdefault(key, set()).add(member)
    return {key: frozenset(members) for key, members in found.items()}


def compose(
    *, made_ms: int, title: str, note: str, link: str, text: str, language: str, review_by: int
) -> ResourceValue:
    """Return a resource as its author typed it; LocalError in words for what cannot be put up."""
    value = ResourceValue(
        made_ms=made_ms,
        title=require_text("title", title, limits.RESOURCE_TITLE_BYTES_MAX),
        note=require_text("note", note, limits.RESOURCE_NOTE_BYTES_MAX, empty=True),
        link=require_text("link", link, limits.LINK_BYTES_MAX, empty=True),
        text=require_text("text", text, limits.RESOURCE_TEXT_BYTES_MAX, lines=True, empty=True),
        language=require_text("language", language, limits.LANGUAGE_BYTES_MAX, empty=True),
        review_by=review_by,
    )
    if not value.link and not value.text:
        raise LocalError("a resource is a link or a text", do="give it one of them", code="E-TEXT")
    if value.link and not _LINK.fullmatch(value.link):
        raise LocalError(
            "a link begins with https:// or http://, and holds no spaces and plain letters alone",
            why="letters that only look alike could lead elsewhere",
            do="copy it whole from a browser's address line",
            code="E-TEXT",
        )
    if language and not _LANGUAGE.fullmatch(value.language):
        raise LocalError(
            phrase("“{typed}” is no language", typed=language[:40]),
            do="write it like en, en-GB or pt-BR",
            code="E-TEXT",
        )
    return value


def check_resource(subject: bytes, value: Record) -> None:
    """RemoteError unless this is what an honest program puts up, in a slot of a device."""
    check_slot(subject, limits.RESOURCES_MAX)
    assert isinstance(value, ResourceValue)
    check_text(value.title, limits.RESOURCE_TITLE_BYTES_MAX)
    check_text(value.note, limits.RESOURCE_NOTE_BYTES_MAX)
    check_text(value.text, limits.RESOURCE_TEXT_BYTES_MAX, lines=True)
    if value.link and not _LINK.fullmatch(value.link):
        raise RemoteError(Fault.MALFORMED, "a link that is none")
    if value.language and not _LANGUAGE.fullmatch(value.language):
        raise RemoteError(Fault.MALFORMED, "a language that is none")
    if not value.link and not value.text:
        raise RemoteError(Fault.MALFORMED, "a resource that holds nothing")


RESOURCES: Final = Rules(
    form=Form.RESOURCE,
    value=ResourceValue,
    check=check_resource,
    deed="put something on the shelf",
    least=Rank.MEMBER,
    only_in=False,
    newest=limits.RESOURCES_MAX,
    standing=True,
    fades=False,
    speaks=True,
)
RETIREMENTS: Final = Rules(
    form=Form.RETIREMENT,
    value=RetirementValue,
    check=check_thing,
    deed="take something off the shelf",
    least=Rank.MEMBER,
    only_in=False,
    newest=256,
    standing=True,
    fades=False,
)
HELPED: Final = Rules(
    form=Form.HELPED,
    value=HelpedValue,
    check=check_thing,
    deed="say what helped",
    least=Rank.MEMBER,
    only_in=True,
    newest=256,
    standing=True,
    fades=False,
)
