"""``trenova-workers``."""

import typer


def workers_app() -> typer.Typer:
    """Return the command line of ``trenova-workers``."""
    from trenova_workers._cli_db import db_app
    from trenova_workers._cli_deploy import deploy_app
    from trenova_workers._cli_pool import pool_app
    from trenova_workers._cli_pool_manifests import add_manifests
    from trenova_workers._cli_route import route_app
    from trenova_workers._doctor.command import doctor
    from trenova_workers._fleet.command import list_
    from trenova_workers._up.command import up
    from trenova_workers.simulate.command import simulate

    app = typer.Typer(
        name="trenova-workers",
        help="Starts, watches and examines Temporal workers.",
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def callback() -> None:
        """Start, watch and examine Temporal workers."""

    app.command("up")(up)
    app.command("doctor")(doctor)
    app.command("list")(list_)
    app.command("simulate")(simulate)
    app.add_typer(route_app(), name="route")
    app.add_typer(deploy_app(), name="deploy")
    pools = pool_app()
    add_manifests(pools)
    app.add_typer(pools, name="pool")
    app.add_typer(db_app(), name="db")
    return app
