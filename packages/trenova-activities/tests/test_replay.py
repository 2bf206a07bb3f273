"""Every recorded history replays with today's workflows; ``record_histories.py`` makes new ones."""

import json
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

import trenova_activities
from trenova_errors import ErrorsPlugin

HISTORIES = sorted((Path(__file__).parent / "histories").rglob("*.json"))
WORKFLOWS = [
    getattr(trenova_activities, name)
    for name in trenova_activities.__all__
    if hasattr(getattr(trenova_activities, name), "__temporal_workflow_definition")
]


def history(path: Path) -> WorkflowHistory:
    text = path.read_text()
    started = json.loads(text)["events"][0]["workflowExecutionStartedEventAttributes"]
    return WorkflowHistory.from_json(started["workflowId"], text)


def replayer(workflows=WORKFLOWS) -> Replayer:
    return Replayer(workflows=workflows, plugins=[ErrorsPlugin()])


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: f"{path.parent.name}/{path.stem}")
async def test_a_recorded_history_replays(path: Path):
    await replayer().replay_workflow(history(path))


def test_there_is_a_history_of_every_workflow():
    recorded = {path.stem.partition(".")[0] for path in HISTORIES}

    assert {workflow.__name__ for workflow in WORKFLOWS} <= recorded


@pytest.mark.parametrize("name", ["CancelShipmentsByCreatedAtWorkflow", "DeleteAuditEntriesWorkflow"])
def test_a_nightly_run_that_continues_as_new_is_recorded_before_and_after(name):
    [before] = [path for path in HISTORIES if path.stem == f"{name}.continues"]
    [after] = [path for path in HISTORIES if path.stem == f"{name}.continued"]

    events = [json.loads(path.read_text())["events"] for path in (before, after)]
    assert events[0][-1]["eventType"] == "EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW"
    started = events[1][0]["workflowExecutionStartedEventAttributes"]
    assert started["continuedExecutionRunId"]
    assert started["firstExecutionRunId"] != started["originalExecutionRunId"]


@workflow.defn(name="CheckDatabaseWorkflow", sandboxed=False)
class Changed:
    @workflow.run
    async def run(self, payload: trenova_activities.CheckDatabasePayload) -> None:
        await workflow.sleep(1)


async def test_a_workflow_that_changed_its_commands_is_caught():
    [path] = [path for path in HISTORIES if path.stem == "CheckDatabaseWorkflow.ready"][-1:]
    with pytest.raises(workflow.NondeterminismError):
        await replayer([Changed]).replay_workflow(history(path))
