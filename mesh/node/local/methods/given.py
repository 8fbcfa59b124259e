"""Parameters as they came: checked for type once, here, with an error in words."""

import re
from datetime import date
from typing import Final, NoReturn

from mesh.errors import LocalError
from mesh.node.local.protocol import JsonObject
from mesh.phrases import own, phrase

_DATE: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


def text(params: JsonObject, name: str, default: str | None = None) -> str:
    """Return a text; LocalError if it is missing and has no default, or is something else."""
    value = params.get(name)
    if value is None and default is not None:
        return default
    return value if isinstance(value, str) else _wrong(name, "a text")


def maybe_text(params: JsonObject, name: str) -> str | None:
    """Return a text, or None where it is missing or null."""
    value = params.get(name)
    return value if value is None or isinstance(value, str) else _wrong(name, "a text or null")


def number(params: JsonObject, name: str, default: int | None = None) -> int:
    """Return a whole number."""
    value = params.get(name)
    if value is None and default is not None:
        return default
    return value if isinstance(value, int) and not isinstance(value, bool) else _wrong(name, "a whole number")


def maybe_number(params: JsonObject, name: str) -> int | None:
    """Return a whole number, or None where it is missing or null."""
    return None if params.get(name) is None else number(params, name)


def seconds(params: JsonObject, name: str, default: float) -> float:
    """Return a length of time, at most ten minutes."""
    value = params.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float):
        _wrong(name, "a number of seconds")
    return min(max(float(value), 0.0), 600.0)


def day(params: JsonObject, name: str) -> int | None:
    """Return a date, as its number (1: 1 January of the year 1), or None where it is missing or null."""
    value = maybe_text(params, name)
    if value is None:
        return None
    try:
        found = date.fromisoformat(value) if _DATE.fullmatch(value) else None
    except ValueError:
        found = None
    if found is None:
        raise LocalError(
            phrase("“{typed}” is no date", typed=value[:40]), do="write year, month and day: 2027-03-31", code="E-DATE"
        )
    return found.toordinal()


def flag(params: JsonObject, name: str) -> bool:
    """Return a yes or no; missing is no."""
    value = params.get(name)
    return value if isinstance(value, bool) else False if value is None else _wrong(name, "true or false")


def texts(params: JsonObject, name: str) -> tuple[str, ...]:
    """Return a list of texts; missing is none."""
    value = params.get(name)
    if value is None:
        return ()
    if not isinstance(value, list):
        _wrong(name, "a list of texts")
    return tuple(entry if isinstance(entry, str) else _wrong(name, "a list of texts") for entry in value)


def _wrong(name: str, what: str) -> NoReturn:
    raise LocalError(
        phrase("the parameter “{name}” must be {what}", name=name, what=own(what)),
        do="`mesh api` lists the methods",
        code="E-USAGE",
    )
