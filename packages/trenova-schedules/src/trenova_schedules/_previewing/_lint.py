"""What is dangerous about definitions, before they are applied."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from temporalio.client import Client

from trenova_errors import InvalidInputError
from trenova_schedules._definition import ScheduleDefinition
from trenova_schedules._previewing._hazard import SEVERITIES, Fix, Hazard, HazardKind, Severity
from trenova_schedules._previewing._limits import LONGEST_WINDOW
from trenova_schedules._previewing._preview import never, spec_hazards
from trenova_schedules._previewing._times import times_of
from trenova_schedules._previewing._unsaved import unsaved

LINTED: Final = timedelta(days=2 * 366)
"""How far ahead is looked: every clock changes at least twice each way."""


class LintFinding(BaseModel):
    """One kind of danger of one definition.

    Attributes:
        schedule_id: Of the definition.
        kind: What.
        severity: How bad.
        message: In a sentence, of the first time that it happens.
        at: When that is, UTC; None where it concerns the whole specification.
        times: How often it happens in the time looked at.
        fix: What mends it, if something does.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    schedule_id: str
    kind: HazardKind
    severity: Severity
    message: str
    at: datetime | None
    times: int
    fix: Fix | None


async def lint(
    client: Client, definitions: Sequence[ScheduleDefinition], *, start: datetime | None = None
) -> list[LintFinding]:
    """Find what is dangerous about definitions in the next two years, by what the server would do.

    Nothing is saved and nothing started.

    Args:
        client: Of any namespace of any server of the version that will run them, with the right to create and
            delete schedules.
        definitions: Worked through in order.
        start: From when on; now unless given.

    Raises:
        temporalio.service.RPCError: The server could not be asked.
    """
    start = (start or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    return [finding for one in definitions for finding in _findings(one, await _hazards(client, one, start))]


def fixed(definition: ScheduleDefinition, fix: Fix) -> ScheduleDefinition:
    """Return the definition with a fix applied; the same where the fix is a person's to make.

    Raises:
        pydantic.ValidationError: The fix does not suit this definition.
    """
    if not fix.changes:
        return definition
    fields = {name: getattr(definition, name) for name in definition.model_fields_set}
    return ScheduleDefinition(**{**fields, **fix.changes})


async def _hazards(client: Client, definition: ScheduleDefinition, start: datetime) -> list[Hazard]:
    try:
        async with unsaved(client, definition) as asked:
            end = start + LONGEST_WINDOW
            first = await anext(times_of(client, asked.id, asked.spec, start, end), None)
    except InvalidInputError as error:
        return [Hazard(kind=HazardKind.REFUSED, message=error.message)]
    begin = max(start, first - timedelta(days=2)) if first else start
    found = await spec_hazards(client, asked.spec, definition.cron, begin, begin + LINTED)
    return found if first else [*found, never(end)]


def _findings(definition: ScheduleDefinition, hazards: Sequence[Hazard]) -> list[LintFinding]:
    kinds: dict[HazardKind, list[Hazard]] = {}
    for hazard in hazards:
        kinds.setdefault(hazard.kind, []).append(hazard)
    return [
        LintFinding(
            schedule_id=definition.id,
            kind=kind,
            severity=SEVERITIES[kind],
            message=found[0].message,
            at=found[0].at,
            times=len(found),
            fix=found[0].fix,
        )
        for kind, found in kinds.items()
    ]
