"""Tell what was done, what was refused and what failed, each once."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal, TypeVar

from pydantic import BaseModel
from temporalio.service import RPCError

from trenova_errors import ApplicationError, ErrorKind
from trenova_schedules._managing._audit import ORGANIZATION, Actor, AuditEntry, AuditSink
from trenova_schedules._managing._results import BulkItem, BulkOutcome, ScheduleChange

Result = TypeVar("Result")

_LONGEST: Final = 100
_REFUSED: Final = frozenset({ErrorKind.INVALID_INPUT, ErrorKind.CONFLICT, ErrorKind.PERMISSION_DENIED})


async def audited(sink: AuditSink | None, entry: AuditEntry, work: Callable[[], Awaitable[Result]]) -> Result:
    """Do the work and record it; what changed nothing is not recorded, what was refused or failed is.

    A process that is killed in the middle leaves what it had begun, which is told as ``unknown`` later.

    Raises:
        Exception: What the work raises, and what the sink raises: before the work nothing was done, after it, it was.
    """
    if sink is None:
        return await work()
    await sink.begin(entry)
    try:
        result = await work()
    except (ApplicationError, RPCError) as error:
        await sink.record(entry.model_copy(update={"outcome": _outcome(error), "after": {"problem": error.message}}))
        raise
    if isinstance(result, (ScheduleChange, BulkItem)) and not _has_changed(result):
        await sink.forget(entry)
    else:
        await sink.record(entry.model_copy(update=_documents(result)))
    return result


def entry_of(action: str, schedule_id: str | None, actor: Actor, reason: str | None) -> AuditEntry:
    """Begin an entry."""
    return AuditEntry(
        actor=actor.told,
        action=action,
        schedule_id=schedule_id,
        organization_id=actor.organization_id,
        reason=reason,
        request_id=actor.request_id,
        source=actor.source,
    )


def _has_changed(result: ScheduleChange | BulkItem) -> bool:
    return result.changed if isinstance(result, ScheduleChange) else result.outcome is BulkOutcome.DONE


def _outcome(error: ApplicationError | RPCError) -> Literal["refused", "failed"]:
    return "refused" if isinstance(error, ApplicationError) and error.kind in _REFUSED else "failed"


def _documents(result: object) -> dict[str, Any]:
    if not isinstance(result, BaseModel):
        return {}
    if not isinstance(result, ScheduleChange):
        return {"after": result.model_dump(mode="json", by_alias=True)}
    labels = next((one.labels for one in (result.after, result.before) if one is not None), {})
    organization = labels.get(ORGANIZATION)
    return {
        **({} if organization is None else {"organization_id": organization[:_LONGEST]}),
        "before": None if result.before is None else result.before.model_dump(mode="json", by_alias=True),
        "after": None if result.after is None else result.after.model_dump(mode="json", by_alias=True),
    }
