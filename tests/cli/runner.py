"""Run the real command as a script would: no terminal, a home, a runtime folder.

`mesh` runs it within this process, which takes a tenth of the time; `mesh_process` in one of its own, for what
only a process shows: how it starts and how it ends.
"""

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from cli.main import main
from mesh.node.local.protocol import JsonObject

COMMAND = [sys.executable, "-m", "cli.main"]
PASSPHRASE = "a passphrase for tests"


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> JsonObject:
        """The one JSON object on stdout."""
        (line,) = self.out.splitlines()
        value = json.loads(line)
        assert isinstance(value, dict)
        assert value["schema"] == 1
        return value

    @property
    def lines(self) -> list[JsonObject]:
        """The JSON objects on stdout, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Give our environment without anything that would change how the command behaves."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MESH_", "NO_COLOR"))}
    return {**kept, "LC_ALL": "C.UTF-8", **(extra or {})}


def prepared(home: Path, env: Mapping[str, str] | None, *, passphrase: bool) -> dict[str, str]:
    """Give the environment for a home; the passphrase comes from a file unless `passphrase` is false."""
    secret = home.parent / "passphrase"
    secret.write_text(PASSPHRASE + "\n")
    named = {"MESH_PASSPHRASE_FILE": str(secret)} if passphrase else {}
    return environment({"MESH_HOME": str(home), **named, **(env or {})})


def mesh(
    *arguments: str,
    home: Path,
    stdin: str | bytes = "",
    env: Mapping[str, str] | None = None,
    passphrase: bool = True,
) -> Ran:
    """Run `mesh` within this process."""
    given = stdin.encode() if isinstance(stdin, str) else stdin
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.dict(os.environ, prepared(home, env, passphrase=passphrase), clear=True),
        patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(given), encoding="utf-8")),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = main(arguments)
    return Ran(code, out.getvalue(), err.getvalue())


def mesh_process(
    *arguments: str,
    home: Path,
    stdin: str | bytes = "",
    env: Mapping[str, str] | None = None,
    passphrase: bool = True,
) -> Ran:
    """Run `mesh` in a process of its own, with no terminal behind it."""
    ran = subprocess.run(
        [*COMMAND, *arguments],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        check=False,
        timeout=60,
        env=prepared(home, env, passphrase=passphrase),
        start_new_session=True,
    )
    return Ran(ran.returncode, ran.stdout.decode(), ran.stderr.decode())
