"""The commands that the pages print, as a shell would read them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("packages/*/README.md"),
        *ROOT.glob("services/*/README.md"),
    ]
)
SHELLS = {"sh", "shell", "bash", "console"}
CLUSTER_ONLY = "<!-- cluster-only -->"
"""Stands on a line of its own above a block that needs a cluster or containers."""
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^ *```", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"(?<!`)`(?!`)([^`\n]+)`(?!`)")
_BASH = Parser(Language(tree_sitter_bash.language()))
_EXPANSIONS = {"simple_expansion", "expansion", "command_substitution"}
_STATEMENTS = {"command", "declaration_command"}


@dataclass(frozen=True)
class Block:
    """A fenced block of shell: what is typed in it, without what is answered."""

    page: Path
    line: int
    text: str
    cluster_only: bool

    @property
    def commands(self) -> "tuple[Command, ...]":
        return tuple(Command(self.page, self.line, words, self.cluster_only) for words in parsed(self.text))

    @property
    def functions(self) -> set[str]:
        """Names that the block itself gives to what it calls."""
        return set(re.findall(r"^(\w+)\(\) *{", self.text, re.MULTILINE))


@dataclass(frozen=True)
class Command:
    """One command: its words, a variable by its name and what else the shell puts there by its text."""

    page: Path
    line: int
    words: tuple[str, ...]
    cluster_only: bool = False
    named: bool = False
    """In the running text, where a command may only be named, without all that it wants."""

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}: {' '.join(self.words)}"


@cache
def blocks(page: Path) -> tuple[Block, ...]:
    text, found = page.read_text(), []
    for fence in FENCE.finditer(text):
        typed = _typed(fence["language"], dedent(fence["text"]))
        if typed:
            before = text[: fence.start()].rstrip().rpartition("\n")[2].strip()
            line = text.count("\n", 0, fence.start()) + 1
            found.append(Block(page, line, typed, cluster_only=before == CLUSTER_ONLY))
    return tuple(found)


def _typed(language: str, text: str) -> str:
    """What of a block is typed: all of a shell's, and where answers stand below it what follows a ``$``."""
    lines = text.splitlines(keepends=True)
    if language not in SHELLS and language not in {"text", ""}:
        return ""
    if not any(line.startswith("$ ") for line in lines):
        return text if language in SHELLS else ""
    typed, goes_on = [], False
    for line in lines:
        if goes_on or line.startswith("$ "):
            typed.append(line.removeprefix("$ "))
            goes_on = line.rstrip("\n").endswith("\\")
    return "".join(typed)


def inline(page: Path) -> Iterator[Command]:
    """What stands between backticks in the running text and has more than one word."""
    text = FENCE.sub(lambda fence: "\n" * fence[0].count("\n"), page.read_text())
    for span in INLINE.finditer(text):
        if " " in span[1].strip() and re.match(r"[\w./-]+ ", span[1]):
            line = text.count("\n", 0, span.start()) + 1
            yield from (Command(page, line, words, named=True) for words in parsed(span[1]))


@cache
def parsed(text: str) -> tuple[tuple[str, ...], ...]:
    """The words of every command of a text, of those inside substitutions and functions too."""
    found: list[tuple[str, ...]] = []
    arrays: dict[str, list[str]] = {}
    for node in _nodes(text):
        if node.type == "variable_assignment" and node.named_children[-1].type == "array":
            arrays[_text(node.named_children[0])] = [_word(one) for one in node.named_children[-1].named_children]
        if node.type in _STATEMENTS:
            words = [one for child in node.children if _is_word(node, child) for one in _words(child, arrays)]
            found.append(tuple(words))
    return tuple(found)


def _nodes(text: str) -> Iterator[Node]:
    """All nodes of a parsed text in its order."""
    stack = [_BASH.parse(text.encode()).root_node]
    while stack:
        node = stack.pop()
        yield node
        stack += reversed(node.children)


def broken(text: str) -> bool:
    """Whether a shell could not read the text."""
    return bool(_BASH.parse(text.encode()).root_node.has_error)


def redirected(text: str) -> list[str]:
    """The operators and files of all redirections, such as ``< key.base64``."""
    return [_text(node) for node in _nodes(text) if node.type == "file_redirect"]


def _text(node: Node) -> str:
    return (node.text or b"").decode()


def _is_word(command: Node, child: Node) -> bool:
    aside = child.type.endswith("_redirect") or child.type == "comment"
    return not aside and (child.type != "variable_assignment" or command.type == "declaration_command")


def _words(node: Node, arrays: Mapping[str, list[str]]) -> list[str]:
    """What a word becomes: all words of an array, and of anything else one."""
    array = re.fullmatch(r'"\$\{(\w+)\[@\]\}"', _text(node))
    return arrays.get(array[1], []) if array else [_word(node)]


def _word(node: Node) -> str:
    """A word without its quotes; ``$NAME`` is ``NAME``, which the placeholders of the tests have a value for."""
    text = _text(node)
    if node.type in _EXPANSIONS:
        name = re.fullmatch(r"\$\{?(\w+)\b.*", text, re.DOTALL)
        return name[1] if name else "SUBSTITUTED"
    if node.type == "raw_string":
        return text[1:-1]
    if node.type == "string":
        return _filled(node, text)[1:-1].replace("\\\n", "").replace('\\"', '"')
    if node.named_children:
        return _filled(node, text)
    return text.replace("\\", "")


def _filled(node: Node, text: str) -> str:
    """The text of a node with its parts in their own form, from the last to the first."""
    raw = text.encode()
    for part in reversed(node.named_children):
        start, end = part.start_byte - node.start_byte, part.end_byte - node.start_byte
        known = part.type in _EXPANSIONS | {"raw_string", "string"}
        put = _word(part) if known else _text(part)
        raw = raw[:start] + put.encode() + raw[end:]
    return raw.decode()


PLACEHOLDERS: Mapping[str, str] = {
    "COUNT": "3",
    "N": "3",
    "PID": "4711",
    "START": "2026-11-20",
    "END": "2026-11-27",
    "HOURS": "24",
    "SECONDS": "5",
    "URL": "sqlite:///tms.db",
}
"""Words in capitals that stand for a value which is not text; every other one may be any text."""


def told(word: str) -> str:
    """A word with the value that its placeholder stands for."""
    return PLACEHOLDERS.get(word, word)
