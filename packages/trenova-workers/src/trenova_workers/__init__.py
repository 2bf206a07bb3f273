"""The runtime of Temporal workers: connect, identify, run, drain, report; one command starts them all."""

from trenova_workers._connection import connect, connect_config
from trenova_workers._demo import CheckEvent, DemoEvent, DemoRun, ProgressEvent, SummaryEvent
from trenova_workers._limits import WorkLimits
from trenova_workers._options import HealthOptions, LogOptions, WorkerOptions
from trenova_workers._prepare import prepare
from trenova_workers._provenance import Setting
from trenova_workers._run import ForcedShutdownError, run
from trenova_workers._service import Finding, Service, Work
from trenova_workers._settings import LoadedSettings, ServiceSettings, load_settings

__all__ = [
    "CheckEvent",
    "DemoEvent",
    "DemoRun",
    "Finding",
    "ForcedShutdownError",
    "HealthOptions",
    "LoadedSettings",
    "LogOptions",
    "ProgressEvent",
    "Service",
    "ServiceSettings",
    "Setting",
    "SummaryEvent",
    "Work",
    "WorkLimits",
    "WorkerOptions",
    "connect",
    "connect_config",
    "load_settings",
    "prepare",
    "run",
]
