"""What a pool runs: the command, what it is told by its environment, and which build it is."""

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from trenova_errors import ConfigurationError
from trenova_workers._preflight import UNVERSIONED
from trenova_workers._up._discovery import Facts, Service, installed_services, parse_facts
from trenova_workers._up._options import UpError
from trenova_workers.pool._options import BuildOptions, PoolOptions, ProcessOptions

_AFTER_GRACE_S = 10.0
_MORE_S = 30.0
_SHOWN = 5
_BUILDS = "process.builds"


@dataclass(frozen=True)
class Program:
    """What the workers of a pool run.

    Attributes:
        service: Name and module.
        queues: That they poll.
        options: Of the pool.
        environ: Their environment, but for what is each worker's own.
        drain_s: Seconds that a drain may take.
        deployment: The worker deployment that its builds are versions of; None where they are not.
    """

    service: Service
    queues: tuple[str, ...]
    options: PoolOptions
    environ: Mapping[str, str]
    drain_s: float
    deployment: str | None = None

    @property
    def process(self) -> ProcessOptions:
        """How the workers are run."""
        assert self.options.process is not None
        return self.options.process

    def command(self, build: str) -> list[str]:
        """Return the command line of one worker."""
        return _command(self.service, self.process, build, "run")

    def told(self, port: int, build: str) -> dict[str, str]:
        """Return the whole environment of one worker."""
        own = self.process.builds.get(build, BuildOptions()).environ
        return {**self.environ, **own, "TRENOVA_HEALTH__PORT": str(port), "TRENOVA_WORKER__BUILD_ID": build}

    def cannot_start(self, build: str) -> str:
        """Return why no worker of a build can be started; empty if one can."""
        told = self.process.builds.get(build)
        if told is None:
            return "" if build == self.build() else f"nothing says where it is installed. Name it in {_BUILDS}"
        if told.python is not None and not os.access(told.python, os.X_OK):
            return f"there is no interpreter {str(told.python)!r}. Correct {_BUILDS}, or install it there"
        return ""

    def build(self) -> str:
        """Return what a worker that is started now would run: as told, else the version that is installed now."""
        if self.process.build:
            return self.process.build
        for name in (self.service.name, self.service.module.partition(".")[0]):
            try:
                return version(name)
            except PackageNotFoundError:
                continue
        return UNVERSIONED


async def load_program(pool: str, options: PoolOptions, environ: Mapping[str, str], data_dir: Path) -> Program:
    """Find a pool's service and ask it for its queues.

    Raises:
        ConfigurationError: It is not installed, its settings do not hold, or a drain would be ended before its grace.
    """
    process = options.process
    if process is None:
        raise ConfigurationError(f"Pool {pool!r} is not one of processes. Give it process.", pool=pool)
    service = _service(pool, process)
    told = {name: value for name, value in environ.items() if not name.endswith("_HEALTH__PORT")}
    told = {**told, "TRENOVA_DATA_DIR": str(data_dir), "PYTHONUNBUFFERED": "1", **process.environ}
    own = process.builds.get(process.build or "", BuildOptions()).environ
    command = _command(service, process, process.build or "", "config", "show", "--json")
    service, facts = await _ask(pool, service, command, {**told, **own})
    drain_s = process.drain_s or facts.grace + _MORE_S
    if facts.grace + _AFTER_GRACE_S > drain_s:
        raise ConfigurationError(
            f"Pool {pool!r}: {service.name} gives running work {facts.grace:g} s when it is asked to stop "
            f"(worker.graceful_shutdown_s), and process.drain_s is {drain_s:g}, so work would be cut "
            f"off. Set process.drain_s to at least {facts.grace + _AFTER_GRACE_S:g}.",
            pool=pool,
        )
    queues = options.queues or facts.queues
    if strange := sorted(set(queues) - set(facts.queues)):
        raise ConfigurationError(
            f"Pool {pool!r} names the queue {strange[0]!r}, and {service.name} polls {', '.join(facts.queues)}. "
            "Correct the pool's queues, or leave them out.",
            pool=pool,
        )
    program = Program(service, queues, options, told, drain_s, facts.deployment)
    if facts.deployment is not None and program.build() == UNVERSIONED:
        raise ConfigurationError(
            f"Pool {pool!r}: the workers of {service.name} are versioned (worker.deployment.versioned), and nothing "
            "says which build they run: no distribution carries it. Set process.build to its release, e.g. 1.4.0.",
            pool=pool,
        )
    return program


def _service(pool: str, told: ProcessOptions) -> Service:
    if told.module is not None:
        return Service(told.module.partition(".")[0].replace("_", "-"), told.module)
    try:
        found = {one.name: one for one in installed_services()}
    except UpError as error:
        raise ConfigurationError(f"Pool {pool!r}: {error}", pool=pool) from None
    if told.service not in found:
        known = ", ".join(sorted(found))
        raise ConfigurationError(
            f"Pool {pool!r}: no worker {told.service!r} is installed; there are {known}.", pool=pool
        )
    return found[str(told.service)]


def _command(service: Service, process: ProcessOptions, build: str, *verb: str) -> list[str]:
    python = process.builds.get(build, BuildOptions()).python
    command = service.command(*verb)
    return command if python is None else [str(python), *command[1:]]


async def _ask(
    pool: str, service: Service, command: Sequence[str], environ: Mapping[str, str]
) -> tuple[Service, Facts]:
    """Return the service under the name that it has itself, and what it says."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(environ),
    )
    try:
        out, err = await process.communicate()
    except asyncio.CancelledError:  # this manager is told to stop
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    if process.returncode:
        said = "".join(f"\n  {line}" for line in err.decode(errors="replace").splitlines()[-_SHOWN:]) or " nothing"
        raise ConfigurationError(
            f"Pool {pool!r}: `{Path(command[0]).name} -m {service.module} config show` ended with status "
            f"{process.returncode}. The end of what it said:{said}",
            pool=pool,
        )
    text = out.decode(errors="replace")
    try:
        facts = parse_facts(service, text)
    except UpError as error:
        raise ConfigurationError(f"Pool {pool!r}: {error}", pool=pool) from None
    return Service(str(json.loads(text).get("service") or service.name), service.module), facts
