"""The runtime of Temporal workers: connect, identify, run, drain, report; one command starts them all."""

from trenova_workers._connection import connect, connect_config
from trenova_workers._demo import CheckEvent, DemoEvent, DemoRun, ProgressEvent, SummaryEvent
from trenova_workers._fleet._fleet import Fleet, list_workers
from trenova_workers._fleet._registrations import Registrations
from trenova_workers._fleet._registrations_plugin import RegistrationsPlugin
from trenova_workers._fleet._status import PollerCounts, QueueStatus, SlotUse, WorkerState, WorkerStatus
from trenova_workers._identity import Identity, host_of, parse_identity
from trenova_workers._limits import WorkLimits
from trenova_workers._options import HealthOptions, LogOptions, WorkerOptions
from trenova_workers._prepare import prepare
from trenova_workers._provenance import Setting
from trenova_workers._routing._apply import Applied, apply_weights
from trenova_workers._routing._choice import Choice, choose
from trenova_workers._routing._facts import ORGANIZATION_ATTRIBUTE
from trenova_workers._routing._fairness import fairness_key
from trenova_workers._routing._file import RulesFile, load_rules
from trenova_workers._routing._load import QueueView, Reading
from trenova_workers._routing._loads import QueueLoads
from trenova_workers._routing._options import RoutingOptions
from trenova_workers._routing._overrides import OverrideChange
from trenova_workers._routing._plugin import RoutingPlugin
from trenova_workers._routing._requests import Explanation, Route, StartRequest, Step
from trenova_workers._routing._router import Router
from trenova_workers._routing._rules import (
    LoadOptions,
    Match,
    OrganizationClass,
    Overflow,
    RoutingRules,
    Rule,
    Target,
)
from trenova_workers._routing._served import check_routing
from trenova_workers._run import ForcedShutdownError, run
from trenova_workers._service import Finding, Service, Work
from trenova_workers._settings import LoadedSettings, ServiceSettings, load_settings
from trenova_workers._tuning._metrics import MetricsOptions
from trenova_workers._tuning._pollers import AutoscalingPollers, FixedPollers
from trenova_workers._tuning._slots import (
    CompositeTuner,
    FixedSlots,
    FixedTuner,
    ResizableSlots,
    ResizableTuner,
    ResourceSlots,
    ResourceTuner,
)

__all__ = [
    "AutoscalingPollers",
    "CheckEvent",
    "CompositeTuner",
    "DemoEvent",
    "DemoRun",
    "Explanation",
    "Finding",
    "FixedPollers",
    "FixedSlots",
    "FixedTuner",
    "ForcedShutdownError",
    "HealthOptions",
    "LoadOptions",
    "LoadedSettings",
    "LogOptions",
    "MetricsOptions",
    "ProgressEvent",
    "ResizableSlots",
    "ResizableTuner",
    "ResourceSlots",
    "ResourceTuner",
    "Service",
    "ServiceSettings",
    "Setting",
    "StartRequest",
    "Step",
    "SummaryEvent",
    "Target",
    "Work",
    "WorkLimits",
    "WorkerOptions",
    "apply_weights",
    "check_routing",
    "choose",
    "connect",
    "connect_config",
    "fairness_key",
    "load_rules",
    "load_settings",
    "parse_identity",
    "prepare",
    "run",
]
