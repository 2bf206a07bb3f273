"""Bring the payloads of schedules under the active key: their action's and, where the server can, their own.

A schedule keeps its arguments as they were encoded when it was made, for every run that it will ever start, so
that the key of that day is needed for as long as the schedule lives.
"""

import asyncio
import dataclasses
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import Message
from temporalio.api.common.v1 import Memo, Payload
from temporalio.api.workflowservice.v1 import DescribeScheduleRequest, DescribeScheduleResponse, UpdateScheduleRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from trenova_codecs._encryption import EncryptionCodec
from trenova_codecs._errors import CodecError, CorruptPayloadError
from trenova_codecs._formats import ENCODING, KEY_ID, MARK_V2
from trenova_codecs._keys import KeyProvider
from trenova_codecs._opening import Opener
from trenova_codecs._payload_keys import key_of, keys_of, payloads_of
from trenova_codecs._schedule_recreation import ScheduleRecreation
from trenova_codecs._sealing import Format, Sealer
from trenova_codecs._side import Side
from trenova_errors import ConflictError

_TRIES: Final = 5
_SETTLE_SECONDS: Final = 0.3
"""A workflow-backed schedule takes an update a moment after the request has returned."""


@dataclass(frozen=True)
class Reencrypted:
    """What was done with one schedule; counts are payloads, each of which is in one of them.

    Attributes:
        schedule_id: The schedule.
        was: The ids of the keys that it needed besides the active one; empty text for what was not encrypted.
        rewritten: How many came, or would come, under the active key.
        current: How many were under the active key already.
        memo: In a dry run, how many are in the schedule's own memo, which only some servers let anybody rewrite.
        skipped: How many still need another key.
        left: Why; empty where none were skipped.
    """

    schedule_id: str
    was: frozenset[str]
    rewritten: int
    current: int
    memo: int = 0
    skipped: int = 0
    left: str = ""


