"""`export`: take out of a group what may leave it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from cli import fields
from cli.ask import can_ask, confirm
from cli.attach import new_file, require_free
from cli.context import Context
from cli.exports import FORMATS, Count, document
from cli.options import Here, WordOrNone
from cli.words import tell_many
from mesh.errors import LocalError
from mesh.node.local.api import Api
from mesh.node.local.protocol import JsonObject
from mesh.phrases import phrase

FormatName = Literal["json", "md", "html"]


def export(
    group: str,
    /,
    *,
    format_: Annotated[FormatName | None, Parameter(name="--format")] = None,
    out: Annotated[Path | None, Parameter(metavar="FILE")] = None,
    since: WordOrNone = None,
    context: Here,
) -> None:
    """Take your own messages out of a group, and those that others let leave it. The rest is withheld and counted.

    `mesh share ask` asks an author. What was taken back, what has run out, what you hid, and what one said whom you
    blocked is not in it. Files stay where they are. So do words from another group, and what others said that is to
    disappear. What stands behind a warning stays closed: fold-out in html, a marked block in md, `opened` in json.

    A new file is for you alone to read. After that you answer for it: others' words are in it, with their aliases. This
    binds programs that keep to the rules. A changed one takes what it likes, and anyone can copy a screen.

    mesh export "Tuesday grief" --format html --out grief.html

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    format_
        json, md or html; md if left out (json beside --json).
    out
        The new file; without it the document goes to stdout.
    since
        Only from this day on, like 2026-08-25 (UTC), or after the message with this id.
    """
    name = format_ or ("json" if context.out.json else "md")
    if context.out.json and out is None and name != "json":
        raise LocalError(
            phrase("--json gives one JSON object, and a document as {name} is none.", name=name),
            do="Write the document to a file with --out, or leave --json out.",
            code="E-USAGE",
        )
    replace = out is not None and _may_write(context, out)
    count = Count()
    with context.api() as api:
        first = _page(api, group, since, None)
        pages = _pages(api, group, since, first)
        pieces = document(FORMATS[name], fields.record(first, "group"), pages, count)
        if out is None:
            context.out.document(pieces)
            context.out.say(_counted(count))
            return
        size = _write(pieces, out, replace=replace)
    told: JsonObject = {
        "file": str(out),
        "format": name,
        "bytes": size,
        "included": count.included,
        "withheld": count.withheld,
    }
    context.out.result(told, [f"{out} · {_counted(count)}"])


def _may_write(context: Context, out: Path) -> bool:
    """Say whether what stands at a place may be replaced; LocalError where it may not."""
    asks = os.path.lexists(out) and not context.yes and can_ask()
    replace = context.yes or (
        asks and confirm(phrase("{file} exists already. Replace it?", file=str(out)), instead="--yes")
    )
    require_free(out, replace=replace)
    return replace


def _write(pieces: Iterator[str], out: Path, *, replace: bool) -> int:
    with new_file(out, replace=replace) as file:
        for piece in pieces:
            file.write(piece.encode())
        return file.tell()


def _page(api: Api, group: str, since: str | None, after: str | None) -> JsonObject:
    return api.call("export", {"group": group, "since": since, "after": after})


def _pages(api: Api, group: str, since: str | None, page: JsonObject) -> Iterator[JsonObject]:
    """Give one page after another."""
    while True:
        yield page
        after = fields.text(page, "next")
        if not after:
            return
        page = _page(api, group, since, after)


def _counted(count: Count) -> str:
    return tell_many(
        "{count} message; {withheld} of others withheld.",
        "{count} messages; {withheld} of others withheld.",
        count=count.included,
        withheld=count.withheld,
    )
