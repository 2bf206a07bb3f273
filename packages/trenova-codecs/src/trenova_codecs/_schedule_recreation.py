"""Make a schedule again, where that is the only way to change its own memo.

Between deleting it and making it again there is no schedule. What is to be made is written to a file first, so
that an interruption at that moment loses nothing: the next call makes it from the file.
"""

import asyncio
import hashlib
import os
import uuid
from pathlib import Path
from typing import Final

from google.protobuf.json_format import MessageToJson, Parse, ParseError
from temporalio.api.common.v1 import Memo
from temporalio.api.workflowservice.v1 import (
    CreateScheduleRequest,
    DeleteScheduleRequest,
    DescribeScheduleResponse,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import ConfigurationError, ConflictError

_TRIES: Final = 20
_BETWEEN_SECONDS: Final = 0.25


class ScheduleRecreation:
    """Deletes schedules and makes them again, with a file for each that is under way.

    Args:
        client: Of the namespace, without codec.
        folder: Where the files are, encrypted payloads and all; made 0700.

    Raises:
        ConfigurationError: The folder cannot be made.
    """

    def __init__(self, client: Client, folder: Path) -> None:
        self._client, self._folder = client, folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"The folder {str(folder)!r} cannot be made: {error.strerror}. Choose another."
            ) from None

    async def resume(self) -> list[str]:
        """Make what an interrupted call has deleted and not made again; return the ids.

        Raises:
            ConfigurationError: A file is damaged.
        """
        resumed = []
        for file in sorted(self._folder.glob("*.schedule.json")):
            request = _read(file)
            if request.namespace == self._client.namespace:
                await self._create(request)
                file.unlink()
                resumed.append(request.schedule_id)
        return resumed

    async def recreate(self, schedule_id: str, described: DescribeScheduleResponse, memo: Memo) -> None:
        """Delete the schedule and make it again as it was described, with this memo.

        Counters and the list of recent runs begin anew; pauses, notes and remaining runs stay.

        Raises:
            ConflictError: It has a run under way or waiting, which a new schedule would know nothing of.
        """
        if described.info.running_workflows or described.info.buffer_size:
            raise ConflictError(
                "it has runs under way or waiting, which it would not know of any more when it is made again; run the "
                "command again once they are done, or pause it first",
                schedule_id=schedule_id,
            )
        request = CreateScheduleRequest(
            namespace=self._client.namespace,
            schedule_id=schedule_id,
            schedule=described.schedule,
            memo=memo,
            identity="trenova-codecs",
            request_id=str(uuid.uuid4()),
        )
        if described.search_attributes.indexed_fields:
            request.search_attributes.CopyFrom(described.search_attributes)
        file = self._write(request)
        await self._client.workflow_service.delete_schedule(
            DeleteScheduleRequest(namespace=self._client.namespace, schedule_id=schedule_id, identity="trenova-codecs")
        )
        await self._create(request)
        file.unlink()

    async def _create(self, request: CreateScheduleRequest) -> None:
        for attempt in range(_TRIES):
            try:
                await self._client.workflow_service.create_schedule(request)
            except RPCError as error:
                # The deleted one may still be there for a moment; the same request id makes one schedule only.
                if error.status is not RPCStatusCode.ALREADY_EXISTS or attempt == _TRIES - 1:
                    raise
                await asyncio.sleep(_BETWEEN_SECONDS)
            else:
                return

    def _write(self, request: CreateScheduleRequest) -> Path:
        name = hashlib.sha256(f"{request.namespace}/{request.schedule_id}".encode()).hexdigest()[:24]
        file = self._folder / f"{name}.schedule.json"
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(MessageToJson(request))
            opened.flush()
            os.fsync(opened.fileno())
        return file


def _read(file: Path) -> CreateScheduleRequest:
    try:
        return Parse(file.read_text(encoding="utf-8"), CreateScheduleRequest())
    except (ParseError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{str(file)!r} is no schedule that was being made again: {type(error).__name__}. Move it away."
        ) from None
