"""``trenova-activities start transfer``."""

from pathlib import Path
from typing import Annotated

import typer

from trenova_activities._cli_start import run

moves = typer.Typer()

_DATA_DIR = Path(".trenova")


@moves.command("transfer")
def transfer(
    *,
    shipment: Annotated[list[str], typer.Option(help="Id or pro number; may be repeated, up to 100 times.")],
    customer: Annotated[str, typer.Option(help="Id or code of the customer that gets them.")],
    organization: Annotated[str | None, typer.Option(show_default="looked up in the database")] = None,
    business_unit: Annotated[str | None, typer.Option(show_default="looked up in the database")] = None,
    user: Annotated[str | None, typer.Option(help="Who asks.", show_default="who entered the first shipment")] = None,
    key: Annotated[str | None, typer.Option(help="Idempotency key: the same key gives the same transfer.")] = None,
    reason: Annotated[
        str | None, typer.Option(help="Why the sources are canceled.", show_default="Transferred to another customer")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(envvar="TRENOVA_DATABASE__URL", show_default="an SQLite file in the data folder"),
    ] = None,
    data_dir: Annotated[Path, typer.Option(envvar="TRENOVA_DATA_DIR")] = _DATA_DIR,
    follow: Annotated[bool, typer.Option(help="Show the progress and wait for the end.")] = True,
) -> None:
    """Move shipments to another customer: copies for it, and the sources are canceled; all of them or none.

    The Temporal server comes from the profile files and variables of temporalio.envconfig
    (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_PROFILE...), localhost:7233 by default. What is not
    given of organization, business unit and user is read from the database, and so are pro numbers and codes.
    """
    from trenova_activities._cli_transfer import TransferCommand

    options = {"idempotency_key": key, **({} if reason is None else {"reason": reason})}
    tenant = {"organization_id": organization, "business_unit_id": business_unit, "user_id": user}
    run(TransferCommand(shipment, customer, tenant, options, url, data_dir).run(follow=follow))
