"""Whether this machine, or the container that the doctor runs in, has room for the workers."""

import sys
from pathlib import Path

from trenova_workers._doctor._check import Check, Need
from trenova_workers._doctor._diagnosis import Diagnosis
from trenova_workers._doctor._patient import Patient
from trenova_workers._doctor._services import Described
from trenova_workers._tuning._control_group import group_limits

_MIB = 1024 * 1024
# A worker without work holds about 150 MiB (interpreter, SDK, an ORM); below this it is killed before it is busy.
_LEAST_MEMORY_MIB = 256
# One connection to Temporal per queue, pipes, the health port, the loop's own, loaded libraries.
_OWN_FILES = 64
_FILES_PER_QUEUE = 4
# Programs made to be PID 1: they pass signals on and bury what their children leave behind.
_INITS = {
    *("systemd", "init", "launchd", "tini", "docker-init", "dumb-init", "catatonit", "s6-svscan", "runit"),
    *("supervisord", "openrc-init", "podman-init", "runsvdir"),
}
_SIGTERM_BIT = 1 << 14


class MachineCheck(Check):
    """Limits are those of where the doctor runs: run it in the container that the worker runs in."""

    id = "machine"
    about = "memory and CPU limits of the control group, open files, and whether PID 1 passes signals on"
    needs = frozenset({Need.SERVICES})

    async def examine(self, patient: Patient) -> list[Diagnosis]:
        """Read the kernel's files below the patient's root."""
        limits = group_limits(patient.root)
        if limits is None:
            group = [self.skipped("control group", "there are none on this system")]
        else:
            workers = max(1, len(patient.installed))
            group = [self._memory(limits.memory, workers), self._cpus(limits.cpus, workers)]
        files = [self._files(service, patient) for service in patient.described]
        return [*group, *files, self._first_process(patient.root)]

    def _memory(self, limit: int | None, workers: int) -> Diagnosis:
        if limit is None:
            return self.ok("memory", "no limit but the machine's")
        found = f"limited to {limit // _MIB} MiB for {_processes(workers)}"
        if limit >= workers * _LEAST_MEMORY_MIB * _MIB:
            return self.ok("memory", found)
        advice = f"Give at least {_LEAST_MEMORY_MIB} MiB to each worker, or run fewer here (--service for one of them)."
        return self.problem("memory", f"{found}: they are killed when they get busy", advice)

    def _cpus(self, limit: float | None, workers: int) -> Diagnosis:
        if limit is None:
            return self.ok("cpu", "no quota")
        found = f"a quota of {limit:g} CPUs for {_processes(workers)}"
        if limit >= workers:
            return self.ok("cpu", found)
        advice = "Give one CPU to each worker: a throttled event loop misses heartbeats and workflow task timeouts."
        return self.warning("cpu", found, advice)

    def _files(self, service: Described, patient: Patient) -> Diagnosis:
        subject = f"open files of {service.name}"
        limit = _open_files(patient.root)
        if limit is None:
            return self.skipped(subject, "this system does not tell the limit")
        needed = _needed_files(service)
        found = f"at most {limit}, full slots need about {needed}"
        if limit >= needed:
            return self.ok(subject, found)
        advice = f"Raise it (`ulimit -n {2 * needed}`, LimitNOFILE=, or the container's ulimits), or lower the slots."
        return self.problem(subject, found, advice)

    def _first_process(self, root: Path) -> Diagnosis:
        try:
            name = (root / "proc/1/comm").read_text().strip()
            status = (root / "proc/1/status").read_text()
        except OSError:
            return self.skipped("pid 1", "this system does not show it")
        if name in _INITS:
            return self.ok("pid 1", f"{name}, an init")
        caught = next((line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")), "0")
        if int(caught, 16) & _SIGTERM_BIT:
            return self.ok("pid 1", f"{name!r} is no init, and handles SIGTERM itself")
        found = f"{name!r} is no init and does not handle SIGTERM: a worker below it is killed instead of drained"
        advice = "Start the worker with `exec`, so that it is PID 1 itself, or use an init (docker run --init, tini)."
        return self.warning("pid 1", found, advice)


def _processes(workers: int) -> str:
    return f"{workers} worker processes" if workers > 1 else "1 worker process"


def _needed_files(service: Described) -> int:
    """Estimate: each activity may hold a connection of its own to somewhere."""
    worker, limits = service.section("worker"), service.shown.get("limits") or {}
    slots = int(worker.get("max_activities") or 0) * len(service.queues)
    return _OWN_FILES + _FILES_PER_QUEUE * len(service.queues) + slots + int(limits.get("database_connections") or 0)


def _open_files(root: Path) -> int | None:
    """Return the soft limit that a process started from here inherits."""
    try:
        lines = (root / "proc/self/limits").read_text().splitlines()
    except OSError:
        if sys.platform == "win32":
            return None
        import resource

        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return sys.maxsize if soft == resource.RLIM_INFINITY else soft
    soft_text = next((line.split()[3] for line in lines if line.startswith("Max open files")), "")
    return sys.maxsize if soft_text == "unlimited" else int(soft_text) if soft_text.isdecimal() else None
