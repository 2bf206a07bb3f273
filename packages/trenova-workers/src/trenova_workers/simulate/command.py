"""The command ``trenova-workers simulate``: a function for typer."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trenova_errors import ConfigurationError

if TYPE_CHECKING:
    from trenova_workers.simulate._canonical import Case


def simulate(
    *,
    trace: Annotated[
        list[str] | None,
        typer.Option(
            "--trace", metavar="NAME|FILE", help="One of the eight, or a file: CSV, JSON, YAML; may be repeated."
        ),
    ] = None,
    policy: Annotated[
        Path | None, typer.Option("--policy", metavar="FILE", help="Policy of the pool, YAML or JSON.")
    ] = None,
    plot: Annotated[Path | None, typer.Option("--plot", metavar="PNG", help="Write a picture as well.")] = None,
    why: Annotated[bool, typer.Option("--why", help="Print the sentence of each change besides.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")] = False,
) -> None:
    """Try a scaling policy on a load, beside KEDA's rule, the published rate law, fixed pools and an oracle.

    Without --trace all eight canonical traces are run, each with its own policy unless --policy names one; a recorded
    trace has the default policy. No server is needed. The same input gives the same output.

    Exits 0 when our law held the target on every trace, 1 when it did not, 2 when it could not run.
    """
    from trenova_workers.simulate._compare import compare
    from trenova_workers.simulate._printing import print_json, print_reasons, print_tables

    try:
        chosen = [_case(name, policy) for name in trace or _all()]
        compared = [compare(one.trace, one.policy) for one in chosen]
        (print_json if json_ else print_tables)(compared, sys.stdout)
        if why and not json_:
            print_reasons(compared, sys.stdout)
        if plot is not None:
            from trenova_workers.simulate._plot import plot as draw

            draw(compared, plot)
    except ConfigurationError as error:
        typer.echo(f"error: {error.message}", err=True)
        raise typer.Exit(2) from None
    raise typer.Exit(0 if all(one.ours.held for one in compared) else 1)


def _all() -> tuple[str, ...]:
    from trenova_workers.simulate._canonical import names

    return names()


def _case(name: str, policy: Path | None) -> "Case":
    from trenova_workers.scaling import ScalingPolicy, load_policy
    from trenova_workers.simulate._canonical import Case, case
    from trenova_workers.simulate._file import load_trace

    told = None if policy is None else load_policy(policy)
    if name in _all():
        known = case(name)
        return known if told is None else Case(known.trace, told)
    path = Path(name)
    if not path.suffix and not path.exists():
        raise ConfigurationError(f"--trace {name!r} is no file and none of the eight: {', '.join(_all())}.")
    return Case(load_trace(path), told or ScalingPolicy())
