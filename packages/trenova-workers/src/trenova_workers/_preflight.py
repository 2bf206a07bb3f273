"""Refuses options that the work or the machine cannot bear, before anything is opened."""

from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from trenova_errors import ConfigurationError
from trenova_workers._deployment import NO_BUILD
from trenova_workers._explain import told
from trenova_workers._layers import Layer
from trenova_workers._limits import WorkLimits
from trenova_workers._options import WorkerOptions
from trenova_workers._provenance import Setting, source_of
from trenova_workers._service import S, Service
from trenova_workers._tuning._checks import EnvironmentFacts, Problem, check_options, grace_of
from trenova_workers._tuning._host import this_host

UNVERSIONED = NO_BUILD
"""The build of a service that no distribution carries."""


def problems_of(service: Service[S], settings: S) -> list[Problem]:
    """Return what does not fit this service on this machine, fatal or not. Opens nothing."""
    host = this_host()
    queues = list(service.queues(settings))
    facts = EnvironmentFacts(len(set(queues)), host.cores, host.memory_mib)
    return [*_twice(settings, queues), *check_options(settings.worker, service.limits(settings), facts)]


def _twice(settings: S, queues: list[str]) -> Iterator[Problem]:
    """A queue that is polled twice is a slip, and would need the connections of two."""
    keys = [name for name in type(settings).model_fields if isinstance(getattr(settings, name), list | tuple)]
    for queue in dict.fromkeys(one for one in queues if queues.count(one) > 1):
        key = next((name for name in keys if queue in getattr(settings, name)), "queues")
        yield Problem(key, queues, f"the queue {queue!r} is named {queues.count(queue)} times", "Name each once")


def refuse_impossible(service: Service[S], settings: S, layers: Sequence[Layer] = ()) -> None:
    """Raise for fatal problems.

    Raises:
        ConfigurationError: One line for each: where the value comes from, the key, what is wrong, the fix.
    """
    lines = [line_of(problem, layers) for problem in problems_of(service, settings) if problem.fatal]
    if lines:
        raise ConfigurationError("\n".join(["The settings do not fit:", *lines]) if len(lines) > 1 else lines[0])


def line_of(problem: Problem, layers: Sequence[Layer]) -> str:
    """Return a problem as one line that names the source of the value."""
    source = source_of(tuple(problem.key.split(".")), layers) if layers else None
    return told(source, problem.key, problem.said, problem.value, problem.fix)


def settled(options: WorkerOptions, limits: WorkLimits, build_id: str) -> WorkerOptions:
    """Return the options with what is derived in place of what is not told: grace and build."""
    derived: dict[str, Any] = {"graceful_shutdown_s": grace_of(options, limits)}
    return options.model_copy(update={**derived, "build_id": options.build_id or build_id})


def build_of(service: Service[S]) -> str:
    """Return the version of the distribution that carries the service: that of its name, or of its package."""
    for name in (service.name, service.settings.__module__.partition(".")[0]):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return UNVERSIONED


def with_derived(service: Service[S], settings: S, described: Sequence[Setting]) -> list[Setting]:
    """Return settings as shown, with what is derived where nothing is told."""
    limits = service.limits(settings)
    longest = limits.longest_start_to_close_s
    derived = {
        "graceful_shutdown_s": "derived from worker.container_grace_s and the longest start-to-close"
        + (f" ({longest:g} s)" if longest is not None else ""),
        "build_id": "derived from the distribution's version",
    }
    values = settled(settings.worker, limits, build_of(service))
    shown: list[Setting] = []
    for setting in described:
        name = setting["key"].removeprefix("worker.")
        if name in derived and setting["value"] is None:
            shown.append(Setting(key=setting["key"], value=getattr(values, name), source=derived[name]))
        else:
            shown.append(setting)
    return shown
