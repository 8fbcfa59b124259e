"""The house reads its own source and holds it to docs/architecture.md and CONTRIBUTING.md.

A rule is a pure function from one file to complaints, and carries a sample that breaks it: a check that
cannot fail is no check. Import contracts and ruff's bans are tried in the same way, on a small house with one
thing wrong. What the linters already say well (formatting, types, unused names) is not said again here.
"""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

import pytest

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
SHIPPED = ("mesh/", "cli/", "simulations/")
PURE_ROOMS = ("peer", "groups", "gossip", "support", "identity", "membership", "wire", "crypto")
GROUND = ("events", "journal", "commands", "listening", "upkeep", "ids", "errors", "phrases", "secret")
CORE = tuple(f"mesh/{room}/" for room in PURE_ROOMS) + tuple(f"mesh/{module}.py" for module in GROUND)
ROOMS = (*PURE_ROOMS, "store", "node", "node/local")
LINES_MAX, FUNCTION_LINES_MAX = 500, 70  # style: "stop at 500"; "70 the end"
KINDS = {"Protocol", "Generic", "NamedTuple", "Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"}
FAMILIES = {"Exception", "BaseException", "Struct"}  # whose children may have children
TEST_KINDS = {"RuleBasedStateMachine"}  # hypothesis knows no other door
Node = TypeVar("Node", bound=ast.AST)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A tracked file: its path from the root, and its text."""

    path: str
    text: str

    @property
    def tree(self) -> ast.Module:
        """The syntax tree, if this is Python."""
        return parse(self.text)

    def within(self, *starts: str) -> bool:
        """Say whether the path lies beneath one of `starts`."""
        return self.path.startswith(starts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is asked of each file that `reads` names, and a file that does not keep it."""

    check: Callable[[File], Iterator[str]]
    sample: File
    reads: str = r"\.py$"

    def complaints(self, files: Iterable[File]) -> list[str]:
        """Give each complaint, with its file."""
        read = (file for file in files if re.search(self.reads, file.path))
        return [f"{file.path}:{said}" for file in read for said in self.check(file)]


@cache
def parse(text: str) -> ast.Module:
    """Parse Python once, however many rules read it."""
    return ast.parse(text)


