"""Colours: two themes, by the roles that colours play, and the style sheet that is made of them.

No colour is alone: what is hatched, dashed, of another shape or labelled says the same without it. The hues are blue
and vermilion, which all common kinds of colour-blindness tell apart (Okabe and Ito, 2008: "Color Universal Design").
Text has a contrast of 4.5 at least against what it stands on, marks 3 (WCAG 2.2, §1.4.3 and §1.4.11); tests hold both.
"""

from collections.abc import Mapping
from typing import Final

LIGHT: Final[Mapping[str, str]] = {
    "page": "#f6f4f0",
    "card": "#ffffff",
    "ink": "#1d1c1a",
    "quiet": "#595650",
    "grid": "#dedad2",
    "axis": "#7a766f",
    "one": "#0b62a4",  # payload, a leg that brought news, a path, passed
    "two": "#b8460a",  # control, a cut, failed
    "veil": "#ece7de",  # behind what happened while paths were cut
}
DARK: Final[Mapping[str, str]] = {
    "page": "#14161a",
    "card": "#1d2026",
    "ink": "#eeece7",
    "quiet": "#b6b2aa",
    "grid": "#373b43",
    "axis": "#8f8c86",
    "one": "#7dbcf5",
    "two": "#ff9d5c",
    "veil": "#2c2f37",
}
TEXTS: Final = ("ink", "quiet", "one", "two")  # roles in which words are written
MARKS: Final = ("one", "two", "axis")  # roles in which something is drawn that must be seen
GROUNDS: Final = ("page", "card")

_SHEET: Final = """
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main, header { max-width: 78rem; margin: 0 auto; padding: 1rem 1.25rem; }
header { padding-top: 2rem; padding-bottom: 0; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 0 0 .5rem; }
p { margin: .5rem 0; }
.over { color: var(--quiet); font-size: .875rem; margin: 0; }
.asks { font-size: 1.125rem; max-width: 46rem; overflow-wrap: anywhere; }
.verdict { font-weight: 600; }
.held { color: var(--one); }
.broken { color: var(--two); }
dl.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: .75rem; margin: 1rem 0; }
dl.tiles div, section { background: var(--card); border: 1px solid var(--grid); border-radius: .5rem; }
dl.tiles div { padding: .6rem .8rem; display: flex; flex-direction: column-reverse; justify-content: flex-end; }
dl.tiles dt { color: var(--quiet); font-size: .8125rem; }
dl.tiles dd { margin: 0; font-size: 1.25rem; font-weight: 600; font-variant-numeric: tabular-nums; }
section { padding: 1rem 1.1rem; margin: 0 0 1rem; min-width: 0; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 1rem; }
.pictures section { margin: 0; }
.pictures { margin-bottom: 1rem; align-items: start; }
figure { margin: 0; }
figcaption { color: var(--quiet); font-size: .875rem; margin: .5rem 0; }
svg { display: block; width: 100%; height: auto; }
ul.checks { list-style: none; margin: 0; padding: 0; }
ul.checks li { padding: .3rem 0; border-top: 1px solid var(--grid); overflow-wrap: anywhere; }
ul.checks li:first-child { border-top: 0; }
ul.short { columns: 17rem; column-gap: 2rem; margin-top: .5rem; }
ul.short li { border-top: 0; padding: .15rem 0; break-inside: avoid; }
pre { margin: .35rem 0; padding: .5rem .7rem; background: var(--page); border: 1px solid var(--grid);
  border-radius: .35rem; white-space: pre-wrap; overflow-wrap: anywhere; }
code { font: .875rem/1.4 ui-monospace, monospace; user-select: all; }
details { margin-top: .25rem; }
summary { cursor: pointer; color: var(--quiet); font-size: .875rem; }
:focus-visible { outline: 3px solid var(--one); outline-offset: 2px; }
.scrolls { overflow-x: auto; max-height: 28rem; overflow-y: auto; margin-top: .5rem; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; width: 100%; }
caption { text-align: left; color: var(--quiet); padding-bottom: .35rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-top: 1px solid var(--grid); }
thead th { border-top: 0; white-space: nowrap; }
tbody th { font-weight: 400; }
svg text { font: 12px system-ui, sans-serif; fill: var(--quiet); }
svg text.strong { fill: var(--ink); font-weight: 600; }
svg text.end { text-anchor: end; }
svg text.middle { text-anchor: middle; }
.grid { stroke: var(--grid); fill: none; }
.axis { stroke: var(--axis); fill: none; }
.veil { fill: var(--veil); }
.one { fill: var(--one); stroke: var(--one); }
.two { fill: var(--two); stroke: var(--two); }
.line-one { stroke: var(--one); fill: none; stroke-width: 2; }
.line-two { stroke: var(--two); fill: none; stroke-width: 2; stroke-dasharray: 6 4; }
.hollow { fill: var(--card); stroke: var(--ink); stroke-width: 2; }
.solid { fill: var(--ink); stroke: var(--ink); }
.path { stroke: var(--one); opacity: .55; }
.bare { fill: var(--card); }
.stripe { stroke: var(--two); stroke-width: 2; }
.mark-two { stroke: var(--two); stroke-width: 2.5; }
.head-two { stroke: var(--two); fill: none; stroke-width: 1.5; }
.rim { stroke: var(--two); stroke-width: 1; }
"""


def style() -> str:
    """Write the style sheet: light where nobody says otherwise, dark where a system is, light on paper."""
    light, dark = _variables(LIGHT), _variables(DARK)
    by_night = f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"
    return f":root {{ color-scheme: light dark; {light} }}\n{by_night}{_SHEET}"


def _variables(theme: Mapping[str, str]) -> str:
    return " ".join(f"--{role}: {colour};" for role, colour in theme.items())


def contrast(one: str, other: str) -> float:
    """Give the contrast of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
