"""Defaults for kinds of work. `nox -s bench` judges them with its case ``worker_profiles``.

Where the figures come from: a worker in Python is bound by what its activities do, not by polls, as long as a poll
is open whenever a slot is free; the server is the bottleneck of trivial workflows, where more polls made it slower.
All have the tuner ``fixed``: resource based slots count the page cache as used memory and do not see the limits of a
control group, so they suit some machines and are told where they do.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from trenova_workers._tuning._host import this_host

Profile = Literal["io", "cpu", "mixed", "bulk", "dev"]
"""``io`` waits, ``cpu`` computes in Python, ``mixed`` does both, ``bulk`` is few and long, ``dev`` is one machine."""

_COMMON: dict[str, Any] = {
    "tuner": {"kind": "fixed"},
    "activities_per_second": None,
    "queue_activities_per_second": None,
    "sticky_schedule_to_start_timeout_s": 10,
    "nonsticky_poll_ratio": 0.2,
    "max_heartbeat_throttle_s": None,
    "default_heartbeat_throttle_s": None,
    "eager_activities": True,
    "eager_activities_per_task": 3,
    "activity_executor": "threads",
}


_CPU_POLLS = 5
"""One for each of the four partitions that a queue has by default, and one more."""


def _fixed(count: int) -> dict[str, Any]:
    return {"kind": "fixed", "count": count}


@cache
def profile_defaults(profile: Profile) -> Mapping[str, Any]:
    """Return what ``profile`` gives for each key of `WorkerOptions` that tunes; ``cpu`` looks at the machine."""
    return {**_COMMON, **_OF[profile]()}


def _io() -> dict[str, Any]:
    # Waiting takes a thread and little else: slots are what bounds the rate (slots / seconds waited).
    return {
        "max_activities": 400,
        "max_workflow_tasks": 100,
        "max_local_activities": 200,
        "max_cached_workflows": 2000,
        "workflow_pollers": _fixed(5),
        "activity_pollers": _fixed(10),
    }


def _cpu() -> dict[str, Any]:
    # One process per core computes. An open poll holds a slot, and a queue has four partitions that each need a poll,
    # so with fewer slots than this the processes wait for the next activity instead of computing (measured: a third
    # of the throughput with cores + 1 slots and 2 polls).
    slots = this_host().cores + _CPU_POLLS + 1
    return {
        "max_activities": slots,
        "max_workflow_tasks": 20,
        "max_local_activities": slots,
        "max_cached_workflows": 500,
        "workflow_pollers": _fixed(2),
        "activity_pollers": _fixed(_CPU_POLLS),
        "eager_activities_per_task": 1,  # a burst of one workflow must not take all of so few slots
        "activity_executor": "processes",
    }


def _mixed() -> dict[str, Any]:
    # More threads than this only wait for the interpreter once a part of the work computes.
    return {
        "max_activities": 150,
        "max_workflow_tasks": 100,
        "max_local_activities": 100,
        "max_cached_workflows": 1000,
        "workflow_pollers": _fixed(5),
        "activity_pollers": _fixed(5),
    }


def _bulk() -> dict[str, Any]:
    # Minutes each and heavy on the database: few at once, and a silent one is looked at sooner.
    return {
        "max_activities": 10,
        "max_workflow_tasks": 20,
        "max_local_activities": 10,
        "max_cached_workflows": 200,
        "workflow_pollers": _fixed(2),
        "activity_pollers": _fixed(2),
        "default_heartbeat_throttle_s": 10,
        "eager_activities_per_task": 1,
    }


def _dev() -> dict[str, Any]:
    # Several workers, a server and its database share one machine and start often.
    return {
        "max_activities": 10,
        "max_workflow_tasks": 10,
        "max_local_activities": 10,
        "max_cached_workflows": 200,
        "workflow_pollers": _fixed(2),
        "activity_pollers": _fixed(2),
    }


_OF = {"io": _io, "cpu": _cpu, "mixed": _mixed, "bulk": _bulk, "dev": _dev}
