"""``trenova-activities db allow-retention`` and ``revoke-retention``: the way through an append-only log."""

from typing import Annotated

import typer

from trenova_activities._cli_db import DEFAULT_DATA_DIR, DataDir, Schema, Url, existing_database, run

retention = typer.Typer()

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Show = Annotated[bool, typer.Option("--show", help="Only print the SQL; change nothing.")]


@retention.command("allow-retention")
def allow(  # noqa: PLR0917 - typer makes options of them
    url: Url = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    schema: Schema = None,
    role: Annotated[
        str | None,
        typer.Option(
            help="PostgreSQL role of the system worker; every other one loses the right to call the function.",
            show_default="the user of the URL, beside those who may already",
        ),
    ] = None,
    yes: Yes = False,
    show: Show = False,
) -> None:
    """Let the retention job, and nothing else, delete from an append-only audit log.

    Shows its SQL and asks first. The triggers of audit_entries get a condition; the job deletes through a
    function that reads periods and legal holds itself. 'db revoke-retention' undoes it.
    """
    _carry_out(url, data_dir, schema, role=role, revoke=False, yes=yes, show=show)


@retention.command("revoke-retention")
def revoke(
    url: Url = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    schema: Schema = None,
    yes: Yes = False,
    show: Show = False,
) -> None:
    """Put the audit log back as it was before 'db allow-retention'. Shows its SQL and asks first.

    In the embedded TMS it stays closed from then on: 'prepare' and 'db migrate' open it by themselves otherwise.
    """
    _carry_out(url, data_dir, schema, role=None, revoke=True, yes=yes, show=show)


def _carry_out(
    url: Url, data_dir: DataDir, schema: Schema, *, role: str | None, revoke: bool, yes: bool, show: bool
) -> None:
    options = existing_database(url, data_dir, schema)

    async def plan() -> list[str]:
        from trenova_activities.database import Database, retention_sql

        async with Database.open(options) as database:
            return await retention_sql(database, role=role, revoke=revoke)

    async def work() -> list[str]:
        from trenova_activities.database import Database, allow_retention, revoke_retention

        async with Database.open(options) as database:
            return await (revoke_retention(database) if revoke else allow_retention(database, role=role))

    statements = run(plan())
    if not statements:
        typer.echo(f"Nothing to do in {options.shown_url}.", err=show)
        return
    typer.echo("\n".join(f"{statement};" for statement in ("BEGIN", *statements, "COMMIT")))
    if show:
        return
    if not yes and not typer.confirm(f"Run this in {options.shown_url}, in one transaction?", err=True):
        typer.echo("Nothing was changed.", err=True)
        raise typer.Exit(1)
    done = run(work())
    what = "The audit log is as it was" if revoke else "Retention may delete from the audit log"
    typer.echo(f"{what}: {len(done)} statements in {options.shown_url}.", err=True)
