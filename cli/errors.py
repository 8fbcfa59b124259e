"""How an error is said: in sentences for a person, as an object for a script."""

from cli.words import tell, tell_phrase
from mesh.errors import MeshError
from mesh.node.local.protocol import JsonObject


def said(error: MeshError) -> list[str]:
    """Say an error in words, with its code."""
    what, why, do = map(tell_phrase, error.phrases)
    lines = [sentence(what), *(f"  {sentence(part)}" for part in (why, do) if part)]
    if error.candidates:
        lines.append("  " + tell("It may mean: {names}", names=", ".join(error.candidates)))
    return [*lines, "  " + tell("({code}; `mesh help {code}` says more)", code=error.code)]


def as_json(error: MeshError) -> JsonObject:
    """Give an error as the object that --json prints: in English, whatever the reader's language."""
    told: JsonObject = {
        "code": error.code,
        "what": sentence(error.what),
        "why": sentence(error.why),
        "do": sentence(error.do),
    }
    if error.candidates:
        told["candidates"] = list(error.candidates)
    return {"error": told}


def sentence(text: str) -> str:
    """Begin with a capital letter and end with a mark; the rest is as it is."""
    text = text.strip()
    if not text:
        return text
    begun = text if text[0] in "`'\"" else text[0].upper() + text[1:]
    return begun if begun[-1] in ".!?:)`" else begun + "."
