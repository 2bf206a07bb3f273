"""What the verbs of a service do, apart from parsing their arguments."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from temporalio.client import Plugin
from temporalio.envconfig import ClientConnectConfig

from trenova_errors import ApplicationError, ConfigurationError
from trenova_workers._behaviors import check_behaviors
from trenova_workers._connection import connect
from trenova_workers._console import ConsoleAddress
from trenova_workers._demo import DemoEvent, DemoRun
from trenova_workers._fleet._checking import check_fleet
from trenova_workers._identity import make_identity
from trenova_workers._layers import Layer
from trenova_workers._options import RoutingOptions
from trenova_workers._plugins import client_plugins
from trenova_workers._preflight import problems_of, with_derived
from trenova_workers._search_attributes import attribute_type, check_search_attributes, wanted_attributes
from trenova_workers._service import Finding, S, Service
from trenova_workers._settings import LoadedSettings, describe_refused
from trenova_workers.routing._file import load_rules
from trenova_workers.routing._rules import RoutingRules
from trenova_workers.routing._served import check_routing


async def check(service: Service[S], settings: S, connection: ClientConnectConfig) -> Sequence[Finding]:
    """Look at the Temporal server, at the plugins that the client is given, and at what the service itself needs."""
    rules, refused_rules = _load_rules(settings.routing)
    server = await _check_temporal(service, settings, connection, rules)
    make = service.plugins if refused_rules else partial(client_plugins, service)
    plugins = await _check_plugins(service.name, lambda: make(settings), connection if server[0].ok else None)
    behaviors = await check_behaviors(service, settings)
    return [*server, *refused_rules, plugins, *behaviors, *await _check_service(service, settings)]


async def _check_service(service: Service[S], settings: S) -> Sequence[Finding]:
    try:
        return await service.check(settings)
    except ApplicationError as error:
        return [Finding(service.name, ok=False, detail=error.message)]


async def _check_temporal(
    service: Service[S], settings: S, connection: ClientConnectConfig, rules: RoutingRules | None
) -> Sequence[Finding]:
    try:
        client = await connect(connection, identity=make_identity(service.name))
    except ConfigurationError as error:
        return [Finding("temporal server", ok=False, detail=error.message)]
    reached = f"{connection['target_host']}, namespace {connection['namespace']}"
    return [
        Finding("temporal server", ok=True, detail=reached),
        *await check_search_attributes(client, wanted_attributes(service.search_attributes)),
        *await check_fleet(service, settings, client),
        *(await check_routing(client, rules) if rules else ()),
    ]


def _load_rules(options: RoutingOptions) -> tuple[RoutingRules | None, list[Finding]]:
    """Return the rules, or why they are refused."""
    if options.rules is None:
        return None, []
    try:
        return load_rules(options.rules), []
    except ConfigurationError as error:
        return None, [Finding("routing rules", ok=False, detail=error.message)]


async def _check_plugins(
    service: str, make: Callable[[], Sequence[Plugin]], connection: ClientConnectConfig | None
) -> Finding:
    """Make the plugins as ``run`` does, and connect with them where the server can be reached without.

    Whatever would refuse to start for want of a plugin, such as a codec without keys, is found here.
    """
    try:
        plugins = make()
        if connection is not None:
            await connect(connection, identity=make_identity(service), plugins=plugins)
    except ApplicationError as error:
        return Finding("client plugins", ok=False, detail=error.message)
    return Finding("client plugins", ok=True, detail=", ".join(type(plugin).__name__ for plugin in plugins) or "none")


async def demo(
    service: Service[S],
    settings: S,
    connection: ClientConnectConfig,
    report: Callable[[DemoEvent], None],
    token: str | None,
) -> bool:
    """Run the demonstration and return whether every check held."""
    plugins = client_plugins(service, settings)
    client = await connect(connection, identity=make_identity(service.name), plugins=plugins)
    run = DemoRun(client=client, token=token or secrets.token_hex(4), report=report)
    await service.demo(settings, run)
    return not run.failed


async def console(
    service: Service[S], settings: S, connection: ClientConnectConfig, environ: Mapping[str, str]
) -> None:
    """Serve the service's web console until it is asked to stop.

    Raises:
        ConfigurationError: There is none, or the variables for consoles do not hold.
    """
    if service.console is None:
        raise ConfigurationError(f"{service.name} has no console.")
    told = ConsoleAddress.told_by(environ)
    plugins = client_plugins(service, settings)
    client = await connect(connection, identity=make_identity(f"{service.name}-console"), plugins=plugins)
    await service.console(settings, client, told)


def described(service: Service[S], loaded: LoadedSettings[S]) -> dict[str, Any]:
    """Return what ``config show --json`` prints."""
    return {
        "service": service.name,
        "summary": service.summary,
        "module": _module(service.settings),
        "env": loaded.values.env,
        "queues": list(service.queues(loaded.values)),
        "demo_order": service.demo_order,
        "search_attributes": {
            name: attribute_type(kind) for name, kind in wanted_attributes(service.search_attributes).items()
        },
        "limits": service.limits(loaded.values).model_dump(mode="json"),
        "problems": [asdict(problem) for problem in problems_of(service, loaded.values)],
        "settings": with_derived(service, loaded.values, loaded.describe()),
    }


def refused(service: Service[S], layers: Sequence[Layer] | None, refusal: str) -> dict[str, Any]:
    """Return what ``config show --json`` prints of settings that do not hold.

    Args:
        service: Whose they are.
        layers: What was told, None where that cannot be read either; no setting is listed then.
        refusal: What is wrong, a line each.
    """
    return {
        "service": service.name,
        "summary": service.summary,
        "module": _module(service.settings),
        "sections": list(service.settings.model_fields),
        "settings": [] if layers is None else describe_refused(service.settings, layers),
        "refusal": refusal,
    }


def _module(settings: type) -> str:
    """Return the package to run with ``python -m``: the one that holds the settings."""
    import sys

    module = sys.modules[settings.__module__]
    return module.__package__ or settings.__module__
