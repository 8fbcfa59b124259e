"""The command's entry point, and the edge at which every error becomes words and an exit status.

A script that asked for JSON gets the error as JSON, on stdout, beside the words on stderr. Nobody gets a
traceback unless they ask with --debug. An interrupt ends quietly with 130, a reader that went away with 1.
"""

import os
import sys
from collections.abc import Sequence

from cli.words import speak
from mesh.errors import Exit, MeshError
from mesh.phrases import phrase

INTERRUPTED = 130  # 128 + SIGINT, as shells count


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and give its exit status."""
    line = list(sys.argv[1:] if arguments is None else arguments)
    speak(os.environ)
    try:
        status = _run(line)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Python flushes stdout once more at exit, and would complain there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Exit.FAILED)
    except Exception as error:  # noqa: BLE001 - the edge: whatever it is, it is said in words
        return _report(error, line)
    return status


def _run(line: list[str]) -> int:
    from cyclopts import CycloptsError

    from cli.app import build

    try:
        return build(line).meta(line) or 0
    except CycloptsError as error:
        from cli.usage import usage_error

        raise usage_error(error) from error


def _report(error: Exception, line: list[str]) -> int:
    flags = line[: line.index("--")] if "--" in line else line
    if "--debug" in flags:
        import traceback

        traceback.print_exception(error)
    told = error if isinstance(error, MeshError) else _internal(error)
    try:
        _say(told, as_json="--json" in flags)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return int(told.exit)


def _say(error: MeshError, *, as_json: bool) -> None:
    from cli import errors
    from cli.output import Output

    out = Output(json=as_json)
    if as_json:
        out.result(errors.as_json(error))
    out.insist(*errors.said(error))


def _internal(error: Exception) -> MeshError:
    return MeshError(
        phrase("Something is wrong inside the program ({kind}).", kind=type(error).__name__),
        why="This is a fault in mesh, not in what you did.",
        do="Run it again with --debug, and report what it shows; look through it first for private words.",
        code="E-INTERNAL",
    )


if __name__ == "__main__":
    sys.exit(main())
