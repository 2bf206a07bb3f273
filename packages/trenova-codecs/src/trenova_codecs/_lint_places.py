"""Where Temporal stores something in clear: which argument of which call."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Place(Enum):
    """A kind of place whose content is never encrypted; the value is the rule's name.

    Attributes:
        strict: Whether everything but constants and what is harmless by its name is reported, or only what is
            personal data or a secret by its name.
    """

    SEARCH_ATTRIBUTE = "clear-search-attribute"
    NOTE = "clear-note"
    FAILURE_TYPE = "clear-failure-type"
    ID = "clear-id"

    @property
    def strict(self) -> bool:
        """Whether only constants and harmless names may stand there."""
        return self is not Place.ID


@dataclass(frozen=True)
class Argument:
    """An argument by its keyword and, where it may be given so, its position."""

    place: Place
    keyword: str
    position: int | None = None


_RUN: Final = (Argument(Place.ID, "id"), Argument(Place.ID, "task_queue"), Argument(Place.ID, "cron_schedule"))
_ACTIVITY: Final = (Argument(Place.ID, "activity_id"), Argument(Place.ID, "id"), Argument(Place.ID, "task_queue"))
_UPDATE: Final = (Argument(Place.ID, "id"),)

CALLS: Final[dict[str, tuple[Argument, ...]]] = {
    "SearchAttributePair": (Argument(Place.SEARCH_ATTRIBUTE, "value", 1),),
    "value_set": (Argument(Place.SEARCH_ATTRIBUTE, "value", 0),),
    "ScheduleState": (Argument(Place.NOTE, "note"),),
    "pause": (Argument(Place.NOTE, "note"),),
    "unpause": (Argument(Place.NOTE, "note"),),
    "terminate": (Argument(Place.NOTE, "reason"),),
    "ScheduleActionStartWorkflow": _RUN,
    "WithStartWorkflowOperation": _RUN,
    "continue_as_new": (Argument(Place.ID, "task_queue"),),
    "create_schedule": (Argument(Place.ID, "id", 0),),
    "get_schedule_handle": (Argument(Place.ID, "id", 0),),
    "patched": (Argument(Place.ID, "id", 0),),
    "deprecate_patch": (Argument(Place.ID, "id", 0),),
    "Worker": (Argument(Place.ID, "task_queue"), Argument(Place.ID, "identity")),
    "connect": (Argument(Place.ID, "identity"),),
    **{f"{verb}_{what}": _RUN for verb in ("start", "execute") for what in ("workflow", "child_workflow")},
    **{f"{verb}_update": _UPDATE for verb in ("start", "execute")},
    **{f"{verb}_update_with_start_workflow": _UPDATE for verb in ("start", "execute")},
    **{
        f"{verb}_{kind}activity{form}": _ACTIVITY
        for verb in ("start", "execute")
        for kind in ("", "local_")
        for form in ("", "_method", "_class")
    },
}
"""By the name of what is called, however it was imported."""

_FAILURE: Final = Argument(Place.FAILURE_TYPE, "type")


def stored_in_clear(call: ast.Call, name: str) -> Iterator[tuple[Place, ast.expr]]:
    """Yield the arguments of a call that stay in clear."""
    for argument in CALLS.get(name, ()):
        if (value := _given(call, argument)) is not None:
            yield argument.place, value
    if name == "ApplicationError" and (value := _given(call, _FAILURE)) is not None:
        yield Place.FAILURE_TYPE, value
    for keyword in call.keywords:
        if keyword.arg == "search_attributes" and isinstance(keyword.value, ast.Dict):
            yield Place.SEARCH_ATTRIBUTE, keyword.value
    if name == "upsert_search_attributes" and call.args and isinstance(call.args[0], ast.Dict):
        yield Place.SEARCH_ATTRIBUTE, call.args[0]


def _given(call: ast.Call, argument: Argument) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == argument.keyword:
            return keyword.value
    at = argument.position
    if at is None or len(call.args) <= at or any(isinstance(one, ast.Starred) for one in call.args[: at + 1]):
        return None
    return call.args[at]
