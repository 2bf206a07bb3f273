"""``trenova-workers pool keda`` and ``pool hpa``: autoscalers of Kubernetes from the policies of pools."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from trenova_errors import ConfigurationError

File = Annotated[
    Path,
    typer.Option("--pools", envvar="TRENOVA_POOLS", dir_okay=False, help="The pools, as YAML: docs/kubernetes.md."),
]
_OBJECT_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_NEEDS = 'The pools of a cluster need their extra: uv pip install "trenova-workers[kubernetes,pool]"'


def _object_name(name: str | None) -> str | None:
    if name is not None and not _OBJECT_NAME.fullmatch(name):
        raise typer.BadParameter(
            f"{name!r} is no name of a Kubernetes object: small letters, digits, '-' and '.', such as temporal-auth."
        )
    return name


def add_manifests(app: typer.Typer) -> None:
    """Add the commands that print manifests."""

    @app.command("keda")
    def keda(
        *,
        pools: File,
        authentication: Annotated[
            str | None,
            typer.Option(
                "--authentication", metavar="NAME", help="A TriggerAuthentication to refer to.", callback=_object_name
            ),
        ] = None,
    ) -> None:
        """Print a KEDA ScaledObject for each pool that is a Deployment, from its policy."""
        _print("keda", pools, lambda made, pool: made.scaled_object(pool, authentication=authentication))

    @app.command("hpa")
    def hpa(*, pools: File) -> None:
        """Print a plain HorizontalPodAutoscaler for each pool that is a Deployment, from its policy."""
        _print("hpa", pools, lambda made, pool: made.autoscaler(pool))


def _print(command: str, file: Path, make: Callable[[Any, Any], dict[str, Any]]) -> None:
    import yaml

    try:
        from trenova_workers.pool import load_pools
        from trenova_workers.pool.kubernetes import _manifests
    except ModuleNotFoundError as error:
        typer.echo(f"error: {_NEEDS} ({error.name} is missing).", err=True)
        raise typer.Exit(2) from None
    try:
        told = load_pools(file).pools
    except ConfigurationError as error:
        typer.echo(f"error: {error.message}", err=True)
        raise typer.Exit(2) from None
    pools = {name: pool for name, pool in told.items() if pool.kubernetes is not None}
    if not pools:
        said = "is in a cluster. Give one the key 'kubernetes' with its 'deployment'"
        typer.echo(f"error: No pool of {str(file)!r} {said}.", err=True)
        raise typer.Exit(2)
    for name, pool in pools.items():
        if command == "keda" and pool.policy.first_capacity is None:
            said = (
                "5 waiting tasks for each worker are taken (KEDA's default); say policy.first_capacity for a better one"
            )
            typer.echo(f"warning: pool {name!r}: nothing tells what one worker can do, so {said}.", err=True)
    head = f"# Made by `trenova-workers pool {command}` from {file.name}; change that file, and make this one again.\n"
    body = yaml.safe_dump_all(
        [make(_manifests, pool) for pool in pools.values()], sort_keys=False, explicit_start=True, width=120
    )
    typer.echo(head + body, nl=False)
