"""What goes wrong in a drill, and how it is mended."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from stage import Site
from watch import Watch


@dataclass
class Fault:
    """One fault: a subclass says what it is in class variables, does it in ``inject`` and takes it back in ``mend``.

    Attributes:
        alert: The alert that must ring.
        what: The fault in a sentence.
        mitigation: How the row of the runbook begins that ``mend`` carries out.
        needs: Files that the machine must have, with the package that brings each.
        values: The variables of the commands of the runbook.
    """

    alert: ClassVar[str]
    what: ClassVar[str]
    mitigation: ClassVar[str]
    needs: ClassVar[dict[Path, str]] = {}
    site: Site
    watch: Watch
    values: dict[str, str] = field(default_factory=dict)
    _task: "asyncio.Task[None] | None" = None

    @classmethod
    def lacking(cls) -> list[str]:
        """The packages that this machine lacks for it."""
        return [package for file, package in cls.needs.items() if not file.exists()]

    async def inject(self) -> None:
        raise NotImplementedError

    async def mend(self) -> None:
        raise NotImplementedError

    async def done(self) -> None:
        """Put away what the next drill does not need; nothing by default."""

    def keep(self, doing: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Go on doing something wrong until ``stop``."""

        async def again() -> None:
            while True:
                await doing()

        self._task = asyncio.ensure_future(again())

    async def stop(self) -> None:
        """Stop doing it; a fault of the drill itself comes out here."""
        if self._task is not None:
            task, self._task = self._task, None
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            if not task.cancelled() and task.exception() is not None:
                raise task.exception()  # type: ignore[misc]
