"""What a definition would be on the server, after the client's interceptors have had their say."""

from typing import Any

from temporalio.api.schedule.v1 import Schedule as ScheduleMessage
from temporalio.client import Client, CreateScheduleInput, OutboundInterceptor, ScheduleHandle

from trenova_schedules._definition import ScheduleDefinition


class _Catcher(OutboundInterceptor):
    """The end of a chain of interceptors: keeps what would be sent."""

    def __init__(self) -> None:
        self.caught: CreateScheduleInput | None = None

    async def create_schedule(self, input: CreateScheduleInput) -> ScheduleHandle:  # noqa: A002 (the SDK's name)
        self.caught = input
        return None  # type: ignore[return-value]  # nobody looks at it


async def target_of(client: Client, definition: ScheduleDefinition) -> ScheduleMessage:
    """Return the message that ``client.create_schedule`` would send; its cron string is not compiled.

    A plugin that routes sets queue and priority here, so that what is compared is what would be written.
    """
    wanted = CreateScheduleInput(
        id=definition.id,
        schedule=definition.to_schedule(),
        trigger_immediately=False,
        backfill=[],
        memo=definition.memo,
        search_attributes=None,
        rpc_metadata={},
        rpc_timeout=None,
    )
    catcher = _Catcher()
    head: Any = catcher
    for interceptor in reversed(client.config(active_config=True)["interceptors"]):
        head = interceptor.intercept_client(head)
    await head.create_schedule(wanted)
    sent = catcher.caught or wanted
    return await sent.schedule._to_proto(client)  # noqa: SLF001 - the SDK offers no other way to the message
