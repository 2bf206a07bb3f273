"""``trenova-schedules plan | apply``: schedules as code, for people and for builds."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from temporalio.client import Client

from trenova_errors import ApplicationError
from trenova_schedules._cli_connect import FAILED, MISCONFIGURED, run
from trenova_schedules._cli_output import AsJson, Yes, print_json
from trenova_schedules._cli_plan_output import show_plan, show_report
from trenova_schedules._reconciling._contribution import ScheduleContribution, contributions
from trenova_schedules._reconciling._plan import AppliedReport, Plan, PlanKind
from trenova_schedules._reconciling._reconcile import Reconciler

PENDING: Final = 3
"""Exit status of ``plan --detailed-exitcode`` where applying would change something."""

Where = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[MODULE:ATTRIBUTE]...",
        help="Where definitions are; also imported from the current folder.",
        show_default="what installed services contribute",
    ),
]
Owners = Annotated[list[str] | None, typer.Option("--owner", help="Only this owner's; may be repeated.")]
Prune = Annotated[bool, typer.Option("--prune", help="Delete this owner's schedules that no definition has any more.")]
Overwrite = Annotated[
    list[str] | None,
    typer.Option(help="Id of a schedule of which the definition wins over what somebody changed; may be repeated."),
]
Unserved = Annotated[
    bool, typer.Option("--allow-unserved", help="Take also schedules whose workflow or queue no worker serves yet.")
]
Days = Annotated[int, typer.Option(min=0, max=366, help="How many days of ticks are compared; 0 for none.")]


def plan(
    where: Where = None,
    *,
    owner: Owners = None,
    prune: Prune = False,
    overwrite: Overwrite = None,
    allow_unserved: Unserved = False,
    days: Days = 30,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Leave with 3 if there are changes.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what 'apply' would do: fields as they are and will be, ticks that move. Nothing is changed.

    Exit status: 0 it can be applied, or there is nothing to do; 1 a schedule is refused or foreign, or the server does
    not answer; 2 the configuration does not hold; with --detailed-exitcode 3 there are changes, and none is refused.
    """
    found = _load(where, owner)
    _require_defined(overwrite, found)

    async def work(client: Client) -> list[Plan]:
        return [await _reconciler(client, one, overwrite, unserved=allow_unserved).plan(days=days) for one in found]

    plans = run(work)
    if as_json:
        print_json(plans)
    else:
        for one in plans:
            show_plan(one, prune=prune)
    if any(one.of(PlanKind.REFUSED, PlanKind.FOREIGN) for one in plans):
        raise typer.Exit(FAILED)
    if detailed_exitcode and any(one.pending(prune=prune) for one in plans):
        raise typer.Exit(PENDING)


def apply(
    where: Where = None,
    *,
    owner: Owners = None,
    prune: Prune = False,
    overwrite: Overwrite = None,
    allow_unserved: Unserved = False,
    days: Days = 30,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Do what 'plan' shows, and ask before anything is deleted. What operators changed stays, unless --overwrite.

    Exit status: 0 all definitions stand, whatever operators changed of them; 1 some do not, or nobody agreed to the
    deletion; 2 the configuration does not hold.
    """
    found = _load(where, owner)
    _require_defined(overwrite, found)

    async def work(client: Client) -> list[AppliedReport]:
        ours = [_reconciler(client, one, overwrite, unserved=allow_unserved) for one in found]
        plans = [await one.plan(days=days) for one in ours]
        if not as_json:
            for shown in plans:
                show_plan(shown, prune=prune)
        deleted = [one.id for planned in plans for one in planned.of(PlanKind.ORPHANED) if prune]
        if deleted and not yes:
            _confirm(deleted)
        return [await one.apply(planned, prune=prune) for one, planned in zip(ours, plans, strict=True)]

    reports = run(work)
    if as_json:
        print_json(reports)
    else:
        for one in reports:
            show_report(one)
    if not all(one.complete for one in reports):
        raise typer.Exit(FAILED)


def _load(where: Sequence[str] | None, owners: Sequence[str] | None) -> list[ScheduleContribution]:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return contributions(where or (), os.environ, owners=owners or ())
    except ApplicationError as error:
        typer.echo(error.message, err=True)
        raise typer.Exit(MISCONFIGURED) from None


def _require_defined(overwrite: Sequence[str] | None, found: Sequence[ScheduleContribution]) -> None:
    known = {definition.id for one in found for definition in one.definitions}
    if unknown := sorted(set(overwrite or ()) - known):
        raise typer.BadParameter(f"no definition here has the id {', '.join(unknown)}", param_hint="--overwrite")


def _reconciler(
    client: Client, one: ScheduleContribution, overwrite: Sequence[str] | None, *, unserved: bool
) -> Reconciler:
    return Reconciler(
        client,
        one.definitions,
        owner=one.owner,
        registrations=one.registrations,
        unserved=unserved,
        overwrite=overwrite or (),
    )


def _confirm(deleted: Sequence[str]) -> None:
    typer.confirm(f"Delete {len(deleted)} schedules ({', '.join(deleted)})?", abort=True, err=True)
