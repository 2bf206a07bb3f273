"""What is typed into the form of a schedule as the API takes it, with what is wrong beside its field."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic.alias_generators import to_camel

from trenova_errors import InvalidInputError
from trenova_schedules._managing._patch import SchedulePatch
from trenova_schedules.dashboard._local_time import instant_of
from trenova_schedules.dashboard.edit._draft import WHEN, Began, Draft
from trenova_schedules.dashboard.edit._typed_calendars import calendars_of
from trenova_schedules.dashboard.edit._typed_lengths import length_of

_WIRE: Final = {
    "every": "interval",
    "start": "start_at",
    "end": "end_at",
    "catchup": "catchup_window",
    "remaining": "remaining_actions",
}
"""Fields that the API calls otherwise."""
_TYPED: Final = {_WIRE.get(name, name): name for name in Draft.model_fields} | {"calendar": "calendars"}


@dataclass(frozen=True)
class ReadDraft:
    """What was typed, read.

    Attributes:
        fields: As :class:`SchedulePatch` names them, those that could be read.
        errors: What is wrong, by the name of the field of the form; empty name for what concerns several.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


def changed_fields(draft: Draft, began: Draft) -> list[str]:
    """Return the names of the fields that are typed otherwise than the form was filled, times as one."""
    told = [name for name in Draft.model_fields if name not in {"when", *WHEN.values()}]
    found = [name for name in told if getattr(draft, name) != getattr(began, name)]
    moved = draft.when != "keep" and draft.fires != began.fires
    return [WHEN[draft.when], *found] if moved else found


def read_fields(draft: Draft, names: Collection[str], zone: str) -> ReadDraft:
    """Read fields of the form.

    Args:
        draft: What was typed.
        names: Which fields.
        zone: In which start and end are meant.
    """
    fields: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name in names:
        try:
            fields[_WIRE.get(name, name)] = _read(draft, name, zone)
        except (ValueError, InvalidInputError) as error:
            errors[name] = said(error.message if isinstance(error, InvalidInputError) else str(error))
    return ReadDraft(fields, errors)


def read_change(draft: Draft, began: Began) -> tuple[SchedulePatch | None, Mapping[str, str]]:
    """Return the patch that somebody wants, and what is wrong; None where nothing is changed or can be read."""
    read = read_fields(draft, changed_fields(draft, began.draft), began.zone)
    patch, refused = validated(SchedulePatch, read.fields) if read.fields else (None, {})
    errors = {**refused, **read.errors}
    if not {"start", "end"} & errors.keys() and _reversed(draft, began.zone, read):
        errors["end"] = "It ends before it begins; give a later end."
    return (None if errors else patch), errors


def validated(model: type[Any], fields: Mapping[str, Any]) -> tuple[Any, dict[str, str]]:
    """Return what fields make, or what is wrong with each of them, by the name of the field of the form."""
    try:
        return model.model_validate(dict(fields)), {}
    except ValidationError as error:
        return None, errors_of(model, error)


def errors_of(model: type[BaseModel], error: ValidationError) -> dict[str, str]:
    """Return what is wrong by the name of the field of the form; an empty name for what concerns several."""
    names = {to_camel(name): name for name in model.model_fields}
    errors: dict[str, str] = {}
    for one in error.errors(include_input=False, include_url=False):
        where = str(one["loc"][0]) if one["loc"] else ""
        name = names.get(where, where)
        errors.setdefault(_TYPED.get(name, name), said(one["msg"].removeprefix("Value error, ")))
    return errors


def said(text: str) -> str:
    """Return a sentence."""
    text = text.removesuffix(" Nothing was changed.").rstrip()
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "?", "!")) else ".")


def _read(draft: Draft, name: str, zone: str) -> Any:
    read = _READ.get(name)
    value = getattr(draft, name)
    return value if read is None else read(value, zone)


def _needed(what: str) -> Callable[[str, str], str]:
    def read(text: str, _: str) -> str:
        if not text:
            raise ValueError(f"give {what}")
        return text

    return read


def _number(text: str, _: str) -> int | None:
    if text and not text.isdecimal():
        raise ValueError(f"{text[:20]!r} is no number; give one, or leave it empty for no limit")
    return int(text) if text else None


def _reversed(draft: Draft, zone: str, read: ReadDraft) -> bool:
    """Whether the end, which is changed or not, is not behind the start."""
    if not {"start_at", "end_at"} & read.fields.keys() or not (draft.start and draft.end):
        return False
    both = read_fields(draft, ("start", "end"), zone).fields
    return len(both) > 1 and both["end_at"] <= both["start_at"]


_READ: Final[Mapping[str, Callable[[str, str], Any]]] = {
    "cron": _needed("five fields such as 30 2 * * *, or @daily"),
    "every": lambda text, _: length_of(text),
    "calendars": lambda text, _: calendars_of(text),
    "time_zone": _needed("an IANA name such as Europe/Berlin, or UTC"),
    "start": lambda text, zone: instant_of(text, zone, edge="start") if text else None,
    "end": lambda text, zone: instant_of(text, zone, edge="end") if text else None,
    "catchup": lambda text, _: length_of(text),
    "jitter": lambda text, _: length_of(text) if text else None,
    "remaining": _number,
    "workflow": _needed("the wire name of a workflow"),
    "task_queue": _needed("the queue that its workers poll"),
    "note": lambda text, _: text or None,
}
