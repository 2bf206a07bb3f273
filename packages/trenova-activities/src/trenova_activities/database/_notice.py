"""One notification as the TMS's table holds it, composed from what a job reports."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from trenova_activities._events import event_of
from trenova_activities._notification_contract import ConfigurationCopiedPayload, JobNotificationPayload

_JOB_ID_LENGTH: Final = 255  # characters of notifications.job_id
_TITLE_LENGTH: Final = 255
_SOURCE: Final = "job_service"


@dataclass(frozen=True)
class Notice:
    """What a notification says; two equal notices are the same message.

    Attributes:
        target: ``user/<id>`` or ``role/<name>``.
        user_id: The user, if it is one.
        job_id: Workflow id of the job it is about.
    """

    target: str
    user_id: str | None
    event_type: str
    priority: str
    title: str
    message: str
    job_id: str
    data: dict[str, Any] = field(default_factory=dict)
    related_entities: list[dict[str, Any]] = field(default_factory=list)
    actions: list[dict[str, Any]] = field(default_factory=list)
    tags: tuple[str, ...] = ()

    def digest(self) -> str:
        """Fingerprint of everything it says (SHA-256, hexadecimal)."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True, default=str).encode()).hexdigest()

    def row(self, at: int) -> dict[str, Any]:
        """Return its columns, ids of row and tenant aside; stored is delivered, since the row is the channel."""
        return {
            "target_user_id": self.user_id,
            "event_type": self.event_type,
            "priority": self.priority,
            "channel": "role" if self.user_id is None else "user",
            "title": self.title[:_TITLE_LENGTH],
            "message": self.message,
            "data": self.data,
            "related_entities": self.related_entities,
            "actions": self.actions,
            "delivery_status": "delivered",
            "delivered_at": at,
            "read_at": None,
            "source": _SOURCE,
            "job_id": self.job_id[:_JOB_ID_LENGTH],
            "tags": list(self.tags),
            "updated_at": at,
        }


def job_notice(payload: JobNotificationPayload, *, workflow_id: str, who: str) -> Notice:
    """Compose the notification of a job's end.

    Args:
        payload: What the job reports.
        workflow_id: Stands in for a job id that was not given.
        who: Name of whoever asked for the job.
    """
    event = event_of(payload.job_type)
    data = dict(payload.data)
    if payload.target_role is not None:
        data["targetRole"] = payload.target_role
    return Notice(
        target=payload.target,
        user_id=payload.user_id,
        event_type=event.event,
        priority=event.priority_of(success=payload.success),
        title=event.title_of(success=payload.success),
        message=_message(payload, event.titles[0], who),
        job_id=payload.job_id or workflow_id,
        data=data,
        related_entities=[entity.model_dump(mode="json", by_alias=True) for entity in payload.related_entities],
        actions=[action.model_dump(mode="json", by_alias=True) for action in payload.actions],
        tags=("job", event.area),
    )


def copied_notice(payload: ConfigurationCopiedPayload, *, workflow_id: str) -> Notice:
    """Compose the notification that a configuration was copied."""
    who = payload.config_copied_by or "Somebody"
    creator = f" It was created by {payload.config_creator}." if payload.config_creator else ""
    return Notice(
        target=f"user/{payload.user_id}",
        user_id=payload.user_id,
        event_type="configuration.copied",
        priority="low",
        title="Configuration Copied",
        message=f"{who} copied the configuration “{payload.config_name}”.{creator}",
        job_id=workflow_id,
        data={
            "configId": payload.config_id,
            "configName": payload.config_name,
            "configCreator": payload.config_creator,
            "configCopiedBy": payload.config_copied_by,
        },
        related_entities=[{"type": "configuration", "id": payload.config_id, "name": payload.config_name, "url": ""}],
        tags=("configuration",),
    )


def _message(payload: JobNotificationPayload, done: str, who: str) -> str:
    """Say what was done, to what, by whom and with which result."""
    what = done.removesuffix(" Completed").capitalize()
    entity = next(iter(payload.related_entities), None)
    subject = f" of {entity.type} {entity.name or entity.id}" if entity is not None else ""
    by = f", requested by {who}" if who else ""
    outcome = "is done." if payload.success else "failed."
    return " ".join(part for part in (f"{what}{subject}{by}{',' if by else ''} {outcome}", payload.result) if part)