@cache
def tracked() -> tuple[File, ...]:
    """Give every text file that git tracks or would track."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    found = []
    for name in sorted(set(names) - {""}):
        path = ROOT / name
        if path.is_file() and b"\0" not in (data := path.read_bytes()):
            found.append(File(path=name, text=data.decode()))
    return tuple(found)


def walk(file: File, kind: type[Node]) -> Iterator[Node]:
    """Give each node of this kind."""
    return (node for node in ast.walk(file.tree) if isinstance(node, kind))


def comments(file: File) -> Iterator[tuple[int, str]]:
    """Give each comment with its line; strings that look like comments are none."""
    for token in tokenize.generate_tokens(io.StringIO(file.text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def last_name(node: ast.expr) -> str:
    """Give the last word of a name: Struct of msgspec.Struct[…]."""
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case ast.Subscript(value=inner) | ast.Call(func=inner):
            return last_name(inner)
        case _:
            return ""


# ------------------------------------------------------------------------------------------------- rules


def opens_with_a_docstring(file: File) -> Iterator[str]:
    """A module says what it is in one sentence."""
    if not ast.get_docstring(file.tree):
        yield "1: a module without a docstring"


def fits_one_idea(file: File) -> Iterator[str]:
    """A module that passes 500 lines is two ideas; a function that passes 70 does not fit a screen."""
    if (lines := len(file.text.splitlines())) > LINES_MAX:
        yield f"1: {lines} lines, {LINES_MAX} at most"
    functions: list[ast.FunctionDef | ast.AsyncFunctionDef] = [*walk(file, ast.FunctionDef)]
    for node in [*functions, *walk(file, ast.AsyncFunctionDef)]:
        if (lines := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES_MAX:
            yield f"{node.lineno}: {node.name} has {lines} lines, {FUNCTION_LINES_MAX} at most"


def leaves_nothing_for_later(file: File) -> Iterator[str]:
    """An open doubt goes into the closing note or docs/decisions."""
    for number, line in enumerate(file.text.splitlines(), 1):
        if re.search(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX|HA" + r"CK)\b", line):
            yield f"{number}: something left for later"


def public_things_speak(file: File) -> Iterator[str]:
    """What others may call says what its name cannot."""

    def undocumented(body: list[ast.stmt]) -> Iterator[str]:
        for node in body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
                continue
            if any(last_name(mark) in {"overload", "override"} for mark in node.decorator_list):
                continue
            if not ast.get_docstring(node):
                yield f"{node.lineno}: {node.name} has no docstring"
            if isinstance(node, ast.ClassDef):
                yield from undocumented(node.body)

    if not file.within("tests/"):
        yield from undocumented(file.tree.body)


def exceptions_give_reasons(file: File) -> Iterator[str]:
    """Whoever silences a checker says which complaint, and why, on the same line."""
    silencer = re.compile(r"#\s*(type:\s*ignore|noqa|pragma:\s*no \w+|nosec)(.*)")
    for number, comment in comments(file):
        for _, rest in silencer.findall(comment):
            reason = re.sub(r"^\s*(\[[^\]]*\]|:\s*[A-Z]+\d+([,\s]+[A-Z]+\d+)*)", "", rest)
            if len(re.findall(r"\w+", reason)) < 2:
                yield f"{number}: silences a checker without a reason: {comment}"


def inherits_nothing(file: File) -> Iterator[str]:
    """No inheritance but for errors, records, and the kinds that are made by it."""
    allowed = KINDS | families() | (TEST_KINDS if file.within("tests/") else set())
    for node in walk(file, ast.ClassDef):
        for base in map(last_name, node.bases):
            if base not in allowed and not base.endswith("Error"):
                yield f"{node.lineno}: {node.name} inherits from {base}"


@cache
def families() -> frozenset[str]:
    """Name the FAMILIES and all of our classes that descend from them, however many steps down."""
    classes = [node for file in tracked() if file.path.endswith(".py") for node in walk(file, ast.ClassDef)]
    known = set(FAMILIES)
    while more := {node.name for node in classes if known & set(map(last_name, node.bases))} - known:
        known |= more
    return frozenset(known)


def every_test_runs(file: File) -> Iterator[str]:
    """A test that is set aside says nothing: it is mended or removed."""
    for node in walk(file, ast.Attribute):
        idle = node.attr in {"skip", "skipif", "xfail", "importorskip", "skipTest"}
        if idle and file.within("tests/") and last_name(node.value) in {"pytest", "mark", "unittest", "self"}:
            yield f"{node.lineno}: a test is set aside ({node.attr})"


def stays_inside(file: File) -> Iterator[str]:
    """Below mesh.node: what ruff's bans cannot name, methods that draw and builtins that reach out."""
    if not file.within(*CORE):
        return
    hpke = re.search(r"^(from|import) .*\bhpke\b", file.text, re.MULTILINE)
    for node in walk(file, ast.Call):
        match node.func:
            case ast.Attribute(attr="generate" | "generate_key" as name, value=giver):
                if last_name(giver) not in {"sealer", "_sealer"}:  # it was handed in
                    yield f"{node.lineno}: .{name}() draws: derive from an Entropy seed, or ask the Sealer"
            case ast.Attribute(attr="encrypt") if hpke:
                yield f"{node.lineno}: HPKE's own encrypt draws: use Sealer"
            case ast.Name(id="open" | "input" | "print" as name):
                yield f"{node.lineno}: {name}() reaches outside: return an effect"
            case ast.Name(id="hash"):
                yield f"{node.lineno}: hash() differs under each PYTHONHASHSEED: use a digest"
            case _:
                pass


def types_are_trusted(file: File) -> Iterator[str]:
    """Decode once at the edge (mesh.wire, mesh.node); thereafter no Any."""
    if file.within("mesh/") and not file.within("mesh/wire/", "mesh/node/"):
        for node in walk(file, ast.expr):
            if isinstance(node, ast.Name | ast.Attribute) and last_name(node) == "Any":
                yield f"{node.lineno}: Any past the edge"


def names_no_machine(file: File) -> Iterator[str]:
    """No path of somebody's machine, and no package registry, stands in what others will clone."""
    paths = r"(?<![\w.~/}-])/(?:home|Users|root|work|private/tmp)/\w"
    registries = r"\b(py" + r"pi\.org|python" + r"hosted\.org|--(?:extra-)?index-" + r"url\s*[=\s]\s*\S+:)"
    for number, line in enumerate(file.text.splitlines(), 1):
        if re.search(f"{paths}|{registries}", line):
            yield f"{number}: names a machine's path or a registry"


