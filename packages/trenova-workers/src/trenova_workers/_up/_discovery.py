"""Which workers are installed, and what each says of itself without being imported here."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from trenova_workers._up._options import UpError

GROUP = "trenova.workers"
_GRACE = "worker.graceful_shutdown_s"
_VERSIONED = "worker.deployment.versioned"
_DEPLOYMENT = "worker.deployment.name"


@dataclass(frozen=True)
class Service:
    """A worker that ``python -m <module>`` runs."""

    name: str
    module: str

    def command(self, *verb: str) -> list[str]:
        """The command line of one of its verbs."""
        return [sys.executable, "-m", self.module, *verb]


@dataclass(frozen=True)
class Facts:
    """What ``config show --json`` says that ``up`` needs."""

    queues: tuple[str, ...]
    demo_order: int
    grace: float = 0.0
    """Seconds that it gives running work when it is asked to stop; 0 where it does not say."""
    deployment: str | None = None
    """The worker deployment that its releases are versions of; None where it is not versioned."""


def installed_services(found: Iterable[EntryPoint] | None = None) -> list[Service]:
    """Every worker declared in the entry-point group ``trenova.workers``, by name.

    Raises:
        UpError: There is none, or two packages declare the same name for different modules.
    """
    services: dict[str, Service] = {}
    for point in entry_points(group=GROUP) if found is None else found:
        service = Service(point.name, point.module)
        known = services.setdefault(point.name, service)
        if known != service:
            raise UpError(
                f"Two packages declare a worker {point.name!r}: modules {known.module} and {service.module}. "
                "Uninstall one of them."
            )
    if not services:
        raise UpError(
            f"No worker is installed: no package declares the entry-point group {GROUP!r}. "
            "Install one beside this command, for example shipment-worker."
        )
    return [services[name] for name in sorted(services)]


def choose(services: Sequence[Service], only: Sequence[str]) -> list[Service]:
    """Those named in ``only``, all when it is empty.

    Raises:
        UpError: A name is not installed.
    """
    names = {service.name for service in services}
    if missing := [name for name in only if name not in names]:
        raise UpError(f"No worker {missing[0]!r} is installed; there are {', '.join(sorted(names))}.")
    return [service for service in services if not only or service.name in only]


def parse_facts(service: Service, text: str) -> Facts:
    """Read the answer of ``config show --json``.

    Raises:
        UpError: It is not what was agreed.
    """
    try:
        shown = json.loads(text)
        queues = tuple(str(queue) for queue in shown["queues"])
        settings = {one["key"]: one["value"] for one in shown.get("settings", ())}
        named = settings.get(_DEPLOYMENT) or shown.get("service") or service.name
        deployment = str(named) if settings.get(_VERSIONED) is True else None
        return Facts(queues, int(shown.get("demo_order", 0)), float(settings.get(_GRACE, 0)), deployment)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UpError(
            f"`python -m {service.module} config show --json` did not answer with JSON that names its queues "
            f"({type(error).__name__}). Is {service.name} installed in a version that fits trenova-workers?"
        ) from error
