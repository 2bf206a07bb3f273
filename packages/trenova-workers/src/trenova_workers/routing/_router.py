"""The router: a start in, a task queue and a priority out."""

import random as randomness
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from trenova_workers.routing._decision import Decision, Loads
from trenova_workers.routing._file import RulesFile
from trenova_workers.routing._matching import ReadyRules
from trenova_workers.routing._requests import Explanation, Route, StartRequest
from trenova_workers.routing._rules import RoutingRules


class RulesSource(Protocol):
    """Where newer rules come from; see `RulesFile`."""

    def newer(self) -> RoutingRules | None:
        """Return rules that replace those returned before, or None. Must not raise."""


class Router:
    """Turns starts into routes, by rules that may be exchanged at any time.

    Safe to be called from several threads; a start sees the rules from before or after an exchange, never both.
    """

    def __init__(
        self, rules: RoutingRules, *, source: RulesSource | None = None, random: Callable[[], float] = randomness.random
    ) -> None:
        """Take the rules.

        Args:
            rules: What decides.
            source: Asked for newer rules before each start.
            random: Returns [0, 1); chooses where nothing is known of the queues of a group.
        """
        self._random = random
        self._source = source
        self._ready = ReadyRules(rules)

    @classmethod
    def from_file(cls, path: Path) -> "Router":
        """Take the rules of a YAML or JSON file, and those that it holds later; see `RulesFile`.

        Raises:
            ConfigurationError: It cannot be read or does not hold.
        """
        source = RulesFile(path)
        return cls(source.rules, source=source)

    @property
    def rules(self) -> RoutingRules:
        """The rules in force."""
        return self._ready.rules

    def replace(self, rules: RoutingRules) -> None:
        """Put other rules in force, all at once."""
        self._ready = ReadyRules(rules)

    def decide(self, request: StartRequest) -> Decision:
        """Return what the rules in force say; it stays the same when they are exchanged."""
        ready = self._newest()
        return Decision(ready, ready.find(request), request, self._random)

    def asks_size(self, workflow: str, organization: str | None) -> bool:
        """Whether the size of the arguments can matter to such a start."""
        return self._ready.asks_size(workflow, organization)

    def route(self, request: StartRequest, loads: Loads | None = None) -> Route:
        """Decide where a start goes.

        Args:
            request: What is known of it.
            loads: How long work waits. Without it the first queue of a group or any (``load.unknown``), no overflow.
        """
        return self.decide(request).route(loads)

    def explain(self, request: StartRequest, loads: Loads | None = None) -> Explanation:
        """Decide the same way, and say what each rule made of it."""
        return self.decide(request).explain(loads)

    def _newest(self) -> ReadyRules:
        if self._source is not None:
            rules = self._source.newer()
            if rules is not None:
                self.replace(rules)
        return self._ready
