"""The command ``trenova-schedules`` (extra ``cli``)."""

import os
import sys
import traceback

try:
    import typer
except ModuleNotFoundError:
    sys.exit('The command needs its extra: uv pip install "trenova-schedules[cli]"')

from trenova_schedules._cli_audit import audit
from trenova_schedules._cli_backfill import backfill
from trenova_schedules._cli_bulk import undo
from trenova_schedules._cli_change import pause, resume, update
from trenova_schedules._cli_db import db
from trenova_schedules._cli_delete import delete
from trenova_schedules._cli_exchange import export, import_
from trenova_schedules._cli_ledger import ledger
from trenova_schedules._cli_lint import lint
from trenova_schedules._cli_list import list_, show
from trenova_schedules._cli_plan import apply, plan
from trenova_schedules._cli_preview import preview
from trenova_schedules._cli_receipts import receipts
from trenova_schedules._cli_serve import api_token, serve
from trenova_schedules._cli_trigger import trigger

app = typer.Typer(
    name="trenova-schedules",
    help="Temporal schedules: look at them, change them, and see what they will do.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


@app.callback()
def _schedules() -> None:
    """Temporal schedules: look at them, change them, and see what they will do.

    The server comes from the profile files and variables of temporalio.envconfig (TEMPORAL_ADDRESS,
    TEMPORAL_NAMESPACE, TEMPORAL_PROFILE...), localhost:7233 by default.
    """


app.command("list")(list_)
app.command("import")(import_)
app.add_typer(db, name="db")
for _kept in (ledger, audit):
    app.command()(_kept)
for _command in (show, pause, resume, trigger, update, delete, undo, export, plan, apply, preview, lint):
    app.command()(_command)
app.command()(serve)
app.command("api-token")(api_token)
app.add_typer(backfill, name="backfill")
app.add_typer(receipts, name="receipts")


def main() -> None:
    """Run the command with the process's arguments.

    It leaves without finalizing the interpreter: threads of a Temporal client that was used a moment ago may
    still call into it then, which ends the process with a signal (temporalio/sdk-python issue 300).
    """
    status = 1
    try:
        app()
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:  # noqa: BLE001 - what nobody expected is shown, and the process still leaves as above
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
