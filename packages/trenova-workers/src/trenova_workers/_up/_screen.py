"""Everything ``up`` prints: its own lines, those of its children, tables.

On a terminal coloured; elsewhere (CI, a file, a pipe) plain lines without a control code.
"""

import os
import re
import sys
from contextlib import suppress
from typing import TextIO

from rich.console import Console, RenderableType
from rich.text import Text

SELF = "up"
_PALETTE = ("cyan", "green", "magenta", "yellow", "blue", "bright_red")
_PLAIN_WIDTH = 200
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# Escape sequences that are no colour, and control characters other than tab and escape.
_CONTROL = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-9;?]*[ -/]*[@-ln-~]|\x1b[^\[\]]"
    r"|[\x00-\x08\x0a-\x1a\x1c-\x1f\x7f-\x9f]"
)
_LONE_ESCAPE = re.compile(r"\x1b(?!\[[0-9;]*m)")


class _TolerantConsole(Console):
    """A console whose reader may go away: draining the workers matters more than the output."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.file.fileno())
            os.close(nowhere)


class Screen:
    """Where ``up`` prints to; ``names`` sets the width of the prefix and the colours."""

    def __init__(self, file: TextIO | None = None) -> None:
        out = file or sys.stdout
        terminal = out.isatty() and os.environ.get("TERM") not in {"dumb", "unknown"}
        self.plain = not terminal
        self.console = _TolerantConsole(
            file=out,
            force_terminal=terminal,
            width=None if terminal else _PLAIN_WIDTH,
            highlight=False,
            markup=False,
            emoji=False,
        )
        self._names: list[str] = []

    def name(self, names: list[str]) -> None:
        """Fix the order of colours and the width of the prefix."""
        self._names = names

    def say(self, text: str, style: str = "bold") -> None:
        """One line of ``up`` itself."""
        self._line(SELF, "bold", Text(clean(text, colour=False), style=style))

    def log(self, source: str, line: str) -> None:
        """One line of a child, as it was printed."""
        text = clean(line, colour=not self.plain)
        colour = _PALETTE[self._names.index(source) % len(_PALETTE)] if source in self._names else "white"
        self._line(source, colour, Text.from_ansi(text) if not self.plain else Text(text))

    def show(self, what: RenderableType) -> None:
        """A table, or a line without a prefix."""
        self._print(what)

    def _line(self, source: str, style: str, text: Text) -> None:
        width = max(map(len, [SELF, *self._names]))
        self._print(Text.assemble((f"{source:<{width}} | ", style), text))

    def _print(self, what: RenderableType) -> None:
        # A terminal that went away raises EIO; nothing is left to be told, and much to be stopped.
        with suppress(OSError):
            self.console.print(what, soft_wrap=isinstance(what, Text))


def clean(text: str, *, colour: bool) -> str:
    """``text`` without what would move the cursor or rename the window; colours stay if asked for."""
    text = _CONTROL.sub("", text)
    if not colour:
        text = _COLOUR.sub("", text)
    return _LONE_ESCAPE.sub("", text)
