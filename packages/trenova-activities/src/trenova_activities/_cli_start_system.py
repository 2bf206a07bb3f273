"""``trenova-activities start purge`` and ``start notify``."""

from typing import Annotated

import typer

from trenova_activities._cli_start import run, whole

system = typer.Typer()

Follow = Annotated[bool, typer.Option(help="Show the progress and wait for the end.")]


@system.command("purge")
def purge(
    *,
    organization: Annotated[
        list[str] | None,
        typer.Option(help="Only this organization; may be repeated.", show_default="every one with a period"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, and delete nothing.")] = False,
    batch_size: Annotated[
        int | None, typer.Option(help="Entries per transaction, 1 to 10000.", show_default="1000")
    ] = None,
    plan: Annotated[
        str | None, typer.Option(help="Whole hash of an approved plan; the run does at most what it says.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="The same key names the same run.")] = None,
    follow: Follow = True,
) -> None:
    """Delete audit entries that are older than their organization's own retention period, as every night.

    The Temporal server comes from the profile files and variables of temporalio.envconfig
    (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_PROFILE...), localhost:7233 by default.

    Exit status: 0 done; 1 failed or refused; 2 the configuration does not hold, such as routing rules or keys; 3 ended,
    but an organization failed, or each one was skipped.
    """
    from trenova_activities._cli_system import run_purge

    asked = {
        "organization_ids": organization or [],
        "dry_run": dry_run,
        "batch_size": batch_size,
        "plan_hash": whole(plan),
    }
    raise typer.Exit(run(run_purge(asked, key=key, follow=follow)))


@system.command("notify")
def notify(
    *,
    organization: Annotated[str, typer.Option(help="Organization of whoever is told.")],
    business_unit: Annotated[str, typer.Option(help="Its business unit.")],
    user: Annotated[str | None, typer.Option(help="Who is told; or name a role.")] = None,
    role: Annotated[str | None, typer.Option(help="The role that is told; or name a user.")] = None,
    job_type: Annotated[str, typer.Option(help="Which job, e.g. duplicate_shipment.")],
    result: Annotated[str, typer.Option(help="What came of it, in a sentence.")],
    job: Annotated[str | None, typer.Option(help="The job's workflow id.", show_default="made up")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="The job failed.")] = False,
    follow: Follow = True,
) -> None:
    """Tell a user or a role how a job ended; once per job and target, however often it is asked.

    The Temporal server comes from the profile files and variables of temporalio.envconfig
    (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_PROFILE...), localhost:7233 by default.
    """
    from trenova_activities._cli_system import run_notify

    asked = {
        "organization_id": organization,
        "business_unit_id": business_unit,
        "user_id": user,
        "target_role": role,
        "job_id": job,
        "job_type": job_type,
        "success": not failed,
        "result": result,
    }
    run(run_notify(asked, follow=follow))
