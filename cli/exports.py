"""What leaves a group, as a document: JSON, Markdown, or one page of HTML. Pure: posts in, pieces of text out.

Names and texts were written by others, and a document is opened by other programs than ours. So nothing in them can be
markup: HTML escapes them, holds no script and forbids itself to load anything; in Markdown each mark that could mean
something is escaped. What would drive a terminal or turn the direction of text is taken out of both. The words behind a
warning stand in a view of their own that is to be opened, and nowhere else. What we say beside them is told in the
language of the person who exports; JSON has keys, and none of our sentences.
"""

import html
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from cli import fields
from cli.output import SCHEMA, one_line, safe
from cli.render import CLOSED
from cli.words import language, tell, tell_many, to_tell
from mesh.node.local.protocol import JsonObject
from mesh.phrases import filled

WHAT_IT_IS: Final = to_tell("Your own messages, and those of others who let them leave the group. Handle it with care.")
QUOTE_STAYS: Final = to_tell("It quotes a message that stays in its group.")
WARNING_ENDS: Final = to_tell("End of what stands behind the warning.")
_CLOSED: Final = {**CLOSED, "folded": to_tell("members folded it")}
# What means something to CommonMark, GitHub's flavour, or the usual extensions: anywhere; as the first of a line; after
# a number that begins one; in what would become a link or a picture (`www.`, `https:`, `:smile:`), but not in 19:00.
_MARKUP: Final = re.compile(
    r"""[\\`*_{}\[\]<>~|&$^@]|^[-+#=:]|(?<=www)\.|(?<!\d):(?=\S)|:(?=[^\s\d])|:(?=\d+:)""", re.IGNORECASE
)
_NUMBER: Final = re.compile(r"^(\d+)([.)])")
_STYLE: Final = (
    "body{max-width:42em;margin:2em auto;padding:0 1em;font:1em/1.5 serif}"
    "article{margin:1.5em 0}.head{font:.85em sans-serif}.text{white-space:pre-wrap;overflow-wrap:anywhere}"
    "details,blockquote{border-left:3px solid;padding-left:1em;margin-left:0}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """How a document is written: its head (of a group), each post, what stands between two, and its end."""

    head: Callable[[JsonObject], str]
    post: Callable[[JsonObject], str]
    between: str
    end: Callable[[int, int], str]  # posts that are in it, posts of others that are not


@dataclass(slots=True, kw_only=True)
class Count:
    """How much of a group is in its document, once that is written."""

    included: int = 0
    withheld: int = 0


def document(form: Format, group: JsonObject, pages: Iterable[JsonObject], count: Count) -> Iterator[str]:
    """Write a document piece by piece, one page of posts after another; `count` is right at its end.

    Of what a post answers only that is named which stands in the document too.
    """
    here: set[str] = set()
    yield form.head(group)
    for page in pages:
        count.withheld += fields.number(page, "withheld")
        for post in fields.records(page, "posts"):
            answered = fields.text(post, "reply_to")
            here.add(fields.text(post, "id"))
            yield form.between if count.included else ""
            yield form.post({**post, "reply_to": answered if answered in here else None})
            count.included += 1
    yield form.end(count.included, count.withheld)


# ---------------------------------------------------------------- what all of them say


def closed_words(post: JsonObject) -> str:
    """Say what keeps a post closed: its author's warning, or the person's own choice; empty for one that is open."""
    closed_by, warning = fields.text(post, "closed_by"), one_line(fields.text(post, "cw"))
    if not closed_by:
        return ""
    said = tell("content warning: {warning}", warning=warning) if warning else ""
    return "; ".join(filter(None, (said, tell(_CLOSED.get(closed_by, ""))))) or tell("closed")


def _head(post: JsonObject) -> list[str]:
    """Say who said a post, when, and how."""
    author = fields.record(post, "author")
    topics, answered = fields.texts(post, "topics"), fields.text(post, "reply_to")
    files = len(fields.records(post, "files"))
    warning = one_line(fields.text(post, "cw"))
    name = one_line(fields.text(author, "alias"))
    parts = [
        tell("{name} (you)", name=name) if fields.flag(author, "you") else name,
        one_line(fields.text(post, "at")).replace("T", " ")[:16],
        one_line(fields.text(post, "mode")),
        tell("topics: {topics}", topics=", ".join(one_line(topic) for topic in topics)) if topics else "",
        tell("in reply to {id}", id=answered[:8]) if answered else "",
        tell("warning: {warning}", warning=warning) if warning else "",
        tell_many("{count} file beside it, not in here", "{count} files beside it, not in here", count=files)
        if files
        else "",
        fields.text(post, "id")[:8],
    ]
    return [part for part in parts if part]


def _stays(included: int, withheld: int) -> str:
    here = tell_many("{count} message.", "{count} messages.", count=included)
    stayed = tell_many(
        "{count} message of others stayed in the group.",
        "{count} messages of others stayed in the group.",
        count=withheld,
    )
    return f"{here} {stayed}"


# ---------------------------------------------------------------- JSON


def _json(value: JsonObject) -> str:
    return json.dumps(value, separators=(",", ":"))


def _json_head(group: JsonObject) -> str:
    return f'{{"schema":{SCHEMA},"group":{_json(group)},"posts":['


def _json_end(included: int, withheld: int) -> str:
    return f'],"included":{included},"withheld":{withheld}}}\n'


# ---------------------------------------------------------------- Markdown


def marked(text: str) -> str:
    """Return a line as Markdown that shows it letter by letter."""
    line = _NUMBER.sub(r"\1\\\2", _MARKUP.sub(r"\\\g<0>", text))
    return "\u00a0" * (len(line) - len(line.lstrip(" "))) + line.lstrip(" ")


def _quoted(text: str, mark: str) -> str:
    """Return a text as a block of Markdown, each line behind the mark; line ends stay."""
    lines = [marked(line) for line in safe(text).split("\n")]
    ended = [line + "\\" if line and after else line for line, after in zip(lines, [*lines[1:], ""], strict=True)]
    return "".join(f"{mark} {line}".rstrip(" ") + "\n" for line in ended)


def _md_head(group: JsonObject) -> str:
    return f"# {marked(one_line(fields.text(group, 'name')))}\n\n{marked(tell(WHAT_IT_IS))}\n\n---\n\n"


def _md_post(post: JsonObject) -> str:
    head = f"**{marked(' · '.join(_head(post)))}**\n\n"
    closed, quote = closed_words(post), fields.record(post, "quote")
    if closed:
        opened = _quoted(fields.text(post, "opened"), ">>")
        return f"{head}> **{marked(closed)}**\n>\n{opened}>\n> **{marked(tell(WARNING_ENDS))}**\n"
    text = _quoted(fields.text(post, "text"), ">")
    if not quote:
        return head + text
    if quote.get("text") is None:
        return f"{head}{text}\n{marked(tell(QUOTE_STAYS))}\n"
    who = one_line(fields.text(fields.record(quote, "author"), "alias"))
    quotes = marked(tell("It quotes {who}:", who=who))
    return f"{head}{text}\n{quotes}\n\n{_quoted(fields.text(quote, 'text'), '>')}"


def _md_end(included: int, withheld: int) -> str:
    return f"\n---\n\n{marked(_stays(included, withheld))}\n"


# ---------------------------------------------------------------- HTML


def _html(text: str) -> str:
    return html.escape(safe(text), quote=True)


def _html_head(group: JsonObject) -> str:
    name = _html(one_line(fields.text(group, "name")))
    return (
        f'<!doctype html>\n<html lang="{language()}">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{name}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1><bdi>{name}</bdi></h1>\n<p>{_html(tell(WHAT_IT_IS))}</p>\n"
    )


def _html_post(post: JsonObject) -> str:
    head = " · ".join(f"<bdi>{_html(part)}</bdi>" for part in _head(post))
    closed, quote = closed_words(post), fields.record(post, "quote")
    if closed:
        text = f'<div class="text" dir="auto">{_html(fields.text(post, "opened"))}</div>'
        body = f"<details>\n<summary><bdi>{_html(closed)}</bdi></summary>\n{text}\n</details>"
    else:
        body = f'<div class="text" dir="auto">{_html(fields.text(post, "text"))}</div>{_html_quote(quote)}'
    return f'<article>\n<p class="head">{head}</p>\n{body}\n</article>\n'


def _html_quote(quote: JsonObject) -> str:
    if not quote:
        return ""
    if quote.get("text") is None:
        return f"\n<p>{_html(tell(QUOTE_STAYS))}</p>"
    who = _html(one_line(fields.text(fields.record(quote, "author"), "alias")))
    text = f'<div class="text" dir="auto">{_html(fields.text(quote, "text"))}</div>'
    quotes = filled(_html(tell("It quotes {who}:")), {"who": f"<bdi>{who}</bdi>"})  # our sentence, then the name in it
    return f"\n<blockquote>\n<p>{quotes}</p>\n{text}\n</blockquote>"


def _html_end(included: int, withheld: int) -> str:
    return f"<p>{_html(_stays(included, withheld))}</p>\n</body>\n</html>\n"


FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        "json": Format(head=_json_head, post=_json, between=",", end=_json_end),
        "md": Format(head=_md_head, post=_md_post, between="\n", end=_md_end),
        "html": Format(head=_html_head, post=_html_post, between="", end=_html_end),
    }
)
