"""``trenova-codecs lint``: find data that flows into what Temporal stores in clear, by reading the source.

Nothing is imported or run. A finding is accepted with a comment that says why, on a line of the expression or
on the first line of the call::

    note=order.summary,  # trenova: clear - summaries are made of status codes, see Order.summary
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trenova_codecs._lint_names import NameRules
from trenova_codecs._lint_places import Place, stored_in_clear
from trenova_codecs._lint_values import Part, Scope, parts, path_of
from trenova_errors import ConfigurationError, InvalidInputError

_COMMENT: Final = re.compile(r"#\s*trenova:\s*clear\b[\s:,.-]*(?P<reason>.*)")
_SKIPPED: Final = frozenset({"__pycache__", "node_modules", "site-packages", "build", "dist"})
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)

_SAYS: Final = {
    Place.SEARCH_ATTRIBUTE: "{part} becomes the value of a search attribute, which is never encrypted. Search by an "
    "id, a status or a date and keep the rest in the payload or the memo",
    Place.NOTE: "{part} becomes part of a note or a reason, which is never encrypted. Write a constant text and keep "
    "data in the memo",
    Place.FAILURE_TYPE: "{part} becomes the type of a failure, which is never encrypted and is compared by retry "
    "policies. Use a constant, and put data into the message or the details, which are",
    Place.ID: "{part} becomes part of an id, a task queue or another name, which is never encrypted. Use the id of the "
    "record instead",
}


@dataclass(frozen=True, order=True)
class Finding:
    """One thing to change, with where it is.

    Attributes:
        line: From 1.
        column: From 1.
        rule: ``clear-search-attribute``, ``clear-note``, ``clear-failure-type``, ``clear-id``, or
            ``clear-comment`` for a comment without a reason or without a use.
    """

    path: str
    line: int
    column: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.rule} {self.message}"


def lint(paths: Sequence[Path], rules: NameRules) -> tuple[list[Finding], int]:
    """Check files and everything ``*.py`` in folders, hidden and build folders left out.

    Returns:
        What was found, and how many files were read.

    Raises:
        ConfigurationError: A path does not exist, or there is no Python file in any of them.
        InvalidInputError: A file is not Python that this interpreter can parse.
    """
    files = list(dict.fromkeys(file for path in paths for file in _files(path)))
    if not files:
        raise ConfigurationError(
            f"No Python file in {', '.join(map(str, paths))}. Name files or folders that hold some."
        )
    return [finding for file in files for finding in check(_text(file), str(file), rules)], len(files)


def check(source: str, path: str, rules: NameRules) -> list[Finding]:
    """Check one source text.

    Args:
        source: Python.
        path: Named in the findings.
        rules: How names are judged.

    Raises:
        InvalidInputError: It cannot be parsed.
    """
    try:
        tree = ast.parse(source, path)
        comments = _comments(source)
    except (SyntaxError, ValueError, tokenize.TokenError) as error:
        line = getattr(error, "lineno", None) or 1
        raise InvalidInputError(f"{path}:{line}: this is not Python that {_python()} can read.") from None
    visitor = _Visitor(path, rules, comments)
    visitor.visit(tree)
    return sorted({*visitor.findings, *_about_comments(path, comments, visitor.used)})


class _Visitor(ast.NodeVisitor):
    """Looks at every call, with what the names around it were assigned."""

    def __init__(self, path: str, rules: NameRules, comments: Mapping[int, str]) -> None:
        self._path, self._rules, self._comments = path, rules, comments
        self._scope: Scope = {}
        self._imported: dict[str, str] = {}
        self.findings: list[Finding] = []
        self.used: set[int] = set()

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self._imported |= {alias.asname: alias.name for alias in node.names if alias.asname}

    def visit(self, node: ast.AST) -> None:
        if not isinstance(node, (*_FUNCTIONS, ast.Module)):
            super().visit(node)
            return
        outside = self._scope
        once, own = _assigned(node)
        self._scope = {name: value for name, value in outside.items() if name not in own} | once
        self.generic_visit(node)
        self._scope = outside

    def visit_Call(self, node: ast.Call) -> None:
        name = path_of(node.func)[-1:]
        if name:
            for place, value in stored_in_clear(node, self._imported.get(name[0], name[0])):
                self._judge(place, value, node)
        self.generic_visit(node)

    def _judge(self, place: Place, value: ast.expr, call: ast.Call) -> None:
        bad = [part for part in parts(value, self._scope) if self._is_bad(place, part)]
        if not bad:
            return
        lines = {call.lineno, *range(value.lineno, (value.end_lineno or value.lineno) + 1)}
        accepting = {line for line in lines if line in self._comments}
        self.used |= accepting
        if not accepting:
            shown = " and ".join(dict.fromkeys(f"`{part}`" for part in bad))
            message = _SAYS[place].format(part=shown) + "; or accept it with `# trenova: clear - <reason>`."
            self.findings.append(Finding(self._path, value.lineno, value.col_offset + 1, place.value, message))

    def _is_bad(self, place: Place, part: Part) -> bool:
        if not place.strict:
            return bool(part.path) and self._rules.is_sensitive(part.path)
        return not (part.path and self._rules.is_harmless(part.path))


def _parameters(node: ast.AST) -> list[str]:
    if not isinstance(node, _FUNCTIONS):
        return []
    given = node.args
    names = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    return [one.arg for one in names if one is not None]


def _assigned(function: ast.AST) -> tuple[dict[str, ast.expr], set[str]]:
    """Return the names that have one value in a function, and all that it assigns; inner functions left out."""
    values: dict[str, ast.expr] = {}
    stored = _parameters(function)
    for node in _own(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            stored.append(node.id)
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                values[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                values[name] = value
            case ast.NamedExpr(target=ast.Name(id=name), value=value):
                values[name] = value
    return {name: value for name, value in values.items() if stored.count(name) == 1}, set(stored)


def _own(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, (*_FUNCTIONS, ast.ClassDef)):
            yield from _own(child)


def _comments(source: str) -> dict[int, str]:
    """Return the reasons by line; an empty one where there is none."""
    found: dict[int, str] = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        match = _COMMENT.match(token.string) if token.type == tokenize.COMMENT else None
        if match is not None:
            found[token.start[0]] = match["reason"].strip()
    return found


def _about_comments(path: str, comments: Mapping[int, str], used: set[int]) -> Iterator[Finding]:
    for line, reason in comments.items():
        if not reason:
            yield Finding(
                path, line, 1, "clear-comment", "Say why it may stay in clear: `# trenova: clear - <reason>`."
            )
        elif line not in used:
            yield Finding(path, line, 1, "clear-comment", "Nothing here is reported; remove the comment.")


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    if not path.is_dir():
        raise ConfigurationError(f"There is no {path}. Name files or folders that exist.")
    for file in sorted(path.rglob("*.py")):
        folders = file.relative_to(path).parts[:-1]
        if not any(folder in _SKIPPED or folder.startswith(".") for folder in folders):
            yield file


def _text(file: Path) -> str:
    try:
        with tokenize.open(file) as opened:
            return opened.read()
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{file}: cannot be read as Python ({type(error).__name__}).") from None


def _python() -> str:
    from platform import python_version

    return f"Python {python_version()}"
