"""Every fault that a drill knows, by the alert that it must ring."""

import caller_faults
import job_faults
import pool_faults
import retention_faults
import schedule_faults
import worker_faults
from fault import Fault

AREAS = (worker_faults, job_faults, caller_faults, schedule_faults, retention_faults, pool_faults)
FAULTS: dict[str, type[Fault]] = {one.alert: one for area in AREAS for one in area.FAULTS}
"""In the order in which they are drilled."""
