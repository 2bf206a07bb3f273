"""``trenova-errors table``."""

import typer


def table() -> None:
    """Print the whole decision table as Markdown: kinds, what to do, every code and every class."""
    from trenova_errors._document import document

    typer.echo(document(), nl=False)