class ScheduleReencryption:
    """Rewrites the schedules of one namespace.

    Args:
        client: Of the namespace, without codec.
        ring: Holds the keys that the schedules need, and the active one.
        new_format: For payloads that were not encrypted; others keep the format that they have.
        dry_run: Say what would be done, and do nothing.
        recreation: Makes schedules again whose own memo cannot be changed; None to leave those.
    """

    def __init__(
        self,
        client: Client,
        ring: KeyProvider,
        *,
        new_format: Format = "compat",
        dry_run: bool,
        recreation: ScheduleRecreation | None = None,
    ) -> None:
        self._client, self._ring, self._dry_run, self._recreation = client, ring, dry_run, recreation
        self._opener = Opener(ring)
        self._codec = EncryptionCodec(ring, format=new_format, on_plaintext="allow", side=Side.CALLER)

    async def schedule_ids(self) -> Sequence[str]:
        """List the schedules of the namespace."""
        return sorted([listed.id async for listed in await self._client.list_schedules()])

    async def reencrypt(self, schedule_id: str) -> Reencrypted | None:
        """Rewrite one schedule; None if there is no such schedule, or not any more.

        An update that somebody else's change has overtaken is refused by the server, or silently dropped, so
        that what came of it is read back, and all is tried again.
        """
        first: Reencrypted | None = None
        for _ in range(_TRIES):
            described = await self._describe(schedule_id)
            if described is None:
                return None
            old = _others(described.schedule, self._active)
            if first is None:
                first = self._found(schedule_id, described)
            if self._dry_run:
                return await self._foreseen(described, first)
            if not old:
                return await self._with_memo(described, first)
            try:
                await self._update(schedule_id, described)
            except CodecError as error:
                return _left(first, error.message, rewritten=0)
            await asyncio.sleep(_SETTLE_SECONDS)
        why = f"it was changed by somebody else {_TRIES} times meanwhile; run the command again"
        return None if first is None else _left(first, why, rewritten=0)

    @property
    def _active(self) -> str:
        return self._ring.active().id

    def _found(self, schedule_id: str, described: DescribeScheduleResponse) -> Reencrypted:
        """Return what is done with a schedule if nothing comes in between."""
        parts = (described.schedule, described.memo)
        was = frozenset(key for part in parts for key in keys_of(part)) - {self._active}
        others = sum(len(_others(part, self._active)) for part in parts)
        content = sum(key_of(payload) is not None for part in parts for payload in payloads_of(part))
        return Reencrypted(schedule_id, was, rewritten=others, current=content - others)

    async def _foreseen(self, described: DescribeScheduleResponse, first: Reencrypted) -> Reencrypted:
        """Rewrite a copy, so that a key that is not there is met in a dry run already."""
        copy, memo = DescribeScheduleResponse(), len(_others(described.memo, self._active))
        copy.CopyFrom(described)
        try:
            await self._rewrite(copy.schedule)
            await self._rewrite(copy.memo)
        except CodecError as error:
            return _left(first, error.message, rewritten=0)
        return dataclasses.replace(first, rewritten=first.rewritten - memo, memo=memo)

    async def _with_memo(self, described: DescribeScheduleResponse, first: Reencrypted) -> Reencrypted:
        """Rewrite the schedule's own memo, which only newer schedulers allow."""
        others = len(_others(described.memo, self._active))
        if not others:
            return first
        memo = Memo()
        memo.CopyFrom(described.memo)
        try:
            await self._rewrite(memo)
            await self._send_memo(first.schedule_id, described, memo)
        except (CodecError, ConflictError) as error:
            return _left(first, error.message, rewritten=max(0, first.rewritten - others))
        return first

    async def _send_memo(self, schedule_id: str, described: DescribeScheduleResponse, memo: Memo) -> None:
        try:
            await self._send(schedule_id, described, memo=memo)
        except RPCError as error:
            if error.status is not RPCStatusCode.FAILED_PRECONDITION:
                raise
            if self._recreation is None:
                raise ConflictError(
                    f"its own memo (not that of its runs) stays as it was: {error.message.rstrip('.')}. Make the "
                    "schedule again with --recreate FOLDER"
                ) from None
            await self._recreation.recreate(schedule_id, described, memo)

    async def _update(self, schedule_id: str, described: DescribeScheduleResponse) -> None:
        changed = DescribeScheduleResponse()
        changed.CopyFrom(described)
        await self._rewrite(changed.schedule)
        try:
            await self._send(schedule_id, changed)
        except RPCError as error:
            if error.status not in {RPCStatusCode.FAILED_PRECONDITION, RPCStatusCode.ABORTED}:
                raise  # those two mean that somebody else was faster

    async def _send(self, schedule_id: str, described: DescribeScheduleResponse, *, memo: Memo | None = None) -> None:
        request = UpdateScheduleRequest(
            namespace=self._client.namespace,
            schedule_id=schedule_id,
            schedule=described.schedule,
            conflict_token=described.conflict_token,
            identity="trenova-codecs",
            request_id=str(uuid.uuid4()),
            memo=memo,
        )
        await self._client.workflow_service.update_schedule(request)

    async def _rewrite(self, message: Message) -> None:
        for payload in _others(message, self._active):
            payload.CopyFrom(await self._under_active(payload))

    async def _under_active(self, payload: Payload) -> Payload:
        """Exchange the layer of encryption and keep what is inside, compression included."""
        if KEY_ID in payload.metadata:
            layout: Format = "v2" if payload.metadata.get(ENCODING) == MARK_V2 else "compat"
            inner = self._opener.open(payload) or await self._opener.fetch(payload)
            sealed = Sealer(self._ring, layout).epoch().seal(inner.SerializeToString())
        else:
            (sealed,) = await self._codec.encode(await self._codec.decode([payload]))
        before, after = await self._codec.decode([payload, sealed])
        if before != after:
            raise CorruptPayloadError("A payload would not come back as it was, so that it stays as it is.")
        return sealed

    async def _describe(self, schedule_id: str) -> DescribeScheduleResponse | None:
        request = DescribeScheduleRequest(namespace=self._client.namespace, schedule_id=schedule_id)
        try:
            return await self._client.workflow_service.describe_schedule(request)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:  # deleted meanwhile
                return None
            raise


def _others(message: Message, active: str) -> list[Payload]:
    """Return the payloads that are not under the active key."""
    return [payload for payload in payloads_of(message) if key_of(payload) not in {active, None}]


def _left(first: Reencrypted, why: str, *, rewritten: int) -> Reencrypted:
    skipped = first.rewritten - rewritten
    return dataclasses.replace(first, rewritten=rewritten, skipped=skipped, left=why.rstrip("."))
