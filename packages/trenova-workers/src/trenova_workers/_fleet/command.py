"""The command ``trenova-workers list``: a function for typer, which asks and prints."""

import asyncio
import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from temporalio.client import Client

    from trenova_workers._fleet._fleet import Fleet
    from trenova_workers._fleet._printing import Printer


def list_(
    *,
    namespace: Annotated[
        str | None, typer.Option("--namespace", metavar="NAME", help="Instead of TEMPORAL_NAMESPACE.")
    ] = None,
    queue: Annotated[
        list[str] | None,
        typer.Option("--queue", metavar="QUEUE", help="Only workers of this task queue; may be repeated."),
    ] = None,
    service: Annotated[
        str | None, typer.Option("--service", metavar="NAME", help="Only processes of this service.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again, until Ctrl-C.")] = False,
    every: Annotated[
        float, typer.Option("--every", metavar="SECONDS", min=0.2, max=3600, help="With --watch: between two looks.")
    ] = 2.0,
    heartbeat: Annotated[
        float,
        typer.Option("--heartbeat", metavar="SECONDS", min=1, max=60, help="Of a worker that has sent one only."),
    ] = 60.0,
    all_: Annotated[bool, typer.Option("--all", help="Stopped workers too.")] = False,
) -> None:
    """List worker processes: what they serve, what they do, and when they were last heard of.

    A worker that has missed three heartbeats is lost, whatever the server says of it. Ends with 0; 1 when the server
    fails while it is asked, 2 when it cannot be asked.
    """
    from temporalio.service import RPCError

    from trenova_errors import ConfigurationError
    from trenova_workers._fleet._fleet import Fleet
    from trenova_workers._fleet._printing import Printer

    try:
        asyncio.run(
            _list(
                namespace,
                partial(Fleet, queues=queue or [], service=service, heartbeat_s=heartbeat),
                Printer(as_json=json_, stopped=all_),
                every if watch else None,
            )
        )
    except ConfigurationError as error:
        typer.echo(f"trenova-workers list: {error.message}", err=True)
        raise typer.Exit(2) from None
    except RPCError as error:
        typer.echo(f"trenova-workers list: the Temporal server does not answer: {error.message}.", err=True)
        raise typer.Exit(1) from None
    except (KeyboardInterrupt, BrokenPipeError):
        raise typer.Exit(0) from None


async def _list(
    namespace: str | None, fleet: Callable[["Client"], "Fleet"], printer: "Printer", every_s: float | None
) -> None:
    from trenova_errors.connecting import connect_config
    from trenova_workers._connection import connect
    from trenova_workers._identity import make_identity

    config = connect_config(os.environ)
    if namespace:
        config["namespace"] = namespace

    async def connected() -> "Fleet":
        return fleet(await connect(config, identity=make_identity("trenova-workers-list")))

    if every_s is None:
        await printer.once(await connected())
    else:
        await printer.again(connected, every_s)
