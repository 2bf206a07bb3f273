"""What ``trenova-workers list`` prints, once or again and again."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text
from temporalio.service import RPCError

from trenova_errors import ConfigurationError
from trenova_workers._connection import NotReachedError
from trenova_workers._fleet._fleet import Fleet
from trenova_workers._fleet._status import WorkerState, WorkerStatus
from trenova_workers._fleet._table import lines_of, table_of
from trenova_workers._up._screen import Screen, clean

_NOBODY = "No workers. Those without heartbeats are found with --queue only; stopped ones with --all."


class Printer:
    """Prints workers: JSON, a table on a terminal, plain lines elsewhere."""

    def __init__(self, *, as_json: bool, stopped: bool) -> None:
        self._json, self._stopped = as_json, stopped
        self._screen = Screen()

    async def once(self, fleet: Fleet) -> None:
        """Print what there is.

        Raises:
            ConfigurationError: The server does not tell us.
            RPCError: The server cannot be asked.
        """
        workers = self._wanted(await fleet.look_twice())
        if self._json:
            for worker in workers:
                print(worker.model_dump_json(), flush=True)  # noqa: T201 (stdout is for results)
        elif self._screen.plain:
            self._lines(lines_of(workers) or [_NOBODY])
        else:
            self._screen.show(_shown(workers))

    async def again(self, connected: Callable[[], Awaitable[Fleet]], every_s: float) -> None:
        """Print for ever; a server that does not answer, from the first look on, is shown and asked again.

        Raises:
            ConfigurationError: The first look was refused.
        """
        fleet: Fleet | None = None
        last: Sequence[WorkerStatus] = ()
        seen: float | None = None
        with _Frames(self._screen.console, live=not (self._json or self._screen.plain)) as frames:
            while True:
                try:
                    fleet = fleet or await connected()
                    last, lost = self._wanted(await fleet.look()), ""
                    seen = time.monotonic()
                except (RPCError, ConfigurationError) as error:
                    if seen is None and not isinstance(error, RPCError | NotReachedError):
                        raise
                    lost = clean(str(error), colour=False)
                self._frame(frames, last, lost, seen)
                await asyncio.sleep(every_s)

    def _wanted(self, workers: Sequence[WorkerStatus]) -> Sequence[WorkerStatus]:
        return [one for one in workers if self._stopped or one.state != WorkerState.STOPPED]

    def _frame(self, frames: "_Frames", workers: Sequence[WorkerStatus], lost: str, seen: float | None) -> None:
        at = datetime.now(UTC)
        since = "it is asked again" if seen is None else f"this is {time.monotonic() - seen:.0f} s old"
        said = f"The Temporal server does not answer, {since}: {lost}" if lost else ""
        if self._json:
            what = {"error": lost} if lost else {"workers": [worker.model_dump(mode="json") for worker in workers]}
            print(json.dumps({"at": at.isoformat(), **what}), flush=True)  # noqa: T201 (as above)
        elif frames.live:
            head = Text(said or f"{at:%H:%M:%S} UTC, Ctrl-C ends", style="bold red" if said else "dim")
            frames.live.update(head if seen is None else Group(head, _shown(workers)), refresh=True)
        else:
            lines = [said] if said else lines_of(workers) or [_NOBODY]
            self._lines([f"{at:%H:%M:%S} {line}" for line in lines])

    def _lines(self, lines: Sequence[str]) -> None:
        for line in lines:
            self._screen.show(Text(line))


class _Frames:
    """Redraws on a terminal; ``live`` is None elsewhere."""

    def __init__(self, console: Console, *, live: bool) -> None:
        self.live = Live(console=console, auto_refresh=False, vertical_overflow="visible") if live else None

    def __enter__(self) -> Self:
        if self.live:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.live.stop()


def _shown(workers: Sequence[WorkerStatus]) -> RenderableType:
    return table_of(workers) if workers else Text(_NOBODY)
