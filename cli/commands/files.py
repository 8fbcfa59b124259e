"""`file save`: fetch what stands beside a message, and write it where the person says."""

import os
import shlex
import time
from pathlib import Path

from cyclopts import App

from cli import fields
from cli.attach import own_names, require_free, save
from cli.context import Context
from cli.options import Here, Seconds, WordOrNone
from cli.output import one_line
from cli.render import file_size, shown_id
from cli.words import tell
from mesh.errors import Exit, LocalError
from mesh.node.local.api import Api
from mesh.node.local.protocol import JsonObject
from mesh.phrases import phrase

STEP_S = 1.0  # how often it is said how far a file is

app = App(name="file", help="Save what stands beside a message.")


@app.command(name="save")
def save_(
    message: str,
    path: str,
    /,
    *,
    name: WordOrNone = None,
    wait: Seconds = 20,
    context: Here,
) -> int:
    """Save the files of a message.

    What is not here yet is fetched from members' nodes, of several at a time. When nobody who has it is reachable the
    exit status is 4; your node goes on by itself when somebody is, and you run this again. Small files (1 MiB a
    message) are fetched before you ask, unless you `mesh group set GROUP fetch-files off`.

    A file comes from a person: look who sent it before you open it. Only you can read what is saved here; nothing that
    exists is replaced unless you add --yes.

    mesh file save 3fa9c1 walk.mp4
    mesh file save 3fa9c1 ~/Downloads

    Parameters
    ----------
    message
        The beginning of the message's id.
    path
        The new file; or a folder that exists, for all of them, each under its own name: where two have the same, the
        second becomes "name (2)".
    name
        Only the file of this name.
    wait
        How long to wait while nothing comes.
    """
    with context.api() as api:
        told = api.call("file.fetch", {"message": message, "wait_s": 0})
        identity = fields.text(told, "message")
        chosen = _chosen(fields.records(told, "files"), name)
        places = _places(chosen, path)
        for place in places.values():
            require_free(place, replace=context.yes)
        lacking = _fetch(context, api, identity, list(places), wait)
        if lacking:
            return _not_all_here(context, told, lacking, again=_again(identity, path, name))
        saved: list[JsonObject] = []
        for number, place in places.items():
            size = save(api, identity, number, place, replace=context.yes)
            saved.append({"name": fields.text(chosen[number], "name"), "size": size, "path": str(place)})
    lines = [f"{fields.text(file, 'path')} · {file_size(fields.number(file, 'size'))}" for file in saved]
    context.out.result({"message": identity, "saved": [*saved], "waiting": []}, lines)
    return Exit.OK


def _chosen(files: list[JsonObject], name: str | None) -> dict[int, JsonObject]:
    """Return the files that are meant, by their number."""
    found = {k: file for k, file in enumerate(files) if name is None or fields.text(file, "name") == name}
    if not found:
        raise LocalError(
            phrase("There is no file “{name}” beside this message.", name=one_line(name or "")),
            do="`mesh read` shows their names.",
            code="E-FILES",
            candidates=tuple(fields.text(file, "name") for file in files),
        )
    return found


def _places(chosen: dict[int, JsonObject], path: str) -> dict[int, Path]:
    """Return where each file goes. What its sender called it is used in a folder alone, and there as one plain name."""
    place = Path(path)
    if place.is_dir():
        names = own_names([fields.text(file, "name") for file in chosen.values()])
        return {k: place / name for k, name in zip(chosen, names, strict=True)}
    if path.endswith(os.sep):
        raise LocalError(phrase("There is no folder {place}.", place=str(place)), do="Make it first.", code="E-FILE")
    if len(chosen) == 1:
        return dict.fromkeys(chosen, place)
    names = list(dict.fromkeys(fields.text(file, "name") for file in chosen.values()))
    raise LocalError(
        phrase("There are {count} files beside this message.", count=len(chosen)),
        do="Give a folder that exists, or --name for one of them." if len(names) > 1 else "Give a folder that exists.",
        code="E-FILES",
        candidates=tuple(names) if len(names) > 1 else (),
    )


def _fetch(context: Context, api: Api, message: str, numbers: list[int], wait_s: int) -> list[JsonObject]:
    """Wait until files are here, as long as something comes; return those that are not."""
    asked: JsonObject = {"message": message, "wait_s": STEP_S}
    best, last = -1, time.monotonic()
    while True:
        files = fields.records(api.call("file.fetch", asked | ({} if context.node_up else {"wait_s": 0})), "files")
        lacking = [files[k] for k in numbers if fields.text(files[k], "state") != "here"]
        got = sum(fields.number(files[k], "got") for k in numbers)
        if not lacking or not context.node_up:
            return lacking
        if got > best:
            best, last = got, time.monotonic()
            of = sum(fields.number(files[k], "of") for k in numbers)
            context.out.say(f"{got * 100 // of} %")
        elif time.monotonic() - last >= wait_s:
            return lacking


def _again(identity: str, path: str, name: str | None) -> str:
    """Return the line that goes on with this, to be typed as it stands."""
    only = [] if name is None else ["--name", name]
    return shlex.join(["mesh", "file", "save", shown_id(identity), path, *only])


def _not_all_here(context: Context, told: JsonObject, lacking: list[JsonObject], *, again: str) -> int:
    """Say what waits, and for what."""
    names = ", ".join(one_line(fields.text(file, "name")) for file in lacking)
    waiting: list[JsonObject] = [{key: file[key] for key in ("name", "size", "got", "of")} for file in lacking]
    identity = fields.text(told, "message")
    context.out.result({"message": identity, "saved": [], "waiting": [*waiting]}, [f"{tell('waiting')} · {names}"])
    if not context.node_up:
        context.out.say(tell("Your node is not running. Start it with `mesh up`, and it fetches this by itself."))
    elif not fields.number(told, "reachable"):
        context.out.say(tell("No member's node is reachable. Yours goes on by itself when one is that has it."))
    else:
        context.out.say(tell("Nobody who is reachable has given the rest. Your node goes on by itself."))
    context.out.say(tell("Then run this again: {command}", command=again))
    return Exit.QUEUED
