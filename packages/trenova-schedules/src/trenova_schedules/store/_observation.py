"""What the server said of a schedule at one moment, as far as the ledger needs it."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from google.protobuf.json_format import MessageToDict
from pydantic import AwareDatetime, BaseModel, ConfigDict
from pydantic_core import to_json
from temporalio.api.schedule.v1 import ScheduleInfo, SchedulePolicies, ScheduleSpec
from temporalio.api.workflowservice.v1 import DescribeScheduleResponse

from trenova_schedules.store._times import from_seconds

_TOKEN_BYTES = 8


class Observation(BaseModel):
    """One look at a schedule.

    Attributes:
        schedule_id: Of the schedule.
        at: When the answer arrived.
        specification: When it fires, as protobuf JSON of ``ScheduleSpec``.
        policy: Overlap, catch-up window and pausing on failure, as protobuf JSON of ``SchedulePolicies``.
        token: The conflict token in hexadecimal.
        paused: Whether it was paused.
        note: What operators are told.
        actions: Runs that it started since it was created.
        missed_catchup: Ticks whose catch-up window was over, since it was created.
        skipped_overlap: Ticks that its overlap policy skipped, since it was created.
        buffer_dropped: Starts that found the buffer full, since it was created.
        buffer_size: Starts that wait now.
        created_at: When it was created.
        updated_at: When it was last updated; None if never. Pausing and resuming are no updates for the server.
    """

    model_config = ConfigDict(frozen=True)

    schedule_id: str
    at: AwareDatetime
    specification: Mapping[str, Any]
    policy: Mapping[str, Any]
    token: str = ""
    paused: bool = False
    note: str = ""
    actions: int = 0
    missed_catchup: int = 0
    skipped_overlap: int = 0
    buffer_dropped: int = 0
    buffer_size: int = 0
    created_at: AwareDatetime
    updated_at: AwareDatetime | None = None

    @classmethod
    def of(cls, schedule_id: str, answer: DescribeScheduleResponse, *, at: datetime) -> Self:
        """Take what counts out of a description.

        Args:
            schedule_id: Of the schedule.
            answer: The raw description.
            at: When it arrived.
        """
        info = answer.info
        return cls(
            schedule_id=schedule_id,
            at=at,
            specification=_plain(answer.schedule.spec),
            policy=_plain(answer.schedule.policies),
            token=answer.conflict_token.hex(),
            paused=answer.schedule.state.paused,
            note=answer.schedule.state.notes,
            actions=info.action_count,
            missed_catchup=info.missed_catchup_window,
            skipped_overlap=info.overlap_skipped,
            buffer_dropped=info.buffer_dropped,
            buffer_size=info.buffer_size,
            created_at=from_seconds(info.create_time.seconds),
            updated_at=_updated_at(info),
        )

    @property
    def digest(self) -> str:
        """SHA-256 over specification and policy, in hexadecimal."""
        return hashlib.sha256(to_json([self.specification, self.policy])).hexdigest()


def edits_between(before: str, after: str) -> int | None:
    """Count the writes between two conflict tokens; None if they do not tell.

    The token counts writes: eight bytes on both of the server's schedulers, little-endian on one and big-endian on
    the other, so that the smaller difference is the right one.
    """
    if before == after:
        return 0
    first, second = bytes.fromhex(before), bytes.fromhex(after)
    if len(first) != _TOKEN_BYTES or len(second) != _TOKEN_BYTES:
        return None
    differences = [int.from_bytes(second, order) - int.from_bytes(first, order) for order in ("little", "big")]
    return min((difference for difference in differences if difference > 0), default=None)


def _updated_at(info: ScheduleInfo) -> datetime | None:
    # One scheduler says 0001-01-01 for never.
    return from_seconds(info.update_time.seconds) if info.update_time.seconds > 0 else None


def _plain(message: ScheduleSpec | SchedulePolicies) -> Mapping[str, Any]:
    plain: Mapping[str, Any] = MessageToDict(message)
    return plain
