"""Store and deliver one notification; deterministic code only.

``workflow.patched("notification-channels")`` marks runs that deliver through channels. Runs that ended without the mark
replay without it. It becomes ``deprecate_patch`` once no run from before 0.4 is open or kept by a namespace (its
retention, and a day for the runs themselves), and goes a release later.
"""

from typing import ClassVar

from temporalio import workflow
from temporalio.common import VersioningBehavior

with workflow.unsafe.imports_passed_through():
    from trenova_activities._delivering import deliver
    from trenova_activities._labels import brief
    from trenova_activities._names import (
        CHANNELS_PATCH,
        CONFIGURATION_COPIED_ACTIVITY,
        CONFIGURATION_COPIED_WORKFLOW,
        JOB_NOTIFICATION_ACTIVITY,
        JOB_NOTIFICATION_WORKFLOW,
    )
    from trenova_activities._notice_labels import notice_summary
    from trenova_activities._notification_contract import (
        ConfigurationCopiedPayload,
        JobNotificationPayload,
        NotificationResult,
    )
    from trenova_activities._timeouts import NOTIFICATION
    from trenova_activities._wire import TenantPayload


@workflow.defn(name=JOB_NOTIFICATION_WORKFLOW)
class SendJobCompleteNotificationWorkflow:
    """Tell a user or a role how a job ended: one row per workflow id and target."""

    versioning_behavior: ClassVar = VersioningBehavior.PINNED

    @workflow.run
    async def run(self, payload: JobNotificationPayload) -> NotificationResult:
        """Store and deliver the notification."""
        result: NotificationResult = await workflow.execute_activity(
            JOB_NOTIFICATION_ACTIVITY,
            payload,
            result_type=NotificationResult,
            activity_id="notify",
            summary=brief(notice_summary(payload)),
            **NOTIFICATION,
        )
        return await _through_channels(payload, result)


@workflow.defn(name=CONFIGURATION_COPIED_WORKFLOW)
class SendConfigurationCopiedNotificationWorkflow:
    """Tell the owner of a configuration that it was copied."""

    versioning_behavior: ClassVar = VersioningBehavior.PINNED

    @workflow.run
    async def run(self, payload: ConfigurationCopiedPayload) -> NotificationResult:
        """Store and deliver the notification."""
        result: NotificationResult = await workflow.execute_activity(
            CONFIGURATION_COPIED_ACTIVITY,
            payload,
            result_type=NotificationResult,
            activity_id="notify",
            summary=brief(f"Tell user/{payload.user_id} that configuration {payload.config_id} was copied"),
            **NOTIFICATION,
        )
        return await _through_channels(payload, result)


async def _through_channels(payload: TenantPayload, stored: NotificationResult) -> NotificationResult:
    """Deliver what was planned with the stored row; a worker from before planned nothing."""
    if not stored.deliveries or not workflow.patched(CHANNELS_PATCH):
        return stored
    workflow.set_current_details(f"{stored.result} {_messages(len(stored.deliveries))} to be delivered.")
    ended = await deliver(payload, stored.deliveries)
    by_channel: dict[str, list[bool]] = {}
    for one in ended:
        by_channel.setdefault(one.channel, []).append(one.state == "delivered")
    said = [f"{sum(taken)} of {_messages(len(taken))} by {channel} taken." for channel, taken in by_channel.items()]
    if (left := stored.recipients_left_out) > 0:
        said.append(f"{left} more user{'s' if left > 1 else ''} of the role will find it in the application.")
    result = " ".join([stored.result, *said])
    workflow.set_current_details(result)
    return stored.model_copy(
        update={
            "delivered": all(one.state == "delivered" for one in ended),
            "channels": [*stored.channels, *(channel for channel, taken in by_channel.items() if all(taken))],
            "deliveries": ended,
            "result": result,
        }
    )


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count} messages"
