"""``trenova-workers``."""

import typer


def workers_app() -> typer.Typer:
    """Return the command line of ``trenova-workers``."""
    from trenova_workers._up.command import up

    app = typer.Typer(
        name="trenova-workers",
        help="Starts and watches Temporal workers.",
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def callback() -> None:
        """Start and watch Temporal workers."""  # without a callback a lone command loses its name

    app.command("up")(up)
    return app