def pins_with_hashes(file: File) -> Iterator[str]:
    """A lock holds pins, each with a hash, and no address: the installer's own settings say where from."""
    unhashed = ""
    for number, line in enumerate([*file.text.splitlines(), "end==0"], 1):
        if "://" in line or " @ " in line or re.match(r"\s*-(?!-hash=)", line):
            yield f"{number}: an address or an option in a lock: {line.strip()}"
        elif re.match(r"\s+--hash=sha256:[0-9a-f]{64}( \\)?$", line):
            unhashed = ""
        elif re.match(r"[a-z0-9-]+==[\w.]+( ;.*)?( \\)?$", line):
            if unhashed:
                yield f"{number}: no hash for {unhashed}"
            unhashed = line.split("==")[0]
        elif line.strip() and not line.lstrip().startswith("#"):
            yield f"{number}: neither a pin nor a hash: {line.strip()}"


def ignored_rules_have_reasons(file: File) -> Iterator[str]:
    """Each rule that the configuration turns off says why, beside it."""
    for number, line in enumerate(file.text.splitlines(), 1):
        if re.match(r'\s+"[A-Z]+\d*",\s*$', line):
            yield f"{number}: ignored without a reason: {line.strip()}"


def long_function(lines: int) -> str:
    """Give a module whose only function has this many lines."""
    return '"""M."""\n\n\ndef _f() -> None:\n' + "    _f()\n" * (lines - 1)


def rule(check: Callable[[File], Iterator[str]], path: str, text: str, reads: str = r"\.py$") -> Rule:
    """Give a rule, with the file that breaks it."""
    return Rule(check=check, sample=File(path=path, text=text), reads=reads)


RULES = {
    "docstring": rule(opens_with_a_docstring, "mesh/a.py", "x = 1\n"),
    "module-length": rule(fits_one_idea, "mesh/a.py", '"""M."""\n' + "x = 1\n" * 500),
    "function-length": rule(fits_one_idea, "mesh/a.py", long_function(71)),
    "later": rule(leaves_nothing_for_later, "docs/a.md", "TO" + "DO: all\n", reads=""),
    "speaks": rule(public_things_speak, "cli/a.py", 'class A:\n    """A."""\n    def f(self): ...\n'),
    "noqa": rule(exceptions_give_reasons, "mesh/a.py", "x = 1  # no" + "qa: E501\n"),
    "ignore": rule(exceptions_give_reasons, "mesh/a.py", "x = 1  # type: " + "ignore[misc]\n"),
    "inherits": rule(inherits_nothing, "mesh/a.py", "class A(Peer): ...\n"),
    "set-aside": rule(every_test_runs, "tests/a.py", "@pytest.mark.xfail\ndef test(): ...\n"),
    "skip": rule(every_test_runs, "tests/a.py", "def test():\n    pytest.skip('')\n"),
    "generate": rule(stays_inside, "mesh/groups/a.py", "k = X25519PrivateKey.generate()\n"),
    "hpke": rule(stays_inside, "mesh/crypto/a.py", "from c import hpke\ns.encrypt(b'')\n"),
    "open": rule(stays_inside, "mesh/ids.py", "f = open('a')\n"),
    "hash": rule(stays_inside, "mesh/peer/a.py", "h = hash(b'')\n"),
    "any": rule(types_are_trusted, "mesh/groups/a.py", "x: Any = 1\n"),
    "machine": rule(names_no_machine, "docs/a.md", "see /ro" + "ot/mesh\n", reads=""),
    "registry": rule(names_no_machine, "Makefile", "pip -i https://py" + "pi.org/x\n", reads=""),
    "unhashed": rule(pins_with_hashes, "a.lock", "trio==0.35.0\n", reads=r"\.lock$"),
    "address": rule(pins_with_hashes, "a.lock", "--find-links https://a\n", reads=r"\.lock$"),
    "unpinned": rule(pins_with_hashes, "a.lock", "trio>=0.35\n", reads=r"\.lock$"),
    "reasons": rule(ignored_rules_have_reasons, "a.toml", '  "E501",\n', reads=r"\.toml$"),
}
CLEAN = (
    File(
        path="mesh/groups/a.py",
        text='"""M."""\n\n\nclass WrongTurn(LocalError):\n    """You cannot."""\n\n\n'
        'def f() -> None:\n    """Do."""\n    _f()  # no' + "qa: F821 - it is made at run time\n",
    ),
    File(path="a.lock", text="trio==0.35.0 \\\n    --hash=sha256:" + "0" * 64 + "\n    # via libp2p\n"),
    File(path="a.toml", text='  "E501", # tables are wide\n'),
    File(path="docs/a.md", text="your home is ~/.local/share/mesh, and docs/work/a is ours\n"),
)


