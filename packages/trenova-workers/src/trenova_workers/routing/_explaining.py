"""The steps that led to a route, in words."""

from trenova_workers.routing._matching import ReadyRule, ReadyRules
from trenova_workers.routing._requests import Route, StartRequest, Step
from trenova_workers.routing._rules import Target


def rule_steps(ready: ReadyRules, chosen: ReadyRule, request: StartRequest) -> list[Step]:
    """Say of each rule up to the one that matches why it does not."""
    steps: list[Step] = []
    for rule in ready.ready:
        subject = f"rule {rule.name}"
        if rule is chosen:
            return [*steps, Step(subject, applies=True, detail="matches; later rules are not looked at")]
        steps.append(Step(subject, applies=False, detail="; ".join(rule.differences(request))))
    return [*steps, Step("rule default", applies=True, detail="no rule matches")]


def priority_steps(ready: ReadyRules, target: Target, request: StartRequest, route: Route) -> list[Step]:
    """Say where priority and fairness come from."""
    key, fairness, weight = route.priority.priority_key, route.priority.fairness_key, route.priority.fairness_weight
    if target.priority is not None:
        why = f"{key}: the rule says {target.priority!r}"
    elif key is not None:
        why = f"{key}: urgency {request.urgency!r}"
    else:
        known = ", ".join(ready.rules.urgencies)
        what = "no urgency was said" if request.urgency is None else f"{request.urgency!r} is none of {known}"
        why = f"the server's default (3): {what}"
    steps = [Step("priority", applies=key is not None, detail=why)]
    if fairness is None:
        off = "the rule says 'none'" if target.fairness == "none" else "the organization is not known"
        return [*steps, Step("fairness", applies=False, detail=f"no key: {off}")]
    whose = "the rule's key" if target.fairness_key else "the organization"
    if not target.fairness_key and fairness != request.organization:
        whose = "the organization, shortened to 64 bytes"
    said = f"key {fairness!r}: {whose}; weight {1 if weight is None else weight:g}"
    return [*steps, Step("fairness", applies=True, detail=said)]
