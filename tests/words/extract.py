"""What the source says: read as a tree, every template that can be shown, and where words were glued.

As xgettext does with its keywords, from the functions that say something (`SINKS`) and the errors in words. Unlike it,
what is handed on is followed: a name to what was assigned to it, a call to what it returns, and a parameter that is
said makes its function one that says something. `make words` writes `cli/locale/mesh.pot`, and takes new strings into
each language's catalogue, without a translation, and out what nobody says any more.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, TypeAlias

ROOT: Final = Path(__file__).parents[2]
ROOMS: Final = ("mesh", "cli")
PHRASES, WORDS, ENTRY = "mesh.phrases", "cli.words", "cli.entry"
Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Place: TypeAlias = tuple[str, str]  # module, name in it
SINKS: Final[dict[Place, tuple[str | int, ...]]] = {  # where words of ours go in: by place and by name
    (PHRASES, "phrase"): (0,),
    (PHRASES, "own"): (0,),
    (PHRASES, "plural"): (0, 1),
    (WORDS, "tell"): (0,),
    (WORDS, "tell_many"): (0, 1),
    (WORDS, "tell_each"): tuple(range(16)),
    (WORDS, "to_tell"): (0,),
    (ENTRY, "Entry"): (0, 1, 2),
    ("mesh.node.local.protocol", "phrased"): ("what", "why", "do"),
    ("mesh.support.crisis", "Card"): ("title", "instead", "notice", "sources"),
    ("mesh.support.crisis_table", "Country"): ("name",),
    ("mesh.support.crisis_table", "CrisisEntry"): ("hours",),
}
PAIRS: Final = {(PHRASES, "plural"), (WORDS, "tell_many")}
MADE: Final = {  # phrases that hold nothing of ours, or something that was read where it was said first
    (PHRASES, "verbatim"),
    (PHRASES, "Phrase"),
    ("mesh.node.local.protocol", "_said"),
    ("cli.fields", "phrase_of"),
}
ERROR: Final = (0, "what", "why", "do")
FIELDS: Final = {"deed"}  # fields of records that hold words of ours
INNER: Final = {PHRASES, WORDS, "mesh.errors"}  # where templates are handled as values


@dataclass(frozen=True, slots=True, order=True)
class String:
    """A template, its plural if it has one, and the file it stands in."""

    path: str
    one: str
    many: str = ""


class Module:
    """One module: what its names mean."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        """Read the names that it defines and imports."""
        self.name, self.tree = name, tree
        self.path = name.replace(".", "/") + ".py"
        self.parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
        self.imports: dict[str, tuple[str, str]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                self.imports |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}

    @cached_property
    def functions(self) -> dict[str, Function]:
        """Its functions and methods, by name."""
        return {node.name: node for node in ast.walk(self.tree) if isinstance(node, Function)}

    def place(self, called: ast.expr) -> Place:
        """Name what is called: the module that defines it, and its name there."""
        match called:
            case ast.Name(id=name):
                return self.imports.get(name, (self.name, name))
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner in self.imports:
                return ".".join(self.imports[owner]), name
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                return self.name, name
            case _:
                return "", ""

    def around(self, node: ast.AST) -> Function | None:
        """Give the function that a node stands in."""
        above = self.parents.get(node)
        while above is not None and not isinstance(above, Function):
            above = self.parents.get(above)
        return above

    def assigned(self, name: str, scope: ast.AST) -> Iterator[ast.expr]:
        """Give each value that is assigned to a name in a scope, whole or as part of a tuple."""
        for node in ast.walk(scope):
            match node:
                case ast.Assign(targets=[target], value=value):
                    yield from _part(target, value, name)
                case ast.AnnAssign(target=target, value=ast.expr() as value):
                    yield from _part(target, value, name)
                case ast.NamedExpr(target=target, value=value):
                    yield from _part(target, value, name)
                case ast.comprehension(target=ast.Name(id=found), iter=value) if found == name:
                    yield value  # each of what it holds
                case ast.For(target=ast.Name(id=found), iter=value) if found == name:
                    yield value
                case _:
                    pass


def _part(target: ast.expr, value: ast.expr, name: str) -> Iterator[ast.expr]:
    """Give what a name gets of an assignment: the value, its part of a tuple, or a value that is taken apart."""
    match target, value:
        case ast.Name(id=found), _ if found == name:
            yield value
        case ast.Tuple(elts=targets), ast.Tuple(elts=values) if len(targets) == len(values):
            for left, right in zip(targets, values, strict=True):
                yield from _part(left, right, name)
        case ast.Tuple(elts=targets), _:
            if any(isinstance(left, ast.Name) and left.id == name for left in targets):
                yield value
        case _:
            pass


class Reader:
    """Follows words from where they go out to where they stand."""

    def __init__(self, trees: dict[str, ast.Module]) -> None:
        """Take the modules by their dotted names."""
        self.modules = {name: Module(name, tree) for name, tree in trees.items()}
        self.sinks: dict[Place, set[str | int]] = {place: set(where) for place, where in SINKS.items()}
        self.strings: set[String] = set()
        self.glued: set[str] = set()
        self._seen: set[int] = set()
        self._errors()

    def _errors(self) -> None:
        """Take each error in words for a sink, with what inherits from it."""
        family = {("mesh.errors", "MeshError")}
        while True:
            found = {
                (module.name, node.name)
                for module in self.modules.values()
                for node in ast.walk(module.tree)
                if isinstance(node, ast.ClassDef) and any(module.place(base) in family for base in node.bases)
            } - {("mesh.errors", "RemoteError")}  # what a peer did: for the journal, in English
            if found <= family:
                break
            family |= found
        self.sinks |= {place: set(ERROR) for place in family}

    def read(self) -> None:
        """Read until nothing new is found: each function that says its parameter may be called from anywhere."""
        before = -1
        while before != (before := sum(map(len, self.sinks.values()))):
            self._seen.clear()
            for module in self.modules.values():
                if module.name not in INNER:
                    self._read(module)

    def _read(self, module: Module) -> None:
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Call):
                continue
            place = module.place(node.func)
            where = self.sinks.get(place, set())
            if place in PAIRS:
                self._pair(module, node)
                continue
            for at, argument in enumerate(node.args):
                if at in where:
                    self._follow(module, argument)
            for keyword in node.keywords:
                if keyword.arg in where or keyword.arg in FIELDS:
                    self._follow(module, keyword.value)

    def _pair(self, module: Module, node: ast.Call) -> None:
        one, many = (self._constant(module, argument) for argument in node.args[:2])
        if one is None or many is None:
            self.glued.add(f"{module.path}:{node.lineno}")
        else:
            self.strings.add(String(module.path, one, many))

    def _constant(self, module: Module, node: ast.expr) -> str | None:
        if isinstance(node, ast.Name):
            scope = module.around(node) or module.tree
            node = next(module.assigned(node.id, scope), node)
        return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None

    def _follow(self, module: Module, node: ast.expr) -> None:
        """Collect what an expression can say."""
        if id(node) in self._seen:
            return
        self._seen.add(id(node))
        match node:
            case ast.Constant(value=str(text)):
                if text:
                    self.strings.add(String(module.path, text))
            case ast.Tuple(elts=values) | ast.List(elts=values) | ast.Dict(values=values):
                for value in values:
                    self._follow(module, value)
            case ast.ListComp(elt=value) | ast.GeneratorExp(elt=value) | ast.Starred(value=value):
                self._follow(module, value)
            case ast.Constant(value=None) | ast.Attribute() | ast.Subscript(value=ast.Attribute()):
                pass  # a field of a record is collected where the record is made
            case ast.IfExp(body=body, orelse=orelse):
                self._follow(module, body)
                self._follow(module, orelse)
            case ast.BoolOp(values=values):
                for value in values:
                    self._follow(module, value)
            case ast.Subscript(value=ast.Name(id=name)):
                self._table(module, name)
            case ast.Name(id=name):
                self._name(module, node, name)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="get")) if name.isupper():
                self._table(module, name)  # of a table of ours
            case ast.Call(func=func):
                self._call(module, node, module.place(func))
            case _:
                self.glued.add(f"{module.path}:{node.lineno}")

    def _table(self, module: Module, name: str) -> None:
        for value in module.assigned(name, module.tree):
            values = value.values if isinstance(value, ast.Dict) else [value]
            for part in values:
                for leaf in part.elts if isinstance(part, ast.Tuple) else [part]:
                    self._follow(module, leaf)

    def _name(self, module: Module, node: ast.expr, name: str) -> None:
        around = module.around(node)
        while around is not None:
            found = list(module.assigned(name, around))
            for value in found:
                self._follow(module, value)
            names = [argument.arg for argument in (*around.args.posonlyargs, *around.args.args)]
            names = names[1:] if names[:1] == ["self"] else names
            if name in names or name in {argument.arg for argument in around.args.kwonlyargs}:
                is_init = around.name == "__init__" and isinstance(owner := module.parents.get(around), ast.ClassDef)
                place = (module.name, owner.name if is_init and isinstance(owner, ast.ClassDef) else around.name)
                self.sinks.setdefault(place, set()).update({name, *([names.index(name)] if name in names else [])})
                return
            if found:
                return
            around = module.around(around)
        if name in module.imports:
            other, name = module.imports[name]
            module = self.modules.get(other, module)
        values = list(module.assigned(name, module.tree))
        for value in values:
            self._follow(module, value)
        if not values:
            self.glued.add(f"{module.path}:{node.lineno}")  # it comes from where nobody looks

    def _call(self, module: Module, node: ast.Call, place: Place) -> None:
        if place in self.sinks or place in MADE:
            return  # read where it stands
        other = self.modules.get(place[0])
        made = None if other is None else other.functions.get(place[1])
        if other is None or made is None:
            self.glued.add(f"{module.path}:{node.lineno}")
            return
        for part in ast.walk(made):
            if isinstance(part, ast.Return) and part.value is not None:
                self._follow(other, part.value)


def our_modules() -> dict[str, ast.Module]:
    """Parse each of our modules."""
    paths = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts): ast.parse(path.read_text()) for path in paths}


def extracted(trees: dict[str, ast.Module]) -> Reader:
    """Read modules, by their dotted names."""
    reader = Reader(trees)
    reader.read()
    return reader
