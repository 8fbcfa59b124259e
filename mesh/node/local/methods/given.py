"""Parameters as they came: checked for type once, here, with an error in words."""

from typing import NoReturn

from mesh.errors import LocalError
from mesh.node.local.protocol import JsonObject


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
    raise LocalError(f"the parameter “{name}” must be {what}", do="`mesh api` lists the methods", code="E-USAGE")
