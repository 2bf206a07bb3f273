"""The command ``trenova-activities`` (extra ``cli``)."""

import os
import sys
import traceback

try:
    import typer
except ModuleNotFoundError:
    sys.exit('The command needs its extra: uv pip install "trenova-activities[cli,database,sqlite]"')

from trenova_activities._cli_db import db
from trenova_activities._cli_holds import holds
from trenova_activities._cli_manifest import manifest
from trenova_activities._cli_notifications import notifications
from trenova_activities._cli_plan import plan
from trenova_activities._cli_replay import replay
from trenova_activities._cli_retention import retention
from trenova_activities._cli_start import start, status
from trenova_activities._cli_start_system import system
from trenova_activities._cli_start_transfer import moves
from trenova_activities._cli_steer import cancel, limits, pause, resume

app = typer.Typer(
    name="trenova-activities",
    help="The background jobs of a transport management system.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
db.add_typer(retention)
start.add_typer(system)
start.add_typer(moves)
app.add_typer(db, name="db")
app.add_typer(start, name="start")
app.add_typer(notifications, name="notifications")
app.add_typer(plan, name="plan")
app.add_typer(holds, name="holds")
app.add_typer(manifest, name="manifest")
app.command()(replay)
for _command in (status, pause, resume, cancel, limits):
    app.command()(_command)


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
