"""What ``trenova-workers route`` prints."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from math import isinf
from typing import Any

from trenova_workers.routing._apply import Applied
from trenova_workers.routing._overrides import OverrideChange
from trenova_workers.routing._requests import Explanation


def explained(explanation: Explanation, waits: Mapping[str, float | None], *, as_json: bool) -> str:
    """Return a route with its steps, and how long work waits on the queues that were compared."""
    if as_json:
        return json.dumps(
            {
                "request": explanation.request._asdict(),
                "route": {**explanation.route._asdict(), "priority": asdict(explanation.route.priority)},
                "steps": [asdict(step) for step in explanation.steps],
                "waits_s": {queue: _number(wait) for queue, wait in waits.items()},
            }
        )
    route, priority = explanation.route, explanation.route.priority
    lines = [
        f"task queue  {route.queue or '(the one that the caller names)'}",
        f"priority    {priority.priority_key or 'the default (3)'}",
        f"fairness    {priority.fairness_key or 'no key'}"
        + (f", weight {priority.fairness_weight:g}" if priority.fairness_weight is not None else ""),
        "because",
        *(f"  {'+' if step.applies else '-'} {step.subject}: {step.detail}" for step in explanation.steps),
    ]
    lines += ["expected waits"] if waits else []
    lines += [f"  {queue}: {_wait(wait)}" for queue, wait in waits.items()]
    return "\n".join(lines)


def applied(result: Applied, *, dry_run: bool, as_json: bool) -> str:
    """Return what was changed, or would be."""
    if as_json:
        return json.dumps({"dry_run": dry_run, **asdict(result)})
    lines = [_change(one) for one in result.changes]
    lines += [f"  {one.queue} ({one.kind}) {one.key}: {one.before:g}, {one.note}" for one in result.left]
    verb = "would change" if dry_run else "changed"
    return "\n".join([*lines, f"{len(result.changes)} weights {verb}." if result.changes else "Nothing to change."])


def _change(one: OverrideChange) -> str:
    mark = "-" if one.after is None else "+" if one.before is None else "~"
    before = "" if one.before is None else f"{one.before:g}"
    after = "" if one.after is None else f"{one.after:g}"
    arrow = " -> " if before and after else ""
    return f"{mark} {one.queue} ({one.kind}) {one.key}: {before}{arrow}{after}{f' ({one.note})' if one.note else ''}"


def _wait(wait: float | None) -> str:
    if wait is None:
        return "not known"
    return "endless, nobody polls it" if isinf(wait) else f"{wait:.1f} s"


def _number(wait: float | None) -> Any:
    return "endless" if wait is not None and isinf(wait) else wait
