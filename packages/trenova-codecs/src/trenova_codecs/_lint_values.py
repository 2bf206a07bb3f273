"""What an expression is made of, as far as its text shows: constants, and fields by their names."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from trenova_codecs._lint_names import Path


def _words_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


Scope = Mapping[str, ast.expr]
"""The names of a function that are assigned exactly once, with what."""

_DEEPEST: Final = 8
"""Assignments followed from one expression."""
_SAME_CONTENT: Final = _words_of(
    "ascii casefold dict encode decode format frozenset join isoformat list lower lstrip max min next quote "
    "removeprefix removesuffix replace repr reversed rstrip set slug slugify sorted str strip title tuple upper"
)
"""Functions and methods whose result shows what they are given."""
_ABOUT: Final = frozenset({"len", "bool", "isinstance", "hasattr", "all", "any", "sum", "round", "type", "id"})
"""Functions whose result does not show what they are given."""
_RANDOM: Final = frozenset({"token_hex", "token_urlsafe", "token_bytes", "uuid4", "uuid7", "getrandbits", "urandom"})
"""Functions whose result says nothing."""


@dataclass(frozen=True)
class Part:
    """A part of an expression whose value only the running program knows.

    Attributes:
        node: Where it stands.
        path: Its names from the outside in; empty where it has none.
    """

    node: ast.expr
    path: Path

    def __str__(self) -> str:
        return ".".join(self.path) or ast.unparse(self.node)[:60]


def parts(node: ast.expr, scope: Scope, *, depth: int = _DEEPEST) -> Iterator[Part]:
    """Walk what flows into the value of an expression; constants are left out.

    A name that is assigned once in its function is followed to what it is assigned.
    """
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Await):
        yield from _named(node, scope, depth)
    elif isinstance(node, ast.Call):
        yield from _called(node, scope, depth)
    else:
        for inner in _inside(node):
            yield from parts(inner, scope, depth=depth)


def _inside(node: ast.expr) -> list[ast.expr]:  # noqa: PLR0911 - one line per kind of expression
    match node:
        case ast.JoinedStr(values=values):
            return [value.value for value in values if isinstance(value, ast.FormattedValue)]
        case ast.BinOp(left=left, right=right):
            return [left, right]
        case ast.BoolOp(values=values):
            return values
        case ast.IfExp(body=body, orelse=orelse):
            return [body, orelse]
        case ast.List(elts=elts) | ast.Tuple(elts=elts) | ast.Set(elts=elts):
            return elts
        case ast.Dict(values=values):
            return values
        case ast.Starred(value=value) | ast.NamedExpr(value=value):
            return [value]
        case ast.ListComp(elt=elt) | ast.SetComp(elt=elt) | ast.GeneratorExp(elt=elt):
            return [elt]
        case ast.DictComp(value=value):
            return [value]
    return []  # constants, comparisons, negations: nothing that shows a value


def _named(node: ast.expr, scope: Scope, depth: int) -> Iterator[Part]:
    if isinstance(node, ast.Await):
        yield from parts(node.value, scope, depth=depth)
        return
    path = path_of(node)
    if isinstance(node, ast.Name) and node.id in scope and depth:
        without = {name: value for name, value in scope.items() if name != node.id}
        yield from parts(scope[node.id], without, depth=depth - 1)
    elif not _is_constant(path):
        yield Part(node, path)


def _called(node: ast.Call, scope: Scope, depth: int) -> Iterator[Part]:
    name = path_of(node.func)[-1:]
    if not name or name[0] in _SAME_CONTENT:
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        if isinstance(node.func, ast.Attribute):
            given.append(node.func.value)
        for inner in given:
            yield from parts(inner, scope, depth=depth)
    elif name[0] not in _ABOUT | _RANDOM:
        yield Part(node, path_of(node.func))


def path_of(node: ast.expr) -> Path:  # noqa: PLR0911 - one line per kind of expression
    """Return the names of a field from the outside in, e.g. of ``order["customer"].email``; without ``self``."""
    match node:
        case ast.Name(id=name):
            return () if name in {"self", "cls"} else (name,)
        case ast.Attribute(value=value, attr="value" | "__name__" | "__qualname__"):
            return path_of(value)
        case ast.Attribute(value=value, attr=name):
            return (*path_of(value), name)
        case ast.Subscript(value=value, slice=ast.Constant(value=str(name))):
            return (*path_of(value), name)
        case ast.Subscript(value=value) | ast.Await(value=value):
            return path_of(value)
        case ast.Call(func=func):
            return path_of(func)
    return ()


def _is_constant(path: Path) -> bool:
    """Whether it is ``A_CONSTANT``, ``module.A_CONSTANT`` or a member of an enumeration, ``Status.New``."""
    if not path:
        return False
    return path[-1].isupper() or (len(path) > 1 and all(name[:1].isupper() for name in path[-2:]))
