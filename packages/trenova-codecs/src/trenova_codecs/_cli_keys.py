"""``trenova-codecs keys ...``: make keys, distribute, rotate and retire them."""

import typer

keys = typer.Typer(
    help="Make, rotate and retire the keys of a ring.",
    no_args_is_help=True,
)


@keys.callback()
def _keys() -> None:
    """Make, rotate and retire the keys of a ring."""
