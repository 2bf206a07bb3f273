"""``trenova-schedules db``: the tables of schedules."""

import typer

from trenova_schedules._cli_output import AsJson, print_json
from trenova_schedules._cli_store import DEFAULT_DATA_DIR, DataDir, Url, run_store, store_options

db = typer.Typer(help="The store of schedules: audit trail, ledger, registry.", no_args_is_help=True)


@db.callback()
def _db() -> None:
    """The store of schedules: audit trail, ledger, registry."""


@db.command()
def migrate(url: Url = None, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Create or upgrade our tables; never touches those of anybody else."""
    from trenova_schedules.store import migrate as migrate_store

    options = store_options(url, data_dir)
    done = run_store(options, migrate_store)
    if as_json:
        print_json({"changed": done.changed, "revision": done.revision})
    else:
        what = "Migrated" if done.changed else "Nothing to do"
        typer.echo(f"{what}: the store is at revision {done.revision} in {options.shown_url}.")
