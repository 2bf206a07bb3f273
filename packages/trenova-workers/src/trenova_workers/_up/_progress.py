"""How far a demo is: bars on a terminal, elsewhere a line at every tenth."""

from types import TracebackType
from typing import Protocol, Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from trenova_workers._up._screen import Screen, clean


class ProgressView(Protocol):
    """Shows how far each labelled piece of work is."""

    def update(self, source: str, label: str, done: int, total: int | None) -> None:
        """``done`` of ``total`` (None: unknown) items of ``label`` are finished."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def progress_view(screen: Screen) -> ProgressView:
    """The view that fits the output."""
    return LinesOfProgress(screen) if screen.plain else BarsOfProgress(screen)


class LinesOfProgress:
    """At most eleven lines for each label, however many items it has."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._tenths: dict[tuple[str, str], int] = {}

    def update(self, source: str, label: str, done: int, total: int | None) -> None:
        """Print a line when another tenth is reached."""
        tenth = done * 10 // total if total else 0
        if tenth <= self._tenths.get((source, label), -1):
            return
        self._tenths[source, label] = tenth
        self._screen.log(
            source, f"{label}: {done} of {total} ({done * 100 // total} %)" if total else f"{label}: {done}"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to put away."""


class BarsOfProgress:
    """One bar for each label, below the lines of the workers."""

    def __init__(self, screen: Screen) -> None:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        self._progress = Progress(*columns, console=screen.console)
        self._bars: dict[tuple[str, str], TaskID] = {}

    def update(self, source: str, label: str, done: int, total: int | None) -> None:
        """Move the bar."""
        if (source, label) not in self._bars:
            self._bars[source, label] = self._progress.add_task(f"{source}: {clean(label, colour=False)}", total=total)
        self._progress.update(self._bars[source, label], completed=done, total=total)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
