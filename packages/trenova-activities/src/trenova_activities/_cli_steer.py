"""``trenova-activities pause|resume|cancel|limits``: steer a run under way."""

import getpass
from typing import Annotated, Any

import typer

from trenova_activities._cli_start import run

WorkflowId = Annotated[str, typer.Argument(help="As printed by 'start'.", show_default=False)]
Reason = Annotated[str, typer.Option(help="Why, for whoever looks.", show_default=False)]
By = Annotated[str | None, typer.Option(help="Who asks; shown as a claim.", show_default="the user of this system")]
UpdateId = Annotated[
    str | None, typer.Option(help="The same id is obeyed once, however often it is asked.", show_default="a new one")
]
Wait = Annotated[float, typer.Option(min=1, max=600, help="Seconds that a worker may take to answer.")]

_WAIT_S = 15.0


def pause(
    workflow_id: WorkflowId, *, reason: Reason, by: By = None, update_id: UpdateId = None, wait: Wait = _WAIT_S
) -> None:
    """Stop a job after the batch under way, within about 15 seconds, until 'resume'.

    Exit status: 0 paused, or paused already; 1 refused, ended, or no worker answered; 2 the configuration does not
    hold.
    """
    _steer("pause", workflow_id, {"reason": reason, "by": _name(by)}, update_id, wait)


def resume(workflow_id: WorkflowId, *, by: By = None, update_id: UpdateId = None, wait: Wait = _WAIT_S) -> None:
    """Go on where a paused job stands.

    Exit status: 0 going on, or it was not paused; 1 refused, ended, or no worker answered; 2 the configuration does not
    hold.
    """
    _steer("resume", workflow_id, {"by": _name(by)}, update_id, wait)


def cancel(
    workflow_id: WorkflowId, *, reason: Reason, by: By = None, update_id: UpdateId = None, wait: Wait = _WAIT_S
) -> None:
    """End a job after the batch under way; what it did stands, and the reason stays in the memo of its run.

    Exit status: 0 it ends; 1 refused, ended before, or no worker answered; 2 the configuration does not hold.
    """
    _steer("cancel", workflow_id, {"reason": reason, "by": _name(by)}, update_id, wait)


def limits(
    workflow_id: WorkflowId,
    *,
    batch_size: Annotated[
        int | None, typer.Option(help="Rows per transaction, 1 to 10000; 0: as started.", show_default="unchanged")
    ] = None,
    rows_per_second: Annotated[
        int | None, typer.Option(help="Rows per second at most; 0: as started.", show_default="unchanged")
    ] = None,
    by: By = None,
    update_id: UpdateId = None,
    wait: Wait = _WAIT_S,
) -> None:
    """Change how fast a job may be, from its next call on, thus within about 20 seconds.

    Exit status: 0 changed, or they were these already; 1 refused, ended, or no worker answered; 2 the configuration
    does not hold.
    """
    asked = {"batch_size": batch_size, "rows_per_second": rows_per_second, "by": _name(by)}
    _steer("limits", workflow_id, asked, update_id, wait)


def _steer(what: str, workflow_id: str, asked: dict[str, Any], update_id: str | None, wait: float) -> None:
    from trenova_activities._cli_steering import steer_run

    run(steer_run(what, workflow_id, asked, update_id=update_id, wait_s=wait))


def _name(by: str | None) -> str:
    if by is not None:
        return by
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container whose user has no name
        return "unknown"
