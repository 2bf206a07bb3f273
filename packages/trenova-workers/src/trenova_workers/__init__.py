"""The runtime of Temporal workers: connect, identify, run, drain, report; one command starts them all."""

from trenova_errors.connecting import connect_config
from trenova_workers._connection import connect
from trenova_workers._console import ConsoleAddress
from trenova_workers._demo import CheckEvent, DemoEvent, DemoRun, ProgressEvent, SummaryEvent
from trenova_workers._drain import ForcedShutdownError
from trenova_workers._fleet._fleet import Fleet, list_workers
from trenova_workers._fleet._registrations import Registrations
from trenova_workers._fleet._registrations_plugin import RegistrationsPlugin
from trenova_workers._fleet._status import PollerCounts, QueueStatus, SlotUse, WorkerState, WorkerStatus
from trenova_workers._history import HistoryMonitor, HistoryOptions
from trenova_workers._identity import Identity, host_of, parse_identity
from trenova_workers._limits import WorkLimits
from trenova_workers._observability._options import ObservabilityOptions
from trenova_workers._observability._plugin import ObservabilityPlugin
from trenova_workers._observability._trace_ids import TraceIds
from trenova_workers._options import HealthOptions, LogOptions, RoutingOptions, WorkerOptions
from trenova_workers._prepare import prepare
from trenova_workers._provenance import Setting
from trenova_workers._run import run
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
    "ConsoleAddress",
    "DemoEvent",
    "DemoRun",
    "Finding",
    "FixedPollers",
    "FixedSlots",
    "FixedTuner",
    "Fleet",
    "ForcedShutdownError",
    "HealthOptions",
    "HistoryMonitor",
    "HistoryOptions",
    "Identity",
    "LoadedSettings",
    "LogOptions",
    "MetricsOptions",
    "ObservabilityOptions",
    "ObservabilityPlugin",
    "PollerCounts",
    "ProgressEvent",
    "QueueStatus",
    "Registrations",
    "RegistrationsPlugin",
    "ResizableSlots",
    "ResizableTuner",
    "ResourceSlots",
    "ResourceTuner",
    "RoutingOptions",
    "Service",
    "ServiceSettings",
    "Setting",
    "SlotUse",
    "SummaryEvent",
    "TraceIds",
    "Work",
    "WorkLimits",
    "WorkerOptions",
    "WorkerState",
    "WorkerStatus",
    "connect",
    "connect_config",
    "host_of",
    "list_workers",
    "load_settings",
    "parse_identity",
    "prepare",
    "run",
]
