"""Command line tools of one package follow the routing rules of another, which they do not import."""

import subprocess
import sysconfig
from pathlib import Path

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest

from trenova_activities import SEARCH_ATTRIBUTES

RULES = """
rules:
  - name: copies
    match: {workflow: Duplicate*, queue: shipment-queue, organization: org_1}
    target: {queue: shipment-queue-2, priority: high, weight: 3}
"""
TOOL = Path(sysconfig.get_path("scripts")) / "trenova-activities"


async def test_a_start_of_the_command_line_goes_where_the_rules_say(stage, tmp_path):
    (tmp_path / "routing.yaml").write_text(RULES)
    client = await stage.client()
    kinds = {one.name: IndexedValueType.ValueType(one.indexed_value_type) for one in SEARCH_ATTRIBUTES}
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(namespace="default", search_attributes=kinds)
    )
    for organization in ("org_1", "org_2"):
        whose = ("--organization", organization, "--business-unit", "bu_1", "--user", "u_1", "--key", "k1")
        subprocess.run(
            [TOOL, "start", "duplicate", "--shipment", "S1", *whose, "--no-follow"],
            env=stage.environ | {"TRENOVA_ROUTING__RULES": str(tmp_path / "routing.yaml")},
            check=True,
            timeout=60,
        )

    moved = await client.get_workflow_handle("duplicate-shipment/org_1/k1").describe()
    stayed = await client.get_workflow_handle("duplicate-shipment/org_2/k1").describe()
    priority = moved.raw_description.workflow_execution_info.priority
    assert (moved.task_queue, stayed.task_queue) == ("shipment-queue-2", "shipment-queue")
    assert (priority.priority_key, priority.fairness_key, priority.fairness_weight) == (2, "org_1", 3)