@pytest.mark.parametrize("name", RULES)
def test_the_house_keeps_its_rule(name: str) -> None:
    assert RULES[name].complaints(tracked()) == []


@pytest.mark.parametrize("name", RULES)
def test_the_rule_sees_what_breaks_it_and_nothing_else(name: str) -> None:
    rule = RULES[name]
    assert len(rule.complaints([rule.sample])) == 1
    assert rule.complaints(CLEAN) == []


# ------------------------------------------------------------------------------------- the house as a whole


def test_every_room_stands() -> None:
    rooms = [f"mesh/{room}" for room in ROOMS]
    missing = [room for room in ["cli", "simulations", *rooms] if not (ROOT / room / "__init__.py").is_file()]
    assert missing == []


def test_what_is_shipped_is_found_by_the_build() -> None:
    shipped = [file.path for file in tracked() if file.path.endswith(".py") and file.within(*SHIPPED)]
    folders = sorted({str(Path(path).parent) for path in shipped})
    assert [folder for folder in folders if not (ROOT / folder / "__init__.py").is_file()] == []


def pins(name: str) -> dict[str, str]:
    """Read a lock or a list of requirements: names and versions."""
    text = (ROOT / "requirements" / name).read_text()
    return dict(re.findall(r"^([a-z0-9-]+)==([\w.]+)", text, re.MULTILINE))


def test_the_locks_hold_what_was_asked_for() -> None:
    runtime, dev, build = pins("runtime.lock"), pins("dev.lock"), pins("build.lock")
    overridden = pins("overrides.txt")
    assert len(runtime) > 50  # the pattern still reads locks
    assert overridden
    assert (pins("runtime.in") | overridden).items() <= runtime.items()
    assert (pins("dev.in") | runtime).items() <= dev.items()
    assert pins("build.in").items() <= build.items()
    assert pins("model.in").items() <= pins("model.lock").items() <= dev.items()
    assert pins("dask.in").items() <= (dask := pins("dask.lock")).items() <= dev.items()
    assert all(runtime.get(name, version) == version for name, version in dask.items()), "it stands beside the program"
    assert all(dev.get(name, version) == version for name, version in build.items())
    assert "apsw" not in dev  # it shares a module name with apsw-sqlite3mc


def test_ci_runs_the_command_that_the_readme_names() -> None:
    assert "make test" in (ROOT / "README.md").read_text()
    assert (ROOT / ".ci/run").read_text().splitlines()[-1] == "exec make test"
    assert (ROOT / ".ci/run").stat().st_mode & 0o111


# ------------------------------------------------------------------------------- who may import whom

