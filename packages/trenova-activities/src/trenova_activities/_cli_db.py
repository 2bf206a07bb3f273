"""``trenova-activities db``: migrate, seed and check the TMS's database."""

import asyncio
import json
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from trenova_activities.database import DatabaseOptions

Result = TypeVar("Result")

db = typer.Typer(help="The TMS's database: create, fill and check it.", no_args_is_help=True)

Url = Annotated[
    str | None,
    typer.Option(
        envvar="TRENOVA_DATABASE__URL",
        show_default="an SQLite file in the data folder",
        help="Database URL, e.g. postgresql://user:password@host/name.",
    ),
]
DataDir = Annotated[
    Path, typer.Option(envvar="TRENOVA_DATA_DIR", help="Folder of the SQLite file, where no URL is given.")
]
Schema = Annotated[str | None, typer.Option(help="Schema of the TMS's tables on PostgreSQL.")]

DEFAULT_DATA_DIR = Path(".trenova")


@db.command()
def migrate(
    url: Url = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    schema: Schema = None,
    embedded: Annotated[
        bool | None,
        typer.Option(
            "--embedded/--jobs-only",
            show_default="embedded in an empty database or one of ours, else jobs only",
            help="Whether the sample TMS belongs into the database, or only the tables of the jobs.",
        ),
    ] = None,
) -> None:
    """Create or upgrade our tables; never alters those of a TMS that is not ours.

    In the embedded TMS, the append-only audit log also lets the retention job through, as 'db allow-retention' does,
    unless an operator has closed it with 'db revoke-retention'.
    """
    options = database_options(url, data_dir, schema)

    async def work() -> str:
        from trenova_activities.database import Database, allow_by_default
        from trenova_activities.database import migrate as migrate_database

        async with Database.open(options) as database:
            done = await migrate_database(database, embedded=embedded)
            said = await allow_by_default(database)
        revisions = ", ".join(f"{tree} {revision}" for tree, revision in done.revisions.items())
        kind = "the embedded TMS and the jobs' tables" if done.embedded else "the jobs' tables only"
        what = f"{'Migrated' if done.changed else 'Nothing to do'}: {kind} ({revisions}) in {options.shown_url}."
        return f"{what}\n{said}".rstrip()

    typer.echo(run(work()))


@db.command()
def seed(  # noqa: PLR0917 - typer makes options of them
    url: Url = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    schema: Schema = None,
    number: Annotated[int, typer.Option("--seed", help="Which sample; the same number, the same rows.")] = 1,
    organizations: Annotated[int, typer.Option(help="How many organizations.")] = 5,
    shipments: Annotated[int, typer.Option(help="How many shipments over all organizations.")] = 2000,
    anchor: Annotated[
        int | None,
        typer.Option(show_default="the database's clock", help="The sample's present, in unix seconds."),
    ] = None,
    history: Annotated[
        bool,
        typer.Option("--history", help="Add a past as well: 20,000 audit entries and 50 New shipments, old and not."),
    ] = False,
) -> None:
    """Fill the embedded TMS with a believable sample; once only for the same arguments."""
    options = database_options(url, data_dir, schema)

    async def work() -> str:
        from trenova_activities._cli_lookup import what_is_there
        from trenova_activities.database import Database, seed_history
        from trenova_activities.database import seed as seed_database

        async with Database.open(options) as database:
            done = await seed_database(
                database, seed=number, organizations=organizations, shipments=shipments, anchor=anchor
            )
            past = await seed_history(database, seed=number) if history else None
            left = await what_is_there(database, number)
        in_all = done.shipments + (0 if past is None else past.shipments)
        what = f"sample {done.seed}: {done.organizations} organizations, {in_all:,} shipments"
        rows = sum(done.rows.values())
        if past is not None:
            what += f" and {past.entries:,} audit entries"
            rows += sum(past.rows.values())
        if not rows:
            return f"Nothing to do: sample {done.seed} was made before. {left}, in {options.shown_url}."
        return f"Seeded {what}, {rows:,} rows in {options.shown_url}."

    typer.echo(run(work()))


