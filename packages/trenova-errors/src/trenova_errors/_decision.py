"""A row of a table: what a code or a type of exception means, before anything is known about the failure at hand."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from trenova_errors._kinds import ErrorKind

_COLUMNS: Final = 3


@dataclass(frozen=True, slots=True)
class Decision:
    """What a code means.

    Attributes:
        kind: How it is treated.
        name: What the code's own registry calls it.
    """

    kind: ErrorKind
    name: str


def rows(table: str) -> Iterator[tuple[str, Decision]]:
    """Read a table of ``key kind name`` lines; lines that begin with ``#`` are skipped.

    Raises:
        ValueError: A line names no known kind; a test reads every table.
    """
    for line in table.splitlines():
        if line and not line.startswith("#"):
            key, kind, name = line.split(maxsplit=_COLUMNS - 1)
            yield key, Decision(ErrorKind(kind), name)
