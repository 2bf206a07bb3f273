"""``trenova-workers route``."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trenova_errors import ConfigurationError
from trenova_workers.client_plugin import RULES_VARIABLE

if TYPE_CHECKING:
    from temporalio.client import Client

    from trenova_workers.routing._loads import QueueLoads
    from trenova_workers.routing._requests import StartRequest
    from trenova_workers.routing._router import Router

Rules = Annotated[
    Path | None,
    typer.Option("--rules", envvar=RULES_VARIABLE, metavar="FILE", help="The routing rules, YAML or JSON."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def route_app() -> typer.Typer:
    """Return the commands about routing rules."""
    app = typer.Typer(help="Where starts go, and why.", invoke_without_command=True, no_args_is_help=True)

    @app.callback()
    def route(
        context: typer.Context,
        *,
        explain: Annotated[
            str | None, typer.Option("--explain", metavar="WORKFLOW", help="Say where this workflow type goes.")
        ] = None,
        organization: Annotated[str | None, typer.Option(metavar="ID", help="The organization's id.")] = None,
        urgency: Annotated[str | None, typer.Option(metavar="NAME", help="One of the rules' urgencies.")] = None,
        size: Annotated[int | None, typer.Option(min=0, metavar="BYTES", help="Size of the arguments.")] = None,
        queue: Annotated[str, typer.Option(metavar="QUEUE", help="The queue that the caller names.")] = "",
        offline: Annotated[bool, typer.Option("--offline", help="Do not ask the server how long work waits.")] = False,
        rules: Rules = None,
        json_: Json = False,
    ) -> None:
        """Where starts go, and why: --explain for one, 'apply' to give the server its weights."""
        if context.invoked_subcommand is not None:
            return
        if explain is None:
            raise typer.BadParameter("Say which workflow type: --explain WORKFLOW.")
        from trenova_workers.routing._requests import StartRequest

        request = StartRequest(explain, queue, organization, urgency, size)
        _end(lambda: _explain(_required(rules), request, offline=offline, as_json=json_))

    @app.command("apply")
    def apply(
        *,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
        rules: Rules = None,
        json_: Json = False,
    ) -> None:
        """Give the server the fairness weights of the rules, and take away those that it once gave and are gone."""
        _end(lambda: _apply(_required(rules), dry_run=dry_run, as_json=json_))

    return app


async def _explain(path: Path, request: "StartRequest", *, offline: bool, as_json: bool) -> None:
    from trenova_workers._cli_route_output import explained
    from trenova_workers.routing._router import Router

    router = Router.from_file(path)
    if request.urgency is not None and request.urgency not in router.rules.urgencies:
        known = ", ".join(router.rules.urgencies)
        raise ConfigurationError(f"--urgency {request.urgency!r} is none of the rules' urgencies. Known: {known}.")
    decision = router.decide(request)
    watched = decision.watched
    loads = None
    if watched and not offline:
        try:
            loads = await _loads(router, watched)
        except ConfigurationError as error:
            typer.echo(f"Explained without the load of queues. {error.message}", err=True)
    waits = {queue: loads.wait_s(queue) if loads else None for queue in watched}
    print(explained(decision.explain(loads), waits, as_json=as_json))  # noqa: T201 (stdout is for results)


async def _loads(router: "Router", watched: tuple[str, ...]) -> "QueueLoads":
    import time

    from trenova_workers.routing._loads import QueueLoads
    from trenova_workers.routing._statistics import ServerStatistics

    client = await _connect()
    statistics = ServerStatistics(client.service_client, client.namespace, time.monotonic)
    options = router.rules.load.model_copy(update={"first_reading_s": 5.0})
    loads = QueueLoads(statistics, options=options, trust_first=True)
    await loads.prepare(watched)
    return loads


async def _apply(path: Path, *, dry_run: bool, as_json: bool) -> None:
    from trenova_workers._cli_route_output import applied
    from trenova_workers.routing._apply import apply_weights
    from trenova_workers.routing._file import load_rules

    rules = load_rules(path)
    result = await apply_weights(await _connect(), rules, dry_run=dry_run)
    print(applied(result, dry_run=dry_run, as_json=as_json))  # noqa: T201 (stdout is for results)


async def _connect() -> "Client":
    from trenova_errors.connecting import connect_config
    from trenova_workers._connection import connect
    from trenova_workers._identity import make_identity

    return await connect(connect_config(os.environ), identity=make_identity("trenova-workers"))


def _required(rules: Path | None) -> Path:
    if rules is None:
        raise typer.BadParameter(f"There are no rules. Name the file: --rules FILE, or {RULES_VARIABLE}.")
    return rules


def _end(verb: Callable[[], Coroutine[Any, Any, None]]) -> None:
    try:
        asyncio.run(verb())
    except ConfigurationError as error:
        typer.echo(f"error: {error.message}", err=True)
        raise typer.Exit(2) from None
