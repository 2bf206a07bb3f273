"""``trenova-workers deploy``."""

import asyncio
import getpass
import os
import socket
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from temporalio.client import Client

    from trenova_workers.deploy import Changed, Operator, RolloutOptions

Name = Annotated[
    str | None,
    typer.Option("--deployment", metavar="NAME", help="Which; may be left out where the namespace has one."),
]
Namespace = Annotated[str | None, typer.Option("--namespace", metavar="NAME", help="Instead of TEMPORAL_NAMESPACE.")]
Version = Annotated[str, typer.Argument(metavar="VERSION", help="The build id, e.g. 1.4.0.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept with the version, in clear.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything and change nothing.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]

_HELD = 3
_ROLLED_BACK = 4


def deploy_app() -> typer.Typer:
    """Return the commands about worker deployments."""
    app = typer.Typer(help="Which version of the workers gets how much of the work.", no_args_is_help=True)

    @app.command("status")
    def status(*, deployment: Name = None, namespace: Namespace = None, json_: Json = False) -> None:
        """Show the versions: which is current, ramping or draining, its workers, backlog, open runs and last change."""
        _end(lambda: _status(namespace, deployment, as_json=json_))

    @app.command("ramp")
    def ramp(
        version: Version,
        *,
        percent: Annotated[float, typer.Option("--percent", min=0, max=100, help="Of new work; above 0.")],
        reason: Reason = "",
        deployment: Name = None,
        namespace: Namespace = None,
        dry_run: DryRun = False,
        json_: Json = False,
    ) -> None:
        """Send a share of new work to a version."""

        async def change(operator: "Operator") -> "Changed":
            return await operator.ramp(version, percent, reason=reason, dry_run=dry_run)

        _end(lambda: _change(namespace, deployment, change, as_json=json_))

    @app.command("promote")
    def promote(
        version: Version,
        *,
        reason: Reason = "",
        deployment: Name = None,
        namespace: Namespace = None,
        dry_run: DryRun = False,
        json_: Json = False,
    ) -> None:
        """Make a version current: all new work goes to it."""

        async def change(operator: "Operator") -> "Changed":
            return await operator.promote(version, reason=reason, dry_run=dry_run)

        _end(lambda: _change(namespace, deployment, change, as_json=json_))

    @app.command("rollback")
    def rollback(
        *,
        reason: Reason = "",
        deployment: Name = None,
        namespace: Namespace = None,
        dry_run: DryRun = False,
        json_: Json = False,
    ) -> None:
        """Take back the version that ramps; where none does, the current one for the one before."""

        async def change(operator: "Operator") -> "Changed":
            return await operator.rollback(reason=reason, dry_run=dry_run)

        _end(lambda: _change(namespace, deployment, change, as_json=json_))

    _add_rollout(app)
    return app


def _add_rollout(app: typer.Typer) -> None:
    @app.command("rollout")
    def rollout(
        version: Version,
        *,
        steps: Annotated[
            str, typer.Option("--steps", metavar="PERCENTS", help="Ascending; 100 promotes.")
        ] = "10,50,100",
        bake: Annotated[str, typer.Option("--bake", metavar="TIME", help="Of each step: 90s, 10m, 2h.")] = "60s",
        longest: Annotated[
            str, typer.Option("--longest-bake", metavar="TIME", help="Then a step with too few ends is held.")
        ] = "1h",
        every: Annotated[str, typer.Option("--every", metavar="TIME", help="Between two looks.")] = "5s",
        error_rise: Annotated[
            float, typer.Option("--error-rise", min=0, max=1, help="Of the share of bad ends that stops it.")
        ] = 0.05,
        samples: Annotated[int, typer.Option("--samples", min=1, help="Ends that are needed to judge.")] = 20,
        reason: Reason = "",
        deployment: Name = None,
        namespace: Namespace = None,
        dry_run: DryRun = False,
        json_: Json = False,
    ) -> None:
        """Ramp a version step by step; take it back by itself when it does worse than the current one.

        Ends with 0 when it is promoted or all steps are done, 3 when a step was held, 4 when it was rolled back, 1 when
        it was refused or somebody else changed the routing, 2 for a wrong argument or no connection.
        """
        from trenova_workers._cli_deploy_values import rollout_options

        def verb() -> Coroutine[Any, Any, int]:
            options = rollout_options(steps, bake, longest, every, error_rise=error_rise, samples=samples)
            return _rollout(namespace, deployment, version, options, reason=reason, dry_run=dry_run, as_json=json_)

        _end(verb)


async def _status(namespace: str | None, deployment: str | None, *, as_json: bool) -> int:
    from trenova_workers._cli_deploy_output import print_status

    print_status(await (await _operator(namespace, deployment))[1].reader.read(), as_json=as_json)
    return 0


async def _change(
    namespace: str | None,
    deployment: str | None,
    change: Callable[["Operator"], Awaitable["Changed"]],
    *,
    as_json: bool,
) -> int:
    from trenova_workers._cli_deploy_output import print_changed

    print_changed(await change((await _operator(namespace, deployment))[1]), as_json=as_json)
    return 0


async def _rollout(
    namespace: str | None,
    deployment: str | None,
    version: str,
    options: "RolloutOptions",
    *,
    reason: str,
    dry_run: bool,
    as_json: bool,
) -> int:
    from trenova_workers._cli_deploy_output import print_event
    from trenova_workers.deploy import Rollout

    client, operator = await _operator(namespace, deployment)
    report = print_event(as_json=as_json)
    ended = await Rollout(client, operator, version, options, report).run(reason=reason, dry_run=dry_run)
    return {"held": _HELD, "rolled back": _ROLLED_BACK}.get(ended.outcome or "", 0)


async def _operator(namespace: str | None, deployment: str | None) -> "tuple[Client, Operator]":
    from trenova_errors.connecting import connect_config
    from trenova_workers._connection import connect
    from trenova_workers._identity import make_identity
    from trenova_workers.deploy import Operator
    from trenova_workers.deploy._reading import only_deployment

    config = connect_config(os.environ)
    if namespace:
        config["namespace"] = namespace
    client = await connect(config, identity=make_identity("trenova-workers-deploy"))
    return client, Operator(client, deployment or await only_deployment(client), by=_who())


def _who() -> str:
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container whose user has no name
        user = f"uid-{os.getuid()}"
    return f"{user}@{socket.gethostname()}"


def _end(verb: Callable[[], Coroutine[Any, Any, int]]) -> None:
    from temporalio.service import RPCError

    from trenova_errors import ApplicationError, ConfigurationError

    try:
        code = asyncio.run(verb())
    except ConfigurationError as error:
        typer.echo(f"error: {error.message}", err=True)
        code = 2
    except ApplicationError as error:
        typer.echo(f"error: {error.message}", err=True)
        code = 1
    except RPCError as error:
        typer.echo(f"error: the Temporal server does not answer: {error.message}.", err=True)
        code = 1
    except KeyboardInterrupt:
        typer.echo("Ended. The routing is as it is; 'deploy status' shows it.", err=True)
        code = 130
    raise typer.Exit(code)
