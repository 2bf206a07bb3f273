"""Cron strings as the calendars that the server makes of them.

The server keeps no string. To know whether the calendars of a schedule are those of a definition's string, the server
is asked: a schedule that is paused and over before it begins is created, described and deleted. Each string once.
"""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.api.common.v1 import WorkflowType
from temporalio.api.schedule.v1 import Schedule, ScheduleAction, ScheduleSpec, ScheduleState
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import NewWorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import CreateScheduleRequest, DeleteScheduleRequest, DescribeScheduleRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import ConfigurationError

PASSING_PREFIX: Final = "trenova-preview-"
"""Schedules with such ids live for a moment, start nothing and are nobody's."""
_WITHIN: Final = timedelta(seconds=30)
_OVER: Final = datetime(1970, 1, 2, tzinfo=UTC)


class Compiler:
    """Keeps what it was told.

    Args:
        client: Of any namespace of the server; permission to create and delete schedules is needed.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[tuple[str, str], ScheduleSpec] = {}
        self._asking = asyncio.Lock()

    async def compiled(self, spec: ScheduleSpec) -> ScheduleSpec:
        """Return the specification as the server will describe it: calendars in place of the cron string.

        Raises:
            ConfigurationError: The server does not take the string or the time zone; the message is its own.
            temporalio.service.RPCError: The server could not be asked.
        """
        if not spec.cron_string:
            return spec
        key = (" | ".join(spec.cron_string), spec.timezone_name)
        async with self._asking:
            if key not in self._known:
                self._known[key] = await self._asked(spec)
        compiled = ScheduleSpec()
        compiled.CopyFrom(spec)
        compiled.ClearField("cron_string")
        compiled.structured_calendar.extend(self._known[key].structured_calendar)
        return compiled

    async def _asked(self, spec: ScheduleSpec) -> ScheduleSpec:
        schedule_id = f"{PASSING_PREFIX}{uuid.uuid4()}"
        try:
            await self._create(schedule_id, spec)
            request = DescribeScheduleRequest(namespace=self._client.namespace, schedule_id=schedule_id)
            answer = await self._client.workflow_service.describe_schedule(request, retry=True, timeout=_WITHIN)
        finally:
            await asyncio.shield(self._delete(schedule_id))
        return answer.schedule.spec

    async def _create(self, schedule_id: str, spec: ScheduleSpec) -> None:
        asked = ScheduleSpec(cron_string=spec.cron_string, timezone_name=spec.timezone_name)
        asked.end_time.FromDatetime(_OVER)
        start = NewWorkflowExecutionInfo(
            workflow_id=schedule_id, workflow_type=WorkflowType(name="none"), task_queue=TaskQueue(name=schedule_id)
        )
        request = CreateScheduleRequest(
            namespace=self._client.namespace,
            schedule_id=schedule_id,
            schedule=Schedule(
                spec=asked, action=ScheduleAction(start_workflow=start), state=ScheduleState(paused=True)
            ),
            identity=self._client.identity,
            request_id=schedule_id,
        )
        try:
            await self._client.workflow_service.create_schedule(request, retry=True, timeout=_WITHIN)
        except RPCError as error:
            if error.status is not RPCStatusCode.INVALID_ARGUMENT:
                raise
            raise ConfigurationError(f"Temporal refuses it: {error.message}. Mend its definition.") from error

    async def _delete(self, schedule_id: str) -> None:
        request = DeleteScheduleRequest(
            namespace=self._client.namespace, schedule_id=schedule_id, identity=self._client.identity
        )
        try:
            await self._client.workflow_service.delete_schedule(request, retry=True, timeout=_WITHIN)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
