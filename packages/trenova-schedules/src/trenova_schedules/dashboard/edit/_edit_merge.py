"""What became of a schedule while somebody had its form open, and what they and others want, in one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from trenova_schedules._reading import ScheduleDocument
from trenova_schedules.dashboard.edit._draft import LABELS, WHEN, Began, Draft
from trenova_schedules.store import AuditEntry, AuditFilter, ScheduleStore

FIRES: Final = "Fires"
"""What the way, the cron expression, the interval and the calendars are called together."""
_SEEN: Final = 20

Outcome = Literal["yours", "theirs", "same", "clash"]


@dataclass(frozen=True)
class Line:
    """One field that somebody changed.

    Attributes:
        label: Of the field.
        began: What it was when the form was filled.
        now: What it is.
        mine: What is typed.
        outcome: Who changed it: whoever typed, others, both to the same, or both to something else.
    """

    label: str
    began: str
    now: str
    mine: str
    outcome: Outcome


def lines_of(began: Draft, now: Draft, mine: Draft) -> list[Line]:
    """Return each field that one of both has changed, in the order of the form."""
    found = []
    for label, texts in _texts(began, now, mine):
        was, theirs, yours = texts
        if was == theirs == yours:
            continue
        outcome: Outcome = "same" if theirs == yours else "yours" if theirs == was else "theirs"
        outcome = "clash" if len({was, theirs, yours}) == len(texts) else outcome
        found.append(Line(label, was, theirs, yours, outcome))
    return found


def changes_between(began: Draft, mine: Draft) -> list[Line]:
    """Return what is typed otherwise than the form was filled."""
    return lines_of(began, began, mine)


def merged(began: Draft, now: Draft, mine: Draft) -> Draft:
    """Return what others made of it, with what was typed on top of that."""
    fields = {name: getattr(mine, name) for name in _single() if getattr(mine, name) != getattr(began, name)}
    if mine.when != "keep" and mine.fires != began.fires:
        fields |= {name: getattr(mine, name) for name in ("when", *dict.fromkeys(WHEN.values()))}
    return now.model_copy(update=fields)


async def last_change(store: ScheduleStore | None, document: ScheduleDocument) -> AuditEntry | None:
    """Return the change that made a schedule what it is; None where another tool made it, or nobody keeps a trail."""
    if store is None:
        return None
    page = await store.audit.read(AuditFilter(schedule_id=document.id), limit=_SEEN)
    done = [one for one in page.entries if one.outcome == "done" and one.after is not None]
    return next((one for one in done if (one.after or {}).get("etag") == document.etag), None)


def _single() -> list[str]:
    return [name for name in Draft.model_fields if name not in {"when", *WHEN.values()}]


def _texts(*drafts: Draft) -> list[tuple[str, Sequence[str]]]:
    rows: list[tuple[str, Sequence[str]]] = [(FIRES, [_fires(one) for one in drafts])]
    return rows + [(LABELS[name], [_text(one, name) for one in drafts]) for name in LABELS if name in _single()]


def _fires(draft: Draft) -> str:
    way, text = draft.fires
    return {"interval": f"every {text}", "keep": "as it is"}.get(way, text)


def _text(draft: Draft, name: str) -> str:
    value = getattr(draft, name)
    if isinstance(value, bool):
        return "yes" if value else "no"
    between = {"start": "T", "end": "T", "overlap": "_"}.get(name)
    return str(value) if between is None else str(value).replace(between, " ")


def put_on_top(began: Began, document: ScheduleDocument, mine: Draft) -> tuple[Began, Draft, list[Line]]:
    """Return a form that begins with a schedule as it is now and has what was typed on top, and what that took."""
    now = Began.of(document, began.zone)
    return now, merged(began.draft, now.draft, mine), lines_of(began.draft, now.draft, mine)
