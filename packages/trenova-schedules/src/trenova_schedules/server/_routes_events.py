"""What happens, as it happens (server-sent events)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse

from trenova_errors import UnavailableError
from trenova_schedules.server._api import Caller, Reader
from trenova_schedules.server._documented import documented
from trenova_schedules.server._events import ScheduleEvent
from trenova_schedules.server._roles import VIEWER

router = APIRouter(tags=["events"])

MEDIA_TYPE: Final = "text/event-stream"
_RETRY_MS: Final = 1000


@router.get(
    "/events",
    operation_id="events",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Events `created`, `changed`, `ran` and `deleted`, each with a JSON object; `reset` where "
            "some were missed, after which everything has to be read again. Ends after a while: connect again.",
            "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
        },
        **documented(),
    },
)
async def events(
    caller: Reader,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", max_length=100)] = None,
) -> StreamingResponse:
    """Stream what happens to the schedules that the caller may look at, whoever does it. Role viewer."""
    caller.require_somewhere(VIEWER)
    watch, options = caller.api.watch, caller.api.options.events
    if watch.listeners >= options.streams:
        raise UnavailableError(
            f"{watch.listeners} event streams are open, as many as there may be. Try again in a while.",
            retry_after=timedelta(seconds=round(options.longest_s) or 1),
        )
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_stream(caller, last_event_id), media_type=MEDIA_TYPE, headers=headers)


async def _stream(caller: Caller, last_event_id: str | None) -> AsyncIterator[str]:
    watch, options = caller.api.watch, caller.api.options.events
    watch.listeners += 1
    try:
        async with asyncio.timeout(options.longest_s):
            await watch.begin()
            missed = last_event_id is not None and not watch.knows(last_event_id)
            begin = watch.last_id if last_event_id is None or missed else last_event_id
            yield f"retry: {_RETRY_MS}\nid: {begin}\n"
            yield "event: reset\ndata: {}\n\n" if missed else "event: hello\ndata: {}\n\n"
            async for event in watch.after(begin):
                if event is None:
                    yield ": nothing new\n\n"
                elif caller.may(VIEWER, event.labels):
                    yield _written(event)
    except TimeoutError:
        yield ": connect again\n\n"
    finally:
        watch.listeners -= 1


def _written(event: ScheduleEvent) -> str:
    return f"id: {event.id}\nevent: {event.kind}\ndata: {event.model_dump_json(by_alias=True)}\n\n"
