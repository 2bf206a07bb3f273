"""Which specification was in force when, and what each changed; whoever changed it and by whatever tool."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from google.protobuf.json_format import ParseDict
from temporalio.api.schedule.v1 import SchedulePolicies, ScheduleSpec

from trenova_schedules._reading._snapshot import overlap_name
from trenova_schedules._reading._when import calendar_of, duration_of, interval_of, moment_of
from trenova_schedules.dashboard._words import duration_in_words
from trenova_schedules.dashboard.schedule._changes import FieldChange, differences
from trenova_schedules.dashboard.schedule._cron_words import calendar_as_cron
from trenova_schedules.store import ScheduleStore, SpecVersion

SHOWN: Final = 10
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class VersionView:
    """A version and what it changed.

    Attributes:
        version: As the ledger keeps it.
        changes: Against the one before; everything that is set, for the first.
        first: Whether none is known before it.
        unwatched: Whether nobody saw what was in force between the one before and this.
    """

    version: SpecVersion
    changes: Sequence[FieldChange]
    first: bool
    unwatched: bool


async def versions_of(store: ScheduleStore, schedule_id: str, before: datetime) -> tuple[list[VersionView], bool]:
    """Return the last versions that began before a moment, the newest first, and whether there are older ones.

    Raises:
        UnavailableError: The store cannot be reached.
    """
    found = await store.versions.between(schedule_id, _BEGINNING, before)
    shown = found[-SHOWN:]
    older = found[: -len(shown)] if shown else []
    return _views(shown, older[-1] if older else None)[::-1], bool(older)


def _views(versions: Sequence[SpecVersion], older: SpecVersion | None) -> list[VersionView]:
    views, last = [], older
    for version in versions:
        was = {} if last is None else _fields(last)
        unwatched = last is not None and last.to_at is not None and last.to_at < version.from_at
        views.append(VersionView(version, differences(was, _fields(version)), last is None, unwatched))
        last = version
    return views


def _fields(version: SpecVersion) -> dict[str, Any]:
    """Return what people compare; fields that a newer server added are left out."""
    spec = ParseDict(dict(version.specification), ScheduleSpec(), ignore_unknown_fields=True)
    policy = ParseDict(dict(version.policy), SchedulePolicies(), ignore_unknown_fields=True)
    return {
        "calendars": "; ".join(calendar_as_cron(calendar_of(one)) for one in spec.structured_calendar),
        "catch-up window": duration_in_words(duration_of(policy.catchup_window)),
        "crons": "; ".join(spec.cron_string),
        "ends": moment_of(spec.end_time).isoformat() if spec.HasField("end_time") else "",
        "intervals": "; ".join(duration_in_words(interval_of(one).every) for one in spec.interval),
        "jitter": duration_in_words(duration_of(spec.jitter)) if spec.HasField("jitter") else "",
        "not at": "; ".join(calendar_as_cron(calendar_of(one)) for one in spec.exclude_structured_calendar),
        "overlap": overlap_name(policy.overlap_policy),
        "paused by a failure": "yes" if policy.pause_on_failure else "",
        "starts": moment_of(spec.start_time).isoformat() if spec.HasField("start_time") else "",
        "time zone": spec.timezone_name or "UTC",
    }
