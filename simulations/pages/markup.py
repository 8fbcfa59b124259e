"""Markup: elements of HTML and SVG, built as a tree, so that whatever words go in come out as words.

Nothing is put together from strings: `xml.etree` writes the tree and escapes every text and attribute. Words that
others wrote (a scenario's question, a name, what a check found) pass `words` as well, which takes out what hides from
a reader: control characters, marks that turn the direction of text, halves of surrogate pairs.
"""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final, TypeAlias
from xml.etree.ElementTree import Element, SubElement, tostring

Piece: TypeAlias = Element | str

WORDS_MAX: Final = 600  # characters of one text of somebody else's; ours
JOINERS: Final = "\u200c\u200d"  # Persian and emoji are written with them


def words(text: str, most: int = WORDS_MAX) -> str:
    """Make a text of somebody else's fit to be read: one line, printable, at most so many characters."""
    short = text if len(text) <= most else f"{text[: most - 1]}…"
    spaced = " ".join(short.split())
    return "".join(sign if sign.isprintable() or sign in JOINERS else "\N{REPLACEMENT CHARACTER}" for sign in spaced)


def tag(name: str, /, *pieces: Piece | Iterable[Piece], **attributes: str | float) -> Element:
    """Make an element. Of an attribute's name `_` becomes `-`, one at the end is left out: `class_`, `stroke_width`."""
    said = {key.rstrip("_").replace("_", "-"): _said(value) for key, value in attributes.items()}
    made = Element(name, said)
    for piece in pieces:
        for one in [piece] if isinstance(piece, Element | str) else piece:
            _put(made, one)
    return made


def _said(value: str | float) -> str:
    return value if isinstance(value, str) else f"{round(value, 2):.12g}"


def _put(into: Element, piece: Piece) -> None:
    if isinstance(piece, Element):
        into.append(piece)
    elif len(into):
        into[-1].tail = (into[-1].tail or "") + piece
    else:
        into.text = (into.text or "") + piece


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[Piece]], more: int = 0) -> Element:
    """Make a table; the first cell of each row is its heading. `more`: rows that were left out, told at the end."""
    head = tag("thead", tag("tr", (tag("th", column, scope="col") for column in columns)))
    body = tag("tbody")
    for row in rows:
        line = SubElement(body, "tr")
        for number, cell in enumerate(row):
            line.append(tag("td", cell) if number else tag("th", cell, scope="row"))
    if more:
        body.append(tag("tr", tag("td", f"… and {more:,} more", colspan=len(columns))))
    made = tag("table", tag("caption", caption), head, body)
    return tag("div", made, class_="scrolls", tabindex="0", role="region", aria_label=caption)


def picture(
    name: str, title: str, says: str, size: tuple[float, float], drawn: Iterable[Element], behind: Element
) -> Element:
    """Make a picture: what is drawn, a title and a description for whoever cannot see it, and the table behind it.

    `name` is its id, and begins every id within it.
    """
    image = tag(
        "svg",
        tag("title", title, id=f"{name}-title"),
        tag("desc", says, id=f"{name}-says"),
        drawn,
        viewBox=f"0 0 {size[0]:g} {size[1]:g}",
        role="img",
        aria_labelledby=f"{name}-title {name}-says",
    )
    folded = tag("details", tag("summary", "The same as a table"), behind)
    heading = tag("h2", title, id=f"{name}-heading")
    caption = tag("figcaption", says)
    return tag("section", heading, tag("figure", image, caption), folded, id=name, aria_labelledby=f"{name}-heading")


def document(title: str, style: str, body: Iterable[Element]) -> str:
    """Write a page: one file, and a policy that lets a browser load nothing beside it, ours or not."""
    allowed = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{allowed}'; base-uri 'none'; form-action 'none'"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        tag("style", style),
    )
    page = tag("html", head, tag("body", body), lang="en")
    return f"<!doctype html>\n{tostring(page, encoding='unicode', method='html')}\n"
