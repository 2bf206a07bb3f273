"""Tables of what was measured, for a terminal and as Markdown; every cell is min / median / max of the rounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bulk.verdicts import Verdict, spread


@dataclass
class Table:
    """Rows of measurements.

    Attributes:
        title: What was measured.
        columns: What the cells of each row are.
        about: What a reader has to know to understand it.
    """

    title: str
    columns: Sequence[str]
    about: str = ""
    _rows: list[list[str]] = field(default_factory=list)
    _notes: list[str] = field(default_factory=list)

    def row(self, name: str, *cells: tuple[Sequence[float], str]) -> None:
        """Add a row; a cell is the values of the rounds and how to write one, without values it stays empty."""
        self._rows.append([name, *(spread(values, form) if values else "" for values, form in cells)])

    def note(self, text: str) -> None:
        """Add a line below the table."""
        self._notes.append(text)

    def as_text(self) -> str:
        """Return it for a terminal."""
        lines = [["", *self.columns], *self._rows]
        widths = [max(len(line[position]) for line in lines) + 3 for position in range(len(lines[0]))]
        first = [f"{line[0]:{widths[0]}}" for line in lines]
        rest = ["".join(f"{cell:>{width}}" for cell, width in zip(line[1:], widths[1:], strict=True)) for line in lines]
        body = [f"{name}{cells}".rstrip() for name, cells in zip(first, rest, strict=True)]
        return "\n".join([part for part in (self.title, self.about) if part] + body + [f"  {n}" for n in self._notes])

    def as_markdown(self) -> str:
        """Return it with a heading of the third level."""
        head, *body = ("| " + " | ".join(line) + " |" for line in [["", *self.columns], *self._rows])
        table = "\n".join([head, "|---" + "|---:" * len(self.columns) + "|", *body])
        notes = "\n".join(f"- {note}" for note in self._notes)
        return "\n\n".join(part for part in (f"### {self.title}", self.about, table, notes) if part)


def as_markdown(conditions: Mapping[str, str], tables: Sequence[Table], verdicts: Sequence[Verdict]) -> str:
    """Return conditions, tables and verdicts."""
    parts = [
        "\n".join(f"- {name}: {value}" for name, value in conditions.items()),
        "Each cell is min / median / max of the rounds.",
        *(table.as_markdown() for table in tables),
        "\n".join(f"- {verdict}" for verdict in verdicts),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
