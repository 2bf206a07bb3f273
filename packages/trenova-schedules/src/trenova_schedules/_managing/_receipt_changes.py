"""What an action changed of a schedule, field by field, as its receipt tells it."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import ScheduleOverlapPolicy
from temporalio.api.schedule.v1 import SchedulePolicies, ScheduleSpec

_PREFIX: Final = "SCHEDULE_OVERLAP_POLICY_"
_OF_SPEC: Final = frozenset({"cron", "time zone", "jitter", "start", "end"})


@dataclass(frozen=True)
class ReceiptChange:
    """One field before and after; empty where there was nothing.

    Attributes:
        name: In words.
        before: What it was.
        after: What the action made of it.
    """

    name: str
    before: str
    after: str


_OTHER_TIMES: Final = ReceiptChange("fires", "at certain times", "at other times")


def receipt_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[ReceiptChange]:
    """Return the fields that differ between two states of a receipt's item, in the order of :mod:`_restoring`."""
    was, became = _fields(before), _fields(after)
    found = [ReceiptChange(name, was.get(name, ""), became.get(name, "")) for name in was | became]
    changes = [one for one in found if one.before != one.after]
    if before.get("spec") != after.get("spec") and _OF_SPEC.isdisjoint(one.name for one in changes):
        changes.append(_OTHER_TIMES)
    return changes


def _fields(state: Mapping[str, Any]) -> dict[str, str]:
    found = {"state": "paused" if state["paused"] else "active", "note": state["note"] or ""}
    if "spec" not in state:
        return found
    spec = ScheduleSpec.FromString(base64.b64decode(state["spec"]))
    policies = SchedulePolicies.FromString(base64.b64decode(state["policies"]))
    remaining = state["remaining"]
    return found | {
        "cron": state["cron"] or "",
        "time zone": spec.timezone_name,
        "jitter": _length(spec.jitter),
        "start": _moment(spec.start_time),
        "end": _moment(spec.end_time),
        "overlap": ScheduleOverlapPolicy.Name(policies.overlap_policy).removeprefix(_PREFIX).lower(),
        "catch-up window": _length(policies.catchup_window),
        "pause on failure": "yes" if policies.pause_on_failure else "no",
        "remaining actions": "" if remaining is None else str(remaining),
        "workflow": state["workflow"],
        "task queue": state["taskQueue"],
    }


def _length(length: Duration) -> str:
    return str(length.ToTimedelta()) if length.ByteSize() else ""


def _moment(at: Timestamp) -> str:
    return at.ToJsonString() if at.ByteSize() else ""
