"""The schedules that a caller may look at, and those that they may change."""

from collections.abc import Iterable
from typing import Final

from trenova_errors import ResourceNotFoundError
from trenova_schedules._managing._filter import ScheduleFilter
from trenova_schedules._managing._listed import ListedSchedule
from trenova_schedules._managing._listing import bounded, described, find_schedules
from trenova_schedules._managing._receipts import Receipt
from trenova_schedules._managing._results import BulkAction
from trenova_schedules.server._api import Caller
from trenova_schedules.server._roles import ADMIN, OPERATOR, VIEWER

_OF_ADMINS: Final = frozenset({BulkAction.UPDATE, BulkAction.DELETE})


def role_for(action: BulkAction) -> str:
    """Return the role that an action on many schedules needs on each of them."""
    return ADMIN if action in _OF_ADMINS else OPERATOR


async def permitted_lines(caller: Caller, wanted: ScheduleFilter, role: str = VIEWER) -> list[ListedSchedule]:
    """Return every schedule that matches and on which the caller has a role, in no order.

    Args:
        caller: With the role on some schedule.
        wanted: Which.
        role: At least viewer, which is needed as well.
    """
    api, service = caller.api, caller.api.service
    lines = await find_schedules(api.client, wanted, registry=service.registry, live=True, at_once=service.at_once)
    if caller.may_everywhere(role):
        return lines
    # The labels that permissions are judged by are the schedule's own; the list of the server has none.
    looked_at = await described(api.client, lines, service.at_once)
    return [line for line in looked_at if line.document and _may(caller, line, role)]


async def permitted_ids(caller: Caller, ids: Iterable[str], role: str = VIEWER) -> frozenset[str]:
    """Return those of some schedules on which the caller has a role; of one that is gone only who has it everywhere."""
    named = tuple(dict.fromkeys(ids))
    if caller.may_everywhere(role):
        return frozenset(named)
    if not named:
        return frozenset()
    return frozenset(line.id for line in await permitted_lines(caller, ScheduleFilter(ids=named), role))


async def found_receipt(caller: Caller, receipt_id: str) -> Receipt:
    """Return a receipt with those of its schedules that the caller may look at.

    Raises:
        ResourceNotFoundError: There is none, or none of its schedules is theirs to see.
    """
    kept = caller.api.service.receipts
    receipt = None if kept is None else await kept.find(receipt_id)
    if receipt is None:
        raise ResourceNotFoundError.of("receipt", receipt_id)
    seen = await permitted_ids(caller, receipt.schedule_ids)
    if not seen and not caller.may_everywhere(VIEWER):
        raise ResourceNotFoundError.of("receipt", receipt_id)
    items = tuple(item for item in receipt.items if str(item["scheduleId"]) in seen)
    return receipt.model_copy(update={"items": items})


async def receipt_to_undo(caller: Caller, receipt_id: str) -> Receipt:
    """Return a whole receipt that the caller may undo: with the role of its action on each of its schedules.

    Raises:
        ResourceNotFoundError: There is none, or one of its schedules is none that they may look at.
        NotPermittedError: They may look at them and not do this.
    """
    kept = caller.api.service.receipts
    receipt = None if kept is None else await kept.find(receipt_id)
    if receipt is None:
        raise ResourceNotFoundError.of("receipt", receipt_id)
    role = role_for(BulkAction(receipt.action))
    if not caller.may_everywhere(role):
        at_once = caller.api.service.at_once
        await bounded(at_once, receipt.schedule_ids, lambda schedule_id: caller.schedule(schedule_id, role))
    return receipt


def _may(caller: Caller, line: ListedSchedule, role: str) -> bool:
    return line.document is not None and all(caller.may(one, line.document.labels) for one in (role, VIEWER))
