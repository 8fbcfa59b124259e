"""Which small faults a module can have: one for each place and operator, each a change of its syntax tree.

The operators are few and plain: a comparison turned, or moved by one; `and` for `or`; a `not` or a filter left out;
plus for minus; a number one too great; a statement left out; a return of nothing; `min` for `max`, `any` for `all`; one
of several alternatives forgotten. What is no behaviour is left alone: annotations, texts, assertions (they state what
cannot be), and how a record's fields print.
"""

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from copy import copy, deepcopy
from dataclasses import dataclass, replace
from typing import Final

TURNED: Final[Mapping[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
SWAPPED: Final[Mapping[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.FloorDiv: ast.Mult,
}
NAMES: Final[Mapping[str, str]] = {"min": "max", "max": "min", "any": "all", "all": "any"}
LETTERS_MAX: Final = 90  # of what stood there, and of what stands there now


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One fault: `instead` (None: nothing) stands for the node of this number, in the order of ast.walk.

    `place` names it without line numbers, so that it keeps its name when lines move.
    """

    path: str
    place: str
    line: int
    number: int
    instead: ast.AST | None

    def apply(self, text: str) -> ast.Module:
        """Return the module with this fault."""
        tree = ast.parse(text)
        nodes = list(ast.walk(tree))
        target = nodes[self.number]
        for parent in nodes:
            for field, value in ast.iter_fields(parent):
                if value is target:
                    setattr(parent, field, deepcopy(self.instead) or ast.Constant(None))
                elif isinstance(value, list) and any(one is target for one in value):
                    value[value.index(target)] = deepcopy(self.instead) or ast.Pass()
        return ast.fix_missing_locations(tree)


def mutants(path: str, text: str) -> list[Mutant]:
    """Return every fault that a module can have, in the order of its lines."""
    tree = ast.parse(text)
    homes, quiet = dict(_homes(tree, "module")), set(_quiet(tree))
    found = [
        Mutant(
            path=path,
            place=f"{path} {homes.get(node, 'module')}: {_shown(node)} -> {_shown(instead)}",
            line=getattr(node, "lineno", 0),
            number=number,
            instead=instead,
        )
        for number, node in enumerate(ast.walk(tree))
        if node not in quiet
        for instead in faults(node)
    ]
    return list(_told_apart(sorted(found, key=lambda mutant: mutant.line)))


def faults(node: ast.AST) -> Iterator[ast.AST | None]:
    """Give what may stand instead of one node."""
    match node:
        case ast.Compare(ops=ops):
            for k, op in enumerate(ops):
                for turned in TURNED[type(op)]:
                    yield _with(node, ops=[*ops[:k], turned(), *ops[k + 1 :]])
        case ast.BoolOp(op=joined):
            yield _with(node, op=ast.Or() if isinstance(joined, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=operand):
            yield operand
        case ast.BinOp(op=calculated) if type(calculated) in SWAPPED:
            yield _with(node, op=SWAPPED[type(calculated)]())
        case ast.Constant(value=bool() as truth):
            yield ast.Constant(not truth)
        case ast.Constant(value=int() as whole):
            yield ast.Constant(whole + 1)
        case ast.Call(func=ast.Name(id=name)) if name in NAMES:
            yield _with(node, func=ast.Name(NAMES[name], ast.Load()))
        case ast.If(test=test) | ast.IfExp(test=test) if not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp):
            yield _with(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.comprehension(ifs=filters):
            yield from (_with(node, ifs=rest) for rest in _one_less(filters))
        case ast.match_case(guard=ast.expr()):
            yield _with(node, guard=None)
        case ast.MatchOr(patterns=patterns):
            yield from (rest[0] if len(rest) == 1 else _with(node, patterns=rest) for rest in _one_less(patterns))
        case ast.Set(elts=elements) if len(elements) > 1:
            yield from (_with(node, elts=rest) for rest in _one_less(elements))
        case ast.Return(value=ast.expr() as value) if not (isinstance(value, ast.Constant) and value.value is None):
            yield ast.Return(ast.Constant(None))
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Raise() | ast.Delete() | ast.Continue() | ast.Break():
            yield None
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield None
        case _:
            pass


# ---------------------------------------------------------------- trees


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _one_less(several: list[ast.expr] | list[ast.pattern]) -> Iterator[list[ast.expr | ast.pattern]]:
    for k in range(len(several)):
        yield [*several[:k], *several[k + 1 :]]


def _homes(node: ast.AST, home: str) -> Iterator[tuple[ast.AST, str]]:
    """Give each node with the name of the function or class in which it stands."""
    for child in ast.iter_child_nodes(node):
        here = home
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            here = child.name if home == "module" else f"{home}.{child.name}"
        yield child, here
        yield from _homes(child, here)


def _quiet(tree: ast.Module) -> Iterator[ast.AST]:
    """Give the nodes that are no behaviour."""
    for node in ast.walk(tree):
        skipped: list[ast.AST | None] = []
        match node:
            case ast.FunctionDef(args=args, returns=returns, decorator_list=marks):
                skipped += [returns, *marks, *(arg.annotation for arg in (*args.args, *args.kwonlyargs))]
            case ast.ClassDef(decorator_list=marks, body=body):
                skipped += [*marks, *(part.value for part in body if isinstance(part, ast.AnnAssign))]
            case ast.AnnAssign(annotation=annotation):
                skipped.append(annotation)
            case ast.Assert():
                skipped.append(node)
            case ast.Module(body=body):  # a name for a type
                skipped += [part for part in body if isinstance(part, ast.Assign)]
            case _:
                pass
        for part in filter(None, skipped):
            yield from ast.walk(part)


def _shown(node: ast.AST | None) -> str:
    match node:
        case None:
            return "nothing"
        case ast.comprehension(target=target, iter=source, ifs=filters):
            words = " ".join(["for", ast.unparse(target), "in", ast.unparse(source)])
            text = words + "".join(f" if {ast.unparse(test)}" for test in filters)
        case ast.match_case(pattern=pattern, guard=guard):
            text = f"case {ast.unparse(pattern)}" + (f" if {ast.unparse(guard)}" if guard else "")
        case ast.If(test=test):
            text = f"if {ast.unparse(test)}"
        case _:
            text = ast.unparse(node)
    text = " ".join(text.split())
    return text if len(text) <= LETTERS_MAX else text[: LETTERS_MAX - 1] + "…"


def _told_apart(found: Iterable[Mutant]) -> Iterator[Mutant]:
    """Give those of one name numbers."""
    counts = Counter[str]()
    for mutant in found:
        counts[mutant.place] += 1
        count = counts[mutant.place]
        yield mutant if count == 1 else replace(mutant, place=f"{mutant.place} #{count}")
