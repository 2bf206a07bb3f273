"""What is sent to start the run of a tick: the schedule's action as it is, its payloads unread."""

import base64
import hashlib
import json
import uuid
from typing import Final

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import WorkflowIdConflictPolicy, WorkflowIdReusePolicy
from temporalio.api.workflow.v1 import NewWorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import StartWorkflowExecutionRequest
from temporalio.client import Client

from trenova_schedules.backfill._call_contract import TicksCall
from trenova_schedules.backfill._contract import BackfillMark
from trenova_schedules.backfill._names import BACKFILL_MEMO, SCHEDULED_AT, SCHEDULED_BY
from trenova_schedules.backfill._request import Policy
from trenova_schedules.backfill._ticks import moment, run_id_of

LOWEST_PRIORITY: Final = 5
"""Of five; live runs have 3 unless they say otherwise."""

_MOST_OF_A_FAIRNESS_KEY: Final = 64  # bytes; the server refuses more
_DIGITS: Final = 12

_REUSE: Final[dict[Policy, "WorkflowIdReusePolicy.ValueType"]] = {
    "missing": WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
    "missing_and_failed": WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
    "all": WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
}
_COPIED: Final = (
    "workflow_type",
    "task_queue",
    "input",
    "workflow_execution_timeout",
    "workflow_run_timeout",
    "workflow_task_timeout",
    "retry_policy",
    "memo",
    "search_attributes",
    "header",
    "user_metadata",
    "versioning_override",
)
"""Fields that an action and a start share; the id, the policies and the priority are the backfill's."""


def action_of(call: TicksCall) -> NewWorkflowExecutionInfo:
    """Return the schedule's action as it was when the backfill began."""
    return NewWorkflowExecutionInfo.FromString(base64.b64decode(call.action))


def fairness_key(schedule_id: str) -> str:
    """Return ``backfill/<schedule>``, shortened with a digest where it has more than 64 bytes."""
    key = f"backfill/{schedule_id}"
    if len(key.encode()) <= _MOST_OF_A_FAIRNESS_KEY:
        return key
    digest = hashlib.sha256(schedule_id.encode()).hexdigest()[:_DIGITS]
    kept = key.encode()[: _MOST_OF_A_FAIRNESS_KEY - _DIGITS - 1].decode(errors="ignore")
    return f"{kept}-{digest}"


class RunRequests:
    """Makes the requests of one call.

    Args:
        client: Who asks.
        call: What is asked.
        mark: The encoded memo by which the runs are known.
    """

    def __init__(self, client: Client, call: TicksCall, mark: Payload) -> None:
        self._mark = call.mark
        action = action_of(call)
        self.action_id = action.workflow_id
        request = StartWorkflowExecutionRequest(
            namespace=client.namespace,
            identity=client.identity,
            workflow_id_reuse_policy=_REUSE[call.policy],
            workflow_id_conflict_policy=WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
        )
        for name in _COPIED:
            if action.HasField(name):
                getattr(request, name).CopyFrom(getattr(action, name))
        request.memo.fields[BACKFILL_MEMO].CopyFrom(mark)
        request.search_attributes.indexed_fields[SCHEDULED_BY].CopyFrom(_attribute("Keyword", call.schedule_id))
        request.priority.priority_key = LOWEST_PRIORITY
        request.priority.fairness_key = fairness_key(call.schedule_id)
        self._template = request

    def of_tick(self, at: int) -> StartWorkflowExecutionRequest:
        """Return the request that starts the run of a tick; equal ones start one run, whatever became of it."""
        request = StartWorkflowExecutionRequest()
        request.CopyFrom(self._template)
        request.workflow_id = run_id_of(self.action_id, at)
        request.request_id = request_id_of(self._mark, at)
        request.search_attributes.indexed_fields[SCHEDULED_AT].CopyFrom(_attribute("Datetime", moment(at)))
        return request


def request_id_of(mark: BackfillMark, at: int) -> str:
    """Return the id by which the server knows that a start comes a second time."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{mark.backfill}\n{mark.run_id}\n{moment(at)}"))


def _attribute(kind: str, value: str) -> Payload:
    return Payload(metadata={"encoding": b"json/plain", "type": kind.encode()}, data=json.dumps(value).encode())