@db.command()
def check(
    url: Url = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    schema: Schema = None,
    job: Annotated[list[str] | None, typer.Option(help="Check this job; may be repeated.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: what each job lacks.")] = False,
) -> None:
    """List what each job lacks; exit status 1 if anything does. Changes nothing."""
    options = database_options(url, data_dir, schema)
    refuse_absent_file(options)

    async def work() -> tuple[dict[str, list[str]], list[str]]:
        from trenova_activities._names import DELETE_AUDIT_ENTRIES_JOB
        from trenova_activities.database import JOBS, Database, retention_notes
        from trenova_activities.database import check as check_database

        async with Database.open(options) as database:
            found = await check_database(database, job or JOBS)
            return found, await retention_notes(database) if DELETE_AUDIT_ENTRIES_JOB in found else []

    lacks, notes = run(work())
    if as_json:
        typer.echo(json.dumps({"ready": not any(lacks.values()), "jobs": lacks, "notes": notes}))
    else:
        _print_table(lacks, options.shown_url)
        for note in notes:
            typer.echo(f"Note: {note}.")
    if any(lacks.values()):
        raise typer.Exit(1)


@db.command()
def shipments(
    url: Url = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    schema: Schema = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: every id that a request needs.")] = False,
) -> None:
    """List the newest shipments, to have something to try a job on."""
    options = database_options(url, data_dir, schema)
    refuse_absent_file(options)

    async def work() -> list[dict[str, str]]:
        from trenova_activities._cli_lookup import first_shipments

        return await first_shipments(options, limit)

    found = run(work())
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    elif not found:
        typer.echo("There are no shipments; 'trenova-activities db seed' fills the sample TMS.", err=True)
    for row in () if as_json else found:
        typer.echo(f"{row['proNumber']}  {row['status']:20}  {row['shipmentId']}  {row['organizationId']}")


def _print_table(lacks: dict[str, list[str]], where: str) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("job", "state", "lacks", title=escape(where), title_justify="left")
    for job, sentences in lacks.items():
        state = "[red]lacking" if sentences else "[green]ready"
        table.add_row(job, state, escape("\n".join(sentences)))
    Console().print(table)


def database_options(url: str | None, data_dir: Path, schema: str | None) -> "DatabaseOptions":
    """Build the options of a command line; a usage error names what is wrong with the URL, not the URL."""
    from pydantic import ValidationError

    try:
        from trenova_activities.database import DatabaseOptions

        return DatabaseOptions(url=url or "sqlite:///{data_dir}/tms.db", schema_name=schema).within(data_dir.resolve())
    except ValidationError as error:
        reasons = "; ".join(
            str(part["msg"]).removeprefix("Value error, ")
            for part in error.errors(include_input=False, include_url=False)
        )
        raise typer.BadParameter(reasons, param_hint="--url") from None
    except ModuleNotFoundError as error:
        raise _not_installed(error) from None


def refuse_absent_file(options: "DatabaseOptions") -> None:
    """End the command where it would only create an empty file."""
    from sqlalchemy.engine import make_url

    path = make_url(options.url).database
    if options.is_sqlite and path and not Path(path).exists():
        typer.echo(f"There is no database {path}. Run 'trenova-activities db migrate' to create it.", err=True)
        raise typer.Exit(1)


def existing_database(url: str | None, data_dir: Path, schema: str | None) -> "DatabaseOptions":
    """Build the options of a command that reads or changes what is there already, and end it where nothing is."""
    options = database_options(url, data_dir, schema)
    refuse_absent_file(options)
    return options


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a command's work; a failure is one line and exit status 1."""
    from trenova_errors import ApplicationError

    try:
        return asyncio.run(work)
    except ApplicationError as error:
        typer.echo(error.message, err=True)
        raise typer.Exit(1) from None
    except ModuleNotFoundError as error:  # the driver
        raise _not_installed(error) from None


def _not_installed(error: ModuleNotFoundError) -> typer.Exit:
    extras = "'trenova-activities[database,sqlite]' or 'trenova-activities[database,postgresql]'"
    typer.echo(f"The module {error.name!r} is not installed. Install {extras}.", err=True)
    return typer.Exit(1)
