"""What the form of a new schedule sends, as the API takes it."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError, field_validator

from trenova_errors import InvalidInputError
from trenova_schedules.dashboard.edit._draft import LABELS, WHEN, Draft
from trenova_schedules.dashboard.edit._draft_reading import errors_of, read_fields, said
from trenova_schedules.server._bodies import NewSchedule, PreviewBody

NEW_LABELS: Final = {
    "id": "Id",
    **{name: label for name, label in LABELS.items() if name != "remaining"},
    "args": "Arguments",
    "description": "What it is for",
    "labels": "Labels",
    "runbook": "Runbook",
}
"""Fields that have a place for what is wrong with them."""
_TIMES: Final = ("time_zone", "start", "end")
_RUNS: Final = ("overlap", "catchup", "jitter", "pause_on_failure", "workflow", "task_queue", "note")


class NewForm(Draft):
    """A new schedule as it is typed.

    Attributes:
        id: Of the schedule.
        args: A JSON list; empty for no arguments.
        description: For people.
        labels: ``name=value``, a line each.
        runbook: An address; empty for none.
        backfill: What a backfill may make of its ticks.
        state: Whether it begins to fire at once.
        reason: Why, for the audit trail.
    """

    id: str = ""
    args: str = ""
    description: str = ""
    labels: str = ""
    runbook: str = ""
    backfill: Literal["each", "collapse", "never"] = "each"
    state: Literal["paused", "active"] = "paused"
    reason: Annotated[str, Field(max_length=500)] = ""

    @field_validator("description", "labels", "args")
    @classmethod
    def _with_our_line_ends(cls, text: str) -> str:
        return text.replace("\r\n", "\n").replace("\r", "\n").strip()

    def body(self) -> tuple[NewSchedule | None, dict[str, str]]:
        """Return what the API takes, or what is wrong, by the name of the field."""
        fields, errors = self._times()
        read = read_fields(self, _RUNS, self.time_zone)
        fields |= {name: value for name, value in read.fields.items() if value is not None}
        errors |= read.errors
        for name, reader in (("args", _arguments), ("labels", _labels)):
            try:
                fields[name] = reader(getattr(self, name))
            except ValueError as error:
                errors[name] = said(str(error))
        fields |= {"id": self.id, "description": self.description, "runbook": self.runbook, "backfill": self.backfill}
        body, refused = _valid(NewSchedule, {**fields, "paused": self.state == "paused"})
        errors = {**refused, **errors}
        if not self.id.strip():
            errors["id"] = "Give it an id, such as nightly-invoices."
        if body is not None and not errors:
            errors = _definition_errors(body)
        return (None if errors else body), errors

    def times(self) -> tuple[PreviewBody | None, dict[str, str]]:
        """Return the times alone, for a preview, or what is wrong with them."""
        fields, errors = self._times()
        if errors:
            return None, errors
        return _valid(PreviewBody, fields)

    def _times(self) -> tuple[dict[str, Any], dict[str, str]]:
        way = "cron" if self.when == "keep" else self.when
        zone = self.time_zone or "UTC"
        read = read_fields(self, (WHEN[way], *_TIMES), zone)
        fields, errors = dict(read.fields), dict(read.errors)
        if calendars := fields.pop("calendars", None):
            fields["calendar"] = calendars[0]
            if len(calendars) > 1:
                errors["calendars"] = "A new schedule has one calendar; make one of each, or add the others afterwards."
        start, end = fields.get("start_at"), fields.get("end_at")
        if start and end and end <= start:
            errors["end"] = "It ends before it begins; give a later end."
        return fields, errors


def _valid(model: type[Any], fields: Mapping[str, Any]) -> tuple[Any, dict[str, str]]:
    try:
        return model.model_validate(dict(fields)), {}
    except ValidationError as error:
        return None, errors_of(model, error)


def _definition_errors(body: NewSchedule) -> dict[str, str]:
    """Return what a definition of it refuses that the body alone does not."""
    try:
        body.definition()
    except InvalidInputError as error:
        name = next((one for one in ("labels", "runbook") if f": {one}: " in error.message), "")
        text = error.message.removeprefix("The schedule is not valid: ").removeprefix(f"{name}: ")
        return {name: said(text)}
    return {}


def _arguments(text: str) -> list[Any]:
    if not text:
        return []
    try:
        told = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON: {error.msg}, line {error.lineno}, character {error.colno}") from None
    if not isinstance(told, list):
        raise ValueError(  # noqa: TRY004  # of what somebody typed
            'write a list, an element for each argument, such as ["acme", 3] or [{"days": 7}]'
        )
    return told


def _labels(text: str) -> dict[str, str]:
    labels = {}
    for number, line in enumerate(filter(str.strip, text.splitlines()), 1):
        name, equals, value = (part.strip() for part in line.partition("="))
        if not (name and equals and value):
            raise ValueError(f"label {number} is no name=value: {line.strip()[:50]!r}")
        labels[name] = value
    return labels
