"""A plan and a report for people."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any, Final

from rich.markup import escape

from trenova_schedules._cli_output import console
from trenova_schedules._previewing import FireDiff
from trenova_schedules._reconciling._plain import canonical
from trenova_schedules._reconciling._plan import AppliedReport, Outcome, Plan, PlanKind, PlannedSchedule

_SIGN: Final = {
    PlanKind.CREATE: "[green]+[/]",
    PlanKind.UPDATE: "[yellow]~[/]",
    PlanKind.UNCHANGED: " ",
    PlanKind.OVERRIDDEN: "[cyan]=[/]",
    PlanKind.ORPHANED: "[red]-[/]",
    PlanKind.FOREIGN: "[red]![/]",
    PlanKind.REFUSED: "[red]![/]",
}
_MOST_FIRES: Final = 5
_LONGEST: Final = 160


def show_plan(plan: Plan, *, prune: bool) -> None:
    """Print each schedule that is not simply unchanged, and one line that counts."""
    console.print(f"Schedules of {escape(plan.owner)} in namespace {escape(plan.namespace)}")
    for one in plan.schedules:
        if one.kind is PlanKind.UNCHANGED:
            continue
        console.print(f"{_SIGN[one.kind]} {escape(one.id)}  {_kind(one, prune=prune)}", soft_wrap=True)
        for line in _lines(one):
            console.print(f"    {line}", soft_wrap=True, markup=False)
    counts = {kind: len(plan.of(kind)) for kind in PlanKind}
    said = ", ".join(f"{count} {kind.value}" for kind, count in counts.items() if count)
    console.print(said or "no schedules")


def show_report(report: AppliedReport) -> None:
    """Print what was done, and what was not and why."""
    for one in report.schedules:
        if one.outcome in {Outcome.CURRENT, Outcome.KEPT}:
            continue
        reason = f": {one.reason}" if one.reason and one.outcome is not Outcome.UPDATED else ""
        never = "; no time is known at which it fires" if one.never_fires else ""
        console.print(f"{one.outcome.value} {one.id}{reason}{never}", soft_wrap=True, markup=False)
    done = {outcome: len(report.of(outcome)) for outcome in Outcome}
    console.print(", ".join(f"{count} {outcome.value}" for outcome, count in done.items() if count) or "nothing to do")


def _kind(one: PlannedSchedule, *, prune: bool) -> str:
    if one.kind is PlanKind.ORPHANED:
        return "orphaned, will be deleted" if prune else "orphaned; --prune deletes it"
    return one.kind.value + (", paused" if one.paused else "")


def _lines(one: PlannedSchedule) -> Iterator[str]:
    if one.reason:
        yield one.reason
    for change in one.changes:
        was = "" if one.kind is PlanKind.CREATE else f"{_text(change.old)} -> "
        yield f"{change.field}: {was}{_text(change.new)}"
    for kept in one.overrides:
        yield f"{kept.field}: {_text(kept.kept)} was set on the server and stays; defined is {_text(kept.defined)}"
    if one.fires is not None:
        yield from _fires(one.fires)


def _text(value: Any) -> str:
    text = value if isinstance(value, str) and value else canonical(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _fires(diff: FireDiff) -> Iterator[str]:
    days = max(1, round((diff.end - diff.start).total_seconds() / 86_400))
    counts = f"+{len(diff.added)} -{len(diff.removed)}, {len(diff.moved)} moved, {diff.unchanged} unchanged"
    yield f"ticks of the next {days} days: {counts}"
    yield from _some("+", (_moment(at) for at in diff.added), len(diff.added))
    yield from _some("-", (_moment(at) for at in diff.removed), len(diff.removed))
    pairs = (f"{_moment(pair.before)} -> {_moment(pair.after)}" for pair in diff.moved)
    yield from _some("~", pairs, len(diff.moved))


def _some(sign: str, lines: Iterable[str], count: int) -> Iterator[str]:
    for line in islice(lines, _MOST_FIRES):
        yield f"  {sign} {line}"
    if count > _MOST_FIRES:
        yield f"  {sign} and {count - _MOST_FIRES} more"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
