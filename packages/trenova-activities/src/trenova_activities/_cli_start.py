"""``trenova-activities start ...``: start a job and follow it until it ends."""

import asyncio
import re
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from trenova_errors import ApplicationError, ErrorKind

start = typer.Typer(help="Start a job and follow it until it ends.", no_args_is_help=True)

_DATA_DIR = Path(".trenova")
_PLAN_HASH = re.compile(r"[0-9a-f]{64}")
_UNKNOWN_ENCODING = "Unknown payload encoding"
Result = TypeVar("Result")


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
    run(command.run(follow=follow))


@start.command("cancel")
def cancel(
    *,
    organization: Annotated[
        list[str] | None,
        typer.Option(help="Only this organization; may be repeated.", show_default="every one that wants it"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, and cancel nothing.")] = False,
    batch_size: Annotated[
        int | None, typer.Option(help="Shipments per transaction, 1 to 10000.", show_default="500")
    ] = None,
    plan: Annotated[
        str | None, typer.Option(help="Whole hash of an approved plan; the run does at most what it says.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="The same key names the same run.")] = None,
    follow: Annotated[bool, typer.Option(help="Show the progress and wait for the end.")] = True,
) -> None:
    """Cancel New shipments that are older than their organization's own threshold, as every night.

    The Temporal server comes from the profile files and variables of temporalio.envconfig
    (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_PROFILE...), localhost:7233 by default.

    Exit status: 0 done; 1 failed or refused; 2 the configuration does not hold, such as routing rules or keys; 3 ended,
    but an organization failed, or each one was skipped.
    """
    from trenova_activities._cli_nightly import run_cancel

    asked = {
        "organization_ids": organization or [],
        "dry_run": dry_run,
        "batch_size": batch_size,
        "plan_hash": whole(plan),
    }
    raise typer.Exit(run(run_cancel(asked, key=key, follow=follow)))


def status(workflow_id: Annotated[str, typer.Argument(help="As printed by 'start'.")]) -> None:
    """Say how a job stands: what it is doing, or what came of it. Exit status 1 if it failed."""
    from trenova_activities._cli_status import show_status

    if not run(show_status(workflow_id)):
        raise typer.Exit(1)


def whole(plan: str | None) -> str | None:
    """Return the hash of a plan as it is.

    Raises:
        BadParameter: It is shortened or no hash: a run is bound to the one plan, so it takes no beginning of a hash.
    """
    if plan is None or _PLAN_HASH.fullmatch(plan):
        return plan
    raise typer.BadParameter(
        f"{plan!r} is not the whole hash of a plan (64 digits, a to f in lower case); 'trenova-activities plan show "
        "<its beginning>' prints it.",
        param_hint="'--plan'",
    )


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run what a command does; a failure is one sentence on stderr and exit status 1, or 2 for the configuration."""
    from temporalio.client import WorkflowFailureError
    from temporalio.service import RPCError

    from trenova_activities._cli_follow import failure_of

    try:
        return asyncio.run(work)
    except ApplicationError as error:
        # The kind and not the class: what a plugin lacks, such as its keys, is an error of the plugin's own.
        _fail(error.message, status=2 if error.type == ErrorKind.CONFIGURATION else 1)
    except (WorkflowFailureError, RPCError) as error:
        _fail(failure_of(error)[1])
    except KeyError as error:  # how the SDK says that no converter, and so no codec, knows a payload
        said = str(error.args[0]) if error.args else ""
        if not said.startswith(_UNKNOWN_ENCODING):
            raise
        _fail(
            f"KeyError: {said}: the run is encrypted; give this command the keys "
            "(TRENOVA_CODECS_RING or TRENOVA_DATA_DIR)."
        )


def _fail(message: str, *, status: int = 1) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(status)
