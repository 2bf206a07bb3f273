"""``trenova-workers``."""

import typer


def workers_app() -> typer.Typer:
    """Return the command line of ``trenova-workers``."""
    from trenova_workers._cli_route import route_app
    from trenova_workers._up.command import up

    app = typer.Typer(
        name="trenova-workers",
        help="Starts, watches and examines Temporal workers.",
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )

    app.command("up")(up)
    app.add_typer(route_app(), name="route")
    return app
