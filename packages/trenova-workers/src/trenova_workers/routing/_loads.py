"""What is known of the queues of one namespace, kept fresh while starts ask for it."""

import asyncio
import logging
import math
import random as randomness
import time
from collections.abc import Callable, Sequence

from temporalio.service import RPCError

from trenova_workers.routing._choice import Choice, Spill, choose, spills
from trenova_workers.routing._load import QueueView
from trenova_workers.routing._rules import LoadOptions, Overflow
from trenova_workers.routing._statistics import Statistics

_log = logging.getLogger(__name__)


class QueueLoads:
    """Readings, own starts and who is behind, for one client on one event loop.

    Nothing runs while nobody starts work: a start finds what is due to be asked again, leaves that to a task of its
    own and goes on with what is known. Only where nothing is known does it wait, and not for long.
    """

    def __init__(
        self,
        statistics: Statistics,
        *,
        options: LoadOptions | None = None,
        trust_first: bool = False,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = randomness.random,
    ) -> None:
        """Begin with nothing.

        Args:
            statistics: Whom to ask.
            options: How often, and how to compare; `configure` changes them.
            trust_first: Take a first answer of zeros for true, as one must who asks only once.
            clock: Seconds that never go back, the same as that of the readings.
            random: Returns [0, 1).
        """
        self._statistics = statistics
        self._trust_first = trust_first
        self._options = options or LoadOptions()
        self._clock = clock
        self._random = random
        self._views: dict[str, QueueView] = {}
        self._empty_once: set[str] = set()
        self._asked: dict[str, float] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(self._options.at_once)
        self._behind: dict[str, frozenset[str]] = {}
        self._spilling: dict[tuple[str, str], bool] = {}

    def configure(self, options: LoadOptions) -> None:
        """Use other options from now on."""
        if options is not self._options:
            if options.at_once != self._options.at_once:
                self._slots = asyncio.Semaphore(options.at_once)
            self._options = options

    async def prepare(self, queues: Sequence[str]) -> None:
        """Ask again about those whose time has come; wait ``first_reading_s`` for those of which nothing is known."""
        now = self._clock()
        for queue in queues:
            if now - self._asked.get(queue, -math.inf) >= self._options.period_s and queue not in self._asking:
                self._ask(queue, now)
        if not self._asking:
            return
        unknown = {self._asking[queue] for queue in queues if queue in self._asking and self.wait_s(queue) is None}
        if unknown and self._options.first_reading_s:
            await asyncio.wait(unknown, timeout=self._options.first_reading_s)

    def wait_s(self, queue: str) -> float | None:
        """Return the seconds that a start sent now would wait; None when nothing is known."""
        return self.view(queue).wait_s(self._clock(), self._options)

    def view(self, queue: str) -> QueueView:
        """Return all that is known of a queue."""
        view = self._views.get(queue)
        if view is None:
            view = self._views[queue] = QueueView(queue)
        return view

    def pick(self, group: str, queues: tuple[str, ...]) -> Choice:
        """Return a queue of the group, and why."""
        choice = choose(
            [self.view(queue) for queue in queues],
            self._clock(),
            self._options,
            behind=self._behind.get(group, frozenset()),
            random=self._random,
        )
        self._behind[group] = choice.behind
        return choice

    def overflows(self, first: str, overflow: Overflow) -> Spill:
        """Return whether starts go to the overflow queue, and why."""
        key = (first, overflow.queue)
        now = self._spilling.get(key, False)
        spill = spills(self.wait_s(overflow.queue), self.wait_s(first), overflow, spilling=now)
        self._spilling[key] = spill.over
        return spill

    def sent(self, queue: str) -> None:
        """Count a start that is on its way to ``queue``."""
        self.view(queue).count()

    def _ask(self, queue: str, now: float) -> None:
        self._asked[queue] = now
        task = asyncio.create_task(self._read(queue), name=f"statistics of {queue}")
        self._asking[queue] = task
        task.add_done_callback(lambda _: self._asking.pop(queue, None))

    async def _read(self, queue: str) -> None:
        try:
            async with self._slots:
                reading = await self._statistics.read(queue)
        except (RPCError, RuntimeError) as error:
            # Counted as not known once the last reading is stale; a start must not fail for it.
            _log.debug("no statistics of a task queue", extra={"task_queue": queue, "reason": str(error)})
            return
        if reading is None:
            return
        view = self.view(queue)
        doubted = view.reading is None and queue not in self._empty_once and not self._trust_first
        if doubted and reading.says_nothing and reading.served:
            self._empty_once.add(queue)
            return
        self._views[queue] = view.read(reading, self._options)
