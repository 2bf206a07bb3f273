"""``trenova-workers db``: the tables of worker pools."""

from typing import Annotated, Any

import typer

from trenova_errors import ConfigurationError
from trenova_workers._cli_pool_asking import end


def db_app() -> typer.Typer:
    """Return the commands about our tables."""
    app = typer.Typer(help="The store of worker pools.", no_args_is_help=True)

    @app.callback()
    def db() -> None:
        """The store of worker pools: lease, workers, decisions, audit trail."""

    @app.command("migrate")
    def migrate(
        *,
        database_url: Annotated[
            str, typer.Option("--database-url", envvar="TRENOVA_POOLS_DATABASE_URL", help="Where it is.")
        ],
        json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    ) -> None:
        """Create or upgrade our tables; never touches those of anybody else."""

        async def work() -> None:
            import json

            from trenova_workers.pool.store import PoolStore, PoolStoreOptions

            options = _store_options(PoolStoreOptions, database_url)
            async with PoolStore.open(options) as store:
                done = await store.migrate()
            what = "Migrated" if done.changed else "Nothing to do"
            said = f"{what}: the store is at revision {done.revision} in {options.shown_url}."
            typer.echo(json.dumps({"changed": done.changed, "revision": done.revision}) if json_ else said)

        end(work)

    return app


def _store_options(kind: Any, url: str) -> Any:
    from pydantic import ValidationError

    try:
        return kind(url=url)
    except ValidationError as error:
        said = error.errors(include_input=False, include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise ConfigurationError(f"--database-url {said}.") from None