# Each contract of pyproject.toml, and an import that it must refuse.
VIOLATIONS = [
    ("visitors", "mesh/groups", "import cli"),
    ("visitors", "simulations", "import benchmarks"),
    ("floors", "mesh/gossip", "import mesh.groups"),
    ("floors", "mesh/support", "import mesh.gossip"),
    ("floors", "mesh/crypto", "import mesh.wire"),
    ("floors", "mesh/ids", "import mesh.wire"),
    ("floors", "mesh/peer", "import mesh.store"),
    ("floors", "mesh/store", "import mesh.node"),
    ("floors", "mesh/garage", "x = 1"),
    *(("pure", "mesh/peer", f"import {name}") for name in ("trio", "libp2p", "asyncio", "socket")),
    *(("pure", "mesh/wire", f"import {name}") for name in ("sqlite3", "apsw", "time", "random", "secrets")),
    ("pure", "mesh/ids", "from time import time"),
    ("front-door", "cli", "import mesh.node.runner"),
    ("front-door", "cli", "import mesh.groups"),
    ("front-door", "cli", "import nacl"),
    ("front-door", "cli/commands/talk", "import simulations"),
    ("light-door", "mesh/node/local", "import libp2p"),
    ("light-door", "mesh/node/local", "import mesh.node.transports"),
    ("weather-house", "simulations", "import mesh.node.local.server"),
    ("weather-house", "simulations", "import mesh.node.runner"),
    ("weather-house", "simulations", "import trio"),
]
# What the small house may do: the runner and the transports import libp2p, cli asks the local API, `mesh up` becomes
# the node.
SMALL_HOUSE = {
    "mesh/node/runner": "import mesh.peer, trio",
    "mesh/node/transports": "import libp2p",
    "mesh/peer": "import mesh.groups, mesh.gossip, mesh.support",
    "cli": "",
    "cli/main": "import mesh.node.local",
    "cli/commands": "",
    "cli/commands/talk": "from mesh.node.local import api",
    "cli/commands/crisis": "import mesh.support.crisis",
    "cli/commands/sim": "import simulations",
    "mesh/node/local/api": "import mesh.peer, time",
    "mesh/node/local/setup": "import mesh.node.main",
    "mesh/node/main": "import mesh.node.transports",
    "mesh/support/crisis": "",
    "benchmarks": "",
    "simulations": "import mesh.peer",
    "mesh": "",
    **{f"mesh/{module}": "" for module in GROUND},
}


def lint_imports(where: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter over the house at `where`."""
    command = [str(BIN / "lint-imports"), "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=where, check=False, capture_output=True, text=True)


def build(where: Path, changes: dict[str, str]) -> None:
    """Build a small house of packages, under our contracts."""
    (where / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    for room in (*(f"mesh/{room}" for room in ROOMS), *SMALL_HOUSE, *changes):
        (where / room).mkdir(parents=True, exist_ok=True)
        (where / room / "__init__.py").write_text(f"{SMALL_HOUSE.get(room, '')}\n{changes.get(room, '')}\n")


def test_the_import_contracts_are_kept() -> None:
    ran = lint_imports(ROOT)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_contracts_let_the_small_house_stand(tmp_path: Path) -> None:
    build(tmp_path, {})
    ran = lint_imports(tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize(("contract", "room", "line"), VIOLATIONS)
def test_a_contract_refuses(tmp_path: Path, contract: str, room: str, line: str) -> None:
    build(tmp_path, {room: line})
    name = re.search(rf'id = "{contract}"\nname = "(.*)"', (ROOT / "pyproject.toml").read_text())
    assert name
    ran = lint_imports(tmp_path)
    assert ran.returncode == 1
    assert f"{name[1]} BROKEN" in ran.stdout


# ------------------------------------------------------------------------------------- the bans on calls

BANNED = """
import datetime, os, random, secrets, subprocess, time, uuid
import nacl.public, nacl.pwhash, nacl.signing, nacl.utils
from os import urandom
time.time(); time.monotonic(); os.urandom(8); datetime.datetime.now(); uuid.uuid4()
nacl.utils.random(8); nacl.signing.SigningKey.generate(); nacl.public.PrivateKey.generate()
nacl.public.SealedBox(1)
"""
BANS = 13  # three modules, one name, then each call once: fewer means that a ban was lost


def ruff_bans(path: str) -> int:
    """Count what ruff's TID251 says of BANNED if it stood at `path`."""
    command = [str(BIN / "ruff"), "check", "--no-cache", "--select", "TID251", "--output-format", "concise"]
    command += ["--stdin-filename", path, "-"]
    ran = subprocess.run(command, cwd=ROOT, input=BANNED, check=False, capture_output=True, text=True)
    return ran.stdout.count("TID251")


@pytest.mark.parametrize("start", CORE)
def test_below_the_node_the_bans_bind(start: str) -> None:
    assert ruff_bans(start if start.endswith(".py") else f"{start}a.py") == BANS


@pytest.mark.parametrize("room", ["mesh/node", "mesh/store", "cli", "simulations", "benchmarks", "tests"])
def test_above_it_they_do_not(room: str) -> None:
    assert ruff_bans(f"{room}/a.py") == 0
