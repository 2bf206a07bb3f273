"""Store and deliver one notification; deterministic code only."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from trenova_activities._names import (
        CONFIGURATION_COPIED_ACTIVITY,
        CONFIGURATION_COPIED_WORKFLOW,
        JOB_NOTIFICATION_ACTIVITY,
        JOB_NOTIFICATION_WORKFLOW,
    )
    from trenova_activities._notification_contract import (
        ConfigurationCopiedPayload,
        JobNotificationPayload,
        NotificationResult,
    )
    from trenova_activities._timeouts import NOTIFICATION


@workflow.defn(name=JOB_NOTIFICATION_WORKFLOW)
class SendJobCompleteNotificationWorkflow:
    """Tell a user or a role how a job ended: one row per workflow id and target."""

    @workflow.run
    async def run(self, payload: JobNotificationPayload) -> NotificationResult:
        """Store and deliver the notification."""
        result: NotificationResult = await workflow.execute_activity(
            JOB_NOTIFICATION_ACTIVITY,
            payload,
            result_type=NotificationResult,
            activity_id="notify",
            summary=f"{payload.job_type} to {payload.target}",
            **NOTIFICATION,
        )
        return result


@workflow.defn(name=CONFIGURATION_COPIED_WORKFLOW)
class SendConfigurationCopiedNotificationWorkflow:
    """Tell the owner of a configuration that it was copied."""

    @workflow.run
    async def run(self, payload: ConfigurationCopiedPayload) -> NotificationResult:
        """Store and deliver the notification."""
        result: NotificationResult = await workflow.execute_activity(
            CONFIGURATION_COPIED_ACTIVITY,
            payload,
            result_type=NotificationResult,
            activity_id="notify",
            summary=f"{payload.config_id} to user/{payload.user_id}",
            **NOTIFICATION,
        )
        return result
