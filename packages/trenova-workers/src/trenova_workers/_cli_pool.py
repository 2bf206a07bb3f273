"""``trenova-workers pool``: runs a pool manager, and asks and orders for one."""

from typing import TYPE_CHECKING, Annotated

import typer

from trenova_workers._cli_pool_asking import Beside, DataDir, File, Json, Pool, Url, ask_desk, end, pools_options
from trenova_workers._cli_pool_orders import add_orders

if TYPE_CHECKING:
    from trenova_workers.pool._desk import PoolDesk


def pool_app() -> typer.Typer:
    """Return the commands about pools."""
    app = typer.Typer(help="Pools of workers: how many run, why, and who says so.", no_args_is_help=True)

    @app.command("run")
    def run(
        *,
        pools: File,
        data_dir: DataDir = None,
        database_url: Url = None,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="Decide and say so, once for each pool; change nothing.")
        ] = False,
        drain: Annotated[
            bool, typer.Option("--drain", help="Drain all workers when it stops; without it they go on.")
        ] = False,
        serve: Annotated[
            bool, typer.Option("--serve/--no-serve", help="Answer over HTTP too (needs the extra server).")
        ] = False,
        port: Annotated[
            int | None, typer.Option("--port", min=0, max=65535, help="With --serve; 0: a free one.")
        ] = None,
        health_port: Annotated[
            int | None,
            typer.Option(
                "--health-port",
                envvar="TRENOVA_POOLS_HEALTH_PORT",
                min=0,
                max=65535,
                help="Answer /livez and /readyz there; 0: a free one. Without it nobody is answered.",
            ),
        ] = None,
        health_host: Annotated[
            str, typer.Option("--health-host", envvar="TRENOVA_POOLS_HEALTH_HOST", help="Address for that.")
        ] = "127.0.0.1",
    ) -> None:
        """Manage pools until asked to stop. Of several managers of a scope one acts, the others wait."""
        from trenova_workers._cli_pool_run import dry, manage

        options = pools_options(pools, data_dir, database_url, {"server.port": port})
        health = None if health_port is None else (health_host, health_port)
        end(lambda: dry(options) if dry_run else manage(options, drain=drain, serve=serve, health=health))

    @app.command("status")
    def status(
        *, pools: Beside = None, data_dir: DataDir = None, database_url: Url = None, json_: Json = False
    ) -> None:
        """Show the pools, their workers, and who manages them."""
        from trenova_workers._cli_pool_output import shown_status

        async def ask(desk: "PoolDesk") -> str:
            return shown_status(await desk.pools(), await desk.workers(), as_json=json_)

        ask_desk(pools_options(pools, data_dir, database_url), ask)

    @app.command("decisions")
    def decisions(
        pool: Pool,
        *,
        pools: Beside = None,
        limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 20,
        changes: Annotated[bool, typer.Option("--changes", help="Only those that changed the number.")] = False,
        data_dir: DataDir = None,
        database_url: Url = None,
        json_: Json = False,
    ) -> None:
        """Show what was decided about a pool, newest first, and why."""
        from trenova_workers._cli_pool_output import shown_decisions

        async def ask(desk: "PoolDesk") -> str:
            return shown_decisions(await desk.decisions(pool, limit=limit, changes=changes), as_json=json_)

        ask_desk(pools_options(pools, data_dir, database_url), ask)

    add_orders(app)
    return app
