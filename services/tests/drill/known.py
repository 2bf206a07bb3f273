"""Every fault that a drill knows, by the alert that it must ring, and why some alerts have none."""

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
UNDRILLED: dict[str, str] = {
    "TrenovaMessageTooLarge": (
        "no worker of ours gets there: a run that says too much fails with payload_too_large before it is sent"
    ),
}
"""Alerts that are tried on numbers only (``nox -s alerts``), each with why."""
