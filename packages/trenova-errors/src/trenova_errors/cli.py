"""The command ``trenova-errors`` (extra ``cli``)."""

import sys

try:
    import typer
except ModuleNotFoundError:
    sys.exit('The command needs its extra: uv pip install "trenova-errors[cli]"')

from trenova_errors._cli_explain import explain
from trenova_errors._cli_table import table

app = typer.Typer(
    name="trenova-errors",
    help="What failed, may it be retried, and when.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.command(no_args_is_help=True)(explain)
app.command()(table)


def main() -> None:
    """Run the command with the process's arguments: 0 done, 2 for what is not known."""
    app()
