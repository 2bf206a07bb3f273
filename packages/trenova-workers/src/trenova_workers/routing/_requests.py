"""What is asked of a router and what it answers."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from temporalio.common import Priority

DEFAULT_RULE: Final = "default"
"""Stands for a rule where none matched."""


class StartRequest(NamedTuple):
    """What is known of a start. What is None is not known, and matches no rule that asks for it."""

    workflow: str
    """The workflow type."""
    queue: str
    """The task queue that the caller named."""
    organization: str | None = None
    urgency: str | None = None
    """One of the rules' ``urgencies``; any other word counts as none."""
    size: int | None = None
    """Bytes of the arguments before compression and encryption."""


class Route(NamedTuple):
    """Where a start goes."""

    queue: str
    priority: Priority
    """A field that is None leaves the server's default, or for a child that of its parent."""
    rule: str
    """The rule that decided, or ``default``."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was looked at on the way to a route."""

    subject: str
    """``rule NAME``, ``queue``, ``priority``, ``fairness``."""
    applies: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A route and every step that led to it, in order."""

    request: StartRequest
    route: Route
    steps: tuple[Step, ...]
