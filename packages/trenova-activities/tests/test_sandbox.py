import importlib
import subprocess
import sys

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

import trenova_activities

LOADED = "import sys, trenova_activities; print(*sorted(n for n in sys.modules if n.startswith('trenova_activities.')))"


FOREIGN = """
from temporalio import workflow
from trenova_activities import CheckDatabaseWorkflow, DuplicateShipmentWorkflow

@workflow.defn
class ForeignWorkflow:
    @workflow.run
    async def run(self) -> list[str]:
        return [cls.__name__ for cls in (CheckDatabaseWorkflow, DuplicateShipmentWorkflow)]
"""


def test_the_root_loads_no_workflow_that_nobody_asked_for_because_the_sandbox_loads_the_root_for_every_run():
    loaded = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True).stdout.split()

    assert "trenova_activities._starting" in loaded
    assert "trenova_activities._check_workflow" not in loaded
    assert "trenova_activities._notification_workflows" not in loaded


def test_every_name_of_the_surface_can_be_had():
    assert [name for name in trenova_activities.__all__ if not hasattr(trenova_activities, name)] == []


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'trenova_activities' has no attribute 'Nothing'"):
        _ = trenova_activities.Nothing


async def test_workflows_of_others_may_import_ours_into_the_sandbox(client: Client, queue: str, tmp_path, monkeypatch):
    (tmp_path / "foreign_workflow.py").write_text(FOREIGN)
    monkeypatch.syspath_prepend(tmp_path)
    foreign = importlib.import_module("foreign_workflow").ForeignWorkflow
    async with Worker(client, task_queue=queue, workflows=[foreign]):
        names = await client.execute_workflow(foreign.run, id=queue, task_queue=queue)

    assert names == ["CheckDatabaseWorkflow", "DuplicateShipmentWorkflow"]
