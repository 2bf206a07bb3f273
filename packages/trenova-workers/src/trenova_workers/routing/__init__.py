"""Which task queue and which priority a start gets: rules, load, the client that applies them."""

from trenova_workers.routing._apply import Applied, apply_weights
from trenova_workers.routing._choice import Choice, choose
from trenova_workers.routing._facts import ORGANIZATION_ATTRIBUTE
from trenova_workers.routing._fairness import fairness_key
from trenova_workers.routing._file import RulesFile, load_rules
from trenova_workers.routing._load import QueueView, Reading
from trenova_workers.routing._loads import QueueLoads
from trenova_workers.routing._overrides import OverrideChange
from trenova_workers.routing._plugin import RoutingPlugin
from trenova_workers.routing._requests import Explanation, Route, StartRequest, Step
from trenova_workers.routing._router import Router
from trenova_workers.routing._rules import (
    LoadOptions,
    Match,
    OrganizationClass,
    Overflow,
    RoutingRules,
    Rule,
    Target,
)
from trenova_workers.routing._served import check_routing

__all__ = [
    "ORGANIZATION_ATTRIBUTE",
    "Applied",
    "Choice",
    "Explanation",
    "LoadOptions",
    "Match",
    "OrganizationClass",
    "Overflow",
    "OverrideChange",
    "QueueLoads",
    "QueueView",
    "Reading",
    "Route",
    "Router",
    "RoutingPlugin",
    "RoutingRules",
    "Rule",
    "RulesFile",
    "StartRequest",
    "Step",
    "Target",
    "apply_weights",
    "check_routing",
    "choose",
    "fairness_key",
    "load_rules",
]
