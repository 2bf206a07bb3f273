import subprocess
import sys

import pytest

from trenova_errors import InvalidInputError
from trenova_schedules import backfill


def test_the_package_exports_exactly_what_is_public():
    assert set(backfill.__all__) == {
        "BACKFILL_MEMO",
        "BACKFILL_QUEUE",
        "BACKFILL_WORKFLOW",
        "BackfillActivities",
        "BackfillEntry",
        "BackfillHandle",
        "BackfillInput",
        "BackfillLimits",
        "BackfillMark",
        "BackfillPreview",
        "BackfillProgress",
        "BackfillRequest",
        "BackfillResult",
        "BackfillScheduleWorkflow",
        "CancelRequest",
        "Hole",
        "LimitsRequest",
        "PauseRequest",
        "ResumeRequest",
        "RunLedger",
        "Started",
        "SteeringAnswer",
        "SteeringState",
        "TickLedgerRuns",
        "Verified",
        "backfill_workflow_id",
        "list_backfills",
        "preview_backfill",
        "progress_of",
        "start_backfill",
        "steer",
    }
    assert all(hasattr(backfill, name) for name in backfill.__all__)


def test_backfills_need_no_database():
    code = "import sys, trenova_schedules.backfill; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize("key", ["", "a/b", "x" * 1_000])
def test_a_key_that_makes_no_workflow_id_is_refused(key):
    with pytest.raises(InvalidInputError):
        backfill.backfill_workflow_id("nightly", key)
