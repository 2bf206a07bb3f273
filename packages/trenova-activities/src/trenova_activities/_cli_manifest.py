"""``trenova-activities manifest``: what a nightly run has changed, line by line, and whether it can be trusted."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trenova_activities._cli_db import DEFAULT_DATA_DIR, DataDir, Schema, Url, existing_database, run

if TYPE_CHECKING:
    from trenova_activities.database import Manifest, TenantManifest

manifest = typer.Typer(
    help="What a nightly run has changed, batch by batch, and whether that adds up.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="Workflow id, as printed by 'start', or the run id of its result.")]
_UNSEALED = {
    True: "; there is no seal, for the run did not reach its end: it is under way, was canceled or failed",
    False: "; there is no seal, for the run is of before seals",
}

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@manifest.command()
def verify(  # noqa: PLR0917 - typer makes options of them
    name: Name,
    seal: Annotated[
        str | None,
        typer.Option(help="What the seal must be: data.manifest of the workflow's result, kept elsewhere."),
    ] = None,
    url: Url = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    schema: Schema = None,
    as_json: AsJson = False,
) -> None:
    """Compute a run's sums, chain and seal again. Exit status 1 at the first line that does not fit, which is named."""
    options = existing_database(url, data_dir, schema)

    async def work() -> "Manifest":
        from trenova_activities.database import Database, verify_manifest

        async with Database.open(options) as database:
            return await verify_manifest(database, name, seal=seal)

    found = run(work())
    if as_json:
        typer.echo(json.dumps(_document(found), indent=2))
    else:
        _print(found)
    if not found.fits:
        raise typer.Exit(1)


@manifest.command()
def show(  # noqa: PLR0917 - typer makes options of them
    name: Name,
    organization: Annotated[str | None, typer.Option(help="Only of this organization.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many lines.")] = 1_000,
    url: Url = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    schema: Schema = None,
    as_json: AsJson = False,
) -> None:
    """Print the lines of a run: number, rows, range of time, digest of the ids, chain value."""
    options = existing_database(url, data_dir, schema)

    async def work() -> list[dict[str, Any]]:
        from trenova_activities.database import Database, manifest_lines

        async with Database.open(options) as database:
            found = await manifest_lines(database, name, organization_id=organization, limit=limit)
        return [dict(row._mapping) for row in found]  # noqa: SLF001 - SQLAlchemy's public name

    rows = run(work())
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    if not rows:
        typer.echo("No batch of this run has changed anything.", err=True)
    for row in rows:
        chain = row["chain"] or "no chain value"
        typer.echo(
            f"{row['organization_id']} {row['business_unit_id']}  {row['number']:>6}  {row['rows']:>6} rows  "
            f"{row['first_at']}..{row['last_at']}  ids {row['digest']}  chain {chain}"
        )


def _print(found: "Manifest") -> None:
    typer.echo(f"{found.job_type}, run {found.run_id}, {found.state}, workflow {found.workflow_id}")
    if found.plan_hash:
        typer.echo(f"by the plan {found.plan_hash}")
    if found.dry_run:
        typer.echo("It was a dry run: nothing was changed, so there is nothing to add up.")
    for one in found.tenants:
        typer.echo(_line(one))
    if found.problem:
        typer.echo(f"WRONG  {found.problem}")
    if wrong := sum(bool(one.problem) for one in found.tenants):
        typer.echo(f"{wrong:,} of {len(found.tenants):,} organizations do not fit.")
    elif not found.problem:
        seal = f"; the seal is {found.seal}" if found.seal else _UNSEALED[found.state == "running"]
        typer.echo(f"All fits: {found.rows:,} rows of {len(found.tenants):,} organizations{seal}.")


def _line(one: "TenantManifest") -> str:
    whose = f"{one.organization_id} {one.business_unit_id}: {one.state}, {one.rows:,} rows in {one.batches:,} batches"
    if one.problem:
        return f"WRONG  {whose}; {one.problem}"
    if one.unchained:
        return f"ok     {whose}; {one.unchained:,} of them from before chains, only added up"
    return f"ok     {whose}{f'; chain {one.chain}' if one.chain else ''}"


def _document(found: "Manifest") -> dict[str, Any]:
    return {
        "jobType": found.job_type,
        "runId": found.run_id,
        "workflowId": found.workflow_id,
        "state": found.state,
        "dryRun": found.dry_run,
        "planHash": found.plan_hash,
        "seal": found.seal,
        "rows": found.rows,
        "fits": found.fits,
        "problem": found.problem,
        "tenants": [
            {
                "organizationId": one.organization_id,
                "businessUnitId": one.business_unit_id,
                "state": one.state,
                "counted": one.counted,
                "rows": one.rows,
                "batches": one.batches,
                "unchained": one.unchained,
                "chain": one.chain,
                "problem": one.problem,
            }
            for one in found.tenants
        ],
    }
