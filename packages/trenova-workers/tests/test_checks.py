import signal
from pathlib import Path

import pytest
from sample_worker._jobs import Sample
from sample_worker._settings import Settings
from sample_worker.waiting import eventually
from temporalio.client import Client

from trenova_workers import WorkerOptions, WorkLimits
from trenova_workers._preflight import UNVERSIONED, build_of, settled
from trenova_workers._service import Service
from trenova_workers._tuning._checks import EnvironmentFacts, check_options, grace_of
from trenova_workers._tuning._host import Host, this_host

WORK = WorkLimits(
    longest_start_to_close_s=120, shortest_heartbeat_timeout_s=10, database_connections=20, connections_per_activity=1
)
FACTS = EnvironmentFacts(queues=2, cores=2, memory_mib=512)


@pytest.mark.parametrize(
    ("options", "key", "said", "fix"),
    [
        (
            {"graceful_shutdown_s": 85, "container_grace_s": 90},
            "graceful_shutdown_s",
            "more than worker.container_grace_s (90 s)",
            "Set it to at most 80, or stop the container later and set worker.container_grace_s to 95 or more",
        ),
        (
            {"max_activities": 11},
            "max_activities",
            "can hold 22 database connections at once, and the pool has 20",
            "Set it to at most 10, or raise the pool (database.pool_size) to 22",
        ),
        (
            {"tuner": {"kind": "resource", "activities": {"kind": "resource", "maximum": 30}}},
            "tuner.activities.maximum",
            "can hold 60 database connections",
            "at most 10",
        ),
        (
            {"tuner": {"kind": "composite", "activities": {"kind": "fixed", "slots": 30}}},
            "tuner.activities.slots",
            "can hold 60 database connections",
            "at most 10",
        ),
        (
            {"max_activities": 10, "memory_per_activity_mib": 20},
            "max_activities",
            "can come to 560 MiB, above the limit of the control group (512 MiB)",
            "Set it to at most 8, or raise the limit to 560 MiB",
        ),
        (
            {"max_activities": 10, "memory_per_activity_mib": 20, "memory_limit_mib": 170},
            "max_activities",
            "above worker.memory_limit_mib (170 MiB)",
            "Give the process more memory",
        ),
        (
            {"max_activities": 5, "max_heartbeat_throttle_s": 10},
            "max_heartbeat_throttle_s",
            "is not below the shortest heartbeat timeout of the work (10 s)",
            "Set it to at most 8, or leave it out",
        ),
    ],
)
def test_what_work_and_machine_cannot_bear_is_found(options, key, said, fix):
    few = {} if "tuner" in options else {"max_activities": 5}

    (problem,) = [p for p in check_options(WorkerOptions(**{**few, **options}), WORK, FACTS) if p.fatal]

    assert problem.key == f"worker.{key}"
    assert said in problem.said
    assert fix in problem.fix


@pytest.mark.parametrize(
    ("options", "key", "said"),
    [
        ({}, "container_grace_s", "one may run 120 s"),
        ({"graceful_shutdown_s": 20}, "graceful_shutdown_s", "leaves running activities 20 s after SIGTERM"),
        ({"activity_pollers": {"kind": "fixed", "count": 9}}, "activity_pollers.count", "max_activities is 5"),
        ({"activity_executor": "processes"}, "max_activities", "may start as many processes on 2 cores"),
        ({"activities_per_second": 9, "queue_activities_per_second": 3}, "activities_per_second", "is never reached"),
    ],
)
def test_what_only_works_worse_is_told_and_not_refused(options, key, said):
    given = {"max_activities": 5, "container_grace_s": 100, **options}

    told = {p.key: p for p in check_options(WorkerOptions(**given), WORK, FACTS)}

    assert said in told[f"worker.{key}"].said
    assert not any(problem.fatal for problem in told.values())


def test_nothing_is_held_against_work_that_cannot_say():
    assert check_options(WorkerOptions(max_activities=9000, graceful_shutdown_s=1), WorkLimits(), FACTS) == []


@pytest.mark.parametrize(
    ("told", "container", "longest", "grace"),
    [
        (None, None, None, 30),
        (None, None, 12, 30),
        (None, None, 600, 600),
        (None, 90, 600, 80),
        (None, 35, None, 25),
        (7, 90, 600, 7),
    ],
)
def test_the_grace_is_the_longest_work_within_what_the_container_leaves(told, container, longest, grace):
    options = WorkerOptions(graceful_shutdown_s=told, container_grace_s=container)
    limits = WorkLimits(longest_start_to_close_s=longest)

    assert grace_of(options, limits) == grace
    assert settled(options, limits, "1").graceful_shutdown_s == grace


def test_the_build_is_the_version_of_the_distribution():
    def of(name):
        return build_of(Service(name=name, summary="", settings=Settings, queues=list, work=None))

    assert of("pydantic").startswith("2.")
    assert of("sample-worker") == UNVERSIONED


def test_limits_of_control_groups_count_whichever_version_and_level_they_are_of(tmp_path):
    free = this_host(tmp_path)
    write(tmp_path, "proc/self/cgroup", "0::/pod/worker\n4:memory:/old/one\n")
    write(tmp_path, "sys/fs/cgroup/pod/worker/memory.max", "max\n")
    write(tmp_path, "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
    assert this_host(tmp_path) == free

    write(tmp_path, "sys/fs/cgroup/pod/memory.max", f"{700 << 20}\n")
    write(tmp_path, "sys/fs/cgroup/pod/worker/cpu.max", "50000 100000\n")
    assert this_host(tmp_path) == Host(cores=1, memory_mib=700)

    write(tmp_path, "sys/fs/cgroup/memory/old/memory.limit_in_bytes", f"{300 << 20}\n")
    assert this_host(tmp_path).memory_mib == 300


def write(root, path, text):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


async def test_processes_of_activities_end_with_a_worker_that_is_killed(sample, server):
    child = sample.start(
        "run",
        "--set",
        "worker.activity_executor=processes",
        "--set",
        "worker.max_activities=2",
        "--set",
        "log.level=error",
    )
    client = await Client.connect(server.address)
    pid = await client.execute_workflow(
        Sample.run, args=["sample.process", 0.0], id=f"sample/{sample.queue}", task_queue=sample.queue
    )
    assert alive(pid)

    child.signal(signal.SIGKILL)
    child.end()

    eventually(lambda: not alive(pid))


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
