"""What our own memo keys say, as far as this client can decode them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import DataConverter, WorkflowSerializationContext

from trenova_schedules._slo import BackfillPolicy, ScheduleSlo


@dataclass(frozen=True)
class ReadMemo:
    """Values of a memo by key, and the keys that could not be decoded."""

    values: Mapping[str, Any]
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kept:
    """What the record of a definition keeps because the server has no place for it."""

    description: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    runbook: str = ""
    slo: ScheduleSlo | None = None
    backfill: BackfillPolicy | None = None


def action_converter(client: Client, workflow_id: str) -> DataConverter:
    """Return the client's data converter as the SDK uses it for the action of a schedule."""
    context = WorkflowSerializationContext(namespace=client.namespace, workflow_id=workflow_id)
    return client.data_converter.with_context(context)


async def decoded(converter: DataConverter, fields: Mapping[str, Payload], keys: frozenset[str]) -> ReadMemo:
    """Return the values of these keys; a value that cannot be decoded is named, so that the rest is still told."""
    values: dict[str, Any] = {}
    unreadable = []
    for key in sorted(keys.intersection(fields)):
        try:
            values[key] = (await converter.decode([fields[key]]))[0]
        except Exception:  # noqa: BLE001 - a codec may raise anything, and a schedule has to be seen without its keys too
            unreadable.append(key)
    return ReadMemo(values, tuple(unreadable))


def kept_of(text: Any) -> Kept:
    """Return what a record of version 1 keeps; what is missing or damaged there is as if nothing had been said."""
    try:
        record = json.loads(text) if isinstance(text, str) else {}
        fields = record.get("fields", {}) if record.get("v") == 1 else {}
        return Kept(
            description=str(fields.get("description", "")),
            labels={str(name): str(value) for name, value in fields.get("labels", {}).items()},
            runbook=str(fields.get("runbook", "")),
            slo=ScheduleSlo.model_validate(fields["slo"]) if "slo" in fields else None,
            backfill=BackfillPolicy(fields["backfill"]) if "backfill" in fields else None,
        )
    except (ValueError, AttributeError, TypeError, ValidationError):
        return Kept()
