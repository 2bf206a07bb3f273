"""Temporal schedules as code: definitions that are validated before they reach the server."""

from trenova_schedules._create import CreatedReport, create_missing
from trenova_schedules._definition import OWNER_MEMO, ScheduleDefinition

__all__ = [
    "OWNER_MEMO",
    "CreatedReport",
    "ScheduleDefinition",
    "create_missing",
]
