"""``trenova-activities start ...``: start a job and follow it until it ends."""

import asyncio
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from trenova_errors import ApplicationError

start = typer.Typer(help="Start a job and follow it until it ends.", no_args_is_help=True)

_DATA_DIR = Path(".trenova")


@start.callback()
def _start() -> None:
    """Start a job and follow it until it ends."""


@start.command("duplicate")
def duplicate(
    *,
    shipment: Annotated[str, typer.Option(help="Id or pro number of the source.")],
    count: Annotated[int, typer.Option(help="Copies to make, 1 to 100.")] = 1,
    organization: Annotated[str | None, typer.Option(show_default="looked up in the database")] = None,
    business_unit: Annotated[str | None, typer.Option(show_default="looked up in the database")] = None,
    user: Annotated[str | None, typer.Option(help="Who asks.", show_default="who entered the source")] = None,
    key: Annotated[str | None, typer.Option(help="Idempotency key: the same key gives the same copies.")] = None,
    override_dates: Annotated[bool, typer.Option(help="Let the plan of the copies begin now.")] = False,
    commodities: Annotated[bool, typer.Option(help="Copy the commodities too.")] = False,
    charges: Annotated[bool, typer.Option(help="Copy the additional charges too.")] = False,
    url: Annotated[
        str | None,
        typer.Option(envvar="TRENOVA_DATABASE__URL", show_default="an SQLite file in the data folder"),
    ] = None,
    data_dir: Annotated[Path, typer.Option(envvar="TRENOVA_DATA_DIR")] = _DATA_DIR,
    follow: Annotated[bool, typer.Option(help="Show the progress and wait for the end.")] = True,
) -> None:
    """Duplicate a shipment through a workflow.

    The Temporal server comes from the profile files and variables of temporalio.envconfig
    (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_PROFILE...), localhost:7233 by default. What is not
    given of organization, business unit and user is read from the database.
    """
    from temporalio.client import WorkflowFailureError
    from temporalio.service import RPCError

    from trenova_activities._cli_run import DuplicateCommand

    options = {
        "idempotency_key": key,
        "count": count,
        "override_dates": override_dates,
        "include_commodities": commodities,
        "include_additional_charges": charges,
    }
    tenant = {"organization_id": organization, "business_unit_id": business_unit, "user_id": user}
    command = DuplicateCommand(shipment, tenant, options, url, data_dir)
    try:
        asyncio.run(command.run(follow=follow))
    except ApplicationError as error:
        _fail(error.message)
    except (WorkflowFailureError, RPCError) as error:
        _fail(_reason(error))


def _reason(error: BaseException) -> str:
    """Return the innermost message of a failure."""
    while error.__cause__ is not None:
        error = error.__cause__
    message: Any = getattr(error, "message", None)
    return str(message or error)


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)
