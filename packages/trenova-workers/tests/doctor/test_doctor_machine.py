"""The kernel's files, in a tree of the test's own."""

import pytest

from trenova_workers._doctor._check import Check
from trenova_workers._doctor._check_machine import MachineCheck
from trenova_workers._doctor._checks import CHECKS
from trenova_workers._doctor._diagnosis import Diagnosis, Severity
from trenova_workers._doctor._examine import exit_status, look
from trenova_workers._doctor._patient import Patient
from trenova_workers._doctor._print import print_lines
from trenova_workers._doctor._services import Described
from trenova_workers._tuning._control_group import GroupLimits, group_limits
from trenova_workers._up._discovery import Service

MIB = 1024 * 1024
SERVICE = Service("sample-worker", "sample_worker")


@pytest.fixture
def tree(tmp_path):
    """Writes files below a root."""

    def write(files):
        for name, text in files.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{text}\n")
        return tmp_path

    return write


V2 = {
    "proc/self/cgroup": "0::/pod/worker",
    "sys/fs/cgroup/pod/worker/memory.max": "max",
    "sys/fs/cgroup/pod/worker/cpu.max": "150000 100000",
    "sys/fs/cgroup/pod/memory.max": str(512 * MIB),
    "sys/fs/cgroup/pod/cpu.max": "max 100000",
}
V1 = {
    "proc/self/cgroup": "4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n1:pids:/docker/abc",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": str(300 * MIB),
    "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "50000",
    "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000",
}


def test_the_tightest_limit_of_the_groups_around_counts(tree):
    assert group_limits(tree(V2)) == GroupLimits(512 * MIB, 1.5)


def test_version_1_inside_a_container_is_read_where_it_is_mounted(tree):
    assert group_limits(tree(V1)) == GroupLimits(300 * MIB, 0.5)


def test_no_limit_is_said_in_many_ways(tree):
    unlimited = {
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1",
    }
    assert group_limits(tree(V1 | unlimited)) == GroupLimits(None, None)


def test_a_system_without_control_groups_is_no_limit_at_all(tmp_path):
    assert group_limits(tmp_path) is None


LIMITS = """Limit                     Soft Limit           Hard Limit           Units
Max open files            {soft}                 4096                 files"""
HEALTHY = V2 | {
    "proc/self/limits": LIMITS.format(soft=1024),
    "proc/1/comm": "tini",
    "proc/1/status": "Name:\ttini\nSigCgt:\t0000000000000000",
    "sys/fs/cgroup/pod/worker/cpu.max": "max 100000",
}


async def examined(root, *, services=1, slots=100):
    settings = [{"key": "worker.max_activities", "value": slots, "source": "default"}]
    shown = {"queues": ["a", "b"], "settings": settings, "limits": {"database_connections": 15}}
    installed = [SERVICE] * services
    patient = Patient({}, installed, [Described(SERVICE, shown)], root=root)
    return {one.subject: one for one in await look(MachineCheck(), patient)}


async def test_a_machine_with_room_is_well(tree):
    found = await examined(tree(HEALTHY))

    assert {one.severity for one in found.values()} == {Severity.OK}
    assert found["memory"].found == "limited to 512 MiB for 1 worker process"
    assert found["open files of sample-worker"].found == "at most 1024, full slots need about 287"


@pytest.mark.parametrize(
    ("files", "subject", "severity", "said"),
    [
        ({"sys/fs/cgroup/pod/memory.max": str(128 * MIB)}, "memory", "problem", "limited to 128 MiB"),
        ({"sys/fs/cgroup/pod/cpu.max": "50000 100000"}, "cpu", "warning", "a quota of 0.5 CPUs"),
        ({"proc/self/limits": LIMITS.format(soft=256)}, "open files of sample-worker", "problem", "at most 256"),
        ({"proc/1/comm": "sh"}, "pid 1", "warning", "'sh' is no init and does not handle SIGTERM"),
    ],
)
async def test_what_lacks_room_is_told(tree, files, subject, severity, said):
    found = await examined(tree(HEALTHY | files))

    assert str(found[subject].severity) == severity
    assert said in found[subject].found
    assert found[subject].advice


async def test_memory_is_shared_by_all_workers_that_run_here(tree):
    found = await examined(tree(HEALTHY), services=3)

    assert "limited to 512 MiB for 3 worker processes" in found["memory"].found
    assert found["memory"].severity is Severity.PROBLEM


async def test_a_first_process_that_handles_sigterm_needs_no_init(tree):
    python = {"proc/1/comm": "python", "proc/1/status": "Name:\tpython\nSigCgt:\t0000000000004002"}
    found = await examined(tree(HEALTHY | python))

    assert found["pid 1"].found == "'python' is no init, and handles SIGTERM itself"


class Broken(Check):
    id = "broken"
    about = "nothing"

    async def examine(self, patient):
        raise OSError("the disk is gone")


async def test_a_check_that_breaks_is_blind_and_ends_with_2():
    found = await look(Broken(), Patient({}, []))

    assert found[0].found == "the check itself failed: OSError: the disk is gone"
    assert exit_status(found) == 2
    assert exit_status([*found, Broken().problem("", "x", "y")]) == 1
    assert exit_status([Broken().warning("", "x", "y"), Broken().skipped("", "x")]) == 0


async def _nothing():
    return ""


FOUND = [
    Diagnosis("server", Severity.OK, "127.0.0.1:7233", "Temporal 1.32.0, answers in 2 ms, namespace 'default'"),
    Diagnosis("search-attributes", Severity.PROBLEM, "Tag", "is missing", "Register it.", fix=_nothing),
    Diagnosis("search-attributes", Severity.OK, "Kind", "is missing: put right", fixed="registered Kind as Keyword"),
    Diagnosis("queues", Severity.WARNING, "sample-queue", "nobody polls it\x1b[31m", "Start a worker."),
    Diagnosis("queues", Severity.WARNING, "other-queue", "nobody polls it", "Start a worker."),
    Diagnosis("event-loop", Severity.SKIPPED, "", "no worker runs here"),
]
GOLDEN = """\
ok       server             127.0.0.1:7233: Temporal 1.32.0, answers in 2 ms, namespace 'default'
problem  search-attributes  Tag: is missing
                            do: Register it.
ok       search-attributes  Kind: is missing: put right
                            done: registered Kind as Keyword
warning  queues             sample-queue: nobody polls it
                            do: Start a worker.
warning  queues             other-queue: nobody polls it
                            do: Start a worker.
skipped  event-loop         no worker runs here
2 ok, 2 warnings, 1 problem, 1 skipped. --fix can put 1 right.
"""


def test_without_a_terminal_the_report_is_plain_lines(capsys):
    import sys

    print_lines(FOUND, sys.stdout)

    assert capsys.readouterr().out == GOLDEN


def test_every_check_says_what_it_is_about():
    assert all(check.about and check.__doc__ for check in CHECKS)
    assert len({check.id for check in CHECKS}) == len(CHECKS)
