"""What a notification is asked to say, and to whom."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from trenova_activities._delivery_contract import PlannedDelivery
from trenova_activities._wire import Id, TenantPayload, WireModel

Required = Annotated[str, Field(min_length=1, max_length=1000)]


class RelatedEntity(WireModel):
    """A record of the TMS that the notification is about; ``url`` is relative to the TMS."""

    type: str
    id: str
    name: str = ""
    url: str = ""


class NotificationAction(WireModel):
    """A button below the notification; the TMS's front end knows the types and styles."""

    id: str
    label: str
    type: str = ""
    style: str = ""
    endpoint: str = ""
    payload: dict[str, object] = Field(default_factory=dict)


class JobNotificationPayload(TenantPayload):
    """Tell a user or a role how a job ended.

    Attributes:
        job_id: The workflow id of the job that ended; the notification workflow's own id if empty.
        job_type: A name of the registry (``duplicate_shipment``...); others are shown as plain jobs.
        user_id: Whom to tell; exactly one of this and ``target_role``.
        target_role: The role to tell.
        success: Whether the job did what was asked.
        result: The job's result sentence; on failure what went wrong, in a dispatcher's words.
        data: Facts for the front end; small.
        related_entities: Records it is about.
        actions: Buttons.
    """

    job_id: str = ""
    job_type: Required
    user_id: Id | None = None
    target_role: Id | None = None
    success: bool
    result: str = ""
    data: dict[str, object] = Field(default_factory=dict)
    related_entities: list[RelatedEntity] = Field(default_factory=list)
    actions: list[NotificationAction] = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.user_id is None) == (self.target_role is None):
            raise ValueError("exactly one of userId and targetRole is required")
        return self

    @property
    def target(self) -> str:
        """``user/<id>`` or ``role/<name>``: what makes a second notification the same one."""
        return f"user/{self.user_id}" if self.user_id is not None else f"role/{self.target_role}"


class ConfigurationCopiedPayload(TenantPayload):
    """Tell the owner of a configuration that somebody copied it.

    Attributes:
        user_id: Owner of the original; receives the notification.
        config_id: The configuration.
        config_name: Its name, as its owner knows it.
        config_creator: Name of who made the original.
        config_copied_by: Name of who copied it.
    """

    user_id: Id
    config_id: Id
    config_name: Required
    config_creator: str = ""
    config_copied_by: str = ""


class NotificationResult(WireModel):
    """What became of a notification.

    Attributes:
        notification_id: Its row (``notif_``).
        delivered: Whether every channel took it.
        channels: The channels that took it.
        result: One sentence for a person.
        deliveries: What leaves through other channels than the stored row; at most 100.
        recipients_left_out: Users of the role beyond those; they find the row in the application.
    """

    notification_id: str
    delivered: bool
    channels: list[str]
    result: str
    deliveries: list[PlannedDelivery] = Field(default_factory=list)
    recipients_left_out: int = 0
